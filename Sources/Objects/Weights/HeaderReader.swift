internal import Storage

/// Bytes that a header is read from, at any offset.
protocol HeaderSource {
    associatedtype Failure: Error
    /// The size of the file in bytes.
    var size: Int { get }
    /// Reads exactly `count` bytes, which lie inside the file.
    func read(at offset: Int, count: Int) throws(Failure) -> [UInt8]
}

/// A file that is about to be stored.
struct BlobHeader: HeaderSource {
    let blob: any Blob
    var size: Int { blob.size }

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        try blob.read(at: offset, count: count)
    }
}

/// A file that is stored.
struct ObjectHeader<Source: ObjectRangeSource>: HeaderSource {
    let id: ObjectID
    let size: Int
    let source: Source

    func read(at offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        try source.read(id, offset: offset, count: count)
    }
}

/// Reads the header of a file from its beginning, a window at a time: what is passed over is not read.
struct HeaderReader<Source: HeaderSource> {
    private let source: Source
    /// Nothing from here on is read.
    private let end: Int
    private var window: [UInt8] = []
    private var windowStart = 0
    /// Where the next number or text begins.
    private(set) var offset = 0
    /// Whether numbers have their most significant byte first.
    var isBigEndian = false

    /// Enough for the names and shapes of a thousand tensors.
    private static var windowSize: Int { 64 << 10 }

    init(_ source: Source, limit: Int) {
        self.source = source
        end = min(source.size, limit)
    }

    /// Passes over bytes; false when the header would be longer than it may be.
    mutating func skip(_ count: UInt64) -> Bool {
        guard count <= UInt64(end - offset) else { return false }
        offset += Int(count)
        return true
    }

    /// The next bytes; nil when the header would be longer than it may be.
    mutating func bytes(_ count: Int) throws(Source.Failure) -> ArraySlice<UInt8>? {
        guard count <= end - offset else { return nil }
        if offset < windowStart || offset + count > windowStart + window.count {
            window = try source.read(
                at: offset, count: min(max(count, Self.windowSize), end - offset))
            windowStart = offset
        }
        let start = offset - windowStart
        offset += count
        return window[start..<start + count]
    }

    /// The next number of up to eight bytes; nil as in ``bytes(_:)``.
    mutating func number(_ width: Int) throws(Source.Failure) -> UInt64? {
        guard let bytes = try bytes(width) else { return nil }
        return isBigEndian
            ? bytes.reduce(0) { $0 << 8 | UInt64($1) }
            : bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The next number; nil as in ``bytes(_:)``.
    mutating func uint32() throws(Source.Failure) -> UInt32? {
        try number(4).map { UInt32(truncatingIfNeeded: $0) }
    }

    /// The next number; nil as in ``bytes(_:)``.
    mutating func uint64() throws(Source.Failure) -> UInt64? { try number(8) }
}

/// Where the numbers of an NPY file begin, versions 1 to 3 of NumPy's `numpy.lib.format`.
struct NPY: Hashable, Sendable {
    /// The offset of the first number from the start of the file.
    let dataOffset: Int

    /// A longer header is not believed: it describes one array.
    private static let headerLimit = 64 << 10

    /// Reads a header; nil for anything but one that looks sound.
    ///
    /// - Throws: When the file cannot be read.
    init?(_ source: any Blob) throws(StorageError) {
        var reader = HeaderReader(BlobHeader(blob: source), limit: Self.headerLimit)
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
