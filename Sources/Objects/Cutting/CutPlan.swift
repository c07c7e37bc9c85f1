internal import CKernels
internal import Storage

/// Decides where to cut one object into pieces: by its content, at given boundaries, or both.
public struct CutPlan: Sendable {
    /// The offsets at which a piece must begin, ascending, for known formats; empty for other formats.
    private let boundaries: [Int]
    /// Whether to cut by content between boundaries, rather than every ``CutParameters/tensorPiece`` bytes.
    private let isByContent: Bool
    private let parameters: CutParameters

    /// Makes a plan that cuts by content alone.
    public init(parameters: CutParameters = .content) {
        boundaries = []
        isByContent = true
        self.parameters = parameters
    }

    /// Makes a plan that cuts at `boundaries` (strictly ascending, above 0), and between them by content or every
    /// ``CutParameters/tensorPiece`` bytes.
    public init(boundaries: [Int], byContent: Bool = false) {
        self.boundaries = boundaries
        isByContent = byContent
        parameters = .content
    }

    /// The number of bytes that ``cuts(of:at:size:atLeast:)`` needs after the `wanted` ones.
    public var lookahead: Int { max(parameters.maximum, CutParameters.tensorPiece) }

    /// How to store the pieces.
    public var hint: StorageHint { boundaries.isEmpty ? .bulk : .numbers }

    /// Cuts the next pieces; returns their lengths.
    ///
    /// - Parameters:
    ///   - bytes: The object's bytes from `offset`: up to its end, or at least `wanted` + ``lookahead``.
    ///   - offset: The offset of `bytes` in the object; it must be a cut.
    ///   - size: The size of the whole object in bytes.
    ///   - wanted: Stop cutting once the pieces have at least this many bytes together.
    public func cuts(of bytes: Span<UInt8>, at offset: Int, size: Int, atLeast wanted: Int) -> [Int]
    {
        isByContent
            ? contentCuts(bytes, at: offset, atLeast: wanted)
            : boundaryCuts(min(bytes.count, wanted), at: offset, size: size)
    }

    private func contentCuts(_ bytes: Span<UInt8>, at offset: Int, atLeast wanted: Int) -> [Int] {
        var lengths: [Int] = []
        var done = 0
        var next = boundaries.binarySearch { $0 <= offset }
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
        var next = boundaries.binarySearch { $0 <= offset }
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

extension CutPlan {
    /// The longest safetensors header to read for a plan, in bytes; those of large models have about 100 kB.
    private static let headerLimit = 16 << 20
    /// If more than ``few`` tensors have a smaller mean size in bytes, they do not get a piece each: the index takes
    /// about 100 bytes for a piece, more than it would save.
    private static let smallestMean = 4 << 10
    private static let few = 64

    /// Chooses the plan for a blob by its content; the name of a file plays no part, so equal blobs are cut alike.
    ///
    /// Reads the header of a known format. The header decides only where to cut: an invalid one is ignored.
    static func choose(for source: any Blob) throws(ObjectError) -> CutPlan {
        guard source.size > 8 else { return CutPlan() }
        let prefix = try source.bytes(at: 0, count: 9)
        let boundaries: [Int]
        if prefix.starts(with: "GGUF".utf8) {
            boundaries = try GGUF(source)?.boundaries ?? []
        } else if prefix.starts(with: [0x93]) {
            guard let array = try NPY(source) else { return CutPlan() }
            // Rows are inserted into an array and removed from it, so its numbers are cut by content.
            return CutPlan(boundaries: [array.dataOffset], byContent: true)
        } else {
            boundaries = try safetensors(source, prefix: prefix)
        }
        guard !boundaries.isEmpty, boundaries.count <= few + source.size / smallestMean else {
            return CutPlan()
        }
        return CutPlan(boundaries: boundaries)
    }

    /// The offsets of the tensors of a safetensors file; empty for any other file and for a malformed one, which are
    /// cut by content.
    private static func safetensors(
        _ source: any Blob, prefix: [UInt8]
    ) throws(ObjectError) -> [Int] {
        let prefixCount = Safetensors.prefixCount
        guard prefix[prefixCount] == UInt8(ascii: "{"),
            let length = try? Safetensors.headerLength(prefix: prefix.span, fileSize: source.size),
            length <= headerLimit
        else { return [] }
        let header = try source.bytes(at: prefixCount, count: length)
        return (try? Safetensors(header: header.span, fileSize: source.size))?.boundaries ?? []
    }
}

/// The lengths of the pieces of a large object, in bytes.
///
/// They do not affect identities: with other parameters, an object only shares fewer pieces with
/// objects already stored.
public struct CutParameters: Hashable, Sendable {
    /// The shortest piece, except before a boundary and at the end of the object; at least 32, the number of bytes that
    /// decide whether to cut.
    public let minimum: Int
    /// Beyond this length cuts are 16 times as likely as below it: on average one per `average` / 4 bytes.
    public let average: Int
    /// The longest piece.
    public let maximum: Int

    /// Makes parameters with `32 <= minimum <= average <= maximum`.
    public init(minimum: Int, average: Int, maximum: Int) {
        precondition(32 <= minimum && minimum <= average && average <= maximum)
        self.minimum = minimum
        self.average = average
        self.maximum = maximum
    }

    /// The lengths for unknown formats.
    ///
    /// With 64 KiB on average, one edit in the middle costs about one piece, and the index takes about 0.15 % of the
    /// data. Smaller pieces would save little more in models (the benchmark's fine-tune takes 12.1 MB instead of
    /// 12.6 MB), and halving the pieces doubles the index.
    public static let content = CutParameters(
        minimum: 16 << 10, average: 64 << 10, maximum: 256 << 10)

    /// The length of the pieces of a tensor.
    ///
    /// A tensor begins at a cut, so bytes inside it never shift; long pieces compress best and keep recipes short.
    public static let tensorPiece = 256 << 10
}

/// The offset of the numbers in an NPY file, versions 1 to 3 of NumPy's `numpy.lib.format`.
struct NPY: Hashable, Sendable {
    /// The offset of the first number in the file.
    let dataOffset: Int

    /// The longest header in bytes: it describes only one array.
    private static let headerLimit = 64 << 10

    /// Reads the header of a blob; nil if it does not look like a valid one.
    ///
    /// - Throws: When the blob cannot be read.
    init?(_ source: any Blob) throws(ObjectError) {
        var reader = ByteReader(RangeFeed(source, limit: Self.headerLimit))
        guard let prefix = try reader.bytes(8), prefix.starts(with: [0x93]),
            prefix.dropFirst().starts(with: "NUMPY".utf8), 1...3 ~= prefix[prefix.startIndex + 6],
            prefix.last == 0
        else { return nil }
        let isShort = prefix[prefix.startIndex + 6] == 1
        guard let number = try reader.bytes(isShort ? 2 : 4) else { return nil }
        let length = number.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard let header = try reader.bytes(length), header.first == UInt8(ascii: "{"),
            header.last == UInt8(ascii: "\n"), reader.offset < source.size
        else { return nil }
        dataOffset = reader.offset
    }
}
