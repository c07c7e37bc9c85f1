import TestSupport
import Testing

@testable import Objects

@Suite("Codecs")
struct CodecTests {
    private static let hints: [StorageHint] = [
        .structured, .bulk, .numbers, .leaf(vectorOffset: 0, dimension: 1),
        .leaf(vectorOffset: 1, dimension: 1), .leaf(vectorOffset: 300, dimension: 25),
        .leaf(vectorOffset: 97, dimension: 40), .leaf(vectorOffset: 1 << 20, dimension: 1),
        .leaf(vectorOffset: 0, dimension: 0),
    ]
    private static let sizes = [0, 1, 2, 3, 4, 5, 7, 8, 31, 100, 255, 257, 1000, 4097, 20_001]

    @Test(
        "every kind of bytes survives every hint and grows within bounds",
        arguments: TestBytes.allCases)
    func roundTrip(kind: TestBytes) throws {
        let coder = PieceCoder()
        for hint in Self.hints {
            for size in Self.sizes {
                let bytes = kind.make(size)
                var output: [UInt8] = [1, 2, 3]
                let codec = coder.encode(bytes.span, hint: hint, to: &output)
                #expect(output.starts(with: [1, 2, 3]))
                let stored = Array(output[3...])
                let limit = codec == .leaf ? LeafBlocks.storedLimit(size: size) : size
                #expect(stored.count <= limit, "\(kind) \(hint) \(size)")
                #expect(try coder.decode(stored, codec: codec, size: size) == bytes)
            }
        }
    }

    @Test(
        "numbers are stored as planes, text as zstd, structured objects as zlib, and noise as it is"
    )
    func choice() {
        let coder = PieceCoder()
        func choose(_ kind: TestBytes, _ hint: StorageHint) -> (Codec, Double) {
            var output: [UInt8] = []
            let codec = coder.encode(kind.make(40_000).span, hint: hint, to: &output)
            return (codec, Double(output.count) / 40_000)
        }
        for hint in [StorageHint.bulk, .numbers] {
            #expect(choose(.bfloat16, hint).0 == .planes && choose(.bfloat16, hint).1 < 0.75)
            #expect(choose(.float32, hint).0 == .planes && choose(.float32, hint).1 < 0.9)
            #expect(choose(.text, hint).0 == .zstd && choose(.text, hint).1 < 0.4)
            #expect(choose(.random, hint).0 == .stored)
            #expect(choose(.zeros, hint).1 < 0.01)
        }
        #expect(choose(.text, .structured).0 == .zlib)
        #expect(choose(.text, .leaf(vectorOffset: 40_000, dimension: 4)).1 < 0.4)
    }

    @Test("a leaf stores its vectors and codes as they are and compresses its text")
    func leaf() throws {
        let coder = PieceCoder()
        let vectors = TestBytes.float32.make(12_000)
        let bytes = TestBytes.text.make(3000) + vectors
        for (dimension, hasCodes) in [(100, true), (60, true), (30, false), (1, false)] {
            var output: [UInt8] = []
            let hint = StorageHint.leaf(vectorOffset: 3000, dimension: dimension)
            #expect(coder.encode(bytes.span, hint: hint, to: &output) == .leaf)
            let blocks = try LeafBlocks(
                decoding: output.span, size: bytes.count, storedSize: output.count)
            #expect(blocks.rows == 3000 / dimension && blocks.dimension == dimension)
            #expect(blocks.hasCodes == hasCodes && blocks.text.count < 1500)
            #expect(Array(output[blocks.vectors]) == vectors)
            let codes = VectorCodes(rows: blocks.rows, dimension: dimension)
                .encoded(of: vectors.span)
            #expect(Array(output[blocks.codes]) == (hasCodes ? codes : []))
            for start in [blocks.vectors, blocks.codes, blocks.text].map(\.lowerBound) {
                #expect(start.isMultiple(of: 64))
            }
            #expect(try coder.decode(output, codec: .leaf, size: bytes.count) == bytes)
        }
    }

    @Test("a leaf whose header does not fit its content is refused")
    func leafHeaders() throws {
        let coder = PieceCoder()
        let bytes = TestBytes.text.make(400) + TestBytes.float32.make(1600)
        var stored: [UInt8] = []
        let hint = StorageHint.leaf(vectorOffset: 400, dimension: 40)
        #expect(coder.encode(bytes.span, hint: hint, to: &stored) == .leaf)
        for position in stride(from: 0, to: 60, by: 4) {
            for value: UInt32 in [.max, 1 << 31, 1 << 16, UInt32(stored.count), 1, 0] {
                var changed = stored
                LittleEndian.set(value, at: position, in: &changed)
                guard changed != stored else { continue }
                var header = Array(changed[..<60])
                LittleEndian.append(Checksum.of(header.span), to: &header)
                changed.replaceSubrange(0..<64, with: header)
                let decoded = Self.attempt(coder, changed, .leaf, bytes.count, nil)
                #expect(decoded == nil, "\(value) at \(position)")
            }
        }
    }

    @Test("codes that do not match a leaf's vectors are detected, even with a valid checksum")
    func leafCodes() throws {
        var generator = SeededGenerator(seed: 12)
        let rows = (0..<40 * 3).map { _ in Float.random(in: -1...1, using: &generator) }
        var bytes = generator.bytes(200)
        for number in rows { LittleEndian.append(number.bitPattern, to: &bytes) }
        var stored: [UInt8] = []
        let hint = StorageHint.leaf(vectorOffset: 200, dimension: 40)
        #expect(PieceCoder().encode(bytes.span, hint: hint, to: &stored) == .leaf)
        let isRight = LeafCodec.hasRightCodes(stored.span, size: bytes.count)
        #expect(isRight)
        let blocks = try LeafBlocks(
            decoding: stored.span, size: bytes.count, storedSize: stored.count)
        for index in blocks.codes {
            var forged = stored
            forged[index] ^= 1
            let codes = Checksum.of(forged.span.extracting(blocks.codes))
            let header = LeafBlocks(
                rows: blocks.rows, dimension: blocks.dimension, textSize: blocks.textSize,
                storedTextSize: blocks.storedTextSize, textCodec: blocks.textCodec,
                hasCodes: true, vectorChecksum: blocks.vectorChecksum, codeChecksum: codes,
                textChecksum: blocks.textChecksum)
            forged.replaceSubrange(0..<LeafBlocks.headerSize, with: header.encoded)
            #expect(
                try PieceCoder().decode(forged, codec: .leaf, size: bytes.count) == bytes)
            let isForgedRight = LeafCodec.hasRightCodes(forged.span, size: bytes.count)
            #expect(!isForgedRight)
        }
    }

    @Test("a flipped bit anywhere in a stored leaf is refused")
    func leafFlips() throws {
        let coder = PieceCoder()
        let bytes = TestBytes.text.make(200) + TestBytes.float32.make(264)
        var stored: [UInt8] = []
        let hint = StorageHint.leaf(vectorOffset: 200, dimension: 33)
        #expect(coder.encode(bytes.span, hint: hint, to: &stored) == .leaf)
        for position in 0..<stored.count {
            for bit in 0..<8 {
                var changed = stored
                changed[position] ^= 1 << UInt8(bit)
                #expect(Self.attempt(coder, changed, .leaf, bytes.count, nil) == nil)
            }
        }
    }

    /// Stored forms of every codec, with their sizes and bases.
    private static func forms() -> [(stored: [UInt8], codec: Codec, size: Int, base: [UInt8]?)] {
        let coder = PieceCoder()
        var result: [(stored: [UInt8], codec: Codec, size: Int, base: [UInt8]?)] = []
        func add(_ bytes: [UInt8], _ hint: StorageHint, base: [UInt8]? = nil) {
            var stored: [UInt8] = []
            let codec = coder.encode(
                bytes.span, hint: hint,
                base: base.map { PieceCoder.Base(id: ObjectID(of: $0.span), bytes: $0) },
                to: &stored)
            result.append((stored, codec, bytes.count, base))
        }
        add(TestBytes.random.make(90), .bulk)
        add(TestBytes.text.make(600), .structured)
        add(TestBytes.text.make(600), .bulk)
        add(TestBytes.bfloat16.make(1201), .numbers)
        add(TestBytes.float32.make(1603), .numbers)
        add(
            TestBytes.text.make(400) + TestBytes.float32.make(1600),
            .leaf(vectorOffset: 400, dimension: 40))
        add(
            TestBytes.random.make(90) + TestBytes.random.make(200),
            .leaf(vectorOffset: 90, dimension: 5))
        var changed = TestBytes.random.make(1000)
        changed[500] ^= 1
        add(changed, .bulk, base: TestBytes.random.make(1000))
        return result
    }

    @Test("the hostile tests start from every codec")
    func allCodecs() {
        #expect(Set(Self.forms().map(\.codec)) == Set(Codec.allCases))
    }

    /// Decodes; whatever comes back must have the right length.
    private static func attempt(
        _ coder: PieceCoder, _ stored: [UInt8], _ codec: Codec, _ size: Int, _ base: [UInt8]?
    ) -> [UInt8]? {
        guard let bytes = try? coder.decode(stored, codec: codec, size: size, base: base) else {
            return nil
        }
        #expect(bytes.count == size)
        return bytes
    }

    @Test("every truncation and every extension of a stored form is refused")
    func truncated() {
        let coder = PieceCoder()
        for form in Self.forms() {
            for count in 0..<form.stored.count {
                let cut = Array(form.stored[..<count])
                let bytes = Self.attempt(coder, cut, form.codec, form.size, form.base)
                #expect(bytes == nil, "\(form.codec) cut at \(count)")
            }
            let longer = form.stored + [0]
            #expect(Self.attempt(coder, longer, form.codec, form.size, form.base) == nil)
        }
    }

    @Test("a wrong size is refused")
    func wrongSize() {
        let coder = PieceCoder()
        for form in Self.forms() {
            for size in [0, 1, form.size - 1, form.size + 1, 2 * form.size, 1 << 20] {
                let bytes = Self.attempt(coder, form.stored, form.codec, size, form.base)
                #expect(bytes == nil, "\(form.codec) as \(size)")
            }
        }
    }

    @Test(
        "flipped bits and foreign bytes give bytes of the right length or an error, never a crash")
    func flipped() {
        let coder = PieceCoder()
        var generator = SeededGenerator(seed: 8)
        for form in Self.forms() {
            for position in 0..<form.stored.count {
                var stored = form.stored
                stored[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                _ = Self.attempt(coder, stored, form.codec, form.size, form.base)
                stored[position] = UInt8.random(in: 0...255, using: &generator)
                _ = Self.attempt(coder, stored, form.codec, form.size, form.base)
            }
            for codec in Codec.allCases {
                _ = Self.attempt(coder, form.stored, codec, form.size, form.base)
                let noise = generator.bytes(Int.random(in: 0...200, using: &generator))
                _ = Self.attempt(coder, noise, codec, form.size, form.base)
            }
            // A refusal leaves the coder usable.
            #expect(Self.attempt(coder, form.stored, form.codec, form.size, form.base) != nil)
        }
    }

    @Test("inner lengths that lead outside of the stored form are refused")
    func lengths() {
        let coder = PieceCoder()
        for form in Self.forms() where form.codec == .planes {
            for position in [4, 8] {
                for value: UInt32 in [.max, 1 << 31, UInt32(form.stored.count), 0] {
                    var stored = form.stored
                    LittleEndian.set(value, at: position, in: &stored)
                    guard stored != form.stored else { continue }
                    let bytes = Self.attempt(coder, stored, form.codec, form.size, form.base)
                    #expect(bytes == nil, "\(form.codec) with \(value) at \(position)")
                }
            }
        }
    }

    @Test("a frame that would decode beyond the size in the index is not decoded")
    func bomb() {
        let coder = PieceCoder()
        var stored: [UInt8] = []
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        #expect(coder.encode(zeros.span, hint: .bulk, to: &stored) == .zstd)
        #expect(Self.attempt(coder, stored, .zstd, 1000, nil) == nil)
        var stream: [UInt8] = []
        #expect(coder.encode(zeros.span, hint: .structured, to: &stream) == .zlib)
        #expect(Self.attempt(coder, stream, .zlib, 1000, nil) == nil)
        // A frame that needs an unknown dictionary.
        let dictionary: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x21, 9, 4, 0x21, 0, 0, 1, 2, 3, 4]
        #expect(Self.attempt(coder, dictionary, .zstd, 4, nil) == nil)
    }

    @Test("a difference needs its base, and is used only if it saves half")
    func delta() throws {
        let coder = PieceCoder()
        let base = TestBytes.random.make(5000, seed: 1)
        var bytes = base
        bytes.replaceSubrange(100..<110, with: [0, 1, 2])
        var stored: [UInt8] = []
        let pair = PieceCoder.Base(id: ObjectID(of: base.span), bytes: base)
        #expect(coder.encode(bytes.span, hint: .structured, base: pair, to: &stored) == .delta)
        #expect(stored.count < 200)
        #expect(try PieceCoder.deltaBase(stored.span) == pair.id)
        #expect(try coder.decode(stored, codec: .delta, size: bytes.count, base: base) == bytes)
        #expect(Self.attempt(coder, stored, .delta, bytes.count, nil) == nil)
        #expect(Self.attempt(coder, stored, .delta, bytes.count, []) != bytes)
        #expect(Self.attempt(coder, stored, .delta, bytes.count, Array(base.reversed())) != bytes)
        var other: [UInt8] = []
        let unlike = TestBytes.random.make(5000, seed: 2)
        #expect(coder.encode(unlike.span, hint: .bulk, base: pair, to: &other) == .stored)
        #expect(other == unlike)
    }
}
