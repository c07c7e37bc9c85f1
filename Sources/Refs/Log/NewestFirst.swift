internal import Objects

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
