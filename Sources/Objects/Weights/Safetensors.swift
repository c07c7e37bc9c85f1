/// Why bytes are not a safetensors file.
public struct SafetensorsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, such as `tensor "a" overlaps the one before it`.
    public let reason: String

    /// `not a valid safetensors: ` and the reason.
    public var description: String { "not a valid safetensors: \(reason)" }
}

/// One tensor of a file: what it is and where its numbers are.
public struct Tensor: Hashable, Sendable {
    /// The name, unique in its file by its UTF-8 bytes.
    public let name: String
    /// The type of its numbers.
    public let type: ElementType
    /// The extent of each dimension; empty for a single number.
    public let shape: [Int]
    /// Where its numbers are, in bytes from the start of the file.
    public let range: Range<Int>

    /// `[2, 3]`, as Python writes it.
    public var shapeDescription: String { "[\(shape.map(String.init).joined(separator: ", "))]" }
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
        guard header.count > 0, header[0] == 0x7B else {
            throw SafetensorsError(reason: "the header does not begin with {")
        }
        let members: JSONObject
        do {
            guard let object = try JSON(parsing: header).object else {
                throw SafetensorsError(reason: "the header is not an object")
            }
            members = object
        } catch let error as JSONError {
            throw SafetensorsError(reason: "\(error.reason) at byte \(error.offset) of the header")
        } catch let error as SafetensorsError {
            throw error
        } catch {
            throw SafetensorsError(reason: "the header is unreadable")
        }
        var tensors: [Tensor] = []
        var metadata: [String: String] = [:]
        for member in members {
            if member.key.utf8.elementsEqual("__metadata__".utf8) {
                metadata = try Self.metadata(member.value)
            } else {
                tensors.append(
                    try Self.tensor(
                        member, dataOffset: dataOffset, dataSize: fileSize - dataOffset))
            }
        }
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
                        ? "tensor \(Self.quoted(tensor.name)) overlaps the one before it"
                        : "\(start - end) bytes before tensor \(Self.quoted(tensor.name)) "
                            + "belong to none")
            }
            end = tensor.range.upperBound
        }
        guard end == fileSize else {
            throw SafetensorsError(reason: "\(fileSize - end) bytes at the end belong to no tensor")
        }
        self.tensors = tensors
        self.metadata = metadata
    }

    /// Where the tensors begin: strictly ascending offsets above 0, the best places to cut the file.
    public var boundaries: [Int] {
        var result: [Int] = []
        for tensor in tensors where !tensor.range.isEmpty { result.append(tensor.range.lowerBound) }
        return result
    }

    private static func metadata(_ json: JSON) throws(SafetensorsError) -> [String: String] {
        guard let object = json.object else {
            throw SafetensorsError(reason: "__metadata__ is not an object")
        }
        var result: [String: String] = [:]
        for member in object {
            guard let text = member.value.string else {
                throw SafetensorsError(
                    reason: "__metadata__ \(quoted(member.key)) is not a string")
            }
            result[member.key] = text
        }
        return result
    }

    private static func tensor(
        _ member: JSONObject.Member, dataOffset: Int, dataSize: Int
    ) throws(SafetensorsError) -> Tensor {
        let name = quoted(member.key)
        guard let object = member.value.object, object.count == 3,
            let typeName = object["dtype"]?.string, let dimensions = object["shape"]?.array,
            let offsets = object["data_offsets"]?.array
        else {
            throw SafetensorsError(
                reason: "tensor \(name) has other members than dtype, shape and data_offsets")
        }
        guard let type = ElementType(rawValue: typeName) else {
            throw SafetensorsError(
                reason: "tensor \(name) has the unknown dtype \(quoted(typeName))")
        }
        var shape: [Int] = []
        var bits = type.bitWidth
        for dimension in dimensions {
            guard let extent = dimension.integer, extent >= 0 else {
                throw SafetensorsError(reason: "tensor \(name) has a shape that is not whole")
            }
            let (product, overflow) = bits.multipliedReportingOverflow(by: extent)
            guard !overflow else {
                throw SafetensorsError(reason: "tensor \(name) has a shape that overflows")
            }
            bits = product
            shape.append(extent)
        }
        guard offsets.count == 2, let start = offsets[0].integer, let end = offsets[1].integer,
            0 <= start, start <= end, end <= dataSize
        else {
            throw SafetensorsError(reason: "tensor \(name) lies outside of the file")
        }
        guard bits % 8 == 0, bits / 8 == end - start else {
            throw SafetensorsError(
                reason: "tensor \(name) has \(end - start) bytes where its shape needs \(bits / 8)")
        }
        return Tensor(
            name: member.key, type: type, shape: shape,
            range: dataOffset + start..<dataOffset + end)
    }

    /// A foreign name, cut to a length that fits a message.
    private static func quoted(_ name: String) -> String {
        let short = name.count > 60 ? "\(name.prefix(60))…" : name
        return JSON.string(short).canonicalText
    }
}
