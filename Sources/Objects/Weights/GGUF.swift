internal import Storage

/// Where the tensors of a GGUF file begin, versions 2 and 3 (little-endian), as the ggml project's `gguf.md` defines.
///
/// Only what is needed for that is looked at; whether the rest makes sense is for its readers to say.
struct GGUF: Hashable, Sendable {
    /// The offsets of the tensors from the start of the file, ascending, each once.
    let boundaries: [Int]

    /// A longer header is not followed: vocabularies and merges of the largest tokenizers take some 20 MB.
    private static let headerLimit = 64 << 20
    /// More tensors than this are not believed.
    private static let tensorLimit = 1 << 20
    /// The format's own limit is 4.
    private static let dimensionLimit = 8
    /// Arrays in arrays are allowed, and nobody has seen them.
    private static let nestingLimit = 4
    private static let stringType: UInt32 = 8
    private static let arrayType: UInt32 = 9

    /// Reads a header; nil for anything but a sound one.
    ///
    /// - Throws: When the file cannot be read.
    init?(_ source: any Blob) throws(StorageError) {
        var reader = HeaderReader(source, limit: Self.headerLimit)
        guard try reader.bytes(4)?.elementsEqual("GGUF".utf8) == true,
            let version = try reader.uint32(), version == 2 || version == 3,
            let tensors = try reader.uint64(), 1...UInt64(Self.tensorLimit) ~= tensors,
            let members = try reader.uint64(),
            let alignment = try Self.alignment(&reader, members: members)
        else { return nil }
        var offsets: [UInt64] = []
        for _ in 0..<tensors {
            guard let nameLength = try reader.uint64(), reader.skip(nameLength),
                let dimensions = try reader.uint32(), dimensions <= Self.dimensionLimit,
                reader.skip(8 * UInt64(dimensions) + 4), let offset = try reader.uint64(),
                offset % alignment == 0
            else { return nil }
            offsets.append(offset)
        }
        let start = (UInt64(reader.offset) + alignment - 1) / alignment * alignment
        offsets.sort()
        var boundaries: [Int] = []
        for offset in offsets {
            let (position, overflow) = start.addingReportingOverflow(offset)
            guard !overflow, position <= UInt64(source.size) else { return nil }
            // A tensor without elements begins where the next one does, or where the file ends.
            if Int(position) != boundaries.last, position < UInt64(source.size) {
                boundaries.append(Int(position))
            }
        }
        self.boundaries = boundaries
    }

    /// Passes over the metadata, and gives what tensors are aligned to.
    private static func alignment(
        _ reader: inout HeaderReader, members: UInt64
    ) throws(StorageError) -> UInt64? {
        var alignment: UInt64 = 32
        var left = members
        while left > 0 {
            left -= 1
            // The header is shorter than a number of members that takes long to count.
            guard let length = try reader.uint64() else { return nil }
            var isAlignment = false
            if length == 17 {
                guard let key = try reader.bytes(17) else { return nil }
                isAlignment = key.elementsEqual("general.alignment".utf8)
            } else if !reader.skip(length) {
                return nil
            }
            guard let type = try reader.uint32() else { return nil }
            if isAlignment {
                guard type == 4, let value = try reader.uint32(), value > 0, value <= 1 << 16
                else { return nil }
                alignment = UInt64(value)
            } else if try !skip(type, &reader, depth: 0) {
                return nil
            }
        }
        return alignment
    }

    /// Passes over a value; false when it is none.
    private static func skip(
        _ type: UInt32, _ reader: inout HeaderReader, depth: Int
    ) throws(StorageError) -> Bool {
        if let size = size(of: type) { return reader.skip(size) }
        switch type {
        case stringType:
            guard let length = try reader.uint64() else { return false }
            return reader.skip(length)
        case arrayType:
            guard depth < nestingLimit, let element = try reader.uint32(),
                let count = try reader.uint64()
            else { return false }
            if let size = size(of: element) {
                let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
                return !overflow && reader.skip(bytes)
            }
            var left = count
            while left > 0 {
                left -= 1
                guard try skip(element, &reader, depth: depth + 1) else { return false }
            }
            return true
        default: return false
        }
    }

    /// The size of a number of a type; nil for anything but a number.
    private static func size(of type: UInt32) -> UInt64? {
        switch type {
        case 0, 1, 7: 1
        case 2, 3: 2
        case 4, 5, 6: 4
        case 10, 11, 12: 8
        default: nil
        }
    }
}
