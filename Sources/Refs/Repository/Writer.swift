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

extension Writer {
    /// The entry with the writer's signature, if one is needed or the writer always signs.
    ///
    /// - Throws: `unauthorized` when the policy does not let the writer do that, `key` when there is no key to use.
    func signed(_ entry: LogEntry, after state: State) throws(RefError) -> LogEntry {
        guard let secret = try authorized(entry.actions, at: entry.clock, after: state) else {
            return entry
        }
        do throws(KeyError) {
            return try entry.signed(by: secret, repository: state.repositoryID)
        } catch { throw .key(error) }
    }

    /// The key that is to sign some actions; nil for none.
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

    /// Checks before any work is done that the writer could move some refs.
    ///
    /// - Throws: As ``signed(_:after:)``.
    func checkRights(toMove names: [RefName], in state: State) throws(RefError) {
        guard !names.isEmpty, state.policy?.isSigned ?? false else { return }
        let secret = try secretKey(isNeeded: true)
        let authority = Authority(
            state: state, signer: secret?.publicKey, time: state.moment(at: now()))
        try Self.check(authority.objection(toMoving: names))
    }

    private func secretKey(isNeeded: Bool) throws(RefError) -> SecretKey? {
        do throws(KeyError) { return try key(isNeeded) } catch { throw .key(error) }
    }

    private static func check(_ objection: Authority.Objection?) throws(RefError) {
        guard let objection else { return }
        throw .unauthorized(
            reason: "the policy refuses the transaction: \(objection.reason)",
            remedy: objection.remedy)
    }

    /// Adds a signature to a checkpoint where the writer is an admin; others cannot vouch for refs that they may not
    /// move.
    func certify(_ bytes: inout [UInt8], of state: State) -> Bool {
        guard let policy = state.policy, policy.isSigned, let secret = try? key(true),
            policy.key(secret.publicKey)?.isAdmin ?? false,
            let signature = try? secret.sign(Checkpoint.signedBytes(bytes[...], of: state))
        else { return false }
        var object = JSONObject()
        signature.add(to: &object)
        bytes += JSON.object(object).canonicalBytes + [0x0A]
        return true
    }

    private static func needsSignature(_ actions: [Action], after state: State) -> Bool {
        if state.policy?.isSigned ?? false { return true }
        return actions.contains { action in
            guard case .policy(let policy) = action else { return false }
            return policy?.isSigned ?? false
        }
    }
}
