internal import CZlib
internal import Storage

/// A sequence of bytes that arrive in parts.
protocol ByteFeed {
    /// Returns the next part; empty at the end.
    mutating func next() throws(ObjectError) -> [UInt8]

    /// Skips at most `count` bytes that were not returned yet; returns how many.
    mutating func skip(_ count: Int) throws(ObjectError) -> Int
}

/// The bytes of a range of a file. Parts grow, so that a header costs little and a large file takes few reads.
struct RangeFeed: ByteFeed {
    private let read: (_ offset: Int, _ count: Int) throws(ObjectError) -> [UInt8]
    private var offset: Int
    private let end: Int
    private var partSize = 4 << 10

    /// About the size of a piece of an object.
    private static let largestPart = 256 << 10

    /// Begins at the start of a range of an object; the range must lie inside the object.
    init(_ id: ObjectID, _ range: Range<Int>, in source: some ObjectRangeSource) {
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

    mutating func next() throws(ObjectError) -> [UInt8] {
        guard offset < end else { return [] }
        let bytes = try read(offset, min(partSize, end - offset))
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
    /// The offset of the part, and of the next byte in the part.
    private var start = 0
    private var at = 0
    /// Whether numbers are big-endian.
    var isBigEndian = false

    /// The number of bytes consumed.
    var offset: Int { start + at }

    /// Begins with bytes that were read already, if any; the feed continues after them.
    init(_ feed: Feed, after known: [UInt8] = []) {
        self.feed = feed
        part = known
    }

    /// Reads the next byte; nil at the end.
    mutating func next() throws(ObjectError) -> UInt8? {
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
    mutating func peek(_ count: Int) throws(ObjectError) -> ArraySlice<UInt8> {
        while part.count - at < count {
            let more = try feed.next()
            guard !more.isEmpty else { break }
            part = Array(part[at...]) + more
            (start, at) = (offset, 0)
        }
        return part[at..<min(at + count, part.count)]
    }

    /// Reads exactly `count` bytes; nil if there are fewer.
    mutating func bytes(_ count: Int) throws(ObjectError) -> ArraySlice<UInt8>? {
        let bytes = try peek(count)
        guard bytes.count == count else { return nil }
        at += count
        return bytes
    }

    /// Reads a number of up to eight bytes; nil if there are fewer bytes.
    mutating func number(_ width: Int) throws(ObjectError) -> UInt64? {
        guard let bytes = try bytes(width) else { return nil }
        return isBigEndian
            ? bytes.reduce(0) { $0 << 8 | UInt64($1) }
            : bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Reads a number of four bytes; nil if there are fewer bytes.
    mutating func uint32() throws(ObjectError) -> UInt32? {
        try number(4).map { UInt32(truncatingIfNeeded: $0) }
    }

    /// Skips bytes; returns false if there are fewer.
    mutating func skip(_ count: UInt64) throws(ObjectError) -> Bool {
        guard let count = Int(exactly: count) else { return false }
        let here = min(count, part.count - at)
        at += here
        guard count > here else { return true }
        let skipped = try feed.skip(count - here)
        start += skipped
        return skipped == count - here
    }

    /// Reads a line and consumes its line feed; the last line may lack one. Returns at most `limit` + 1 bytes.
    mutating func line(limit: Int) throws(ObjectError) -> [UInt8] {
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

/// Limits how many bytes are inflated for one file, because a few kilobytes can inflate to any number.
final class InflationBudget {
    /// More than the header of any model; bytes after it are not seen.
    static let limit = 256 << 20

    private var left: Int
    /// Whether bytes were not inflated because of the limit.
    private(set) var isExhausted = false

    init(limit: Int = limit) { left = limit }

    /// Takes `count` bytes, or as many as are left; returns how many.
    func take(_ count: Int) -> Int {
        let taken = min(count, left)
        left -= taken
        if taken < count { isExhausted = true }
        return taken
    }
}

/// Inflates deflated bytes (RFC 1951), bare or wrapped; returns all bytes before a fault.
struct InflatedFeed<Base: ByteFeed>: ByteFeed {
    /// The format around the deflated bytes.
    enum Wrapping: Int32 {
        case none = -15
        case zlib = 15
        case gzip = 31
    }

    private var base: Base
    private var input: [UInt8]
    private let inflater: Inflater
    private let budget: InflationBudget
    private let wrapping: Wrapping
    /// The bytes that a skip inflated beyond its end.
    private var waiting: [UInt8] = []
    /// The state of the stream after the last part.
    private(set) var state = Inflater.State.open

    private static var partSize: Int { 64 << 10 }

    /// Begins with bytes that were read already; the base continues after them.
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
            case .ended: try openNextMember()
            case .open: if step.consumed == 0, step.output.isEmpty { state = .broken }
            case .broken: state = .broken
            }
            if !step.output.isEmpty { return step.output }
        }
        return []
    }

    /// Continues with the next member of a gzip file: members count as one stream, and zeros may separate them.
    private mutating func openNextMember() throws(ObjectError) {
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

/// Inflates one stream step by step; returns all output before a fault in the stream.
final class Inflater {
    /// The state of the stream after a step.
    enum State {
        case open, ended, broken
    }

    /// The result of a step.
    struct Step {
        let consumed: Int
        let output: [UInt8]
        let state: State
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private var isUsable: Bool

    /// Begins a stream; `windowBits` is the parameter of zlib's `inflateInit2`.
    init(windowBits: Int32) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        isUsable =
            inflateInit2_(
                stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Begins another stream of the same kind; returns false when there is not enough memory.
    func reset() -> Bool { isUsable && inflateReset(stream) == Z_OK }

    /// Inflates the beginning of `input` to at most `room` bytes.
    func inflate(_ input: [UInt8], room: Int) -> Step {
        guard isUsable else { return Step(consumed: 0, output: [], state: .broken) }
        var input = input
        var status = Z_OK
        var consumed = 0
        let output = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            input.withUnsafeMutableBufferPointer { input in
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = UInt32(input.count)
                stream.pointee.next_out = buffer.baseAddress
                stream.pointee.avail_out = UInt32(room)
                status = CZlib.inflate(stream, Z_NO_FLUSH)
                consumed = input.count - Int(stream.pointee.avail_in)
                count = room - Int(stream.pointee.avail_out)
                stream.pointee.next_in = nil
                stream.pointee.next_out = nil
            }
        }
        let state: State =
            switch status {
            case Z_STREAM_END: .ended
            // Z_BUF_ERROR means a lack of input or of room, which is not a fault.
            case Z_OK, Z_BUF_ERROR: .open
            default: .broken
            }
        return Step(consumed: consumed, output: output, state: state)
    }
}
