/// A table leaf: text that compresses, followed by fp32 numbers that hardly do.
///
/// Stored form: the offset of the numbers and the stored length of the text as little-endian u32, the text as
/// one zstd frame, then the numbers, as they are or in the form of ``PlaneCodec`` (whose first byte, a
/// width, says so; a 0 byte goes before numbers stored as they are).
enum LeafCodec {
    private static let headerSize = 8

    /// Appends the stored form, or appends nothing and returns false when it would not save anything.
    static func encode(
        _ bytes: Span<UInt8>, vectorOffset: Int, zstd: Zstd, to output: inout [UInt8]
    ) -> Bool {
        guard vectorOffset > 0, vectorOffset < bytes.count else { return false }
        let start = output.count
        LittleEndian.append(UInt32(vectorOffset), to: &output)
        LittleEndian.append(UInt32(0), to: &output)
        let text = bytes.extracting(0..<vectorOffset)
        let vectors = bytes.extracting(vectorOffset..<bytes.count)
        guard
            let length = zstd.compress(text, profile: .general, limit: text.count, to: &output)
        else {
            output.removeLast(output.count - start)
            return false
        }
        LittleEndian.set(UInt32(length), at: start + 4, in: &output)
        let lanes = LaneEntropy(of: vectors)
        if lanes.width == 1
            || !PlaneCodec.encode(
                vectors, width: lanes.width, bits: lanes.bits, zstd: zstd, to: &output)
        {
            output.append(0)
            LittleEndian.append(vectors, to: &output)
        }
        guard output.count - start < bytes.count else {
            output.removeLast(output.count - start)
            return false
        }
        return true
    }

    /// Exactly `size` bytes from a stored form that fills `stored`.
    static func decode(
        _ stored: Span<UInt8>, size: Int, zstd: Zstd
    ) throws(CodecError) -> [UInt8] {
        guard stored.count > headerSize else { throw CodecError("no leaf header") }
        let vectorOffset = Int(LittleEndian.uint32(stored, at: 0))
        let length = Int(LittleEndian.uint32(stored, at: 4))
        guard vectorOffset < size, length < stored.count - headerSize else {
            throw CodecError("a leaf's text is cut short")
        }
        var bytes = try zstd.decompress(
            stored.extracting(headerSize..<headerSize + length), size: vectorOffset)
        let vectors = stored.extracting(headerSize + length..<stored.count)
        if vectors[0] == 0 {
            guard vectors.count - 1 == size - vectorOffset else {
                throw CodecError("a leaf's vectors have the wrong length")
            }
            LittleEndian.append(vectors.extracting(1..<vectors.count), to: &bytes)
        } else {
            bytes.append(
                contentsOf: try PlaneCodec.decode(vectors, size: size - vectorOffset, zstd: zstd))
        }
        return bytes
    }
}
