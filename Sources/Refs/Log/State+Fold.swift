internal import Objects

extension State {
    /// The state after the log's first entry.
    package init(first entry: LogEntry) throws(RefError) {
        let place = LogFile.place(of: 0)
        guard case .format(let version, let repository)? = entry.actions.first,
            entry.actions.count == 1
        else { throw .damaged(place: place, reason: "actions must be one format action") }
        guard version == Self.formatVersion else {
            throw .needsNewer(place: place, what: "the repository has format \(version)")
        }
        number = 0
        entryHash = entry.hash
        time = entry.time
        repositoryID = repository
        refs = [:]
        removedRefs = [:]
        packLedger = PackLedger()
        try entry.checkSignature(for: repositoryID)
    }

    /// The format of repositories that this version reads and writes.
    static let formatVersion = 1

    /// Folds the next entry in; the state is unchanged when it throws.
    ///
    /// - Parameter isVouchedFor: Whether it is known that the entry is the one whose signature was checked before.
    ///   What its signer may do is checked anyway.
    /// - Throws: `damaged` naming the entry and the field that does not fit this state; `untrusted` when the policy
    ///   does not let its signer do that.
    package mutating func apply(_ entry: LogEntry, isVouchedFor: Bool = false) throws(RefError) {
        let place = LogFile.place(of: entry.number)
        func check(_ condition: Bool, _ reason: @autoclosure () -> String) throws(RefError) {
            guard condition else { throw .damaged(place: place, reason: reason()) }
        }
        try check(entry.number == number + 1, "n is \(entry.number) after entry \(number)")
        try check(
            entry.previous == entryHash,
            "prev is \(entry.previous?.short ?? "empty"), and entry \(number) has hash "
                + entryHash.short)
        try check(
            entry.time >= time, "time \(entry.time) is before that of entry \(number), \(time)")
        try check(
            entry.skew == nil || entry.time == time,
            "skew is given, and time \(entry.time) is not that of entry \(number), \(time)")
        try check(!entry.actions.isEmpty, "actions is empty")

        var touched: Set<RefName> = []
        var touchedPacks: Set<ObjectID> = []
        for (index, action) in entry.actions.enumerated() {
            let field = "actions[\(index)]"
            switch action {
            case .format: try check(false, "\(field).type is format, which only entry 0 has")
            case .policy, .approve, .override, .retain: break
            case .ref(let name, let old, let new, let since):
                try check(touched.insert(name).inserted, "\(field).name is \(name) a second time")
                let actual = refs[name]?.target
                try check(
                    old == actual,
                    "\(field).old of \(name) is \(old?.short ?? "null"), and the ref is "
                        + (actual?.short ?? "absent"))
                try check(
                    since == lastTransaction(of: name),
                    "\(field).since of \(name) is \(Self.text(since)), and the ref was moved by "
                        + Self.text(lastTransaction(of: name)))
                try check(new != old, "\(field).new of \(name) is the same as old")
            case .pack(let pack):
                try check(
                    touchedPacks.insert(pack.name).inserted && packLedger.accepts(added: pack.name),
                    "\(field).name is pack \(pack.name.short), which was added or removed before")
            case .unpack(let name):
                try check(
                    touchedPacks.insert(name).inserted && packLedger.accepts(removed: name),
                    "\(field).name is pack \(name.short), which was removed before")
            }
        }
        if !isVouchedFor { try entry.checkSignature(for: repositoryID) }
        if let objection = objection(to: entry) {
            throw .untrusted(place: place, reason: objection.reason)
        }
        // Only those who could move a ref anyway let time pass for its approvals: nobody else can end them by an entry
        // dated in the future.
        let signer = entry.signature.flatMap { policy?.key($0.key) }
        pendingApprovals.settle(entry, moving: touched, at: entry.clock) {
            signer?.mayMove($0) ?? false
        }
        for action in entry.actions {
            switch action {
            case .format, .approve, .override, .retain: break
            case .policy(let policy): set(policy, by: entry)
            case .ref(let name, _, let new, _): set(name, to: new, by: entry)
            case .pack(let pack): packLedger.add(pack, place: place)
            case .unpack(let name): packLedger.remove(name, place: place)
            }
        }
        number = entry.number
        entryHash = entry.hash
        time = entry.time
    }

    /// What the policy has against an entry; a function of its own, so that no copy of the state outlives it.
    private func objection(to entry: LogEntry) -> Authority.Objection? {
        Authority(state: self, signer: entry.signature?.key, time: entry.clock)
            .objection(to: entry.actions)
    }

    private mutating func set(_ policy: AccessPolicy?, by entry: LogEntry) {
        if policyRoot == nil, policy?.isSigned ?? false { policyRoot = entry.signature?.key }
        self.policy = policy
        signedSince = policy?.isSigned ?? false ? signedSince ?? entry.number : nil
        listedKeys.formUnion(policy?.keys.map(\.publicKey) ?? [])
    }

    private mutating func set(_ name: RefName, to new: ObjectID?, by entry: LogEntry) {
        if let new {
            refs[name] = RefState(target: new, transaction: entry.number, time: entry.clock)
            removedRefs[name] = nil
        } else {
            refs[name] = nil
            removedRefs[name] = entry.number
        }
    }

    private static func text(_ number: Int?) -> String { number.map(String.init) ?? "null" }
}
