internal import Objects
package import Storage

/// The numbered, hash-chained list of transactions, which determines where refs point and which packs are live.
///
/// Entry N is created exclusively, and its creation is the commit point. Reading changes nothing in the repository,
/// takes no lock, and is safe from any number of threads and processes while others write.
public struct Log: Sendable {
    package let bucket: any Bucket
    /// This client's memory of the log, and the keys that it trusts.
    package let trust: Trust
    let largeEntries = LargeEntries()

    init(bucket: any Bucket, trust: Trust) {
        self.bucket = bucket
        self.trust = trust
    }

    /// The state after the newest entry.
    ///
    /// Reads the hint, a checkpoint (this client's own if it remembers one) and the entries after it. Lists the folder
    /// of checkpoints only when this client remembers none and the hint names none that is usable.
    ///
    /// - Throws: `noRepository` when there is no log; `damaged` when an entry is malformed, or entries that a writer
    ///   has seen are gone; `untrusted` when the writer of an entry lacked the right; `rolledBack`, `forked` and
    ///   `replaced` when it is not the log that this client remembers; `foreignRoot` when no trusted key founded the
    ///   repository; `needsNewer`.
    public func state() throws(RefError) -> State {
        // Read before any entry, so that a concurrent commit cannot look like a loss.
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
            throw lost(after: state.number, evidence: "the hint names entry \(hint.number)")
        }
        for other in ahead
        where other.number > state.number && other.repositoryID == state.repositoryID {
            throw lost(after: state.number, evidence: "a checkpoint names entry \(other.number)")
        }
        try check(state, startedAt: startNumber, remembered)
        trust.memory?.record(
            state, after: remembered, isDurable: hint?.number == state.number)
        return state
    }

    /// Applies the entries that were committed after a state; does not consult this client's memory.
    ///
    /// - Throws: `damaged`, `untrusted` and `needsNewer`, as ``state()``.
    public func refreshed(_ state: State) throws(RefError) -> State {
        var state = state
        var reader = entries()
        try fold(onto: &state, expecting: nil, &reader)
        return state
    }

    /// Brings a state up to date, and returns the packs that were removed meanwhile.
    func refresh(_ state: inout State) throws(RefError) -> Set<ObjectID> {
        var removed: Set<ObjectID> = []
        var reader = entries()
        try fold(onto: &state, expecting: nil, &reader) { entry in
            for case .unpack(let name) in entry.actions { removed.insert(name) }
        }
        return removed
    }

    /// The packs that are live now, and those removed since a state; nil when none was removed.
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

    /// One entry, checked against its own hash; to read many, use ``entries()``.
    ///
    /// - Throws: `noTransaction` when there is no entry of this number; `damaged`; `needsNewer`.
    public func entry(_ number: Int) throws(RefError) -> LogEntry {
        var reader = entries()
        return try reader.entry(number)
    }

    /// The values of a ref, newest first; empty when there never was such a ref.
    public func history(of name: RefName, in state: State) -> History {
        History(log: self, name: name, in: state)
    }

    func readEntry(_ number: Int) throws(RefError) -> LogEntry? {
        var reader = entries()
        return try reader.find(number)
    }

    /// Applies every entry after `state` to it.
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
                reason: "its hash differs from the one in \(LogFile.tip)")
        }
        try check(state)
        var signatures = NewestSignatures()
        while true {
            let span = try reader.span(from: state.number + 1)
            for result in span.decoded() {
                let entry = try result.get()
                try state.apply(entry, isVouchedFor: true)
                try check(state)
                signatures.add(entry, isKnown: entry.number <= vouchedThrough)
                observe(entry)
            }
            if let failure = span.failure { throw failure }
            if span.isLast { break }
        }
        try signatures.check(for: state.repositoryID)
        // A gap, unless entry N+1 was created between the two checks.
        let gap = state.number + 1
        if try isThere(gap + 1, after: gap), try !exists(gap) {
            throw lost(after: state.number, evidence: "entry \(gap + 1) is there")
        }
    }

    /// Refuses to append after a state if several entries are missing there although later ones exist: a new entry in
    /// the gap would break the chain permanently. Looks at the checkpoints and, unless the hint names the newest entry
    /// of the state, at all file names.
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
        // Concurrent commits may have reached that number meanwhile.
        let newest = try refreshed(state)
        guard newest.number < seen else { return }
        throw lost(after: newest.number, evidence: "there are traces of entry \(seen)")
    }

    /// Whether an entry exists, given that the one before it has neither a single file nor a segment.
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

    /// Whether a segment holds an entry, which voids its single file.
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
        let hasPacks = try wrapping(!bucket.list(.packs).isEmpty, as: RefError.storage)
        guard hint == nil, !hasPacks else {
            throw .damaged(
                place: LogFile.place(of: 0),
                reason: "it is missing, although there is \(hasPacks ? "a pack" : "a hint")")
        }
        guard try !exists(1) else { throw lost(after: -1, evidence: "entry 1 is there") }
        throw .noRepository(location: bucket.location)
    }
}

/// The point where reading begins, and the checks of the result.
extension Log {
    /// The state to apply later entries to; nil to begin at entry 0. With it comes the number of the last entry that
    /// this client has accepted before, -1 for none: most signatures up to there need no check.
    func start(
        hint: TipHint?, remembered: Remembered?, ahead: inout [State],
        _ reader: inout EntryReader
    ) throws(RefError) -> (state: State, vouchedThrough: Int)? {
        guard let remembered, let own = remembered.checkpoint else {
            // This client has checked a state and lost it: no checkpoint may stand in for it.
            if remembered?.isSigned ?? false { return nil }
            if let state = try checkpointed(hint?.checkpoint, &reader), trust.accepts(state) {
                return (state, -1)
            }
            return try newestListed(ahead: &ahead, &reader).map { ($0, -1) }
        }
        guard let entry = try reader.first(from: own.number), entry.hash == own.entryHash else {
            throw try departure(from: remembered)
        }
        // A checkpoint of the repository cannot replace this client's own checks: the admin who vouches for it may have
        // been revoked since.
        var state = own
        // A writer's hint must name a checkpoint of the repository, not one of this client's.
        state.checkpoint = hint?.checkpoint.flatMap { $0.number <= own.number ? nil : $0 }
        return (state, remembered.number)
    }

    /// Checks a state against what this client remembers and demands.
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
        // Otherwise folding has compared the hash of the remembered entry already.
        if start > remembered.number, let entry = try readEntry(remembered.number),
            entry.hash != remembered.entryHash
        {
            throw .forked(at: remembered.number)
        }
        try trust.check(state, isFirstContact: !remembered.isSigned)
    }

    /// The error for a log in which a remembered entry is missing or differs.
    private func departure(from remembered: Remembered) throws(RefError) -> RefError {
        guard let first = try readEntry(0) else {
            return .rolledBack(from: remembered.number, to: nil)
        }
        if try State(first: first).repositoryID != remembered.repositoryID { return .replaced }
        // Without trust, because only the length of the log matters here.
        let found = try Log(bucket: bucket, trust: Trust()).state()
        guard found.number >= remembered.number else {
            return .rolledBack(from: remembered.number, to: found.number)
        }
        return .forked(at: remembered.number)
    }
}

extension Log {
    /// Makes everything that is visible in the log survive a power cut: call it before telling others of a state or
    /// acting on it outside.
    ///
    /// An entry is visible a moment before it is durable, and its writer may crash in between. This waits for the disk,
    /// for microseconds when everything is durable already.
    ///
    /// - Throws: `storage` when the disk fails.
    public func makeDurable() throws(RefError) {
        try wrapping(bucket.synchronizeLog(), as: RefError.storage)
    }
}
