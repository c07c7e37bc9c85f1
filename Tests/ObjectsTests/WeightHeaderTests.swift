@testable import FileFormats
import Storage
import Testing

@testable import Objects

@Suite("Cutting weights at the boundaries in their headers")
struct WeightHeaderTests {
    /// A GGUF file as its usual writers lay it out.
    struct GGUFFile {
        var version: UInt32 = 3
        var alignment = 32
        var metadata: [(key: String, type: UInt32, value: [UInt8])] = []
        var tensors: [(name: String, bytes: [UInt8])] = []

        static func number(_ value: some FixedWidthInteger) -> [UInt8] {
            (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }

        static func text(_ text: String) -> [UInt8] {
            number(UInt64(text.utf8.count)) + Array(text.utf8)
        }

        /// The metadata that every real file has: texts, numbers, and arrays of both.
        static let usual: [(key: String, type: UInt32, value: [UInt8])] = [
            ("general.architecture", 8, text("llama")),
            ("general.alignment", 4, number(UInt32(32))),
            ("llama.block_count", 4, number(UInt32(2))),
            ("llama.rope.freq_base", 6, number(UInt32(0x4640_0000))),
            ("general.quantized", 7, [1]),
            (
                "tokenizer.ggml.tokens", 9,
                number(UInt32(8)) + number(UInt64(3)) + text("<s>") + text("") + text("é")
            ),
            (
                "tokenizer.ggml.scores", 9,
                number(UInt32(6)) + number(UInt64(3)) + [UInt8](repeating: 7, count: 12)
            ),
            (
                "nested", 9,
                number(UInt32(9)) + number(UInt64(1)) + number(UInt32(2)) + number(UInt64(2)) + [
                    1, 2, 3, 4,
                ]
            ),
            ("big", 12, number(UInt64(1))),
        ]

        /// The file, and where its tensors begin.
        var encoded: (bytes: [UInt8], starts: [Int]) {
            var bytes = Array("GGUF".utf8) + Self.number(version)
            bytes += Self.number(UInt64(tensors.count)) + Self.number(UInt64(metadata.count))
            for member in metadata {
                bytes += Self.text(member.key) + Self.number(member.type) + member.value
            }
            var offset = 0
            for tensor in tensors {
                bytes += Self.text(tensor.name) + Self.number(UInt32(1))
                bytes += Self.number(UInt64(tensor.bytes.count)) + Self.number(UInt32(24))
                bytes += Self.number(UInt64(offset))
                offset += (tensor.bytes.count + alignment - 1) / alignment * alignment
            }
            func pad() {
                let count = (alignment - bytes.count % alignment) % alignment
                bytes += [UInt8](repeating: 0, count: count)
            }
            pad()
            var starts: [Int] = []
            for tensor in tensors {
                starts.append(bytes.count)
                bytes += tensor.bytes
                pad()
            }
            return (bytes, starts)
        }
    }

    private static func model(_ sizes: [Int]) -> GGUFFile {
        var file = GGUFFile(metadata: GGUFFile.usual)
        for (number, size) in sizes.enumerated() {
            file.tensors.append(
                ("blk.\(number).weight", TestBytes.random.make(size, seed: UInt64(number))))
        }
        return file
    }

    private static func pieces(_ bytes: [UInt8]) throws -> [(offset: Int, id: ObjectID, size: Int)]
    {
        let plan = try CutPlan.choose(for: BytesBlob(bytes))
        var offset = 0
        return plan.cuts(of: bytes.span, at: 0, size: bytes.count, atLeast: bytes.count).map {
            length in
            defer { offset += length }
            return (offset, ObjectID(of: bytes.span.extracting(offset..<offset + length)), length)
        }
    }

    @Test("a GGUF file is cut where its tensors begin", arguments: [2, 3] as [UInt32])
    func tensors(version: UInt32) throws {
        var file = Self.model([70_000, 31, 300_000, 4096, 90_000])
        file.version = version
        let (bytes, starts) = file.encoded
        #expect(try GGUF(BytesBlob(bytes))?.boundaries == starts)
        let pieces = try Self.pieces(bytes)
        #expect(Set(pieces.map(\.offset)).isSuperset(of: starts))
        #expect(pieces.reduce(0) { $0 + $1.size } == bytes.count)
        #expect(pieces.allSatisfy { $0.size <= CutParameters.tensorPiece })
    }

    @Test("the alignment of tensors is read from the metadata", arguments: [8, 64, 4096])
    func alignment(alignment: Int) throws {
        var file = Self.model([5000, 70_001, 6000])
        file.alignment = alignment
        file.metadata[1].value = GGUFFile.number(UInt32(alignment))
        let (bytes, starts) = file.encoded
        #expect(try GGUF(BytesBlob(bytes))?.boundaries == starts)
    }

    @Test("adding a tensor to a GGUF file keeps all pieces of the others")
    func insertedTensor() throws {
        let before = Self.model([40_000, 600_123, 9000, 300_000, 50_000])
        for place in 0...5 {
            var after = before
            after.tensors.insert(("new", TestBytes.random.make(33_333, seed: 99)), at: place)
            let (old, oldStarts) = before.encoded
            let known = Set(try Self.pieces(old).map(\.id))
            let new = try Self.pieces(after.encoded.bytes).filter { !known.contains($0.id) }
            let header = try #require(oldStarts.first) + 200
            #expect(new.reduce(0) { $0 + $1.size } <= 33_333 + 32 + header, "at \(place)")
        }
    }

    @Test("an unsound GGUF header has no effect")
    func unsound() throws {
        let (bytes, _) = Self.model([70_000, 50_000]).encoded
        func number(_ value: some FixedWidthInteger) -> [UInt8] { GGUFFile.number(value) }
        func header(_ tensors: UInt64, _ members: UInt64, _ rest: [UInt8]) -> [UInt8] {
            Array("GGUF".utf8) + number(UInt32(3)) + number(tensors) + number(members) + rest
        }
        let key = GGUFFile.text("k")
        let huge = UInt64.max
        let tensor = { (dimensions: UInt32, offset: UInt64) -> [UInt8] in
            key + number(dimensions) + [UInt8](repeating: 1, count: 8 * Int(dimensions) + 4)
                + number(offset)
        }
        let nested = (0..<100).flatMap { _ in number(UInt32(9)) + number(UInt64(1)) }
        let hostile: [[UInt8]] = [
            header(huge, 0, []), header(1, huge, []),
            header(1 << 20, 1 << 40, []),
            header(1, 1, number(huge)), header(1, 1, key + number(UInt32(99))),
            header(1, 1, key + number(UInt32(8)) + number(huge)),
            header(1, 1, key + number(UInt32(9)) + number(UInt32(12)) + number(huge)),
            header(1, 1, key + number(UInt32(9)) + number(UInt32(8)) + number(huge)),
            header(1, 1, key + number(UInt32(9)) + nested),
            header(
                1, 1, GGUFFile.text("general.alignment") + number(UInt32(4)) + number(UInt32(0))),
            header(1, 1, GGUFFile.text("general.alignment") + number(UInt32(10)) + number(huge)),
            header(1, 0, tensor(1, huge - 31)), header(1, 0, tensor(1, 33)),
            header(1, 0, tensor(9, 0)),
            header(1, 0, tensor(1, 1 << 40)), header(1, 0, key + number(UInt32.max)),
            header(1, 0, number(huge - 8)),
        ]
        let plain = [UInt8](repeating: 0x61, count: 200_000)
        for (index, head) in hostile.enumerated() {
            let file = head + plain
            #expect(try GGUF(BytesBlob(file)) == nil, "\(index)")
            let cuts = CutPlan().cuts(of: file.span, at: 0, size: file.count, atLeast: file.count)
            #expect(try Self.pieces(file).map(\.size) == cuts, "\(index)")
        }
        for version in [0, 1, 4, 0x0300_0000] as [UInt32] {
            var other = bytes
            other.replaceSubrange(4..<8, with: number(version))
            #expect(try GGUF(BytesBlob(other)) == nil)
        }
    }

    @Test("a GGUF header that is cut short or flipped anywhere gives sound cuts")
    func damaged() throws {
        let (bytes, starts) = Self.model([3000, 5000]).encoded
        let end = try #require(starts.first)
        for count in 0..<end { #expect(try GGUF(BytesBlob(Array(bytes.prefix(count)))) == nil) }
        for index in 0..<end {
            for bit in [0x01, 0x80] as [UInt8] {
                var other = bytes
                other[index] ^= bit
                guard let found = try GGUF(BytesBlob(other))?.boundaries else { continue }
                #expect(found.allSatisfy { 0 < $0 && $0 < other.count })
                #expect(zip(found, found.dropFirst()).allSatisfy { $0 < $1 })
            }
        }
    }

    @Test("very many tiny tensors share pieces")
    func tinyTensors() throws {
        let file = Self.model([Int](repeating: 64, count: 3000)).encoded.bytes
        #expect(try GGUF(BytesBlob(file))?.boundaries.count == 3000)
        #expect(try Self.pieces(file).count < 40)
    }

    // MARK: NPY

    private static func npy(_ data: [UInt8], version: UInt8 = 1, shape: String = "(3,)") -> [UInt8]
    {
        var header = Array("{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }".utf8)
        let prefix = version == 1 ? 10 : 12
        header += [UInt8](repeating: 0x20, count: 63 - (prefix + header.count) % 64) + [0x0A]
        let length =
            version == 1
            ? GGUFFile.number(UInt16(header.count)) : GGUFFile.number(UInt32(header.count))
        return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + header + data
    }

    @Test(
        "an NPY file is cut where its numbers begin, and then by content",
        arguments: [1, 2, 3] as [UInt8])
    func arrays(version: UInt8) throws {
        let data = TestBytes.random.make(700_000)
        let file = Self.npy(data, version: version)
        #expect(try NPY(BytesBlob(file))?.dataOffset == file.count - data.count)
        let pieces = try Self.pieces(file)
        #expect(pieces[1].offset == file.count - data.count)
        // A longer shape and inserted rows cost a piece or two.
        let known = Set(pieces.map(\.id))
        let rows = TestBytes.random.make(1536, seed: 8)
        let grown = Self.npy(
            Array(data[..<300_000]) + rows + data[300_000...], version: version,
            shape: "(" + String(repeating: "1, ", count: 60) + ")")
        let new = try Self.pieces(grown).filter { !known.contains($0.id) }
        #expect(new.reduce(0) { $0 + $1.size } < 300_000)
        #expect(new.count <= 4)
    }

    @Test("an unsound NPY header has no effect")
    func unsoundArrays() throws {
        let data = TestBytes.text.make(100_000)
        let sound = Self.npy(data)
        var hostile: [[UInt8]] = []
        for (index, byte) in [(1, 0), (6, 0), (6, 4), (7, 1), (8, 0xFF), (9, 0xFF), (10, 0x20)]
            as [(Int, UInt8)]
        {
            var other = sound
            other[index] = byte
            hostile.append(other)
        }
        hostile.append(Array(sound.prefix(sound.count - data.count)))
        hostile.append(
            Self.npy(data, version: 2).enumerated().map { 8..<12 ~= $0.offset ? 0xFF : $0.element })
        for (index, file) in hostile.enumerated() {
            #expect(try NPY(BytesBlob(file)) == nil, "\(index)")
            let cuts = CutPlan().cuts(of: file.span, at: 0, size: file.count, atLeast: file.count)
            #expect(try Self.pieces(file).map(\.size) == cuts, "\(index)")
        }
        for count in 0..<128 { #expect(try NPY(BytesBlob(Array(sound.prefix(count)))) == nil) }
    }

    @Test("a plan cuts alike, however many bytes it gets at a time")
    func groups() throws {
        let file = Self.npy(TestBytes.random.make(900_000))
        let plan = try CutPlan.choose(for: BytesBlob(file))
        var lengths: [Int] = []
        var offset = 0
        while offset < file.count {
            let count = min(100_000 + plan.lookahead, file.count - offset)
            let cuts = plan.cuts(
                of: file.span.extracting(offset..<offset + count), at: offset, size: file.count,
                atLeast: min(100_000, file.count - offset))
            lengths += cuts
            offset += cuts.reduce(0, +)
        }
        #expect(try lengths == Self.pieces(file).map(\.size))
    }

    @Test("the metadata of a GGUF file is read in either byte order", arguments: [false, true])
    func listing(isBigEndian: Bool) throws {
        let data = TestBytes.random.make(64)
        func number(_ value: some FixedWidthInteger) -> [UInt8] {
            isBigEndian ? GGUFFile.number(value).reversed() : GGUFFile.number(value)
        }
        func text(_ text: String) -> [UInt8] { number(UInt64(text.utf8.count)) + Array(text.utf8) }
        var bytes = Array("GGUF".utf8) + number(UInt32(3)) + number(UInt64(3)) + number(UInt64(5))
        bytes += text("general.name") + number(UInt32(8)) + text("tiny")
        bytes += text("blocks") + number(UInt32(4)) + number(UInt32(7))
        bytes += text("shift") + number(UInt32(5)) + number(Int32(-2))
        bytes += text("base") + number(UInt32(6)) + number(Float(0.5).bitPattern)
        bytes += text("tokens") + number(UInt32(9)) + number(UInt32(8)) + number(UInt64(2))
        bytes += text("a") + text("b")
        for (name, shape, type, offset) in [
            ("q", [32, 1], 2, 0), ("f", [4], 0, 32), ("new", [2], 99, 48),
        ] as [(String, [UInt64], UInt32, UInt64)] {
            bytes += text(name) + number(UInt32(shape.count)) + shape.flatMap { number($0) }
            bytes += number(type) + number(offset)
        }
        bytes += [UInt8](repeating: 0, count: (32 - bytes.count % 32) % 32)
        // Alignment is 32, so the tensor at 48 is out of place.
        #expect(try GGUF(BytesBlob(bytes + data)) == nil)
        let place = try #require(bytes.lastRange(of: number(UInt64(48))))
        bytes.replaceSubrange(place, with: number(UInt64(64)))
        let start = bytes.count
        bytes += data + [1, 2, 3]
        let store = MemoryStore()
        let id = try store.write(bytes, hint: .bulk)
        let file = try #require(try GGUF.read(id, in: store))
        #expect(file.metadata.map(\.key) == ["general.name", "blocks", "shift", "base", "tokens"])
        #expect(
            file.metadata.map(\.value) == [
                .text("tiny"), .unsigned(7), .signed(-2), .float(0.5),
                .list(type: "string", count: 2),
            ])
        #expect(file.tensors.map(\.name) == ["q", "f", "new"])
        #expect(file.tensors.map(\.dtype) == ["Q4_0", "F32", "type 99"])
        #expect(file.tensors.map(\.shape) == [[32, 1], [4], [2]])
        #expect(
            file.tensors.map(\.range)
                == [start..<start + 18, start + 32..<start + 48, start + 64..<start + 67])
        #expect(try FileFormat.detect(id, in: store) == .gguf)
    }

    @Test("lists of equal length with different values differ")
    func lists() throws {
        var file = Self.model([100])
        let store = MemoryStore()
        let first = try store.write(file.encoded.bytes, hint: .bulk)
        file.metadata[6].value[15] = 8
        let second = try store.write(file.encoded.bytes, hint: .bulk)
        let before = try #require(try GGUF.read(first, in: store)).metadata
        let after = try #require(try GGUF.read(second, in: store)).metadata
        let same = try zip(before, after).map { try $0.hasValue(of: $1, first, second, in: store) }
        #expect(same.indices.filter { !same[$0] } == [6])
    }
}

extension Array where Element: Equatable {
    fileprivate func lastRange(of other: [Element]) -> Range<Int>? {
        indices.reversed().first { self[$0...].starts(with: other) }.map { $0..<$0 + other.count }
    }
}
