internal import CZlib
internal import Objects

/// Limits the bytes that are inflated for one file, because a few kilobytes can inflate to gigabytes.
final class InflationBudget {
    /// More bytes than the header of any model has; bytes beyond the limit are not inspected.
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

    /// Begins another stream of the same kind; returns false when zlib cannot.
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
