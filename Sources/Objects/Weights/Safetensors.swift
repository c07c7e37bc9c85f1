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

/// Reads the JSON of a safetensors header, and takes and refuses what the format's reference implementation does: members
/// that it does not know are passed over, and of tensors with one name the last counts.
///
/// It differs in one thing: a type of numbers that is not known is taken as it is, since the reference gets new ones.
struct SafetensorsHeader {
    private let dataOffset: Int
    private let fileSize: Int
    private(set) var tensors: [Tensor] = []
    private(set) var metadata: [String: String] = [:]
    private var places: [[UInt8]: Int] = [:]
    private var hasMetadata = false
    /// The names of tensors that lie outside of the file.
    private var outside: Set<[UInt8]> = []

    private static let metadataKey = "__metadata__"
    /// How deep unknown members may be nested, as the reference limits it.
    private static let depthLimit = 127

    init(dataOffset: Int, fileSize: Int) {
        self.dataOffset = dataOffset
        self.fileSize = fileSize
    }

    /// Reads all of a header.
    mutating func read(_ header: Span<UInt8>) throws(SafetensorsError) {
        var parser = JSONParser()
        do throws(JSONError) {
            parser.skipSpace(header)
            guard parser.offset < header.count, header[parser.offset] == 0x7B else {
                throw parser.error("it is not an object")
            }
            try parser.list(header, close: 0x7D) { (parser) throws(JSONError) in
                let key = try parser.key(header)
                if key.utf8.elementsEqual(Self.metadataKey.utf8) {
                    try readMetadata(header, &parser)
                } else {
                    try readTensor(key, header, &parser)
                }
            }
            parser.skipSpace(header)
            guard parser.offset == header.count else {
                throw parser.error("unexpected text after the value")
            }
        } catch {
            throw SafetensorsError(reason: "\(error.reason) at byte \(error.offset) of the header")
        }
        try check()
    }

    private mutating func readMetadata(
        _ header: Span<UInt8>, _ parser: inout JSONParser
    ) throws(JSONError) {
        guard !hasMetadata else { throw parser.error("\(Self.metadataKey) is there twice") }
        hasMetadata = true
        if try parser.skipNull(header) { return }
        guard parser.offset < header.count, header[parser.offset] == 0x7B else {
            throw parser.error("\(Self.metadataKey) is not an object")
        }
        var found: [String: String] = [:]
        try parser.list(header, close: 0x7D) { (parser) throws(JSONError) in
            let key = try parser.key(header)
            guard parser.offset < header.count, header[parser.offset] == 0x22 else {
                throw parser.error("\(Self.metadataKey) \(Self.quoted(key)) is not a string")
            }
            found[key] = try parser.string(header)
        }
        metadata = found
    }

    /// What a header says of one tensor.
    private struct Fields {
        var dtype: String?
        var shape: [UInt64]?
        var offsets: [UInt64]?
    }

    private mutating func readTensor(
        _ name: String, _ header: Span<UInt8>, _ parser: inout JSONParser
    ) throws(JSONError) {
        let start = parser.offset
        var fields = Fields()
        switch parser.offset < header.count ? header[parser.offset] : 0 {
        case 0x7B:
            try parser.list(header, close: 0x7D) { (parser) throws(JSONError) in
                let at = parser.offset
                let key = try parser.key(header)
                let isNew: Bool
                switch key {
                case "dtype":
                    isNew = fields.dtype == nil
                    fields.dtype = try Self.dtype(header, &parser)
                case "shape":
                    isNew = fields.shape == nil
                    fields.shape = try Self.numbers(header, &parser)
                case "data_offsets":
                    isNew = fields.offsets == nil
                    fields.offsets = try Self.numbers(header, &parser)
                default:
                    isNew = true
                    try parser.skipValue(header, depth: 2, limit: Self.depthLimit)
                }
                guard isNew else {
                    throw JSONError(reason: "\(key) is there twice", offset: at)
                }
            }
        case 0x5B:
            // The reference reads the three fields in this order without their names, too.
            try parser.list(header, close: 0x5D) { (parser) throws(JSONError) in
                if fields.dtype == nil {
                    fields.dtype = try Self.dtype(header, &parser)
                } else if fields.shape == nil {
                    fields.shape = try Self.numbers(header, &parser)
                } else if fields.offsets == nil {
                    fields.offsets = try Self.numbers(header, &parser)
                } else {
                    throw parser.error("tensor \(Self.quoted(name)) has more than three fields")
                }
            }
        default: throw parser.error("tensor \(Self.quoted(name)) is not an object")
        }
        guard let dtype = fields.dtype, let shape = fields.shape, let offsets = fields.offsets,
            offsets.count == 2
        else {
            throw JSONError(
                reason: "tensor \(Self.quoted(name)) lacks a dtype, a shape or two data_offsets",
                offset: start)
        }
        // An extent that no Int holds is too large for any file.
        let extents = shape.map { Int(clamping: $0) }
        let isInside =
            offsets[0] <= offsets[1] && offsets[1] <= UInt64(fileSize - dataOffset)
            && !extents.contains(.max)
        let tensor = Tensor(
            name: name, dtype: dtype, type: ElementType(rawValue: dtype), shape: extents,
            range: isInside
                ? dataOffset + Int(offsets[0])..<dataOffset + Int(offsets[1])
                : fileSize..<fileSize)
        let key = Array(name.utf8)
        if isInside { outside.remove(key) } else { outside.insert(key) }
        if let place = places[key] {
            tensors[place] = tensor
        } else {
            places[key] = tensors.count
            tensors.append(tensor)
        }
    }

    private static func dtype(
        _ header: Span<UInt8>, _ parser: inout JSONParser
    ) throws(JSONError) -> String {
        guard parser.offset < header.count, header[parser.offset] == 0x22 else {
            throw parser.error("a dtype is not a string")
        }
        return try parser.string(header)
    }

    private static func numbers(
        _ header: Span<UInt8>, _ parser: inout JSONParser
    ) throws(JSONError) -> [UInt64] {
        guard parser.offset < header.count, header[parser.offset] == 0x5B else {
            throw parser.error("a shape or offsets are not a list")
        }
        var numbers: [UInt64] = []
        try parser.list(header, close: 0x5D) { (parser) throws(JSONError) in
            numbers.append(try parser.wholeNumber(header))
        }
        return numbers
    }

    // MARK: Soundness

    private func check() throws(SafetensorsError) {
        for tensor in tensors {
            func error(_ reason: String) -> SafetensorsError {
                SafetensorsError(reason: "tensor \(Self.quoted(tensor.name)) \(reason)")
            }
            guard outside.isEmpty || !outside.contains(Array(tensor.name.utf8)) else {
                throw error("lies outside of the file")
            }
            var elements: UInt64 = 1
            for extent in tensor.shape {
                let (product, overflow) = elements.multipliedReportingOverflow(by: UInt64(extent))
                guard !overflow else { throw error("has a shape that overflows") }
                elements = product
            }
            guard let type = tensor.type else { continue }
            let (bits, overflow) = elements.multipliedReportingOverflow(by: UInt64(type.bitWidth))
            guard !overflow else { throw error("has a shape that overflows") }
            guard bits % 8 == 0, bits / 8 == UInt64(tensor.range.count) else {
                throw error(
                    "has \(tensor.range.count) bytes where its shape needs \(bits / 8)")
            }
        }
    }

    /// A foreign name, cut to a length that fits a message.
    static func quoted(_ name: String) -> String {
        let short = name.count > 60 ? "\(name.prefix(60))…" : name
        return JSON.string(short).canonicalText
    }
}

extension JSONParser {
    /// Passes over `null`; false, and nothing passed over, when something else is there.
    mutating func skipNull(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        guard offset < bytes.count, bytes[offset] == 0x6E else { return false }
        _ = try value(bytes, depth: 0)
        return true
    }

    /// Reads digits without a sign, a fraction or an exponent.
    mutating func wholeNumber(_ bytes: Span<UInt8>) throws(JSONError) -> UInt64 {
        let start = offset
        var number: UInt64 = 0
        while offset < bytes.count, case 0x30...0x39 = bytes[offset] {
            let (product, first) = number.multipliedReportingOverflow(by: 10)
            let (sum, second) = product.addingReportingOverflow(UInt64(bytes[offset] - 0x30))
            guard !first, !second else { throw error("a number is out of range") }
            number = sum
            offset += 1
        }
        let isNumber = offset > start && (offset == start + 1 || bytes[start] != 0x30)
        let goesOn = offset < bytes.count && [0x2E, 0x65, 0x45].contains(bytes[offset])
        guard isNumber, !goesOn else { throw error("a whole number from 0 on is expected") }
        return number
    }

    /// Passes over a value of any kind: numbers of any size, and objects with repeated keys.
    mutating func skipValue(
        _ bytes: Span<UInt8>, depth: Int, limit: Int
    ) throws(JSONError) {
        guard offset < bytes.count else { throw error("the text ends where a value should begin") }
        switch bytes[offset] {
        case 0x7B, 0x5B:
            guard depth < limit else { throw error("nested too deeply") }
            let isObject = bytes[offset] == 0x7B
            try list(bytes, close: isObject ? 0x7D : 0x5D) { (parser) throws(JSONError) in
                if isObject { _ = try parser.key(bytes) }
                try parser.skipValue(bytes, depth: depth + 1, limit: limit)
            }
        case 0x2D, 0x30...0x39: _ = try number(bytes, isExact: false)
        default: _ = try value(bytes, depth: 0)
        }
    }
}
