internal import Synchronization

/// The moment by which work must end, which may also be cancelled before.
///
/// Work that can take long polls ``hasEnded``, or waits no longer than ``remaining``. Safe to use from many threads.
public final class Deadline: Sendable {
    /// The moment.
    public let moment: ContinuousClock.Instant
    private let cancelled = Atomic(false)
    private let whole: Deadline?

    /// Makes a deadline.
    public convenience init(_ moment: ContinuousClock.Instant) {
        self.init(moment, within: nil)
    }

    private init(_ moment: ContinuousClock.Instant, within whole: Deadline?) {
        self.moment = moment
        self.whole = whole
    }

    /// Makes a deadline that is `duration` away from now.
    public convenience init(after duration: Duration) { self.init(.now + duration) }

    /// The deadline of a part of the work, which ends after `duration` at the latest, and whenever the whole ends.
    public func part(of duration: Duration) -> Deadline {
        Deadline(min(moment, .now + duration), within: self)
    }

    /// The work ends: nobody waits for its result.
    public func cancel() { cancelled.store(true, ordering: .relaxed) }

    /// Whether the work was cancelled.
    public var isCancelled: Bool {
        cancelled.load(ordering: .relaxed) || whole?.isCancelled ?? false
    }

    /// Whether the work was cancelled or the moment has passed.
    public var hasEnded: Bool { isCancelled || ContinuousClock.now >= moment }

    /// The time that is left; zero once the work has ended.
    public var remaining: Duration {
        isCancelled ? .zero : max(.zero, ContinuousClock.now.duration(to: moment))
    }
}
