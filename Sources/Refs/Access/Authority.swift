public import Objects

/// Judges whether the access policy lets a key do what a transaction does. Writers ask before they commit, and readers
/// refuse a log with an entry that fails.
struct Authority {
    /// The reason why a transaction cannot follow a state.
    struct Objection {
        /// The reason, as a statement about the signer or the transaction.
        let reason: String
        /// The next step for the writer.
        let remedy: String
    }

    /// The state that the transaction follows.
    let state: State
    /// The key that signs the transaction.
    let signer: PublicKey?
    /// The time of the transaction.
    let time: Timestamp

    /// The objection to the signer alone, independent of its actions; nil when there is none.
    ///
    /// - Parameter names: The refs that the transaction moves.
    private func signerObjection(toMoving names: [RefName]) -> Objection? {
        guard let accessPolicy = state.accessPolicy, accessPolicy.isSigned else { return nil }
        guard let signer else {
            return Objection(
                reason: "it is unsigned, and the access policy demands a signature",
                remedy: "ftictl key new NAME, then ask an admin to grant it")
        }
        guard accessPolicy.key(signer) == nil else { return nil }
        let spaces = Set(names.map(\.namespace.rawValue)).sorted()
        let rights = spaces.isEmpty ? "--approve" : "--write \(spaces.joined(separator: " "))"
        return Objection(
            reason: "the access policy does not list key \(signer.short)",
            remedy: "ask an admin to run: ftictl key grant NAME \(signer.hex) \(rights)")
    }

    /// The rights of the signer; nil where no signature is needed.
    private var key: AccessPolicy.Key? {
        guard let accessPolicy = state.accessPolicy, accessPolicy.isSigned else { return nil }
        return signer.flatMap { accessPolicy.key($0) }
    }

    /// The objection to moving some refs anywhere; nil when there is none.
    func objection(toMoving names: [RefName]) -> Objection? {
        if let objection = signerObjection(toMoving: names) { return objection }
        return key.flatMap { key in names.lazy.compactMap { objection(to: $0, by: key) }.first }
    }

    /// The objection to some actions; nil when there is none.
    func objection(to actions: [Action]) -> Objection? {
        let names = actions.compactMap { action in
            if case .ref(let name, _, _, _) = action { name } else { nil }
        }
        if let objection = signerObjection(toMoving: names) { return objection }
        let key = key
        var counts = (accessPolicies: 0, overrides: 0, retentions: 0)
        for action in actions {
            let found: Objection?
            switch action {
            case .ref(let name, _, _, _): found = key.flatMap { objection(to: name, by: $0) }
            case .accessPolicy(let new):
                counts.accessPolicies += 1
                found = objection(toAccessPolicy: new, by: key)
            case .approve(let name, let old, _, let id, let expires):
                found = objection(toApproval: name, old: old, accessPolicy: id, expires: expires)
            case .override:
                counts.overrides += 1
                found = key.flatMap { adminObjection(to: "override gates", by: $0) }
            case .retain(let rules):
                counts.retentions += 1
                found = key.flatMap { objection(toKeeping: rules, by: $0) }
            case .pack, .unpack: found = key.flatMap { approverObjection($0) }
            case .format: found = nil
            }
            if let found { return found }
        }
        guard counts.accessPolicies < 2, counts.overrides < 2, counts.retentions < 2 else {
            return Objection(
                reason: "it sets the access policy, overrides gates or records a retention twice",
                remedy: "use two transactions")
        }
        return counts.overrides == 0 ? gateObjection(to: actions) : nil
    }

    private func objection(to name: RefName, by key: AccessPolicy.Key) -> Objection? {
        if key.mayMove(name) { return nil }
        let space = name.namespace.rawValue
        let others = key.namespaces.map(\.rawValue).sorted() + [space]
        return Objection(
            reason: "key \(key.name) may not move \(name): it may not write to \(space)/*",
            remedy:
                "ask an admin to run: ftictl key grant \(key.name) \(key.publicKey.hex) --write "
                + others.joined(separator: " "))
    }

    /// The objection to adding or removing packs with a key that may only approve moves.
    private func approverObjection(_ key: AccessPolicy.Key) -> Objection? {
        if key.isAdmin || !key.namespaces.isEmpty { return nil }
        return Objection(
            reason: "key \(key.name) may only approve moves, not store or remove objects",
            remedy:
                "ask an admin to run: ftictl key grant \(key.name) \(key.publicKey.hex) --write "
                + RefNamespace.features.rawValue)
    }

    private func adminObjection(to what: String, by key: AccessPolicy.Key) -> Objection? {
        if key.isAdmin { return nil }
        return Objection(
            reason: "key \(key.name) may not \(what): it is not an admin",
            remedy: "ask an admin: \(state.admins)")
    }

    private func objection(toAccessPolicy new: AccessPolicy?, by key: AccessPolicy.Key?)
        -> Objection?
    {
        if let key { return adminObjection(to: "change the access policy", by: key) }
        // There are no rights yet: the first access policy that gives rights must be signed by one of its own admins.
        guard let new, new.isSigned else { return nil }
        guard let signer, new.key(signer)?.isAdmin ?? false else {
            return Objection(
                reason:
                    "it sets the first access policy that demands signatures, and no admin of that "
                    + "access policy signed it",
                remedy: "ftictl policy init makes one with your key as the admin")
        }
        return nil
    }

    private func objection(
        toApproval name: RefName, old: ObjectID?, accessPolicy id: ObjectID, expires: Timestamp
    ) -> Objection? {
        guard let accessPolicy = state.accessPolicy, accessPolicy.isSigned else {
            return Objection(
                reason: "it approves a move, but no access policy demands signatures",
                remedy: "ftictl policy show")
        }
        let again = Approval.command(for: name, to: "REV")
        guard accessPolicy.id == id else {
            return Objection(
                reason: "it approves a move under a different access policy", remedy: again)
        }
        guard state.target(of: name) == old else {
            return Objection(
                reason:
                    "it approves a move of \(name) from \(old?.short ?? "nothing"), and the ref is "
                    + (state.target(of: name)?.short ?? "absent"),
                remedy: again)
        }
        guard expires > time else {
            return Objection(reason: "its approval of \(name) has expired", remedy: again)
        }
        return nil
    }

    /// The objection of the first gate that refuses a move, among those that the log alone can evaluate: approvals and
    /// fixed refs.
    private func gateObjection(to actions: [Action]) -> Objection? {
        let gates = (state.accessPolicy?.gates ?? []).filter(\.condition.isAnsweredByLog)
        guard !gates.isEmpty else { return nil }
        for case .ref(let name, let old, let new, _) in actions {
            for gate in gates where gate.refs.matches(name) {
                switch gate.condition {
                case .fixed:
                    guard let old else { continue }
                    return Objection(
                        reason: "\(name) is fixed at \(old.short)",
                        remedy: "choose another name, or ask an admin to override the gate")
                case .approvals(let count, let names):
                    let given = state.approvers(of: name, to: new, at: time, among: names)
                    guard given.count < count else { continue }
                    return Objection(
                        reason:
                            "\(name) moves only with \(count) approvals, and "
                            + "\(new?.short ?? "its removal") has \(given.count)"
                            + (given.isEmpty ? "" : " (by \(given.joined(separator: ", ")))"),
                        remedy: Approval.command(for: name, to: new?.short)
                            + (names.map { ", by \($0.joined(separator: ", "))" } ?? ""))
                case .metric, .input, .space, .evidence, .formats: continue
                }
            }
        }
        return nil
    }
}

extension State {
    /// The name of a key in the access policy; the first digits of a key that it does not list.
    public func name(of key: PublicKey) -> String { accessPolicy?.key(key)?.name ?? key.short }

    /// The names of the keys whose approval of a move counts.
    ///
    /// - Parameters:
    ///   - time: The time at which approvals must not have expired; nil to count expired ones as well.
    ///   - names: The names that may count; nil for every key of the access policy.
    public func approvers(
        of name: RefName, to new: ObjectID?, at time: Timestamp?, among names: [String]? = nil
    ) -> [String] {
        guard let accessPolicy else { return [] }
        var found: [String] = []
        for approval in pendingApprovals[name]
        where approval.old == target(of: name) && approval.new == new
            && time.map({ approval.expires > $0 }) ?? true
        {
            guard let key = accessPolicy.key(approval.key),
                names.map({ $0.contains { $0.utf8.elementsEqual(key.name.utf8) } }) ?? true,
                !found.contains(where: { $0.utf8.elementsEqual(key.name.utf8) })
            else { continue }
            found.append(key.name)
        }
        return found
    }
}
