internal import Glibc
public import Objects

/// Who writes to a repository, and what writing takes from outside: a clock, randomness, patience.
public struct Writer: Sendable {
    /// Who it is, for the log: such as `ada@host`.
    public var name: String
    /// Tells the time.
    public var now: @Sendable () -> Timestamp
    /// Draws 64 random bits; nonces come from it, so it must not repeat itself.
    public var random: @Sendable () -> UInt64
    /// Waits for so many milliseconds before a lost race is tried again.
    public var pause: @Sendable (Int) -> Void

    /// Makes a writer; unless given, randomness is the system's and waiting is sleeping.
    public init(
        name: String, now: @escaping @Sendable () -> Timestamp,
        random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) },
        pause: @escaping @Sendable (Int) -> Void = Self.sleep
    ) {
        self.name = name
        self.now = now
        self.random = random
        self.pause = pause
    }

    /// Sleeps for so many milliseconds.
    @Sendable
    public static func sleep(milliseconds: Int) {
        _ = usleep(UInt32(clamping: max(0, milliseconds) * 1000))
    }

    /// How long to wait after the `attempt`-th lost race, from 0: from 2 to 200 ms, doubling, with
    /// jitter, so that writers who collided once do not collide again.
    func backoff(attempt: Int) -> Int {
        let ceiling = min(200, 2 << min(attempt, 7))
        return 2 + Int(random() % UInt64(ceiling - 1))
    }
}
