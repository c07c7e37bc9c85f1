/// A table leaf whose vectors and their codes are used in place, and whose text is compressed.
///
/// Stored form: ``LeafBlocks``. Vectors are stored as they are: in byte planes they would take a sixth less and
/// would have to be put together before every use.
package enum LeafCodec {
    /// Appends the stored form, or appends nothing and returns false when what is after `vectorOffset` is not
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
            hasCodes: hasCodes,
            checksums: (
                Checksum.of(vectors), codes,
                Checksum.of(output.span.extracting(textAt..<output.count))
            ))
        let header = blocks.encoded
        for index in header.indices { output[start + index] = header[index] }
        return true
    }

    private static func pad(_ output: inout [UInt8], from start: Int) {
        let size = output.count - start
        output.append(contentsOf: repeatElement(0, count: LeafBlocks.aligned(size) - size))
    }

    /// Exactly `size` bytes from a stored form that fills `stored`.
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
                throw CodecError("the parts of a leaf are not apart")
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

    /// Whether a stored form has the codes that its vectors have.
    ///
    /// Decoding does not ask: codes are no part of the leaf. But a search leaves out what they exclude.
    package static func hasRightCodes(_ stored: Span<UInt8>, size: Int) -> Bool {
        guard let blocks = try? LeafBlocks(decoding: stored, size: size, storedSize: stored.count)
        else { return false }
        guard blocks.hasCodes else { return blocks.codes.isEmpty }
        let codes = VectorCodes(rows: blocks.rows, dimension: blocks.dimension).encoded(
            of: stored.extracting(blocks.vectors))
        return TableBytes.areEqual(codes.span, stored.extracting(blocks.codes))
    }

    /// The bytes before the vectors, from their stored form, in an array with room for `capacity`.
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
