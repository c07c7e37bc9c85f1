package import Objects

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
