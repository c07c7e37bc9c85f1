internal import CKernels

/// Where to cut one object: a pure function of its bytes.
public struct CutPlan: Sendable {
    /// Ascending offsets at which a piece must begin, for formats that are known; empty otherwise.
    private let boundaries: [Int]
    /// Whether what lies between boundaries is cut by content; every ``CutParameters/tensorPiece`` bytes otherwise.
    private let isByContent: Bool
    private let parameters: CutParameters

    /// Cuts by content alone.
    public init(parameters: CutParameters = .content) {
        boundaries = []
        isByContent = true
        self.parameters = parameters
    }

    /// Cuts at `boundaries` (strictly ascending, above 0), and after each of them by content or every
    /// ``CutParameters/tensorPiece`` bytes.
    public init(boundaries: [Int], byContent: Bool = false) {
        self.boundaries = boundaries
        isByContent = byContent
        parameters = .content
    }

    /// How many bytes ``cuts(of:at:size:atLeast:)`` may need beyond the ones it is asked to cut.
    public var lookahead: Int { max(parameters.maximum, CutParameters.tensorPiece) }

    /// How the pieces are best stored.
    public var hint: StorageHint { boundaries.isEmpty ? .bulk : .numbers }

    /// The lengths of the next pieces.
    ///
    /// - Parameters:
    ///   - bytes: The object's bytes from `offset`: up to its end, or at least `wanted` + ``lookahead``.
    ///   - offset: Where in the object they begin; a cut.
    ///   - size: The size of the whole object.
    ///   - wanted: Pieces are cut until they have at least this many bytes together.
    public func cuts(of bytes: Span<UInt8>, at offset: Int, size: Int, atLeast wanted: Int) -> [Int]
    {
        isByContent
            ? contentCuts(bytes, at: offset, atLeast: wanted)
            : boundaryCuts(min(bytes.count, wanted), at: offset, size: size)
    }

    private func contentCuts(_ bytes: Span<UInt8>, at offset: Int, atLeast wanted: Int) -> [Int] {
        var lengths: [Int] = []
        var done = 0
        var next = boundaries.partitioningIndex { $0 > offset }
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            while done < min(buffer.count, wanted) {
                let end =
                    next < boundaries.count
                    ? min(boundaries[next] - offset, buffer.count) : buffer.count
                let length = fti_cut_length(
                    base + done, end - done, parameters.minimum, parameters.average,
                    parameters.maximum)
                lengths.append(length)
                done += length
                if done == end { next += 1 }
            }
        }
        return lengths
    }

    private func boundaryCuts(_ wanted: Int, at offset: Int, size: Int) -> [Int] {
        var lengths: [Int] = []
        var position = offset
        var next = boundaries.partitioningIndex { $0 > offset }
        while position < min(offset + wanted, size) {
            let end = next < boundaries.count ? boundaries[next] : size
            let length = min(end - position, CutParameters.tensorPiece)
            lengths.append(length)
            position += length
            if position == end { next += 1 }
        }
        return lengths
    }
}

extension RandomAccessCollection {
    /// The first index whose element satisfies a predicate that is false up to it and true after.
    func partitioningIndex(where isInSecondPart: (Element) -> Bool) -> Index {
        var low = startIndex
        var count = self.count
        while count > 0 {
            let half = count / 2
            let middle = index(low, offsetBy: half)
            if isInSecondPart(self[middle]) {
                count = half
            } else {
                low = index(after: middle)
                count -= half + 1
            }
        }
        return low
    }
}
