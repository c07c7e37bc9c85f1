internal import Objects
internal import Storage

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
