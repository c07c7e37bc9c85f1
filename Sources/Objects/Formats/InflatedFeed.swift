internal import CZlib

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
