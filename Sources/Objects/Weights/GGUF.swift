internal import Storage

/// The header of a GGUF file, versions 2 and 3 in either byte order, as the ggml project's `gguf.md` defines it.
///
/// Does not check the meaning of the metadata; that is up to the programs that run the model.
public struct GGUF: Hashable, Sendable {
    /// One member of the metadata.
    public struct Member: Hashable, Sendable {
        /// The name, such as `general.architecture`.
        public let key: String
        /// The value; the elements of a list are not kept.
        public let value: Value
        /// The range of the value in the file, in bytes.
        public let range: Range<Int>
    }

    /// A value of the metadata.
    public enum Value: Hashable, Sendable {
        /// An unsigned integer.
        case unsigned(UInt64)
        /// A signed integer.
        case signed(Int64)
        /// A floating-point number, possibly infinite or NaN.
        case float(Double)
        /// A truth value.
        case bool(Bool)
        /// A text, truncated if it is very long.
        case text(String)
        /// The type and the number of the elements of a list.
        case list(type: String, count: UInt64)
    }

    /// The metadata, in the order of the file.
    public let metadata: [Member]
    /// The tensors, in the order of the file. Shapes begin with the dimension that varies fastest.
    public let tensors: [Tensor]
    /// The distinct offsets of the tensors in the file, ascending and before the end of the file.
    let boundaries: [Int]

    /// The longest header in bytes: vocabularies and merges of the largest tokenizers take about 20 MB.
    private static let headerLimit = 64 << 20
    /// The maximum number of tensors; a header with more is refused.
    private static let tensorLimit = 1 << 20
    /// The maximum number of dimensions of a tensor; the limit of the format is 4.
    private static let dimensionLimit = 8
    /// The maximum number of bytes that are kept of a name or a text.
    static let textLimit = 4 << 10

    /// Reads the header of a stored file; nil if it is not a valid GGUF header.
    ///
    /// - Throws: `missing`, or what the source throws.
    public static func read(
        _ id: ObjectID, in source: some ObjectRangeSource
    ) throws(ObjectError) -> GGUF? {
        guard let size = try source.size(of: id) else { throw .missing(id) }
        var reader = ByteReader(RangeFeed(id, 0..<min(size, headerLimit), in: source))
        return try GGUF(&reader, fileSize: size)
    }

    /// Reads the header of a blob; nil if it is not a valid GGUF header.
    ///
    /// - Throws: When the blob cannot be read.
    init?(_ source: any Blob) throws(ObjectError) {
        var reader = ByteReader(RangeFeed(source, limit: Self.headerLimit))
        try self.init(&reader, fileSize: source.size)
    }

    private init?(_ reader: inout ByteReader<RangeFeed>, fileSize: Int) throws(ObjectError) {
        guard try reader.bytes(4)?.elementsEqual("GGUF".utf8) == true,
            var version = try reader.uint32()
        else { return nil }
        if version & 0xFFFF == 0 {
            // A big-endian machine writes the version in its byte order.
            reader.isBigEndian = true
            version = version.byteSwapped
        }
        guard version == 2 || version == 3, let count = try reader.number(8),
            0...UInt64(Self.tensorLimit) ~= count, let members = try reader.number(8),
            let (metadata, alignment) = try Self.metadata(&reader, count: members)
        else { return nil }
        var entries: [Entry] = []
        for _ in 0..<count {
            guard let entry = try Self.entry(&reader), entry.offset % alignment == 0 else {
                return nil
            }
            entries.append(entry)
        }
        let start = (UInt64(reader.offset) + alignment - 1) / alignment * alignment
        guard let tensors = Self.tensors(entries, from: start, to: UInt64(fileSize)) else {
            return nil
        }
        var boundaries: [Int] = []
        for position in tensors.map(\.range.lowerBound).sorted()
        // A tensor without elements has the offset of the next one, or the end of the file.
        where position != boundaries.last && position < fileSize { boundaries.append(position) }
        self.metadata = metadata
        self.tensors = tensors
        self.boundaries = boundaries
    }

    // MARK: Tensors

    private struct Entry {
        let name: String
        let shape: [UInt64]
        let type: UInt32
        let offset: UInt64
    }

    /// Reads the entry of a tensor; nil if it is invalid.
    private static func entry(
        _ reader: inout ByteReader<RangeFeed>
    ) throws(ObjectError) -> Entry? {
        guard let name = try text(&reader), let dimensions = try reader.uint32(),
            dimensions <= dimensionLimit
        else { return nil }
        var shape: [UInt64] = []
        for _ in 0..<dimensions {
            guard let extent = try reader.number(8) else { return nil }
            shape.append(extent)
        }
        guard let type = try reader.uint32(), let offset = try reader.number(8) else { return nil }
        return Entry(name: name, shape: shape, type: type, offset: offset)
    }

    /// The tensors of a file of `size` bytes; nil if one begins after the end of the file. A tensor that extends beyond
    /// the end is cut off there.
    private static func tensors(
        _ entries: [Entry], from start: UInt64, to size: UInt64
    ) -> [Tensor]? {
        let offsets = entries.map(\.offset).sorted()
        var tensors: [Tensor] = []
        for entry in entries {
            let (position, overflow) = start.addingReportingOverflow(entry.offset)
            guard !overflow, position <= size else { return nil }
            let type = GGMLType(entry.type)
            // A tensor of an unknown type extends to the next tensor.
            let next = offsets.binarySearch { $0 <= entry.offset }
            let rest = next < offsets.count ? offsets[next] - entry.offset : size - position
            let length = min(type.map { $0.size(of: entry.shape) ?? rest } ?? rest, size - position)
            tensors.append(
                Tensor(
                    name: entry.name, dtype: type?.name ?? "type \(entry.type)",
                    type: type.flatMap { ElementType(rawValue: $0.name) },
                    shape: entry.shape.map { Int(clamping: $0) },
                    range: Int(position)..<Int(position + length)))
        }
        return tensors
    }

    // MARK: Metadata

    /// Reads the metadata; returns its members and the alignment of the tensors, or nil if the metadata is invalid.
    private static func metadata(
        _ reader: inout ByteReader<RangeFeed>, count: UInt64
    ) throws(ObjectError) -> ([Member], alignment: UInt64)? {
        var alignment: UInt64 = 32
        var members: [Member] = []
        var left = count
        while left > 0 {
            left -= 1
            // The limit of the header bounds the number of iterations, whatever `count` claims.
            guard let key = try text(&reader), let type = try reader.uint32() else { return nil }
            let start = reader.offset
            guard let value = try GGUFValue(rawValue: type)?.read(&reader, depth: 0) else {
                return nil
            }
            if key.utf8.elementsEqual("general.alignment".utf8) {
                guard case .unsigned(let number) = value, type == 4, number > 0,
                    number <= 1 << 16
                else { return nil }
                alignment = number
            }
            members.append(Member(key: key, value: value, range: start..<reader.offset))
        }
        return (members, alignment)
    }

    /// Reads a text and skips the part beyond the limit; nil if the header would be too long.
    static func text(
        _ reader: inout ByteReader<RangeFeed>
    ) throws(ObjectError) -> String? {
        guard let length = try reader.number(8),
            let bytes = try reader.bytes(Int(min(length, UInt64(textLimit)))),
            try reader.skip(length - UInt64(bytes.count))
        else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return length > UInt64(textLimit) ? text + "…" : text
    }
}

/// The types of values in the metadata.
enum GGUFValue: UInt32 {
    case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64
    case float64

    /// The format allows nested arrays, but no known file has them.
    private static let nestingLimit = 4

    var name: String { "\(self)" }

    /// The size of a number or a truth value in bytes; nil for other types.
    private var size: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .string, .array: nil
        }
    }

    /// Reads a value; nil if it is invalid.
    func read(
        _ reader: inout ByteReader<RangeFeed>, depth: Int
    ) throws(ObjectError) -> GGUF.Value? {
        guard let size else {
            return self == .string
                ? try GGUF.text(&reader).map { .text($0) }
                : try list(&reader, depth: depth)
        }
        guard let bits = try reader.number(size) else { return nil }
        let signed = Int64(bitPattern: bits << (64 - 8 * size)) >> (64 - 8 * size)
        switch self {
        case .bool: return .bool(bits != 0)
        case .int8, .int16, .int32, .int64: return .signed(signed)
        case .float32: return .float(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
        case .float64: return .float(Double(bitPattern: bits))
        default: return .unsigned(bits)
        }
    }

    /// Skips a list; nil if it is invalid.
    private func list(
        _ reader: inout ByteReader<RangeFeed>, depth: Int
    ) throws(ObjectError) -> GGUF.Value? {
        guard depth < Self.nestingLimit,
            let type = try reader.uint32().flatMap({ GGUFValue(rawValue: $0) }),
            let count = try reader.number(8)
        else { return nil }
        if let size = type.size {
            let (bytes, overflow) = count.multipliedReportingOverflow(by: UInt64(size))
            guard !overflow, try reader.skip(bytes) else { return nil }
        } else {
            var left = count
            while left > 0 {
                left -= 1
                guard try type.skip(&reader, depth: depth + 1) else { return nil }
            }
        }
        return .list(type: type.name, count: count)
    }

    /// Skips a text or a list; returns false if it is invalid.
    private func skip(
        _ reader: inout ByteReader<RangeFeed>, depth: Int
    ) throws(ObjectError) -> Bool {
        if self == .array { return try list(&reader, depth: depth) != nil }
        guard let length = try reader.number(8) else { return false }
        return try reader.skip(length)
    }
}

extension GGUF.Member {
    /// Whether a member of another file has the same value, compared with all elements and the whole text.
    public func hasValue(
        of other: GGUF.Member, _ ownFile: ObjectID, _ otherFile: ObjectID,
        in source: some ObjectRangeSource
    ) throws(ObjectError) -> Bool {
        guard range.count == other.range.count, value == other.value || value.isNaN else {
            return false
        }
        return try source.read(ownFile, offset: range.lowerBound, count: range.count)
            == source.read(otherFile, offset: other.range.lowerBound, count: range.count)
    }
}

extension GGUF.Value {
    fileprivate var isNaN: Bool {
        if case .float(let number) = self { number.isNaN } else { false }
    }
}

/// The types of numbers in the ggml project's `ggml.h`, with the blocks that store them.
struct GGMLType {
    /// The name that the project uses.
    let name: String
    /// The number of numbers in a block.
    let block: Int
    /// The size of a block in bytes.
    let bytes: Int

    /// The type with a number in `ggml.h`; nil for an unknown one.
    init?(_ number: UInt32) {
        guard let entry = Self.table[number] else { return nil }
        self = entry
    }

    private init(_ name: String, _ block: Int, _ bytes: Int) {
        self.name = name
        self.block = block
        self.bytes = bytes
    }

    private static let table: [UInt32: GGMLType] = [
        0: .init("F32", 1, 4), 1: .init("F16", 1, 2), 2: .init("Q4_0", 32, 18),
        3: .init("Q4_1", 32, 20), 6: .init("Q5_0", 32, 22), 7: .init("Q5_1", 32, 24),
        8: .init("Q8_0", 32, 34), 9: .init("Q8_1", 32, 40), 10: .init("Q2_K", 256, 84),
        11: .init("Q3_K", 256, 110), 12: .init("Q4_K", 256, 144), 13: .init("Q5_K", 256, 176),
        14: .init("Q6_K", 256, 210), 15: .init("Q8_K", 256, 292), 16: .init("IQ2_XXS", 256, 66),
        17: .init("IQ2_XS", 256, 74), 18: .init("IQ3_XXS", 256, 98), 19: .init("IQ1_S", 256, 50),
        20: .init("IQ4_NL", 32, 18), 21: .init("IQ3_S", 256, 110), 22: .init("IQ2_S", 256, 82),
        23: .init("IQ4_XS", 256, 136), 24: .init("I8", 1, 1), 25: .init("I16", 1, 2),
        26: .init("I32", 1, 4), 27: .init("I64", 1, 8), 28: .init("F64", 1, 8),
        29: .init("IQ1_M", 256, 56), 30: .init("BF16", 1, 2), 34: .init("TQ1_0", 256, 54),
        35: .init("TQ2_0", 256, 66), 39: .init("MXFP4", 32, 17), 40: .init("NVFP4", 64, 36),
        41: .init("Q1_0", 128, 18),
    ]

    /// The size in bytes of a tensor of this shape; nil if its rows are not whole blocks, or the size overflows.
    func size(of shape: [UInt64]) -> UInt64? {
        guard (shape.first ?? 1) % UInt64(block) == 0 else { return nil }
        var blocks = (shape.first ?? 1) / UInt64(block)
        for extent in shape.dropFirst() {
            let (product, overflow) = blocks.multipliedReportingOverflow(by: extent)
            guard !overflow else { return nil }
            blocks = product
        }
        let (size, overflow) = blocks.multipliedReportingOverflow(by: UInt64(bytes))
        return overflow ? nil : size
    }
}
