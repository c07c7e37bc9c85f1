public import Objects

/// A value that a ref was given, or its removal.
public struct RefVersion: Sendable {
    /// The snapshot that the ref pointed at from then on; nil when it was removed.
    public let target: ObjectID?
    /// What it was before.
    public let previous: ObjectID?
    /// The transaction that did it.
    public let entry: LogEntry

    /// Whether the snapshot was made by this very transaction to succeed the value before: then no earlier
    /// value of the ref is the same.
    ///
    /// - Parameter snapshot: What ``target`` stands for.
    public func isNew(_ snapshot: Snapshot) -> Bool {
        guard let previous, snapshot.parents.first == previous else { return false }
        return entry.actions.contains { action in
            if case .pack = action { true } else { false }
        }
    }
}

/// How far back the history of one ref was followed, which is a linked list through the log.
struct HistoryCursor: Sendable {
    let name: RefName
    /// The entry that set the value that comes next; nil at the end.
    private(set) var upcoming: Int?
    /// What that value must be.
    private var expected: ObjectID?

    /// Begins at what a ref is in a state.
    init(_ name: RefName, in state: State) {
        self.name = name
        upcoming = state.lastTransaction(of: name)
        expected = state.target(of: name)
    }

    /// The value that the upcoming entry gave the ref; the one before it comes next.
    ///
    /// - Parameter action: What the entry does to the ref; nil for nothing.
    /// - Throws: `damaged` when it is not linked as it must be.
    mutating func follow(_ action: Action?, of entry: LogEntry) throws(RefError) -> RefVersion {
        let place = LogFile.place(of: entry.number)
        guard case .ref(_, let old, let new, let since)? = action else {
            throw .damaged(
                place: place, reason: "it does not move \(name), although the history leads there")
        }
        guard since.map({ $0 < entry.number }) ?? (old == nil) else {
            throw .damaged(place: place, reason: "since of \(name) leads nowhere")
        }
        guard expected == new else {
            throw .damaged(
                place: place,
                reason: "it does not give \(name) the value that a later entry found")
        }
        expected = old
        upcoming = since
        return RefVersion(target: new, previous: old, entry: entry)
    }

    /// What is wrong when the upcoming entry is not there.
    func missing() -> RefError {
        .damaged(
            place: LogFile.place(of: upcoming ?? 0),
            reason: "it is missing, although the history of \(name) leads there")
    }
}

/// The values that one ref has had, newest first, each read when it is asked for.
///
/// Reads one entry for each value, however long the log is.
public struct History: Sendable {
    private var entries: EntryReader
    private var cursor: HistoryCursor
    private let vouching: Vouching

    init(log: Log, name: RefName, in state: State) {
        entries = log.entries()
        cursor = HistoryCursor(name, in: state)
        vouching = Vouching(state)
    }

    /// The next older value, or nil at the end.
    ///
    /// - Throws: `damaged` when the log has no such entry or it is not linked as it must be;
    ///   `untrusted` when nobody signed it who could; `needsNewer`.
    public mutating func next() throws(RefError) -> RefVersion? {
        guard let number = cursor.upcoming else { return nil }
        guard let entry = try entries.find(number) else { throw cursor.missing() }
        try vouching.check(entry)
        let action = entry.actions.first { action in
            if case .ref(cursor.name, _, _, _) = action { true } else { false }
        }
        return try cursor.follow(action, of: entry)
    }

    /// The next older values, at most `count`.
    ///
    /// - Throws: As ``next()``.
    public mutating func next(_ count: Int) throws(RefError) -> [RefVersion] {
        var versions: [RefVersion] = []
        while versions.count < count, let version = try next() { versions.append(version) }
        return versions
    }
}
