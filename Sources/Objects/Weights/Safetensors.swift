/// Why bytes are not a safetensors file.
public struct SafetensorsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The fault, such as `tensor "a" overlaps the one before it`.
    public let reason: String

    /// The message for users: `not a valid safetensors: ` and the reason.
    public var description: String { "not a valid safetensors: \(reason)" }
}

/// The header of a safetensors file: its tensors and where they are.
///
/// The format is the header length in eight bytes (little-endian), a JSON object, and the bytes of the tensors
/// without gaps. Anything else is refused, so that every byte after the header belongs to exactly one tensor.
public struct Safetensors: Hashable, Sendable {
    /// The tensors in the order of their offsets.
    public let tensors: [Tensor]
    /// The metadata of the file, by key.
    public let metadata: [String: String]
    /// The offset in the file at which the bytes of the tensors begin.
    public let dataOffset: Int

    /// The maximum number of bytes in a header, as in the reference implementation of the format.
    public static let headerLimit = 100_000_000
    /// The number of bytes before the header.
    public static let prefixCount = 8

    /// Decodes the length of the header in bytes from the first eight bytes of a file of `fileSize` bytes.
    public static func headerLength(
        prefix: Span<UInt8>, fileSize: Int
    ) throws(SafetensorsError) -> Int {
        guard prefix.count >= prefixCount, fileSize >= prefixCount else {
            throw SafetensorsError(reason: "the file has fewer than 8 bytes")
        }
        let length = LittleEndian.uint64(prefix, at: 0)
        guard length <= UInt64(headerLimit) else {
            throw SafetensorsError(
                reason: "its header has \(length) bytes, more than \(headerLimit)")
        }
        guard length <= UInt64(fileSize - prefixCount) else {
            throw SafetensorsError(
                reason: "its header has \(length) bytes, but the file has only \(fileSize)")
        }
        return Int(length)
    }

    /// Parses a header.
    ///
    /// - Parameters:
    ///   - header: The JSON text, of the length that ``headerLength(prefix:fileSize:)`` returns.
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
                            + "belong to no tensor")
            }
            end = tensor.range.upperBound
        }
        guard end == fileSize else {
            throw SafetensorsError(reason: "\(fileSize - end) bytes at the end belong to no tensor")
        }
        self.tensors = tensors
        metadata = parser.metadata
    }

    /// The offsets of the tensors that have bytes, strictly ascending and above 0: the best places to cut the file.
    public var boundaries: [Int] { tensors.filter { !$0.range.isEmpty }.map(\.range.lowerBound) }

    /// Reads the header of a stored file; fails with the reason if it is not a valid safetensors file.
    ///
    /// - Throws: `missing`, or what the source throws.
    public static func read(
        _ id: ObjectID, in source: some ObjectRangeSource
    ) throws(ObjectError) -> Result<Safetensors, SafetensorsError> {
        guard let size = try source.size(of: id) else { throw .missing(id) }
        let prefix = try source.read(id, offset: 0, count: min(size, prefixCount))
        let length: Int
        do throws(SafetensorsError) {
            length = try headerLength(prefix: prefix.span, fileSize: size)
        } catch { return .failure(error) }
        let header = try source.read(id, offset: prefixCount, count: length)
        return Result { () throws(SafetensorsError) in
            try Safetensors(header: header.span, fileSize: size)
        }
    }
}

/// Parses the JSON of a safetensors header. Accepts and refuses the same headers as the reference implementation:
/// unknown members are ignored, and the last of several tensors with one name counts.
///
/// The only difference is that an unknown type of numbers is accepted, because the reference keeps adding types.
struct SafetensorsHeader {
    private let dataOffset: Int
    private let fileSize: Int
    private(set) var tensors: [Tensor] = []
    private(set) var metadata: [String: String] = [:]
    private var places: [[UInt8]: Int] = [:]
    private var hasMetadata = false
    /// The names of the tensors that lie outside of the file.
    private var outside: Set<[UInt8]> = []

    private static let metadataKey = "__metadata__"
    /// How deeply unknown members may be nested; the limit of the reference.
    private static let depthLimit = 127

    init(dataOffset: Int, fileSize: Int) {
        self.dataOffset = dataOffset
        self.fileSize = fileSize
    }

    /// Parses a whole header.
    mutating func read(_ header: Span<UInt8>) throws(SafetensorsError) {
        var parser = JSONParser()
        do throws(JSONError) {
            parser.skipSpace(header)
            try parser.expect(0x7B, header, "it is not an object")
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
        guard !hasMetadata else { throw parser.error("\(Self.metadataKey) occurs twice") }
        hasMetadata = true
        if parser.isAt(0x6E, header) {
            _ = try parser.value(header, depth: 0)
            return
        }
        try parser.expect(0x7B, header, "\(Self.metadataKey) is not an object")
        var found: [String: String] = [:]
        try parser.list(header, close: 0x7D) { (parser) throws(JSONError) in
            let key = try parser.key(header)
            try parser.expect(
                0x22, header, "\(Self.metadataKey) \(Self.quoted(key)) is not a string")
            found[key] = try parser.string(header)
        }
        metadata = found
    }

    /// The members of one tensor in the header.
    private struct Fields {
        enum Kind: String, CaseIterable {
            case dtype, shape
            case offsets = "data_offsets"
        }

        private(set) var dtype: String?
        private(set) var shape: [UInt64]?
        private(set) var offsets: [UInt64]?

        /// Parses a field; returns false if it was parsed before.
        mutating func parse(
            _ kind: Kind, _ header: Span<UInt8>, _ parser: inout JSONParser
        ) throws(JSONError) -> Bool {
            switch kind {
            case .dtype:
                try parser.expect(0x22, header, "a dtype is not a string")
                let isNew = dtype == nil
                dtype = try parser.string(header)
                return isNew
            case .shape:
                let isNew = shape == nil
                shape = try parser.wholeNumbers(header)
                return isNew
            case .offsets:
                let isNew = offsets == nil
                offsets = try parser.wholeNumbers(header)
                return isNew
            }
        }
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
                guard let kind = Fields.Kind(rawValue: key) else {
                    return try parser.skipValue(header, depth: 2, limit: Self.depthLimit)
                }
                guard try fields.parse(kind, header, &parser) else {
                    throw JSONError(reason: "\(key) occurs twice", offset: at)
                }
            }
        case 0x5B:
            // The reference also accepts an array of the three fields in this order.
            var kinds = Fields.Kind.allCases[...]
            try parser.list(header, close: 0x5D) { (parser) throws(JSONError) in
                guard let kind = kinds.popFirst() else {
                    throw parser.error("tensor \(Self.quoted(name)) has more than three fields")
                }
                _ = try fields.parse(kind, header, &parser)
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
        // An extent that exceeds Int is too large for any file.
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
                    "has \(tensor.range.count) bytes, but its shape needs \(bits / 8)")
            }
        }
    }

    /// A name from the file, quoted and truncated to fit a message.
    static func quoted(_ name: String) -> String {
        let short = name.count > 60 ? "\(name.prefix(60))…" : name
        return JSON.string(short).canonicalText
    }
}

extension JSONParser {
    /// Whether the next byte is `byte`.
    fileprivate func isAt(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        offset < bytes.count && bytes[offset] == byte
    }

    /// Checks that the next byte is `byte`; fails with `reason` otherwise.
    fileprivate func expect(
        _ byte: UInt8, _ bytes: Span<UInt8>, _ reason: @autoclosure () -> String
    ) throws(JSONError) {
        guard isAt(byte, bytes) else { throw error(reason()) }
    }

    /// Parses an array of unsigned integers.
    fileprivate mutating func wholeNumbers(_ bytes: Span<UInt8>) throws(JSONError) -> [UInt64] {
        try expect(0x5B, bytes, "a shape or data_offsets is not an array")
        var numbers: [UInt64] = []
        try list(bytes, close: 0x5D) { (parser) throws(JSONError) in
            numbers.append(try parser.wholeNumber(bytes))
        }
        return numbers
    }

    /// Parses digits without a sign, a fraction or an exponent.
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
        guard isNumber, !goesOn else { throw error("expected an unsigned integer") }
        return number
    }

    /// Skips a value of any kind, even a number of any size or an object with repeated keys.
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
