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
