public import Objects

/// Whether a policy lets somebody do what a transaction does: the one judgement of writers, who ask before they
/// commit, and of readers, who refuse a log in which somebody did not.
struct Authority {
    /// Why a transaction cannot follow a state.
    struct Objection {
        /// What is wrong, about the signer where there is one.
        let reason: String
        /// What would help a writer.
        let remedy: String
    }

    /// The state before the transaction.
    let state: State
    /// Who has signed it, or will.
    let signer: PublicKey?
    /// Its moment.
    let time: Timestamp

    /// What is wrong with the signer itself, whatever it wants to do; nil when nothing is.
    ///
    /// - Parameter names: The refs that it wants to move.
    private func signerObjection(toMoving names: [RefName]) -> Objection? {
        guard let policy = state.policy, policy.isSigned else { return nil }
        guard let signer else {
            return Objection(
                reason: "it is not signed, which the policy demands",
                remedy: "ftictl key new NAME, and let an admin grant it")
        }
        guard policy.key(signer) == nil else { return nil }
        let spaces = Set(names.map(\.namespace.rawValue)).sorted()
        let rights = spaces.isEmpty ? "--approve" : "--write \(spaces.joined(separator: " "))"
        return Objection(
            reason: "the policy does not list key \(signer.short)",
            remedy: "let an admin run: ftictl key grant NAME \(signer.hex) \(rights)")
    }

    /// What the policy says of the signer; nil where nothing need be signed.
    private var key: AccessPolicy.Key? {
        guard let policy = state.policy, policy.isSigned else { return nil }
        return signer.flatMap { policy.key($0) }
    }

    /// What is wrong with moving some refs, wherever to; nil when nothing is.
    func objection(toMoving names: [RefName]) -> Objection? {
        if let objection = signerObjection(toMoving: names) { return objection }
        return key.flatMap { key in names.lazy.compactMap { objection(to: $0, by: key) }.first }
    }

    /// What is wrong with doing these things; nil when nothing is.
    func objection(to actions: [Action]) -> Objection? {
        let names = actions.compactMap { action in
            if case .ref(let name, _, _, _) = action { name } else { nil }
        }
        if let objection = signerObjection(toMoving: names) { return objection }
        let key = key
        var counts = (policies: 0, overrides: 0, retentions: 0)
        for action in actions {
            let found: Objection?
            switch action {
            case .ref(let name, _, _, _): found = key.flatMap { objection(to: name, by: $0) }
            case .policy(let new):
                counts.policies += 1
                found = objection(toPolicy: new, by: key)
            case .approve(let name, let old, _, let id, let expires):
                found = objection(toApproval: name, old: old, policy: id, expires: expires)
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
        guard counts.policies < 2, counts.overrides < 2, counts.retentions < 2 else {
            return Objection(
                reason: "it sets the policy, overrides gates or says what it keeps twice",
                remedy: "make two transactions of it")
        }
        return counts.overrides == 0 ? gateObjection(to: actions) : nil
    }

    private func objection(to name: RefName, by key: AccessPolicy.Key) -> Objection? {
        if key.mayMove(name) { return nil }
        let space = name.namespace.rawValue
        let others = key.namespaces.map(\.rawValue).sorted() + [space]
        return Objection(
            reason: "key \(key.name) may not move \(name): it may not write to \(space)/*",
            remedy: "let an admin run: ftictl key grant \(key.name) \(key.publicKey.hex) --write "
                + others.joined(separator: " "))
    }

    /// Who may move nothing has no use for packs, and so none for taking them away.
    private func approverObjection(_ key: AccessPolicy.Key) -> Objection? {
        if key.isAdmin || !key.namespaces.isEmpty { return nil }
        return Objection(
            reason: "key \(key.name) may approve, and store or remove nothing",
            remedy: "let an admin run: ftictl key grant \(key.name) \(key.publicKey.hex) --write "
                + RefNamespace.features.rawValue)
    }

    private func adminObjection(to what: String, by key: AccessPolicy.Key) -> Objection? {
        if key.isAdmin { return nil }
        let admins = state.policy?.keys.filter(\.isAdmin).map(\.name) ?? []
        return Objection(
            reason: "key \(key.name) may not \(what): it is no admin",
            remedy: "ask an admin: \(admins.joined(separator: ", "))")
    }

    private func objection(toPolicy new: AccessPolicy?, by key: AccessPolicy.Key?) -> Objection? {
        if let key { return adminObjection(to: "change the policy", by: key) }
        // Nobody had rights before: who sets a policy that gives rights is one of those who get them.
        guard let new, new.isSigned else { return nil }
        guard let signer, new.key(signer)?.isAdmin ?? false else {
            return Objection(
                reason: "it sets the first policy with signatures, and is not signed by an admin "
                    + "of it",
                remedy: "ftictl policy init makes one with your key as the admin")
        }
        return nil
    }

    private func objection(
        toApproval name: RefName, old: ObjectID?, policy id: ObjectID, expires: Timestamp
    ) -> Objection? {
        guard let policy = state.policy, policy.isSigned else {
            return Objection(
                reason: "it approves a move where no policy asks for signatures",
                remedy: "ftictl policy show")
        }
        let again = Approval.command(for: name, to: "REV")
        guard policy.id == id else {
            return Objection(reason: "it approves a move under another policy", remedy: again)
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

    /// The first move that a gate refuses which the log alone can answer: one that counts approvals, or one that fixes a
    /// ref.
    private func gateObjection(to actions: [Action]) -> Objection? {
        let gates = (state.policy?.gates ?? []).filter(\.condition.isAnsweredByLog)
        guard !gates.isEmpty else { return nil }
        for case .ref(let name, let old, let new, _) in actions {
            for gate in gates where gate.refs.matches(name) {
                switch gate.condition {
                case .fixed:
                    guard let old else { continue }
                    return Objection(
                        reason: "\(name) is fixed at \(old.short)",
                        remedy: "choose another name, or let an admin override the gate")
                case .approvals(let count, let names):
                    let given = state.approvers(of: name, to: new, at: time, among: names)
                    guard given.count < count else { continue }
                    return Objection(
                        reason:
                            "\(name) moves with \(count) approvals, and "
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
    /// What the policy calls a key; the first digits of one that it does not list.
    public func name(of key: PublicKey) -> String { policy?.key(key)?.name ?? key.short }

    /// The names of the keys whose approval of a move counts at a moment.
    ///
    /// - Parameters:
    ///   - time: The moment; nil to count those that have expired as well.
    ///   - names: Those that may count; nil for all that the policy lists.
    public func approvers(
        of name: RefName, to new: ObjectID?, at time: Timestamp?, among names: [String]? = nil
    ) -> [String] {
        guard let policy else { return [] }
        var found: [String] = []
        for approval in pendingApprovals[name]
        where approval.old == target(of: name) && approval.new == new
            && time.map({ approval.expires > $0 }) ?? true
        {
            guard let key = policy.key(approval.key),
                names.map({ $0.contains { $0.utf8.elementsEqual(key.name.utf8) } }) ?? true,
                !found.contains(where: { $0.utf8.elementsEqual(key.name.utf8) })
            else { continue }
            found.append(key.name)
        }
        return found
    }
}
