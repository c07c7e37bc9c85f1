extension PackFooter {
    /// Refuses what no writer makes: without these, an index could name bytes outside of the pack, or make a
    /// small file cost a reader any amount of time and memory.
    func validate(dataEnd: Int) throws(CodecError) {
        guard isAscending(at: pieceIDs, count: pieceCount),
            isAscending(at: recipeIDs, count: recipeCount)
        else { throw CodecError("its index is not sorted") }
        try validatePieces(dataEnd: dataEnd)
        var next = 0
        var point = 0
        for index in 0..<recipeCount {
            let entry = try recipeEntry(at: index)
            guard entry.pieces.lowerBound == next else {
                throw CodecError("two recipes share a reference, or a piece has none")
            }
            next = entry.pieces.upperBound
            var last = entry.pieces.lowerBound
            while point < pointCount, referenceOfPoint(at: point) < next {
                guard referenceOfPoint(at: point) > last else {
                    throw CodecError("its digest points are not in order")
                }
                last = referenceOfPoint(at: point)
                point += 1
            }
            var sum = 0
            for reference in entry.pieces {
                let size = referenceSize(at: reference)
                guard size > 0, size <= Self.pieceSizeLimit else {
                    throw CodecError("a piece has a size that no piece has")
                }
                sum += size
            }
            guard sum == entry.size else { throw CodecError("a recipe does not add up") }
        }
        guard next == referenceCount, point == pointCount else {
            throw CodecError("a piece or a digest point belongs to no recipe")
        }
    }

    private func validatePieces(dataEnd: Int) throws(CodecError) {
        // Pieces, each with the gap before it, cover the data exactly once if and only if, as multisets, where they begin and the end of
        // the data equal where they end and the beginning of the data. Sums of mixed offsets compare these
        // without sorting. A sum that is forged gains nothing: each piece's digest is verified when it is read.
        var begins = Self.mixed(dataEnd)
        var ends = Self.mixed(Self.packMagic.count)
        for index in 0..<pieceCount {
            let piece = try piece(at: index)
            let storedLimit =
                piece.codec == .leaf ? LeafBlocks.storedLimit(size: piece.size) : piece.size
            guard piece.size <= Self.pieceSizeLimit, piece.storedSize <= storedLimit else {
                throw CodecError("a piece has a size that no piece has")
            }
            guard piece.offset >= Self.packMagic.count + piece.gap, piece.offset <= dataEnd,
                piece.storedSize <= dataEnd - piece.offset
            else { throw CodecError("a piece lies outside of it") }
            guard piece.codec != .leaf || piece.offset.isMultiple(of: Self.alignment) else {
                throw CodecError("a leaf is not where it can be used in place")
            }
            begins &+= Self.mixed(piece.offset - piece.gap)
            ends &+= Self.mixed(piece.offset + piece.storedSize)
        }
        guard begins == ends else { throw CodecError("its pieces overlap or leave a gap") }
    }

    /// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
    private static func mixed(_ offset: Int) -> UInt64 {
        var value = UInt64(truncatingIfNeeded: offset) &+ 0x9E37_79B9_7F4A_7C15
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
