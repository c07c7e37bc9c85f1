/// Why bytes are not a safetensors file.
public struct SafetensorsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, such as `tensor "a" overlaps the one before it`.
    public let reason: String

    /// `not a valid safetensors: ` and the reason.
    public var description: String { "not a valid safetensors: \(reason)" }
}

/// The header of a safetensors file: which tensors it holds and where.
///
/// The format is eight bytes of header length (little-endian), a JSON object, and the tensors' bytes
/// without a gap. Anything else is refused, so that every byte of the file belongs to one tensor.
public struct Safetensors: Hashable, Sendable {
    /// The tensors in the order of their bytes.
    public let tensors: [Tensor]
    /// Text about the file, by key, in the order of the keys' bytes.
    public let metadata: [String: String]
    /// Where the first tensor's bytes begin.
    public let dataOffset: Int

    /// The most bytes that a header may have, as the format's reference implementation limits it.
    public static let headerLimit = 100_000_000
    /// The number of bytes before the header.
    public static let prefixCount = 8

    /// The length of the header in bytes, from the first eight bytes of a file of `fileSize` bytes.
    public static func headerLength(
        prefix: Span<UInt8>, fileSize: Int
    ) throws(SafetensorsError) -> Int {
        guard prefix.count >= prefixCount, fileSize >= prefixCount else {
            throw SafetensorsError(reason: "the file has fewer than 8 bytes")
        }
        var length: UInt64 = 0
        for index in (0..<prefixCount).reversed() { length = length << 8 | UInt64(prefix[index]) }
        guard length <= UInt64(headerLimit) else {
            throw SafetensorsError(reason: "a header of \(length) bytes, more than \(headerLimit)")
        }
        guard length <= UInt64(fileSize - prefixCount) else {
            throw SafetensorsError(
                reason: "a header of \(length) bytes in a file of \(fileSize) bytes")
        }
        return Int(length)
    }

    /// Reads a header.
    ///
    /// - Parameters:
    ///   - header: The JSON text, exactly as long as ``headerLength(prefix:fileSize:)`` says.
    ///   - fileSize: The size of the whole file in bytes.
    public init(header: Span<UInt8>, fileSize: Int) throws(SafetensorsError) {
        dataOffset = Self.prefixCount + header.count
        guard dataOffset <= fileSize else {
            throw SafetensorsError(reason: "the header is longer than the file")
        }
        var parser = SafetensorsHeader(dataOffset: dataOffset, fileSize: fileSize)
        try parser.read(header)
        var tensors = parser.tensors
        tensors.sort { left, right in
            (left.range.lowerBound, left.range.upperBound)
                < (right.range.lowerBound, right.range.upperBound)
        }
        var end = dataOffset
        for tensor in tensors {
            let start = tensor.range.lowerBound
            guard start == end else {
                throw SafetensorsError(
                    reason: start < end
                        ? "tensor \(SafetensorsHeader.quoted(tensor.name)) overlaps the one before it"
                        : "\(start - end) bytes before tensor \(SafetensorsHeader.quoted(tensor.name)) "
                            + "belong to none")
            }
            end = tensor.range.upperBound
        }
        guard end == fileSize else {
            throw SafetensorsError(reason: "\(fileSize - end) bytes at the end belong to no tensor")
        }
        self.tensors = tensors
        metadata = parser.metadata
    }

    /// Where the tensors begin: strictly ascending offsets above 0, the best places to cut the file.
    public var boundaries: [Int] {
        var result: [Int] = []
        for tensor in tensors where !tensor.range.isEmpty { result.append(tensor.range.lowerBound) }
        return result
    }
}
