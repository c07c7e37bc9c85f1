internal import Glibc
public import Objects
internal import Storage

/// A writer: its name and key, and its sources of time and randomness.
public struct Writer: Sendable {
    /// The name in the log, such as `ada@host`.
    public var name: String
    /// The clock that dates entries and judges whether approvals have expired.
    public var now: @Sendable () -> Timestamp
    /// Draws 64 random bits; nonces come from it, so it must not repeat itself.
    public var random: @Sendable () -> UInt64
    /// The key to sign with, nil for none; receives whether a signature is required. Called for each transaction.
    public var key: @Sendable (_ isNeeded: Bool) throws(KeyError) -> SecretKey?
    /// Waits for this many milliseconds: after a lost race, or until the writer's turn comes.
    public var pause: @Sendable (Int) -> Void

    /// Makes a writer; the defaults are the system's clock and randomness, sleeping, and no key.
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

    /// The time of the system's clock.
    @Sendable
    public static func systemClock() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: time.tv_sec * 1000 + time.tv_nsec / 1_000_000)
            ?? .epoch
    }

    /// The ``key`` of a writer that has none: throws when one is needed.
    @Sendable
    public static func noKey(isNeeded: Bool) throws(KeyError) -> SecretKey? {
        if isNeeded { throw .none }
        return nil
    }

    /// Sleeps for this many milliseconds.
    @Sendable
    public static func sleep(milliseconds: Int) {
        _ = usleep(UInt32(clamping: max(0, milliseconds) * 1000))
    }

    /// The milliseconds to wait after the `attempt`-th lost race, counted from 0: a random number between 2 and a
    /// ceiling that doubles with each race, up to 200, so that writers that collided are unlikely to collide again.
    package func backoff(attempt: Int) -> Int {
        let ceiling = min(200, 2 << min(attempt, 7))
        return 2 + Int(random() % UInt64(ceiling - 1))
    }
}

extension Writer {
    /// Signs an entry if a signature is required, or if ``key`` returns a key anyway.
    ///
    /// - Throws: `unauthorized` when the access policy refuses the entry; `key` when there is no key to use.
    func signed(_ entry: LogEntry, after state: State) throws(RefError) -> LogEntry {
        guard let secret = try authorized(entry.actions, at: entry.clock, after: state) else {
            return entry
        }
        return try wrapping(
            entry.signed(by: secret, repository: state.repositoryID), as: RefError.key)
    }

    /// The key that signs some actions and has the rights for them; nil when they stay unsigned.
    ///
    /// - Throws: As ``signed(_:after:)``.
    @discardableResult
    package func authorized(
        _ actions: [Action], at time: Timestamp, after state: State
    ) throws(RefError) -> SecretKey? {
        let secret = try secretKey(isNeeded: Self.needsSignature(actions, after: state))
        let authority = Authority(state: state, signer: secret?.publicKey, time: time)
        try Self.check(authority.objection(to: actions))
        return secret
    }

    /// Checks before any work is done that the writer may move some refs.
    ///
    /// - Throws: As ``signed(_:after:)``.
    func checkRights(toMove names: [RefName], in state: State) throws(RefError) {
        guard !names.isEmpty, state.accessPolicy?.isSigned ?? false else { return }
        let secret = try secretKey(isNeeded: true)
        let authority = Authority(
            state: state, signer: secret?.publicKey, time: state.moment(at: now()))
        try Self.check(authority.objection(toMoving: names))
    }

    private func secretKey(isNeeded: Bool) throws(RefError) -> SecretKey? {
        try wrapping(key(isNeeded), as: RefError.key)
    }

    private static func check(_ objection: Authority.Objection?) throws(RefError) {
        guard let objection else { return }
        throw .unauthorized(
            reason: "the access policy refuses the transaction: \(objection.reason)",
            remedy: objection.remedy)
    }

    /// Adds a signature to a checkpoint if the writer is an admin, because nobody else can vouch for all refs; returns
    /// whether it did.
    func certify(_ bytes: inout [UInt8], of state: State) -> Bool {
        guard let accessPolicy = state.accessPolicy, accessPolicy.isSigned,
            let secret = try? key(true),
            accessPolicy.key(secret.publicKey)?.isAdmin ?? false,
            let signature = try? secret.sign(Checkpoint.signedBytes(bytes[...], of: state))
        else { return false }
        var object = JSONObject()
        signature.add(to: &object)
        bytes += JSON.object(object).canonicalBytes + [0x0A]
        return true
    }

    private static func needsSignature(_ actions: [Action], after state: State) -> Bool {
        if state.accessPolicy?.isSigned ?? false { return true }
        return actions.contains { action in
            guard case .accessPolicy(let accessPolicy) = action else { return false }
            return accessPolicy?.isSigned ?? false
        }
    }
}
