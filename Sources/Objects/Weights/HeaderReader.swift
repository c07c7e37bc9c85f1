internal import Storage

/// Reads the header of a file from its beginning, a window at a time: what is passed over is not read.
struct HeaderReader {
    private let source: any Blob
    /// Nothing from here on is read.
    private let end: Int
    private var window: [UInt8] = []
    private var windowStart = 0
    /// Where the next number or text begins.
    private(set) var offset = 0

    /// Enough for the names and shapes of a thousand tensors.
    private static let windowSize = 64 << 10

    init(_ source: any Blob, limit: Int) {
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
    mutating func bytes(_ count: Int) throws(StorageError) -> ArraySlice<UInt8>? {
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

    /// The next little-endian number; nil as in ``bytes(_:)``.
    mutating func uint32() throws(StorageError) -> UInt32? {
        guard let bytes = try bytes(4) else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The next little-endian number; nil as in ``bytes(_:)``.
    mutating func uint64() throws(StorageError) -> UInt64? {
        guard let bytes = try bytes(8) else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
