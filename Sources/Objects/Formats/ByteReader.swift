internal import CZlib

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

/// How many more bytes may be inflated for one file: a few kilobytes can stand for any number.
final class InflationBudget {
    /// More than the header of any model; what is behind it counts as unseen.
    static let limit = 256 << 20

    private var left: Int
    /// Whether something was left unseen.
    private(set) var isExhausted = false

    init(limit: Int = limit) { left = limit }

    /// Takes what may be spent of `count` bytes.
    func take(_ count: Int) -> Int {
        let taken = min(count, left)
        left -= taken
        if taken < count { isExhausted = true }
        return taken
    }
}

/// Deflated bytes (RFC 1951), bare or wrapped, as they come out: also those before a place where they are broken.
struct InflatedFeed<Base: ByteFeed>: ByteFeed {
    /// What stands around the deflated bytes.
    enum Wrapping: Int32 {
        case none = -15
        case zlib = 15
        case gzip = 31
    }

    /// How a stream goes on.
    enum State {
        case open, ended, broken
    }

    private var base: Base
    private var input: [UInt8]
    private let inflater: Inflater
    private let budget: InflationBudget
    private let wrapping: Wrapping
    /// What a skip inflated beyond its end.
    private var waiting: [UInt8] = []
    /// Where the stream stands after the last part.
    private(set) var state = State.open

    private static var partSize: Int { 64 << 10 }

    /// Begins with bytes that are known already; the base goes on behind them.
    init(
        _ base: Base, after known: [UInt8] = [], _ wrapping: Wrapping, budget: InflationBudget
    ) {
        self.base = base
        input = known
        inflater = Inflater(windowBits: wrapping.rawValue)
        self.budget = budget
        self.wrapping = wrapping
    }

    mutating func next() throws(ObjectError) -> [UInt8] {
        if !waiting.isEmpty {
            defer { waiting = [] }
            return waiting
        }
        while state == .open {
            if input.isEmpty { input = try base.next() }
            if input.isEmpty {
                state = .broken
                break
            }
            let room = budget.take(Self.partSize)
            guard room > 0 else {
                state = .broken
                break
            }
            let step = inflater.inflate(input, room: room)
            input.removeFirst(step.consumed)
            switch step.state {
            case .ended: try goOn()
            case .open: if step.consumed == 0, step.output.isEmpty { state = .broken }
            case .broken: state = .broken
            }
            if !step.output.isEmpty { return step.output }
        }
        return []
    }

    /// A gzip file may have several members, which are read as one, with zeros between them.
    private mutating func goOn() throws(ObjectError) {
        state = .ended
        guard wrapping == .gzip else { return }
        while true {
            input = Array(input.drop { $0 == 0 })
            if !input.isEmpty { break }
            input = try base.next()
            if input.isEmpty { return }
        }
        guard input.first == 0x1F, inflater.reset() else { return }
        state = .open
    }

    mutating func skip(_ count: Int) throws(ObjectError) -> Int {
        var skipped = 0
        while skipped < count {
            let part = try next()
            guard !part.isEmpty else { break }
            guard part.count <= count - skipped else {
                waiting = Array(part[(count - skipped)...])
                return count
            }
            skipped += part.count
        }
        return skipped
    }
}
