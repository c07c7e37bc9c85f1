@testable internal import Objects

extension FuzzTarget {
    /// One coder for all inputs, because contexts are expensive.
    private static let coder = PooledCoder()
    private static let base = [UInt8](repeating: 0x61, count: 64) + Array((0...255) as ClosedRange)

    /// Stored pieces of every codec: decoding gives as many bytes as the index claims, or an error.
    ///
    /// The input is the codec, the size in three bytes, and the stored bytes. The target corrects the checksums
    /// within a leaf.
    static let pieces = FuzzTarget("pieces") { example in
        var seen: [Codec: Int] = [:]
        return example.pieces.compactMap { _, entry, stored in
            guard stored.count < 4000, seen[entry.codec, default: 0] < 20 else { return nil }
            seen[entry.codec, default: 0] += 1
            return [entry.codec.rawValue] + (0..<3).map { UInt8(entry.size >> (8 * $0) & 0xFF) }
                + stored
        } + synthetic
    } run: { input throws(FuzzFinding) in
        guard input.count > 4, let codec = Codec(rawValue: input[0] % 6) else { return }
        let size = Int(input[1]) | Int(input[2]) << 8 | Int(input[3] & 0x0F) << 16
        var stored = Array(input.extracting(4..<input.count))
        if codec == .leaf { repairLeaf(&stored, size: size) }
        guard
            let bytes = try? coder.decode(
                stored, codec: codec, size: size, base: codec == .delta ? base : nil)
        else { return }
        try FuzzFinding.unless(
            bytes.count == size, "\(codec) gives \(bytes.count) bytes instead of \(size)")
        guard codec == .leaf else { return }
        _ = LeafCodec.hasRightCodes(stored.span, size: size)
    }

    /// One piece of each codec and hint.
    private static var synthetic: [[UInt8]] {
        let coder = PieceCoder()
        let text = Array("the quick brown fox jumps over the lazy dog. ".utf8)
        let prose = (0..<10).flatMap { _ in text }
        let numbers = (0..<200).flatMap { (index: Int) -> [UInt8] in
            let bits = (Float(index) * 0.37 + 1).bitPattern
            return (0..<4).map { UInt8(bits >> (8 * $0) & 0xFF) }
        }
        let hints: [(StorageHint, [UInt8])] = [
            (.structured, prose), (.bulk, prose), (.numbers, numbers),
            (.leaf(vectorOffset: 64, dimension: 32), Array(prose.prefix(64)) + numbers.prefix(256)),
            (.leaf(vectorOffset: 64, dimension: 4), Array(prose.prefix(64)) + numbers.prefix(64)),
        ]
        var result = hints.map { hint, bytes in
            var stored: [UInt8] = []
            let codec = coder.encode(bytes.span, hint: hint, to: &stored)
            return [codec.rawValue, UInt8(bytes.count & 0xFF), UInt8(bytes.count >> 8), 0] + stored
        }
        var stored: [UInt8] = []
        let target = base + base
        let codec = coder.encode(
            target.span, hint: .bulk, base: .init(id: ObjectID(of: base.span), bytes: base),
            to: &stored)
        result.append(
            [codec.rawValue, UInt8(target.count & 0xFF), UInt8(target.count >> 8), 0] + stored)
        return result
    }

    /// Corrects the checksums of a leaf, so that the fuzzer reaches what they guard.
    private static func repairLeaf(_ stored: inout [UInt8], size: Int) {
        guard stored.count >= LeafBlocks.headerSize else { return }
        func seal() {
            LittleEndian.set(Checksum.of(stored.span.extracting(0..<60)), at: 60, in: &stored)
        }
        seal()
        guard
            let blocks = try? LeafBlocks(
                decoding: stored.span, size: size, storedSize: stored.count)
        else { return }
        for (range, place) in [(blocks.vectors, 20), (blocks.codes, 24), (blocks.text, 28)] {
            LittleEndian.set(Checksum.of(stored.span.extracting(range)), at: place, in: &stored)
        }
        seal()
    }

    /// Codecs: bytes survive encoding, and the encoded form never exceeds the reader's limit.
    ///
    /// The input is the hint, a dimension, and the piece.
    static let codecs = FuzzTarget("codecs") { example in
        example.pieces.filter { $0.stored.count < 4000 }.prefix(20).map { [3, 16] + $0.stored }
            + synthetic
    } run: { input throws(FuzzFinding) in
        guard input.count > 3 else { return }
        let bytes = Array(input.extracting(2..<input.count))
        let dimension = Int(input[1])
        let hint: StorageHint =
            switch input[0] % 4 {
            case 0: .structured
            case 1: .bulk
            case 2: .numbers
            default: .leaf(vectorOffset: Int(input[0]) & ~3, dimension: dimension)
            }
        let other =
            input[0] & 0x10 == 0 ? nil : PieceCoder.Base(id: ObjectID(of: base.span), bytes: base)
        var stored: [UInt8] = [1, 2, 3]
        let codec = PieceCoder().encode(bytes.span, hint: hint, base: other, to: &stored)
        stored.removeFirst(3)
        let limit =
            codec == .leaf ? LeafBlocks.storedLimit(size: bytes.count) : bytes.count
        try FuzzFinding.unless(stored.count <= limit, "\(codec) needs \(stored.count) bytes")
        do throws(CodecError) {
            let decoded = try coder.decode(
                stored, codec: codec, size: bytes.count, base: codec == .delta ? base : nil)
            guard decoded == bytes else { throw CodecError("other bytes") }
        } catch { throw FuzzFinding("\(codec) does not decode what it encodes: \(error.reason)") }
        if codec == .leaf {
            try FuzzFinding.unless(
                LeafCodec.hasRightCodes(stored.span, size: bytes.count), "the codes are wrong")
        }
    }

}
