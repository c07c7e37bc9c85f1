public import Objects

extension Repository {
    /// Sets the policy, or removes it, in a transaction of its own.
    ///
    /// - Parameter base: The policy that the new one was made from; the transaction is refused when it is not that one
    ///   any more. Without it, whatever is there is replaced.
    /// - Throws: `unauthorized` when the writer is no admin of the policy before; `conflict` with the base.
    @discardableResult
    public func setPolicy(
        _ policy: AccessPolicy?, replacing base: AccessPolicy?? = nil, message: String = "",
        writer: Writer
    ) throws(RefError) -> State {
        let state = try self.state()
        func check(_ state: State) throws(RefError) {
            guard let base, base?.id != state.policy?.id else { return }
            throw .policyChanged
        }
        try check(state)
        let result = try log.append(
            [.policy(policy)], to: state, message: message, writer: writer, admit: check)
        return result
    }

    /// Approves a move of a ref from what it is now.
    ///
    /// - Throws: `unauthorized` when the policy does not list the writer's key, or there is none; `nothingToApprove` when
    ///   the ref is there already; `unknownRef` never: a ref may be approved that does not exist yet.
    @discardableResult
    public func approve(
        _ name: RefName, new: ObjectID?, expires: Timestamp, on state: State,
        message: String = "", writer: Writer
    ) throws(RefError) -> State {
        guard let policy = state.policy else {
            throw .unauthorized(
                reason: "there is no policy, and so nothing to approve",
                remedy: "ftictl policy init")
        }
        let old = state.target(of: name)
        guard new != old else { throw .nothingToApprove(name, new) }
        return try log.append(
            [.approve(name, old: old, new: new, policy: policy.id, expires: expires)], to: state,
            message: message, writer: writer
        ) { (newer) throws(RefError) in
            guard newer.target(of: name) != old else { return }
            throw .conflict(
                name, expected: .same(as: old), actual: newer.target(of: name),
                transaction: newer.lastTransaction(of: name), ageMilliseconds: nil)
        }
    }
}
