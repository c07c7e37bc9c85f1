@testable import Maintenance
import Storage
import Testing

@testable import Objects

@Suite("Damaged packs")
struct PackDamageTests {
    /// A small pack of every codec, and the bytes that its objects must have.
    private struct Sample {
        let pack: PackReference
        let file: [UInt8]
        let objects: [ObjectID: [UInt8]]
        let pieces: [PackFooter.Piece]

        init() throws {
            var repository = TestRepository()
            var contents: [[UInt8]] = [
                [], [1], TestBytes.random.make(60), TestBytes.text.make(200),
                TestBytes.bfloat16.make(400), TestBytes.zeros.make(300),
                TestBytes.text.make(100) + TestBytes.float32.make(400),
                TestBytes.text.make(72) + TestBytes.float32.make(128),
            ]
            try repository.commit { writer in
                for bytes in contents.dropLast(2) { try writer.write(bytes, hint: .bulk) }
                try writer.write(contents[3] + [0x21], hint: .structured)
                try writer.write(contents[6], hint: .leaf(vectorOffset: 100, dimension: 10))
                try writer.write(contents[7], hint: .leaf(vectorOffset: 72, dimension: 32))
                // A recipe of small pieces, like that of a large import.
                var pieces: [PackFooter.PieceReference] = []
                for part in [contents[2], contents[3], contents[2]] {
                    pieces.append(
                        try writer.writePiece(ObjectID(of: part.span), part.span, hint: .bulk))
                }
                let whole = contents[2] + contents[3] + contents[2]
                try writer.writeRecipe(
                    ObjectID(of: whole.span), .init(size: whole.count, pieces: pieces))
                contents += [whole, contents[3] + [0x21]]
            }
            pack = repository.packs[0]
            file = try repository.bytes(of: pack)
            objects = Dictionary(
                contents.map { (ObjectID(of: $0.span), $0) }, uniquingKeysWith: { left, _ in left })
            let footer = try repository.store.open(pack).footer
            pieces = try (0..<footer.pieceCount).map { try footer.piece(at: $0) }
        }

        /// Whether the byte at a position belongs to no piece.
        func isGap(_ position: Int) -> Bool {
            !pieces.contains { ($0.offset..<$0.offset + $0.storedSize).contains(position) }
        }
    }

    /// Reads everything and returns the number of unreadable objects; wrong bytes fail the test.
    private static func failures(_ store: PackStore, _ sample: Sample, _ what: String) -> Int {
        var failures = 0
        for (id, bytes) in sample.objects {
            do {
                if try store.read(id, limit: .max) != bytes { Issue.record("wrong bytes, \(what)") }
                if try store.size(of: id) != bytes.count { Issue.record("wrong size, \(what)") }
                let range = try store.read(id, offset: 3, count: 20)
                if !range.elementsEqual(bytes.dropFirst(3).prefix(20)) {
                    Issue.record("wrong range, \(what)")
                }
            } catch {
                failures += 1
                if error.fault != .damaged {
                    Issue.record("\(what): \(error)")
                }
            }
        }
        return failures
    }

    @Test("an undamaged pack is read without failures")
    func undamaged() throws {
        let sample = try Sample()
        let store = try TestRepository.store(sample.file, as: sample.pack)
        #expect(Self.failures(store, sample, "") == 0)
        #expect(sample.file.count < 4000)
    }

    @Test("a pack that is cut anywhere is damaged, whether its new size is known or not")
    func truncated() throws {
        let sample = try Sample()
        for count in 0..<sample.file.count {
            let file = Array(sample.file[..<count])
            let store = try TestRepository.store(file, as: sample.pack)
            #expect(Self.failures(store, sample, "cut at \(count)") == sample.objects.count)
            let other = PackReference(
                name: sample.pack.name, size: count,
                indexOffset: min(sample.pack.indexOffset, count))
            let second = try TestRepository.store(file, as: other)
            #expect(Self.failures(second, sample, "cut to \(count)") == sample.objects.count)
        }
    }

    @Test("every flipped bit is found by reading its piece and by a full audit")
    func flipped() throws {
        let sample = try Sample()
        for position in 0..<sample.file.count {
            var file = sample.file
            file[position] ^= UInt8(truncatingIfNeeded: 1 << (position % 8))
            let store = try TestRepository.store(file, as: sample.pack)
            let failures = Self.failures(store, sample, "byte \(position)")
            if position >= sample.pack.indexOffset {
                #expect(failures == sample.objects.count)
            } else if position >= PackFooter.packMagic.count {
                #expect(failures > 0 || sample.isGap(position), "byte \(position)")
            }
            let other = try TestRepository.store(file, as: sample.pack)
            #expect(!other.audit(full: true).isEmpty, "byte \(position)")
        }
    }

    @Test("a missing file, or the file of another pack, is damage")
    func gone() throws {
        let sample = try Sample()
        let store = PackStore(bucket: MemoryBucket(), packs: [sample.pack])
        #expect(Self.failures(store, sample, "gone") == sample.objects.count)
        let other = try Sample()
        let swapped = try TestRepository.store(other.file, as: sample.pack)
        #expect(Self.failures(swapped, sample, "swapped") == sample.objects.count)
    }

    @Test("a reference with impossible numbers is damage")
    func reference() throws {
        let sample = try Sample()
        for (size, offset) in [
            (sample.file.count, -1), (sample.file.count, 0), (sample.file.count, 7),
            (sample.file.count, .max), (sample.file.count, .min), (-1, 8), (.max, 8),
            (sample.file.count, sample.file.count),
            (sample.file.count + 1, sample.pack.indexOffset),
            (sample.file.count, sample.pack.indexOffset + 1),
            (sample.file.count, sample.pack.indexOffset - 1),
        ] {
            let pack = PackReference(name: sample.pack.name, size: size, indexOffset: offset)
            let store = try TestRepository.store(sample.file, as: pack)
            #expect(Self.failures(store, sample, "\(size) \(offset)") == sample.objects.count)
        }
    }

    /// A pack with a hand-made footer and the matching name.
    private static func forged(
        data: [UInt8], pieces: [ObjectID: PackFooter.Piece],
        recipes: [ObjectID: PackFooter.Recipe] = [:]
    ) throws -> PackStore {
        let sound = pieces.mapValues { piece in
            var piece = piece
            let stored = data[(piece.offset - 8)..<(piece.offset - 8 + piece.storedSize)]
            piece.checksum = Checksum.of(Array(stored).span)
            return piece
        }
        let footer = PackFooter.encode(
            pieces: sound, recipes: recipes, nonce: [UInt8](repeating: 0, count: 16))
        let file = PackFooter.packMagic + data + footer
        return try TestRepository.store(
            file,
            as: PackReference(
                name: ObjectID(of: footer.span), size: file.count,
                indexOffset: 8 + data.count))
    }

    @Test("a recipe with the pieces of another object is damage, never a success")
    func wrongRecipe() throws {
        let data = TestBytes.random.make(100)
        let reference = ObjectID(of: data.span)
        let other = ObjectID(of: [1, 2, 3].span)
        let piece = PackFooter.Piece(
            offset: 8, storedSize: 100, size: 100, codec: .stored, isObject: false)
        let store = try Self.forged(
            data: data, pieces: [reference: piece],
            recipes: [other: .init(size: 100, pieces: [.init(id: reference, size: 100)])])
        #expect {
            try store.read(other, limit: .max)
        } throws: {
            ($0 as? ObjectError)?.fault == .damaged
        }
        #expect(throws: ObjectError.self) { try store.stream(other) { _ in } }
    }

    @Test("a recipe whose piece is missing or has another size is damage")
    func wrongPieces() throws {
        let data = TestBytes.random.make(100)
        let reference = ObjectID(of: data.span)
        let whole = ObjectID(of: (data + data).span)
        let piece = PackFooter.Piece(
            offset: 8, storedSize: 100, size: 100, codec: .stored, isObject: false)
        for pieces: [PackFooter.PieceReference] in [
            [.init(id: reference, size: 100), .init(id: whole, size: 100)],
            [.init(id: reference, size: 99), .init(id: reference, size: 101)],
        ] {
            let store = try Self.forged(
                data: data, pieces: [reference: piece],
                recipes: [whole: .init(size: 200, pieces: pieces)])
            #expect(throws: ObjectError.self) { try store.read(whole, limit: .max) }
            #expect(throws: ObjectError.self) { try store.read(whole, offset: 150, count: 9) }
        }
    }

    @Test("a piece under another piece's identity is damage")
    func wrongPiece() throws {
        let data = TestBytes.random.make(100)
        let wrong = ObjectID(of: [1].span)
        let store = try Self.forged(
            data: data,
            pieces: [
                wrong: .init(offset: 8, storedSize: 100, size: 100, codec: .stored, isObject: true)
            ])
        #expect(throws: ObjectError.self) { try store.read(wrong, limit: .max) }
        #expect(throws: ObjectError.self) { try store.read(wrong, offset: 0, count: 1) }
    }

    @Test("differences of differences, and circular ones, are damage")
    func chains() throws {
        let coder = PieceCoder()
        let first = TestBytes.random.make(2000)
        var second = first
        second[9] ^= 1
        func difference(_ bytes: [UInt8], _ base: [UInt8]) -> [UInt8] {
            var stored: [UInt8] = []
            let pair = PieceCoder.Base(id: ObjectID(of: base.span), bytes: base)
            #expect(coder.encode(bytes.span, hint: .bulk, base: pair, to: &stored) == .delta)
            return stored
        }
        func piece(_ offset: Int, _ stored: [UInt8]) -> PackFooter.Piece {
            .init(
                offset: offset, storedSize: stored.count, size: 2000, codec: .delta, isObject: true)
        }
        let one = difference(first, second)
        let two = difference(second, first)
        let circle = try Self.forged(
            data: one + two,
            pieces: [
                ObjectID(of: first.span): piece(8, one),
                ObjectID(of: second.span): piece(8 + one.count, two),
            ])
        #expect(throws: ObjectError.self) {
            try circle.read(ObjectID(of: first.span), limit: .max)
        }
        let own = ObjectID(of: first.span).bytes + one.dropFirst(32)
        let selfish = try Self.forged(data: own, pieces: [ObjectID(of: first.span): piece(8, own)])
        #expect(throws: ObjectError.self) {
            try selfish.read(ObjectID(of: first.span), limit: .max)
        }
        for store in [circle, selfish] {
            let writer = ObjectWriter(bucket: MemoryBucket(), existing: store)
            let id = try writer.write(
                first + [1], hint: .bulk, predecessor: ObjectID(of: first.span))
            #expect(try writer.read(id, limit: .max) == first + [1])
        }
    }

    @Test("a small file that claims gigabytes is refused before they are allocated")
    func bomb() throws {
        let coder = PieceCoder()
        var stored: [UInt8] = []
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        #expect(coder.encode(zeros.span, hint: .bulk, to: &stored) == .zstd)
        for size in [Int(UInt32.max), 1 << 30, PackFooter.pieceSizeLimit + 1] {
            let id = ObjectID(of: zeros.span)
            let store = try Self.forged(
                data: stored,
                pieces: [
                    id: .init(
                        offset: 8, storedSize: stored.count, size: size, codec: .zstd,
                        isObject: true)
                ])
            #expect(throws: ObjectError.self) { try store.read(id, limit: .max) }
        }
    }
}
