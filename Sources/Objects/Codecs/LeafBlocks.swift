/// Where the parts of a table leaf are in its stored form, each of which is read and verified for itself.
///
/// The stored form begins with 64 bytes, little-endian: rows u32, dimension u32, raw size of the text u32,
/// stored size of the text u32, codec of the text u8 (0 stored, 2 zstd), 1 if there are codes u8, zero
/// u16, CRC-32C of the vectors, of the codes and of the stored text, u32 each, zeros, and at byte 60 the
/// CRC-32C of the 60 bytes before it. Then come, each after zeros up to a multiple of 64: the vectors
/// fp32[rows, dimension]; the stored form of their ``VectorCodes``; the text.
struct LeafBlocks: Hashable, Sendable {
    static let headerSize = 64
    /// Below this dimension codes would be longer than a third of the vectors and are made when they are
    /// needed.
    static let codedDimension = 32

    let rows: Int
    let dimension: Int
    /// The bytes before the vectors in the raw form.
    let textSize: Int
    let storedTextSize: Int
    let textCodec: Codec
    let hasCodes: Bool
    let vectorChecksum: UInt32
    let codeChecksum: UInt32
    let textChecksum: UInt32

    /// Where the vectors are in the stored form.
    var vectors: Range<Int> { Self.headerSize..<Self.headerSize + 4 * rows * dimension }

    /// Where the codes are; empty when there are none.
    var codes: Range<Int> {
        let start = Self.aligned(vectors.upperBound)
        let size = hasCodes ? VectorCodes(rows: rows, dimension: dimension).byteCount : 0
        return start..<start + size
    }

    /// Where the text is: it ends the stored form.
    var text: Range<Int> {
        let start = Self.aligned(codes.upperBound)
        return start..<start + storedTextSize
    }

    /// The size of the leaf.
    var size: Int { textSize + vectors.count }

    /// The most bytes that a leaf of a size is stored in.
    static func storedLimit(size: Int) -> Int { 2 * size + 512 }

    static func aligned(_ offset: Int) -> Int {
        (offset + PackFooter.alignment - 1) & ~(PackFooter.alignment - 1)
    }

    /// Reads the header that begins a stored form of a piece of `size` bytes.
    init(decoding stored: Span<UInt8>, size: Int, storedSize: Int) throws(CodecError) {
        guard stored.count >= Self.headerSize,
            LittleEndian.uint32(stored, at: 60) == Checksum.of(stored.extracting(0..<60))
        else { throw CodecError("no leaf header") }
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
        else { throw CodecError("a leaf is stored in an unknown way") }
        textCodec = codec
        // Both factors are below 2^32, and the product is compared before it is used.
        guard rows > 0, dimension > 0, dimension <= TableLimits.dimension, rows <= size,
            4 * rows * dimension <= size, textSize == size - 4 * rows * dimension,
            codec == .zstd || textSize == storedTextSize, text.upperBound == storedSize
        else { throw CodecError("a leaf's parts do not add up") }
    }

    /// Describes what is about to be stored.
    init(
        rows: Int, dimension: Int, textSize: Int, storedTextSize: Int, textCodec: Codec,
        hasCodes: Bool, checksums: (vectors: UInt32, codes: UInt32, text: UInt32)
    ) {
        self.rows = rows
        self.dimension = dimension
        self.textSize = textSize
        self.storedTextSize = storedTextSize
        self.textCodec = textCodec
        self.hasCodes = hasCodes
        vectorChecksum = checksums.vectors
        codeChecksum = checksums.codes
        textChecksum = checksums.text
    }

    /// The header.
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
