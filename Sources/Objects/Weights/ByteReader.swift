internal import Storage

/// A source of bytes that arrive in parts.
package protocol ByteFeed {
    /// Returns the next part; empty at the end.
    mutating func next() throws(ObjectError) -> [UInt8]

    /// Skips at most `count` bytes that were not returned yet; returns how many.
    mutating func skip(_ count: Int) throws(ObjectError) -> Int
}

/// The bytes of a range of a file. Parts grow, so that a header costs little and a large file takes few reads.
package struct RangeFeed: ByteFeed {
    private let read: (_ offset: Int, _ count: Int) throws(ObjectError) -> [UInt8]
    private var offset: Int
    private let end: Int
    private var partSize = 4 << 10

    /// The size of the largest parts, in bytes: about that of a piece of an object.
    private static let largestPart = 256 << 10

    /// Begins at the start of a range of an object; the range must lie inside the object.
    package init(_ id: ObjectID, _ range: Range<Int>, in source: some ObjectRangeSource) {
        read = { (offset, count) throws(ObjectError) in
            try source.read(id, offset: offset, count: count)
        }
        offset = range.lowerBound
        end = range.upperBound
    }

    /// Begins at the start of a blob; ends after at most `limit` bytes.
    init(_ blob: any Blob, limit: Int) {
        read = { (offset, count) throws(ObjectError) in try blob.bytes(at: offset, count: count) }
        offset = 0
        end = min(blob.size, limit)
    }

    package mutating func next() throws(ObjectError) -> [UInt8] {
        guard offset < end else { return [] }
        let bytes = try read(offset, min(partSize, end - offset))
        offset += bytes.count
        partSize = min(4 * partSize, Self.largestPart)
        return bytes
    }

    package mutating func skip(_ count: Int) -> Int {
        let skipped = min(count, end - offset)
        offset += skipped
        return skipped
    }
}

/// Reads bytes from a feed, forward only.
package struct ByteReader<Feed: ByteFeed> {
    private var feed: Feed
    private var part: [UInt8]
    /// The offset of the part in the feed, and the offset of the next byte in the part.
    private var start = 0
    private var at = 0
    /// Whether numbers are big-endian.
    package var isBigEndian = false

    /// The number of bytes consumed.
    package var offset: Int { start + at }

    /// Begins with bytes that were read already, if any; the feed continues after them.
    package init(_ feed: Feed, after known: [UInt8] = []) {
        self.feed = feed
        part = known
    }

    /// Reads the next byte; nil at the end.
    package mutating func next() throws(ObjectError) -> UInt8? {
        if at == part.count { guard try fill() else { return nil } }
        defer { at += 1 }
        return part[at]
    }

    /// Replaces a consumed part with the next one; returns false at the end.
    private mutating func fill() throws(ObjectError) -> Bool {
        start += part.count
        part = try feed.next()
        at = 0
        return !part.isEmpty
    }

    /// Returns up to `count` bytes, fewer at the end, without consuming them.
    package mutating func peek(_ count: Int) throws(ObjectError) -> ArraySlice<UInt8> {
        while part.count - at < count {
            let more = try feed.next()
            guard !more.isEmpty else { break }
            part = Array(part[at...]) + more
            (start, at) = (offset, 0)
        }
        return part[at..<min(at + count, part.count)]
    }

    /// Reads exactly `count` bytes; nil if there are fewer.
    package mutating func bytes(_ count: Int) throws(ObjectError) -> ArraySlice<UInt8>? {
        let bytes = try peek(count)
        guard bytes.count == count else { return nil }
        at += count
        return bytes
    }

    /// Reads a number of up to eight bytes; nil if there are fewer bytes.
    package mutating func number(_ width: Int) throws(ObjectError) -> UInt64? {
        guard let bytes = try bytes(width) else { return nil }
        return isBigEndian
            ? bytes.reduce(0) { $0 << 8 | UInt64($1) }
            : bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Reads a number of four bytes; nil if there are fewer bytes.
    package mutating func uint32() throws(ObjectError) -> UInt32? {
        try number(4).map { UInt32(truncatingIfNeeded: $0) }
    }

    /// Skips bytes; returns false if there are fewer.
    package mutating func skip(_ count: UInt64) throws(ObjectError) -> Bool {
        guard let count = Int(exactly: count) else { return false }
        let here = min(count, part.count - at)
        at += here
        guard count > here else { return true }
        let skipped = try feed.skip(count - here)
        start += skipped
        return skipped == count - here
    }

    /// Reads a line and consumes its line feed; the last line may lack one. Returns at most `limit` + 1 bytes.
    package mutating func line(limit: Int) throws(ObjectError) -> [UInt8] {
        var line: [UInt8] = []
        while true {
            if at == part.count { guard try fill() else { return line } }
            let end = part[at...].firstIndex(of: 0x0A)
            line += part[at..<(end ?? part.count)].prefix(limit + 1 - line.count)
            at = end.map { $0 + 1 } ?? part.count
            if end != nil { return line }
        }
    }
}
