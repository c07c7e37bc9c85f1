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

/// The values that one ref has had, newest first, each read when it is asked for.
///
/// Reads one entry for each value, however long the log is.
public struct History: Sendable {
    private var entries: EntryReader
    private let name: RefName
    private var upcoming: Int?
    /// What the value that comes next must be.
    private var expected: ObjectID??

    private let vouching: Vouching

    init(log: Log, name: RefName, in state: State) {
        entries = log.entries()
        self.name = name
        upcoming = state.lastTransaction(of: name)
        expected = .some(state.target(of: name))
        vouching = Vouching(state)
    }

    /// The next older value, or nil at the end.
    ///
    /// - Throws: `damaged` when the log has no such entry or it is not linked as it must be;
    ///   `untrusted` when nobody signed it who could; `needsNewer`.
    public mutating func next() throws(RefError) -> RefVersion? {
        guard let number = upcoming else { return nil }
        let place = LogFile.place(of: number)
        guard let entry = try entries.find(number) else {
            throw .damaged(
                place: place, reason: "it is missing, although the history of \(name) leads there")
        }
        try vouching.check(entry)
        for case .ref(name, let old, let new, let since) in entry.actions {
            guard since.map({ $0 < number }) ?? (old == nil) else {
                throw .damaged(place: place, reason: "since of \(name) leads nowhere")
            }
            if let expected, expected != new {
                throw .damaged(
                    place: place,
                    reason: "it does not give \(name) the value that a later entry found")
            }
            expected = .some(old)
            upcoming = since
            return RefVersion(target: new, previous: old, entry: entry)
        }
        throw .damaged(
            place: place, reason: "it does not move \(name), although the history leads there")
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
