internal import Dispatch
internal import Objects
internal import Synchronization

/// The number of tokens that may be spent on a language model in a period.
public struct TokenBudget: Hashable, Sendable {
    /// How often a budget renews.
    public enum Period: String, Sendable, CaseIterable {
        /// Every hour.
        case hour
        /// Every 24 hours.
        case day

        var duration: Duration { self == .hour ? .seconds(3600) : .seconds(86_400) }
    }

    /// The tokens of prompts and replies together.
    public var tokens: Int
    /// How often they renew, counted from the first request.
    public var period: Period

    /// Makes a budget.
    public init(tokens: Int, per period: Period) {
        self.tokens = tokens
        self.period = period
    }
}

/// Counts what is left of a budget. Thread-safe.
final class TokenMeter: Sendable {
    private struct Use {
        var start: ContinuousClock.Instant?
        var tokens = 0
    }

    private let budget: TokenBudget
    private let now: @Sendable () -> ContinuousClock.Instant
    private let use = Mutex(Use())

    init(
        _ budget: TokenBudget, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.budget = budget
        self.now = now
    }

    /// The tokens of the budget, and the seconds until it renews, when it is spent; nil when something is left.
    ///
    /// A request is admitted while anything is left, so the requests that are under way may exceed the budget.
    func refusal() -> (tokens: Int, seconds: Int)? {
        use.withLock { use in
            let start = renewed(&use)
            guard use.tokens >= budget.tokens else { return nil }
            let left = now().duration(to: start + budget.period.duration)
            return (budget.tokens, max(1, Int(left.components.seconds) + 1))
        }
    }

    /// Records the tokens of a request.
    func charge(_ tokens: Int) {
        use.withLock { use in
            _ = renewed(&use)
            use.tokens += max(0, tokens)
        }
    }

    /// The start of the current period.
    private func renewed(_ use: inout Use) -> ContinuousClock.Instant {
        let moment = now()
        if let start = use.start, moment < start + budget.period.duration { return start }
        use = Use(start: moment)
        return moment
    }
}

/// Bounds the number of requests at once. Thread-safe.
final class RequestSlots: Sendable {
    let count: Int
    private let free: DispatchSemaphore

    init(_ count: Int) {
        self.count = max(1, count)
        free = DispatchSemaphore(value: self.count)
    }

    /// Waits for a slot; false when the deadline ends first.
    func take(by deadline: Deadline) -> Bool {
        if free.wait(timeout: .now()) == .success { return true }
        // In steps, to notice a cancellation.
        while !deadline.hasEnded {
            let left = deadline.remaining.components
            let step =
                left.seconds > 0 ? 50 : min(50, Int(left.attoseconds / 1_000_000_000_000_000) + 1)
            if free.wait(timeout: .now() + .milliseconds(step)) == .success { return true }
        }
        return false
    }

    /// Gives a slot back.
    func give() { free.signal() }
}
