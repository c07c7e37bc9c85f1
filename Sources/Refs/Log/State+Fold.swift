internal import Objects

extension State {
    /// The state after the log's first entry.
    init(first entry: LogEntry) throws(RefError) {
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
    }

    /// The format of repositories that this version reads and writes.
    static let formatVersion = 1

    /// Folds the next entry in; the state is unchanged when it throws.
    ///
    /// - Throws: `damaged` naming the entry and the field that does not fit this state.
    mutating func apply(_ entry: LogEntry) throws(RefError) {
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
        try check(!entry.actions.isEmpty, "actions is empty")

        var touched: Set<RefName> = []
        var touchedPacks: Set<ObjectID> = []
        for (index, action) in entry.actions.enumerated() {
            let field = "actions[\(index)]"
            switch action {
            case .format: try check(false, "\(field).type is format, which only entry 0 has")
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
        for action in entry.actions {
            switch action {
            case .format: break
            case .ref(let name, _, let new, _): set(name, to: new, by: entry)
            case .pack(let pack): packLedger.add(pack, place: place)
            case .unpack(let name): packLedger.remove(name, place: place)
            }
        }
        number = entry.number
        entryHash = entry.hash
        time = entry.time
    }

    private mutating func set(_ name: RefName, to new: ObjectID?, by entry: LogEntry) {
        if let new {
            refs[name] = RefState(target: new, transaction: entry.number, time: entry.time)
            removedRefs[name] = nil
        } else {
            refs[name] = nil
            removedRefs[name] = entry.number
        }
    }

    private static func text(_ number: Int?) -> String { number.map(String.init) ?? "null" }
}
