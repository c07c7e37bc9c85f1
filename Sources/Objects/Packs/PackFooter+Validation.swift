extension PackFooter {
    /// Refuses what no writer makes: without these, an index could name bytes outside of the pack, or make a
    /// small file cost a reader any amount of time and memory.
    func validate(dataEnd: Int) throws(CodecError) {
        guard isAscending(at: chunkIDs, count: chunkCount),
            isAscending(at: recipeIDs, count: recipeCount)
        else { throw CodecError("its index is not sorted") }
        try validateChunks(dataEnd: dataEnd)
        var next = 0
        var point = 0
        for index in 0..<recipeCount {
            let entry = try recipeEntry(at: index)
            guard entry.pieces.lowerBound == next else {
                throw CodecError("two recipes share a piece, or a piece has none")
            }
            next = entry.pieces.upperBound
            var last = entry.pieces.lowerBound
            while point < pointCount, pieceOfPoint(at: point) < next {
                guard pieceOfPoint(at: point) > last else {
                    throw CodecError("its digest points are not in order")
                }
                last = pieceOfPoint(at: point)
                point += 1
            }
            var sum = 0
            for piece in entry.pieces {
                let size = pieceSize(at: piece)
                guard size > 0, size <= Self.chunkSizeLimit else {
                    throw CodecError("a piece has a size that no chunk has")
                }
                sum += size
            }
            guard sum == entry.size else { throw CodecError("a recipe does not add up") }
        }
        guard next == pieceCount, point == pointCount else {
            throw CodecError("a piece or a digest point belongs to no recipe")
        }
    }

    private func validateChunks(dataEnd: Int) throws(CodecError) {
        // Chunks, each with the gap before it, cover the data exactly once if and only if, as multisets, where they begin and the end of
        // the data equal where they end and the beginning of the data. Sums of mixed offsets compare these
        // without sorting. A sum that is forged gains nothing: each chunk's digest is verified when it is read.
        var begins = Self.mixed(dataEnd)
        var ends = Self.mixed(Self.packMagic.count)
        for index in 0..<chunkCount {
            let chunk = try chunk(at: index)
            let storedLimit =
                chunk.codec == .leaf ? LeafBlocks.storedLimit(size: chunk.size) : chunk.size
            guard chunk.size <= Self.chunkSizeLimit, chunk.storedSize <= storedLimit else {
                throw CodecError("a chunk has a size that no chunk has")
            }
            guard chunk.offset >= Self.packMagic.count + chunk.gap, chunk.offset <= dataEnd,
                chunk.storedSize <= dataEnd - chunk.offset
            else { throw CodecError("a chunk lies outside of it") }
            guard chunk.codec != .leaf || chunk.offset.isMultiple(of: Self.alignment) else {
                throw CodecError("a leaf is not where it can be used in place")
            }
            begins &+= Self.mixed(chunk.offset - chunk.gap)
            ends &+= Self.mixed(chunk.offset + chunk.storedSize)
        }
        guard begins == ends else { throw CodecError("its chunks overlap or leave a gap") }
    }

    /// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
    private static func mixed(_ offset: Int) -> UInt64 {
        var value = UInt64(truncatingIfNeeded: offset) &+ 0x9E37_79B9_7F4A_7C15
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
