internal import Storage

/// The header of a GGUF file, versions 2 and 3 in either byte order, as the ggml project's `gguf.md` defines it.
///
/// Whether the metadata makes sense is for the programs to say that run the model.
public struct GGUF: Hashable, Sendable {
    /// One fact about the model.
    public struct Member: Hashable, Sendable {
        /// Its name, such as `general.architecture`.
        public let key: String
        /// Its value; a list has only what ``Value/list(type:count:)`` says.
        public let value: Value
        /// Where the value is, in bytes from the start of the file.
        public let range: Range<Int>
    }

    /// A value of the metadata.
    public enum Value: Hashable, Sendable {
        /// A whole number from 0 on.
        case unsigned(UInt64)
        /// A whole number.
        case signed(Int64)
        /// A floating-point number, which may be anything.
        case float(Double)
        /// A truth value.
        case bool(Bool)
        /// A text, cut where it is very long.
        case text(String)
        /// A list, whose elements are not kept.
        case list(type: String, count: UInt64)
    }

    /// The metadata, in the order of the file.
    public let metadata: [Member]
    /// The tensors, in the order of the file. Shapes begin with the dimension that varies fastest.
    public let tensors: [Tensor]
    /// The offsets of the tensors from the start of the file, ascending, each once.
    let boundaries: [Int]

    /// A longer header is not followed: vocabularies and merges of the largest tokenizers take some 20 MB.
    private static let headerLimit = 64 << 20
    /// More tensors than this are not believed.
    private static let tensorLimit = 1 << 20
    /// The format's own limit is 4.
    private static let dimensionLimit = 8
    /// Names and texts are kept up to this size.
    static let textLimit = 4 << 10

    /// Reads the header of a stored file; nil for anything but a sound one.
    ///
    /// - Throws: `missing`, or what the source throws.
    public static func read(
        _ id: ObjectID, in source: some ObjectRangeSource
    ) throws(ObjectError) -> GGUF? {
        guard let size = try source.size(of: id) else { throw .missing(id) }
        return try GGUF(header: ObjectHeader(id: id, size: size, source: source))
    }

    /// Reads a header; nil for anything but a sound one.
    ///
    /// - Throws: When the file cannot be read.
    init?(_ source: any Blob) throws(StorageError) {
        try self.init(header: BlobHeader(blob: source))
    }

    private init?<Source: HeaderSource>(header source: Source) throws(Source.Failure) {
        var reader = HeaderReader(source, limit: Self.headerLimit)
        guard try reader.bytes(4)?.elementsEqual("GGUF".utf8) == true,
            var version = try reader.uint32()
        else { return nil }
        if version & 0xFFFF == 0 {
            // Machines with the other byte order write the version in theirs.
            reader.isBigEndian = true
            version = version.byteSwapped
        }
        guard version == 2 || version == 3, let count = try reader.uint64(),
            0...UInt64(Self.tensorLimit) ~= count, let members = try reader.uint64(),
            let (metadata, alignment) = try Self.metadata(&reader, count: members)
        else { return nil }
        var entries: [Entry] = []
        for _ in 0..<count {
            guard let entry = try Entry(&reader, dimensions: Self.dimensionLimit),
                entry.offset % alignment == 0
            else { return nil }
            entries.append(entry)
        }
        let start = (UInt64(reader.offset) + alignment - 1) / alignment * alignment
        guard let tensors = Self.tensors(entries, from: start, to: UInt64(source.size)) else {
            return nil
        }
        var boundaries: [Int] = []
        for position in tensors.map(\.range.lowerBound).sorted()
        // A tensor without elements begins where the next one does, or where the file ends.
        where position != boundaries.last && position < source.size { boundaries.append(position) }
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

        init?<Source: HeaderSource>(
            _ reader: inout HeaderReader<Source>, dimensions limit: Int
        ) throws(Source.Failure) {
            guard let name = try GGUF.text(&reader), let dimensions = try reader.uint32(),
                dimensions <= limit
            else { return nil }
            var shape: [UInt64] = []
            for _ in 0..<dimensions {
                guard let extent = try reader.uint64() else { return nil }
                shape.append(extent)
            }
            guard let type = try reader.uint32(), let offset = try reader.uint64() else {
                return nil
            }
            self.name = name
            self.shape = shape
            self.type = type
            self.offset = offset
        }
    }

    /// The tensors of a file of `size` bytes; nil when one begins behind its end.
    private static func tensors(
        _ entries: [Entry], from start: UInt64, to size: UInt64
    ) -> [Tensor]? {
        let offsets = entries.map(\.offset).sorted()
        var tensors: [Tensor] = []
        for entry in entries {
            let (position, overflow) = start.addingReportingOverflow(entry.offset)
            guard !overflow, position <= size else { return nil }
            let type = GGMLType(entry.type)
            // The bytes of a type that is not known end where the next tensor begins.
            let next = offsets.partitioningIndex { $0 > entry.offset }
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

    /// Reads the metadata, and what tensors are aligned to.
    private static func metadata<Source: HeaderSource>(
        _ reader: inout HeaderReader<Source>, count: UInt64
    ) throws(Source.Failure) -> ([Member], alignment: UInt64)? {
        var alignment: UInt64 = 32
        var members: [Member] = []
        var left = count
        while left > 0 {
            left -= 1
            // The header is shorter than a number of members that takes long to count.
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

    /// A text of which what is beyond the limit is passed over; nil when the header would be too long.
    static func text<Source: HeaderSource>(
        _ reader: inout HeaderReader<Source>
    ) throws(Source.Failure) -> String? {
        guard let length = try reader.uint64(),
            let bytes = try reader.bytes(Int(min(length, UInt64(textLimit)))),
            reader.skip(length - UInt64(bytes.count))
        else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return length > UInt64(textLimit) ? text + "…" : text
    }
}

/// The types of GGUF's metadata.
enum GGUFValue: UInt32 {
    case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64
    case float64

    /// Arrays in arrays are allowed, and nobody has seen them.
    private static let nestingLimit = 4

    var name: String { "\(self)" }

    /// The size of a number in bytes; nil for anything but a number.
    private var size: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .string, .array: nil
        }
    }

    /// Reads a value; nil when it is none.
    func read<Source: HeaderSource>(
        _ reader: inout HeaderReader<Source>, depth: Int
    ) throws(Source.Failure) -> GGUF.Value? {
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

    /// Passes over a list.
    private func list<Source: HeaderSource>(
        _ reader: inout HeaderReader<Source>, depth: Int
    ) throws(Source.Failure) -> GGUF.Value? {
        guard depth < Self.nestingLimit,
            let type = try reader.uint32().flatMap({ GGUFValue(rawValue: $0) }),
            let count = try reader.uint64()
        else { return nil }
        if let size = type.size {
            let (bytes, overflow) = count.multipliedReportingOverflow(by: UInt64(size))
            guard !overflow, reader.skip(bytes) else { return nil }
        } else {
            var left = count
            while left > 0 {
                left -= 1
                guard try type.pass(&reader, depth: depth + 1) else { return nil }
            }
        }
        return .list(type: type.name, count: count)
    }

    /// Passes over a text or a list; false when it is none.
    private func pass<Source: HeaderSource>(
        _ reader: inout HeaderReader<Source>, depth: Int
    ) throws(Source.Failure) -> Bool {
        if self == .array { return try list(&reader, depth: depth) != nil }
        guard let length = try reader.uint64() else { return false }
        return reader.skip(length)
    }
}

extension GGUF.Member {
    /// Whether a member of another file has the same value, of which nothing is left out here.
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

/// The types of numbers that the ggml project's `ggml.h` numbers, with the blocks that they are stored in.
struct GGMLType {
    /// The name, as the project writes it.
    let name: String
    /// Numbers in a block.
    let block: Int
    /// Bytes of a block.
    let bytes: Int

    /// The type of a number; nil for one that this release does not know.
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

    /// The bytes of a tensor of this shape; nil where its rows are not whole blocks, or no file is so large.
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
