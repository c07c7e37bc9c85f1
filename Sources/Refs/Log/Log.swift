internal import Objects
internal import Storage

/// The numbered, hash-chained list of transactions, which is the only mutable thing in a repository.
///
/// Entry N is created exclusively, and creating it is the commit point. Reading changes nothing, takes no
/// lock, and is safe from any number of threads and processes while others write.
public struct Log: Sendable {
    let bucket: any Bucket

    init(bucket: any Bucket) { self.bucket = bucket }

    /// The state after the newest entry.
    ///
    /// Reads the hint, one checkpoint and the entries after it; lists nothing unless the hint is lost.
    ///
    /// - Throws: `noRepository` when there is no log; `damaged` when an entry is not what it must be, or
    ///   when entries that somebody has seen are gone; `needsNewer`.
    public func state() throws(RefError) -> State {
        // Before any entry: whatever is committed meanwhile must not look like a loss.
        let hint = try readHint()
        var start = try checkpointed(hint?.checkpoint)
        var ahead: [State] = []
        if start == nil { start = try newestListed(ahead: &ahead) }
        var state: State
        if let start {
            state = start
        } else {
            state = try first(hint: hint)
        }
        try fold(onto: &state, expecting: hint)
        if let hint, hint.number > state.number {
            throw lost(after: state.number, evidence: "the hint has seen \(hint.number)")
        }
        for other in ahead
        where other.number > state.number && other.repositoryID == state.repositoryID {
            throw lost(after: state.number, evidence: "a checkpoint has seen \(other.number)")
        }
        return state
    }

    /// A state with what was committed after `state`.
    ///
    /// - Throws: As ``state()``.
    public func refreshed(_ state: State) throws(RefError) -> State {
        var state = state
        try fold(onto: &state, expecting: nil)
        return state
    }

    /// Brings a state up to date and returns the packs that were removed meanwhile.
    func refresh(_ state: inout State) throws(RefError) -> Set<ObjectID> {
        var removed: Set<ObjectID> = []
        try fold(onto: &state, expecting: nil) { entry in
            for case .unpack(let name) in entry.actions { removed.insert(name) }
        }
        return removed
    }

    /// One entry, which is checked against its own hash.
    ///
    /// - Throws: `noTransaction` when there is none of this number; `damaged`; `needsNewer`.
    public func entry(_ number: Int) throws(RefError) -> LogEntry {
        guard number >= 0, let entry = try readEntry(number) else { throw .noTransaction(number) }
        return entry
    }

    /// The values that a ref has had, newest first; empty for a ref that never was.
    public func history(of name: RefName, in state: State) -> History {
        History(log: self, name: name, newest: state.lastTransaction(of: name))
    }

    func readEntry(_ number: Int) throws(RefError) -> LogEntry? {
        let name = LogFile.entry(number)
        let bytes: [UInt8]?
        do {
            bytes = try bucket.read(name, limit: LogEntry.byteLimit)
        } catch {
            // The bucket works; what stands there can be no entry (a directory, a file too large).
            switch error {
            case .damaged, .unusable, .tooLarge, .truncated:
                throw .damaged(place: name.description, reason: error.message)
            default: throw .storage(error)
            }
        }
        guard let bytes else { return nil }
        return try LogEntry(decoding: bytes, number: number)
    }

    /// Folds every entry after `state` onto it.
    private func fold(
        onto state: inout State, expecting hint: TipHint?, observe: (LogEntry) -> Void = { _ in }
    ) throws(RefError) {
        while true {
            if let hint, hint.number == state.number, hint.entryHash != state.entryHash {
                throw .damaged(
                    place: LogFile.place(of: state.number),
                    reason: "its hash is not the one that \(LogFile.tip) has seen")
            }
            guard let entry = try readEntry(state.number + 1) else { break }
            try state.apply(entry)
            observe(entry)
        }
        // A gap: entry N+2 may have come since N+1 was found absent, and then N+1 has come as well.
        let gap = state.number + 1
        if try exists(gap + 1), try !exists(gap) {
            throw lost(after: state.number, evidence: "entry \(gap + 1) is there")
        }
    }

    private func exists(_ number: Int) throws(RefError) -> Bool {
        do {
            return try bucket.open(LogFile.entry(number)) != nil
        } catch {
            if case .damaged = error { return true }
            throw .storage(error)
        }
    }

    private func lost(after number: Int, evidence: String) -> RefError {
        .damaged(
            place: LogFile.place(of: number + 1), reason: "it is missing, although \(evidence)")
    }

    private func first(hint: TipHint?) throws(RefError) -> State {
        if let entry = try readEntry(0) { return try State(first: entry) }
        let hasPacks: Bool
        do {
            hasPacks = try !bucket.list(.packs).isEmpty
        } catch { throw .storage(error) }
        guard hint == nil, !hasPacks else {
            throw .damaged(
                place: LogFile.place(of: 0),
                reason: "it is missing, although there is \(hasPacks ? "a pack" : "a hint")")
        }
        guard try !exists(1) else { throw lost(after: -1, evidence: "entry 1 is there") }
        throw .noRepository(location: bucket.location)
    }
}
