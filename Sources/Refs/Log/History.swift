public import Objects

/// A value of a ref, or its deletion.
public struct RefVersion: Sendable {
    /// The snapshot that the ref pointed at from then on; nil when it was deleted.
    public let target: ObjectID?
    /// The target before the transaction; nil when the ref did not exist.
    public let previous: ObjectID?
    /// The transaction that moved the ref.
    public let entry: LogEntry

    /// Whether the transaction itself stored the snapshot as the successor of the previous value, so that no earlier
    /// value of the ref is the same.
    ///
    /// This is assumed if the previous value is the first parent of the snapshot and the transaction added a pack.
    ///
    /// - Parameter snapshot: The snapshot at ``target``.
    public func isNew(_ snapshot: Snapshot) -> Bool {
        guard let previous, snapshot.parents.first == previous else { return false }
        return entry.actions.contains { action in
            if case .pack = action { true } else { false }
        }
    }
}

/// A position in the history of one ref, which is a linked list through the log.
struct HistoryCursor: Sendable {
    let name: RefName
    /// The entry that set the next value; nil at the end.
    private(set) var upcoming: Int?
    /// The target that the next value must have.
    private var expected: ObjectID?

    /// Begins at the value of a ref in a state.
    init(_ name: RefName, in state: State) {
        self.name = name
        upcoming = state.lastTransaction(of: name)
        expected = state.target(of: name)
    }

    /// Returns the value that the upcoming entry set, and moves on to the value before it.
    ///
    /// - Parameter action: The action of the entry on the ref; nil when there is none.
    /// - Throws: `damaged` when the entry does not belong to the history.
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

    /// The error for an upcoming entry that does not exist.
    func missing() -> RefError {
        .damaged(
            place: LogFile.place(of: upcoming ?? 0),
            reason: "it is missing, although the history of \(name) leads there")
    }
}

/// The values of one ref, newest first, each read on demand.
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

    /// The next older value; nil at the end.
    ///
    /// - Throws: `damaged` when the entry is missing or does not belong to the history; `untrusted` when no authorized
    ///   key signed it; `needsNewer`.
    public mutating func next() throws(RefError) -> RefVersion? {
        guard let number = cursor.upcoming else { return nil }
        guard let entry = try entries.find(number) else { throw cursor.missing() }
        try vouching.check(entry)
        let action = entry.actions.first { action in
            if case .ref(cursor.name, _, _, _) = action { true } else { false }
        }
        return try cursor.follow(action, of: entry)
    }

    /// At most `count` of the next older values.
    ///
    /// - Throws: As ``next()``.
    public mutating func next(_ count: Int) throws(RefError) -> [RefVersion] {
        var versions: [RefVersion] = []
        while versions.count < count, let version = try next() { versions.append(version) }
        return versions
    }
}

extension Log {
    /// Follows the histories of several refs at once, from the newest entry back, and reads each entry once however
    /// many refs it moves.
    ///
    /// - Parameter visit: Receives each value with the index of its cursor and the entry that set the value before it;
    ///   returns whether to go on to that value.
    /// - Throws: As ``History/next()``.
    func follow(
        _ cursors: [HistoryCursor], in state: State,
        _ visit: (_ index: Int, RefVersion, _ upcoming: Int?) throws(RefError) -> Bool
    ) throws(RefError) {
        var cursors = cursors
        // The cursors that wait for each entry, and the numbers of those entries, the newest last.
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

    /// The latest targets of some refs, newest first; nil where a ref was deleted.
    ///
    /// - Parameter count: The most values of each ref.
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
    /// The action on each ref that the transaction moves.
    fileprivate var refActions: [RefName: Action] {
        var result: [RefName: Action] = [:]
        for action in actions {
            // Readers refuse an entry that moves a ref twice; history takes the first move.
            if case .ref(let name, _, _, _) = action, result[name] == nil { result[name] = action }
        }
        return result
    }
}

/// The entries of a log from the newest one of a state back to the first, each verified by the hash in the entry after
/// it.
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
    /// - Throws: `damaged` when the later entry names another predecessor; `noTransaction` when the entry is missing;
    ///   `untrusted` when no authorized key signed it; `needsNewer`.
    public mutating func next() throws(RefError) -> LogEntry? {
        guard number >= 0 else { return nil }
        let entry = try entries.entry(number)
        guard entry.hash == expected else {
            throw .damaged(
                place: LogFile.place(of: number),
                reason: "it is not the entry that entry \(number + 1) follows")
        }
        // No hash covers the signature.
        try vouching.check(entry)
        number -= 1
        expected = entry.previous
        return entry
    }
}

extension Log {
    /// The entries up to a state, newest first.
    public func newestFirst(in state: State) -> NewestFirst { NewestFirst(self, state) }
}

/// The moves that undo a transaction.
public struct Reversal: Sendable {
    /// The transaction that they undo.
    public let transaction: Int
    /// The updates, which move each of its refs back.
    public let updates: [RefUpdate]
}

extension Log {
    /// Computes the moves that undo a transaction, and commits nothing.
    ///
    /// - Parameters:
    ///   - number: The transaction; nil for the newest one that moved a ref.
    ///   - state: The state that the moves are for.
    /// - Throws: `nothingToUndo` when the transaction moved no ref, or no transaction ever did; `movedSince` when a
    ///   later transaction moved one of its refs elsewhere; `noTransaction`.
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
            // A ref that came back to the target of the transaction can be moved back as if it had never left.
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
