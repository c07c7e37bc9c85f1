internal import CKernels
internal import Storage

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

extension CutPlan {
    /// A safetensors header of more bytes than this is not followed here: large models have some 100 kB.
    private static let headerLimit = 16 << 20
    /// Tensors smaller than this on average are not worth a piece each, nor its 100 bytes in the index, unless
    /// there are few.
    private static let smallestMean = 4 << 10
    private static let few = 64

    /// The plan that fits what the bytes turn out to be; a file's name plays no part, so equal bytes are
    /// always cut alike.
    ///
    /// A header is a hint: it decides where the file is cut and nothing else, and one that is not sound changes
    /// nothing.
    init(for source: any Blob) throws(ObjectError) {
        do throws(StorageError) {
            self = try Self.plan(for: source)
        } catch { throw .storage(error) }
    }

    private static func plan(for source: any Blob) throws(StorageError) -> CutPlan {
        guard source.size > 8 else { return CutPlan() }
        let prefix = try source.read(at: 0, count: 9)
        let boundaries: [Int]
        if prefix.starts(with: "GGUF".utf8) {
            boundaries = try GGUF(source)?.boundaries ?? []
        } else if prefix.starts(with: [0x93]) {
            guard let array = try NPY(source) else { return CutPlan() }
            // Rows come and go in an array: inside, it is cut by content.
            return CutPlan(boundaries: [array.dataOffset], byContent: true)
        } else {
            boundaries = try safetensors(source, prefix: prefix)
        }
        guard !boundaries.isEmpty, boundaries.count <= few + source.size / smallestMean
        else {
            return CutPlan()
        }
        return CutPlan(boundaries: boundaries)
    }

    /// Where the tensors of a safetensors file begin; empty for anything else, also for a malformed one,
    /// which is stored like any other bytes.
    private static func safetensors(
        _ source: any Blob, prefix: [UInt8]
    ) throws(StorageError) -> [Int] {
        let prefixCount = Safetensors.prefixCount
        guard prefix[prefixCount] == UInt8(ascii: "{"),
            let length = try? Safetensors.headerLength(prefix: prefix.span, fileSize: source.size),
            length <= headerLimit
        else { return [] }
        let header = try source.read(at: prefixCount, count: length)
        return (try? Safetensors(header: header.span, fileSize: source.size))?.boundaries ?? []
    }
}

/// How long the pieces of a large object are, in bytes.
///
/// None of it enters an identity: other parameters only share fewer pieces with what is stored.
public struct CutParameters: Hashable, Sendable {
    /// No content-defined cut before this many bytes; at least 32, the window of the test.
    public let minimum: Int
    /// Where cuts become 16 times as likely: from there on, one in a quarter as many bytes.
    public let average: Int
    /// Where a piece is cut if nothing cut it before.
    public let maximum: Int

    /// Makes parameters; `32 <= minimum <= average <= maximum`.
    public init(minimum: Int, average: Int, maximum: Int) {
        precondition(32 <= minimum && minimum <= average && average <= maximum)
        self.minimum = minimum
        self.average = average
        self.maximum = maximum
    }

    /// For anything whose format is not known.
    ///
    /// 64 KiB on average: one edit in the middle costs about one piece, and the index is under 0.1 % of
    /// the data. Smaller pieces would find little more in models (12.1 MB against 12.6 MB for the
    /// benchmark's fine-tune) and double the index each time they halve.
    public static let content = CutParameters(
        minimum: 16 << 10, average: 64 << 10, maximum: 256 << 10)

    /// The length of the pieces inside one tensor.
    ///
    /// Tensors begin at a cut, so there is no shift to recover from; long pieces compress best and
    /// keep recipes short.
    public static let tensorPiece = 256 << 10
}
