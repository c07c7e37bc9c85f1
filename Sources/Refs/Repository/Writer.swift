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
    /// The key to sign with, or nil for none; told whether a signature is needed. Asked anew for each transaction.
    public var key: @Sendable (_ isNeeded: Bool) throws(KeyError) -> SecretKey?
    /// Waits for so many milliseconds before a lost race is tried again.
    public var pause: @Sendable (Int) -> Void

    /// Makes a writer; unless given, clock and randomness are the system's, waiting is sleeping, and there is no key.
    public init(
        name: String, now: @escaping @Sendable () -> Timestamp = Self.systemClock,
        random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) },
        pause: @escaping @Sendable (Int) -> Void = Self.sleep,
        key: @escaping @Sendable (Bool) throws(KeyError) -> SecretKey? = Self.noKey
    ) {
        self.name = name
        self.now = now
        self.random = random
        self.pause = pause
        self.key = key
    }

    /// The time by the clock of the system.
    @Sendable
    public static func systemClock() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: time.tv_sec * 1000 + time.tv_nsec / 1_000_000)
            ?? .epoch
    }

    /// The key of somebody who has none.
    @Sendable
    public static func noKey(isNeeded: Bool) throws(KeyError) -> SecretKey? {
        if isNeeded { throw .none }
        return nil
    }

    /// Sleeps for so many milliseconds.
    @Sendable
    public static func sleep(milliseconds: Int) {
        _ = usleep(UInt32(clamping: max(0, milliseconds) * 1000))
    }

    /// How long to wait after the `attempt`-th lost race, from 0: from 2 to 200 ms, doubling, with
    /// jitter, so that writers who collided once do not collide again.
    package func backoff(attempt: Int) -> Int {
        let ceiling = min(200, 2 << min(attempt, 7))
        return 2 + Int(random() % UInt64(ceiling - 1))
    }
}
