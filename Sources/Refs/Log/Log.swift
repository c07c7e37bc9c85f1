internal import Objects
package import Storage

/// The numbered, hash-chained list of transactions, which is the only mutable thing in a repository.
///
/// Entry N is created exclusively, and creating it is the commit point. Reading changes nothing, takes no
/// lock, and is safe from any number of threads and processes while others write.
public struct Log: Sendable {
    package let bucket: any Bucket
    /// What is believed of the log before anything of it is read.
    package let trust: Trust
    let largeEntries = LargeEntries()

    init(bucket: any Bucket, trust: Trust) {
        self.bucket = bucket
        self.trust = trust
    }

    /// The state after the newest entry.
    ///
    /// Reads the hint, one checkpoint and the entries after it; lists nothing unless the hint is lost.
    ///
    /// - Throws: `noRepository` when there is no log; `damaged` when an entry is not what it must be, or
    ///   when entries that somebody has seen are gone; `untrusted` when somebody wrote who may not; `rolledBack`,
    ///   `forked` and `replaced` when it is not the log that this client remembers; `needsNewer`.
    public func state() throws(RefError) -> State {
        // Before any entry: whatever is committed meanwhile must not look like a loss.
        let hint = try readHint()
        let remembered = trust.memory?.recall()
        var reader = entries()
        var ahead: [State] = []
        let start = try start(hint: hint, remembered: remembered, ahead: &ahead, &reader)
        var state: State
        if let start {
            state = start.state
        } else {
            state = try first(hint: hint)
        }
        let startNumber = state.number
        try fold(
            onto: &state, expecting: hint, remembered: remembered,
            vouchedThrough: start?.vouchedThrough ?? -1, &reader)
        if let hint, hint.number > state.number {
            throw lost(after: state.number, evidence: "the hint has seen \(hint.number)")
        }
        for other in ahead
        where other.number > state.number && other.repositoryID == state.repositoryID {
            throw lost(after: state.number, evidence: "a checkpoint has seen \(other.number)")
        }
        try check(state, startedAt: startNumber, remembered)
        trust.memory?.record(
            state, after: remembered, isDurable: hint?.number == state.number)
        return state
    }

    /// A state with what was committed after `state`.
    ///
    /// - Throws: As ``state()``.
    public func refreshed(_ state: State) throws(RefError) -> State {
        var state = state
        var reader = entries()
        try fold(onto: &state, expecting: nil, &reader)
        return state
    }

    /// Brings a state up to date and returns the packs that were removed meanwhile.
    func refresh(_ state: inout State) throws(RefError) -> Set<ObjectID> {
        var removed: Set<ObjectID> = []
        var reader = entries()
        try fold(onto: &state, expecting: nil, &reader) { entry in
            for case .unpack(let name) in entry.actions { removed.insert(name) }
        }
        return removed
    }

    /// What is live by now, and what was removed since a state; nil when nothing was.
    func renewal(of state: State) throws(RefError) -> PackRenewal? {
        var newest = state
        var removals: [ObjectID: Int] = [:]
        var reader = entries()
        try fold(onto: &newest, expecting: nil, &reader) { entry in
            for case .unpack(let name) in entry.actions { removals[name] = entry.number }
        }
        if removals.isEmpty { return nil }
        return PackRenewal(packs: try newest.packs, removals: removals)
    }

    /// One entry, which is checked against its own hash; who reads many takes ``entries()``.
    ///
    /// - Throws: `noTransaction` when there is none of this number; `damaged`; `needsNewer`.
    public func entry(_ number: Int) throws(RefError) -> LogEntry {
        var reader = entries()
        return try reader.entry(number)
    }

    /// The values that a ref has had, newest first; empty for a ref that never was.
    public func history(of name: RefName, in state: State) -> History {
        History(log: self, name: name, in: state)
    }

    func readEntry(_ number: Int) throws(RefError) -> LogEntry? {
        var reader = entries()
        return try reader.find(number)
    }

    /// Folds every entry after `state` onto it.
    private func fold(
        onto state: inout State, expecting hint: TipHint?, remembered: Remembered? = nil,
        vouchedThrough: Int = -1, _ reader: inout EntryReader,
        observe: (LogEntry) -> Void = { _ in }
    ) throws(RefError) {
        func check(_ state: State) throws(RefError) {
            if let remembered, remembered.number == state.number,
                remembered.entryHash != state.entryHash,
                remembered.repositoryID == state.repositoryID
            {
                throw .forked(at: state.number)
            }
            guard let hint, hint.number == state.number, hint.entryHash != state.entryHash else {
                return
            }
            throw .damaged(
                place: LogFile.place(of: state.number),
                reason: "its hash is not the one that \(LogFile.tip) has seen")
        }
        try check(state)
        var signatures = NewestSignatures()
        while true {
            let run = try reader.run(from: state.number + 1)
            for result in run.decoded() {
                let entry = try result.get()
                try state.apply(entry, isVouchedFor: true)
                try check(state)
                signatures.add(entry, isKnown: entry.number <= vouchedThrough)
                observe(entry)
            }
            if let failure = run.failure { throw failure }
            if run.isLast { break }
        }
        try signatures.check(for: state.repositoryID)
        // A gap: entry N+2 may have come since N+1 was found absent, and then N+1 has come as well.
        let gap = state.number + 1
        if try isThere(gap + 1, after: gap), try !exists(gap) {
            throw lost(after: state.number, evidence: "entry \(gap + 1) is there")
        }
    }

    /// Refuses to append where more than one entry is missing below others: a new one in the gap would break the chain
    /// for ever. Looks at the checkpoints, and at all names where the hint is not about this state.
    ///
    /// - Throws: `damaged`.
    func refuseGap(after state: State) throws(RefError) {
        var seen = try checkpointNames().lazy.filter { $0.number > state.number }.first {
            read($0)?.repositoryID == state.repositoryID
        }?.number
        if try readHint()?.number != state.number,
            let last = try LogListing(self).ranges.map(\.upperBound).max()
        {
            seen = max(seen ?? 0, last)
        }
        guard let seen, seen > state.number else { return }
        // Others may have come so far since.
        let newest = try refreshed(state)
        guard newest.number < seen else { return }
        throw lost(after: newest.number, evidence: "there are traces of \(seen)")
    }

    /// Whether an entry is there, when the one before it was not, neither single nor in a segment.
    private func isThere(_ number: Int, after absent: Int) throws(RefError) -> Bool {
        let smallest = SegmentName.smallest
        if absent / smallest != number / smallest { return try exists(number) }
        return try existsSingle(number)
    }

    private func exists(_ number: Int) throws(RefError) -> Bool {
        if try existsSingle(number) { return true }
        return try isGathered(number)
    }

    private func existsSingle(_ number: Int) throws(RefError) -> Bool {
        do {
            return try bucket.open(LogFile.entry(number)) != nil
        } catch {
            if case .damaged = error { return true }
            throw .storage(error)
        }
    }

    /// Whether a segment holds an entry, so that a single file of it is void.
    func isGathered(_ number: Int) throws(RefError) -> Bool {
        do throws(RefError) {
            return try openSegment(holding: number) != nil
        } catch .damaged { return true }
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

/// Where reading a log begins, and what must come of it.
extension Log {
    /// The state to fold later entries onto, and the number up to which they need no check of their signatures,
    /// because their hashes lead to one that was checked before.
    func start(
        hint: TipHint?, remembered: Remembered?, ahead: inout [State],
        _ reader: inout EntryReader
    ) throws(RefError) -> (state: State, vouchedThrough: Int)? {
        guard let remembered, let own = remembered.checkpoint else {
            // Nobody vouches for a state that this client has checked and lost.
            if remembered?.isSigned ?? false { return nil }
            if let state = try checkpointed(hint?.checkpoint, &reader), trust.accepts(state) {
                return (state, -1)
            }
            return try newestListed(ahead: &ahead, &reader).map { ($0, -1) }
        }
        guard let entry = try reader.first(from: own.number), entry.hash == own.entryHash else {
            throw try departure(from: remembered)
        }
        // No checkpoint of the repository may stand for what this client can check itself: an admin who vouches for
        // it may have been revoked since.
        var state = own
        // The hint that a writer leaves names a checkpoint of the repository, not one of this client's.
        state.checkpoint = hint?.checkpoint.flatMap { $0.number <= own.number ? nil : $0 }
        return (state, remembered.number)
    }

    /// Checks a state that was read against what this client remembers and demands.
    package func check(_ state: State, startedAt start: Int, _ remembered: Remembered?)
        throws(RefError)
    {
        guard let remembered, state.repositoryID == remembered.repositoryID else {
            if let remembered, remembered.isSigned { throw try departure(from: remembered) }
            return try trust.check(state, isFirstContact: true)
        }
        guard state.number >= remembered.number else {
            throw .rolledBack(from: remembered.number, to: state.number)
        }
        // Where the fold came by, it has compared the hash.
        if start > remembered.number, let entry = try readEntry(remembered.number),
            entry.hash != remembered.entryHash
        {
            throw .forked(at: remembered.number)
        }
        try trust.check(state, isFirstContact: !remembered.isSigned)
    }

    /// What is to be said of a log in which the entry that was seen is missing or another one.
    private func departure(from remembered: Remembered) throws(RefError) -> RefError {
        guard let first = try readEntry(0) else {
            return .rolledBack(from: remembered.number, to: nil)
        }
        if try State(first: first).repositoryID != remembered.repositoryID { return .replaced }
        // Nobody is to trust this state: its number says how far the log goes.
        let found = try Log(bucket: bucket, trust: Trust()).state()
        guard found.number >= remembered.number else {
            return .rolledBack(from: remembered.number, to: found.number)
        }
        return .forked(at: remembered.number)
    }
}

extension Log {
    /// Makes sure that everything that can be seen in the log survives a power cut: for who tells others of a state,
    /// or acts on it outside.
    ///
    /// An entry is visible a moment before it is durable, and its writer may have died in between. This waits for the
    /// disk, which takes microseconds when there is nothing to wait for.
    ///
    /// - Throws: `storage` when the disk fails.
    public func makeDurable() throws(RefError) {
        do {
            try bucket.synchronizeLog()
        } catch { throw .storage(error) }
    }
}
