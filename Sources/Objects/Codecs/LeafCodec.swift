/// Stores a table leaf so that its vectors and their codes can be used in place; compresses its text.
///
/// Stored form: ``LeafBlocks``. The vectors are uncompressed: byte planes would save a sixth, but would have to be
/// joined before every use.
package enum LeafCodec {
    /// Appends the stored form; appends nothing and returns false if the bytes after `vectorOffset` are not
    /// rows of `dimension` fp32 numbers.
    static func encode(
        _ bytes: Span<UInt8>, vectorOffset: Int, dimension: Int, zstd: Zstd,
        to output: inout [UInt8]
    ) -> Bool {
        guard vectorOffset >= 0, vectorOffset < bytes.count, dimension > 0,
            dimension <= TableLimits.dimension,
            (bytes.count - vectorOffset).isMultiple(of: 4 * dimension)
        else { return false }
        let start = output.count
        let text = bytes.extracting(0..<vectorOffset)
        let vectors = bytes.extracting(vectorOffset..<bytes.count)
        let rows = vectors.count / (4 * dimension)
        output.append(contentsOf: repeatElement(0, count: LeafBlocks.headerSize))
        LittleEndian.append(vectors, to: &output)
        pad(&output, from: start)
        let hasCodes = dimension >= LeafBlocks.codedDimension
        let codesAt = output.count
        if hasCodes {
            VectorCodes(rows: rows, dimension: dimension).append(of: vectors, to: &output)
        }
        let codes = Checksum.of(output.span.extracting(codesAt..<output.count))
        pad(&output, from: start)
        let textAt = output.count
        let frame = zstd.compress(text, profile: .general, limit: text.count - 1, to: &output)
        if frame == nil { LittleEndian.append(text, to: &output) }
        let blocks = LeafBlocks(
            rows: rows, dimension: dimension, textSize: text.count,
            storedTextSize: output.count - textAt, textCodec: frame == nil ? .stored : .zstd,
            hasCodes: hasCodes, vectorChecksum: Checksum.of(vectors), codeChecksum: codes,
            textChecksum: Checksum.of(output.span.extracting(textAt..<output.count)))
        let header = blocks.encoded
        for index in header.indices { output[start + index] = header[index] }
        return true
    }

    private static func pad(_ output: inout [UInt8], from start: Int) {
        let size = output.count - start
        output.append(contentsOf: repeatElement(0, count: LeafBlocks.aligned(size) - size))
    }

    /// Decodes a stored form, which fills `stored`, to exactly `size` bytes.
    static func decode(
        _ stored: Span<UInt8>, size: Int, zstd: Zstd
    ) throws(CodecError) -> [UInt8] {
        let blocks = try LeafBlocks(decoding: stored, size: size, storedSize: stored.count)
        let vectors = stored.extracting(blocks.vectors)
        for gap in [
            blocks.vectors.upperBound..<blocks.codes.lowerBound,
            blocks.codes.upperBound..<blocks.text.lowerBound,
        ] {
            for index in gap where stored[index] != 0 {
                throw CodecError("the padding in a leaf is not zero")
            }
        }
        guard Checksum.of(vectors) == blocks.vectorChecksum,
            Checksum.of(stored.extracting(blocks.codes)) == blocks.codeChecksum
        else { throw CodecError("a leaf's vectors are damaged") }
        var bytes = try text(
            stored.extracting(blocks.text), blocks, capacity: size, zstd: zstd)
        LittleEndian.append(vectors, to: &bytes)
        return bytes
    }

    /// Whether the codes in a stored form are those of its vectors.
    ///
    /// Decoding does not check this, because codes are not part of the leaf. But a search skips rows by their codes, so
    /// wrong codes would hide rows.
    package static func hasRightCodes(_ stored: Span<UInt8>, size: Int) -> Bool {
        guard let blocks = try? LeafBlocks(decoding: stored, size: size, storedSize: stored.count)
        else { return false }
        guard blocks.hasCodes else { return blocks.codes.isEmpty }
        let codes = VectorCodes(rows: blocks.rows, dimension: blocks.dimension).encoded(
            of: stored.extracting(blocks.vectors))
        return TableBytes.areEqual(codes.span, stored.extracting(blocks.codes))
    }

    /// Decodes the text, the bytes before the vectors, into an array with the given capacity.
    static func text(
        _ stored: Span<UInt8>, _ blocks: LeafBlocks, capacity: Int, zstd: Zstd
    ) throws(CodecError) -> [UInt8] {
        guard Checksum.of(stored) == blocks.textChecksum else {
            throw CodecError("a leaf's text is damaged")
        }
        if blocks.textCodec == .zstd {
            return try zstd.decompress(stored, size: blocks.textSize, capacity: capacity)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(capacity)
        LittleEndian.append(stored, to: &bytes)
        return bytes
    }
}

/// The layout of the stored form of a table leaf; each part can be read and verified without the others.
///
/// The stored form begins with a header of 64 bytes, little-endian: rows u32, dimension u32, raw size of the text u32,
/// stored size of the text u32, codec of the text u8 (0 stored, 2 zstd), u8 1 if there are codes, zero
/// u16, CRC-32C of the vectors, of the codes and of the stored text, u32 each, zeros, and at byte 60 the
/// CRC-32C of the first 60 bytes. Three parts follow, each padded with zeros to begin at a multiple of 64: the vectors
/// fp32[rows, dimension]; the stored form of their ``VectorCodes``; the text.
struct LeafBlocks: Hashable, Sendable {
    static let headerSize = 64
    /// Vectors of a lower dimension have no stored codes: the codes would be more than half as long as the
    /// vectors, so a search computes them.
    static let codedDimension = 32

    let rows: Int
    let dimension: Int
    /// The number of bytes before the vectors in the raw leaf.
    let textSize: Int
    let storedTextSize: Int
    let textCodec: Codec
    let hasCodes: Bool
    let vectorChecksum: UInt32
    let codeChecksum: UInt32
    let textChecksum: UInt32

    /// The range of the vectors in the stored form.
    var vectors: Range<Int> { Self.headerSize..<Self.headerSize + 4 * rows * dimension }

    /// The range of the codes; empty when none are stored.
    var codes: Range<Int> {
        let start = Self.aligned(vectors.upperBound)
        let size = hasCodes ? VectorCodes(rows: rows, dimension: dimension).byteCount : 0
        return start..<start + size
    }

    /// The range of the text, which ends the stored form.
    var text: Range<Int> {
        let start = Self.aligned(codes.upperBound)
        return start..<start + storedTextSize
    }

    /// The size of the raw leaf.
    var size: Int { textSize + vectors.count }

    /// The maximum number of bytes in the stored form of a leaf of a given size.
    static func storedLimit(size: Int) -> Int { 2 * size + 512 }

    static func aligned(_ offset: Int) -> Int {
        (offset + PackFooter.alignment - 1) & ~(PackFooter.alignment - 1)
    }

    /// The encoded header.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerSize)
        for number in [rows, dimension, textSize, storedTextSize] {
            LittleEndian.append(UInt32(number), to: &bytes)
        }
        bytes += [textCodec.rawValue, hasCodes ? 1 : 0, 0, 0]
        for checksum in [vectorChecksum, codeChecksum, textChecksum] {
            LittleEndian.append(checksum, to: &bytes)
        }
        bytes.append(contentsOf: repeatElement(0, count: 60 - bytes.count))
        LittleEndian.append(Checksum.of(bytes.span), to: &bytes)
        return bytes
    }
}

extension LeafBlocks {
    /// Decodes the header of the stored form of a leaf of `size` bytes.
    init(decoding stored: Span<UInt8>, size: Int, storedSize: Int) throws(CodecError) {
        guard stored.count >= Self.headerSize,
            LittleEndian.uint32(stored, at: 60) == Checksum.of(stored.extracting(0..<60))
        else { throw CodecError("it has no valid leaf header") }
        func count(_ offset: Int) -> Int { Int(LittleEndian.uint32(stored, at: offset)) }
        rows = count(0)
        dimension = count(4)
        textSize = count(8)
        storedTextSize = count(12)
        vectorChecksum = LittleEndian.uint32(stored, at: 20)
        codeChecksum = LittleEndian.uint32(stored, at: 24)
        textChecksum = LittleEndian.uint32(stored, at: 28)
        hasCodes = stored[17] == 1
        guard let codec = Codec(rawValue: stored[16]), codec == .stored || codec == .zstd,
            stored[17] <= 1, stored[18] == 0, stored[19] == 0,
            (32..<60).allSatisfy({ stored[$0] == 0 })
        else { throw CodecError("a leaf has an unknown form") }
        textCodec = codec
        // The number of rows is below 2^32 and the dimension is limited, so the product cannot overflow.
        guard rows > 0, dimension > 0, dimension <= TableLimits.dimension, rows <= size,
            4 * rows * dimension <= size, textSize == size - 4 * rows * dimension,
            codec == .zstd || textSize == storedTextSize, text.upperBound == storedSize
        else { throw CodecError("the parts of a leaf do not add up to its size") }
    }
}
