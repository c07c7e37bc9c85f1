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

extension Log {
    /// Follows the histories of several refs at once, from the newest entry back: each entry is read once, however many
    /// refs it moves.
    ///
    /// - Parameter visit: Told of each value by the index of its cursor, and of the entry that set the value before
    ///   it; says whether to go on to that.
    /// - Throws: As ``History/next()``.
    func follow(
        _ cursors: [HistoryCursor], in state: State,
        _ visit: (_ index: Int, RefVersion, _ upcoming: Int?) throws(RefError) -> Bool
    ) throws(RefError) {
        var cursors = cursors
        // The cursors that go on at an entry, and those entries, the newest last.
        var waiting: [Int: [Int]] = [:]
        for (index, cursor) in cursors.enumerated() {
            if let number = cursor.upcoming { waiting[number, default: []].append(index) }
        }
        var numbers = waiting.keys.sorted()
        var reader = entries()
        let vouching = Vouching(state)
        while let number = numbers.popLast(), let indexes = waiting.removeValue(forKey: number) {
            guard let entry = try reader.find(number) else { throw cursors[indexes[0]].missing() }
            try vouching.check(entry)
            let actions = entry.refActions
            for index in indexes {
                let version = try cursors[index].follow(actions[cursors[index].name], of: entry)
                let upcoming = cursors[index].upcoming
                guard try visit(index, version, upcoming), let upcoming else { continue }
                if waiting[upcoming] == nil {
                    numbers.insert(upcoming, at: numbers.binarySearch { $0 < upcoming })
                }
                waiting[upcoming, default: []].append(index)
            }
        }
    }

    /// What each of some refs pointed at lately, the newest first; nil where it was removed.
    ///
    /// - Parameter count: The most values of one ref.
    /// - Throws: As ``History/next()``.
    public func newestTargets(
        of names: [RefName], count: Int, in state: State
    ) throws(RefError) -> [[ObjectID?]] {
        var targets: [[ObjectID?]] = Array(repeating: [], count: names.count)
        guard count > 0 else { return targets }
        let cursors = names.map { HistoryCursor($0, in: state) }
        try follow(cursors, in: state) { (index, version, _) throws(RefError) in
            targets[index].append(version.target)
            return targets[index].count < count
        }
        return targets
    }
}

extension LogEntry {
    /// What the transaction does to each ref that it moves.
    fileprivate var refActions: [RefName: Action] {
        var result: [RefName: Action] = [:]
        for action in actions {
            // Of two that move one ref, readers refuse the entry; history reads the first.
            if case .ref(let name, _, _, _) = action, result[name] == nil { result[name] = action }
        }
        return result
    }
}

/// The entries of a log from the newest of a state back to the first, each linked to the one after it by its hash.
public struct NewestFirst: Sendable {
    private var entries: EntryReader
    private var number: Int
    private var expected: ObjectID?
    private let vouching: Vouching

    init(_ log: Log, _ state: State) {
        entries = log.entries()
        number = state.number
        expected = state.entryHash
        vouching = Vouching(state)
    }

    /// The next older entry; nil after the first.
    ///
    /// - Throws: `damaged` when it is not the one that the entry after it follows; `noTransaction` when it is missing;
    ///   `untrusted` when nobody signed it who could; `needsNewer`.
    public mutating func next() throws(RefError) -> LogEntry? {
        guard number >= 0 else { return nil }
        let entry = try entries.entry(number)
        guard entry.hash == expected else {
            throw .damaged(
                place: LogFile.place(of: number),
                reason: "it is not the entry that \(number + 1) follows")
        }
        // Who signed it is in no hash.
        try vouching.check(entry)
        number -= 1
        expected = entry.previous
        return entry
    }
}

extension Log {
    /// The entries up to a state, the newest first.
    public func newestFirst(in state: State) -> NewestFirst { NewestFirst(self, state) }
}

/// The moves that take a transaction back.
public struct Reversal: Sendable {
    /// The transaction that they take back.
    public let transaction: Int
    /// Each ref that it moved goes back to what it was.
    public let updates: [RefUpdate]
}

extension Log {
    /// Computes what takes back a transaction; commits nothing.
    ///
    /// - Parameters:
    ///   - number: The transaction; nil for the newest one that moved a ref.
    ///   - state: The state that the moves are for.
    /// - Throws: `nothingToUndo` when no ref was moved; `movedSince` when a later transaction moved one of
    ///   the same refs elsewhere; `noTransaction`.
    public func reversal(of number: Int? = nil, in state: State) throws(RefError) -> Reversal {
        let moves = [state.refs.values.map(\.transaction), Array(state.removedRefs.values)]
        let newest = number ?? moves.joined().max()
        guard let newest, newest <= state.number else {
            if let number { throw .noTransaction(number) }
            throw .nothingToUndo(nil)
        }
        let changes = try entry(newest).changes
        guard !changes.isEmpty else { throw .nothingToUndo(newest) }
        var updates: [RefUpdate] = []
        for change in changes {
            // A ref that came back to where the transaction moved it can be taken back as if nothing had happened.
            guard state.target(of: change.name) == change.new else {
                throw .movedSince(
                    change, transaction: newest, actual: state.target(of: change.name),
                    by: state.lastTransaction(of: change.name) ?? newest)
            }
            updates.append(
                RefUpdate(change.name, expected: .same(as: change.new), new: change.old))
        }
        return Reversal(transaction: newest, updates: updates)
    }
}
