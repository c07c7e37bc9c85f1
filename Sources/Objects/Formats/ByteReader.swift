/// Bytes in order, a part at a time.
protocol ByteFeed {
    /// The next part; empty at the end.
    mutating func next() throws(ObjectError) -> [UInt8]

    /// Passes over bytes that were not given yet, at most `count`, and says how many.
    mutating func skip(_ count: Int) throws(ObjectError) -> Int
}

/// The bytes of a range of an object. Parts grow, so that a header costs little and a large file few reads.
struct ObjectFeed<Source: ObjectRangeSource>: ByteFeed {
    private let source: Source
    private let id: ObjectID
    private var offset: Int
    private let end: Int
    private var partSize = 4 << 10

    /// A whole piece of an object, about.
    private static var largestPart: Int { 256 << 10 }

    /// Begins at the start of a range, which lies inside the object.
    init(_ id: ObjectID, _ range: Range<Int>, in source: Source) {
        self.source = source
        self.id = id
        offset = range.lowerBound
        end = range.upperBound
    }

    mutating func next() throws(ObjectError) -> [UInt8] {
        guard offset < end else { return [] }
        let bytes = try source.read(id, offset: offset, count: min(partSize, end - offset))
        offset += bytes.count
        partSize = min(4 * partSize, Self.largestPart)
        return bytes
    }

    mutating func skip(_ count: Int) -> Int {
        let skipped = min(count, end - offset)
        offset += skipped
        return skipped
    }
}

/// Reads bytes from a feed, forward only.
struct ByteReader<Feed: ByteFeed> {
    private var feed: Feed
    private var part: [UInt8]
    private var at = 0

    /// Begins with bytes that are known already, if any; the feed goes on behind them.
    init(_ feed: Feed, after known: [UInt8] = []) {
        self.feed = feed
        part = known
    }

    /// The next byte; nil at the end.
    mutating func next() throws(ObjectError) -> UInt8? {
        if at == part.count {
            part = try feed.next()
            at = 0
            guard !part.isEmpty else { return nil }
        }
        defer { at += 1 }
        return part[at]
    }

    /// Up to `count` bytes, fewer at the end, which stay where they are.
    mutating func peek(_ count: Int) throws(ObjectError) -> ArraySlice<UInt8> {
        while part.count - at < count {
            let more = try feed.next()
            guard !more.isEmpty else { break }
            part = Array(part[at...]) + more
            at = 0
        }
        return part[at..<min(at + count, part.count)]
    }

    /// Exactly `count` bytes; nil when there are fewer.
    mutating func bytes(_ count: Int) throws(ObjectError) -> ArraySlice<UInt8>? {
        let bytes = try peek(count)
        guard bytes.count == count else { return nil }
        at += count
        return bytes
    }

    /// A little-endian number of up to eight bytes; nil when there are fewer bytes.
    mutating func number(_ width: Int) throws(ObjectError) -> UInt64? {
        guard let bytes = try bytes(width) else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Passes over bytes; false when there are fewer.
    mutating func skip(_ count: UInt64) throws(ObjectError) -> Bool {
        guard let count = Int(exactly: count) else { return false }
        let here = min(count, part.count - at)
        at += here
        guard count > here else { return true }
        return try feed.skip(count - here) == count - here
    }

    /// The bytes up to the next line feed, which is passed over, or to the end; of a longer line its first `limit`
    /// bytes and one more.
    mutating func line(limit: Int) throws(ObjectError) -> [UInt8] {
        var line: [UInt8] = []
        while true {
            if at == part.count {
                part = try feed.next()
                at = 0
                guard !part.isEmpty else { return line }
            }
            let end = part[at...].firstIndex(of: 0x0A)
            line += part[at..<(end ?? part.count)].prefix(limit + 1 - line.count)
            at = end.map { $0 + 1 } ?? part.count
            if end != nil { return line }
        }
    }
}
