package import Objects
package import Storage

extension Log {
    /// How many races in a row are lost before a writer gives up: far more than any crowd of writers with
    /// backoff has been seen to need.
    static let attemptLimit = 1000

    /// Entry 0 of a new repository.
    ///
    /// - Throws: `invalidTransaction` when the writer's name or the message holds a secret key.
    static func firstEntry(by writer: Writer, message: String) throws(RefError) -> LogEntry {
        try refuseSecrets(writer.name, message, [])
        return LogEntry(
            number: 0, previous: nil, base: nil, time: writer.now(), writer: writer.name,
            message: message, nonce: RandomBits(from: writer.random),
            actions: [
                .format(version: State.formatVersion, repository: RandomBits(from: writer.random))
            ])
    }

    /// Creates entry 0 in a bucket that has no log yet.
    func create(_ first: LogEntry) throws(RefError) {
        guard case .won = try put(first) else {
            throw .repositoryExists(location: bucket.location)
        }
    }

    /// Appends a proposal to the log as one entry, wherever the log ends by then.
    ///
    /// - Parameters:
    ///   - turn: A turn that the caller has taken already, so that none is waited for.
    ///   - admit: Checks the moves, and that what the proposal builds on is there still, in a state
    ///     that others brought about since the last check, removing packs; it may add packs to the proposal, or
    ///     take some out. The caller has checked the moves for the proposal's base.
    /// - Returns: The state after the entry and the moves in it, or nil when it would hold nothing.
    package func append(
        _ proposal: inout Proposal, writer: Writer, attempts: Int = attemptLimit,
        holding turn: (any WriterTurn)? = nil,
        admit: (
            inout Proposal, [RefChange], _ removed: Set<ObjectID>, State
        ) throws(RefError) -> Void
    ) throws(RefError) -> (state: State, changes: [RefChange])? {
        // The state that everything was checked in; moves are checked in every later one as well.
        var base = proposal.base.number
        var admitted = base
        var changes: [RefChange] = []
        let after = try append(
            to: proposal.base, message: proposal.message, writer: writer, attempts: attempts,
            holding: turn
        ) { (state, removed, now) throws(RefError) in
            changes = try proposal.changes(in: state, now: now)
            if proposal.actions(for: changes, in: state).isEmpty { return nil }
            if state.number > admitted {
                // An attempt that fails and is repeated must find the proposal as it was.
                var admissible = proposal
                try admit(&admissible, changes, removed, state)
                proposal = admissible
                if !removed.isEmpty { base = state.number }
                admitted = state.number
            }
            let actions = proposal.actions(for: changes, in: state)
            return actions.isEmpty ? nil : (base, actions)
        }
        return after.map { ($0, changes) }
    }

    /// Appends an entry with actions that move no ref, wherever the log ends by then.
    ///
    /// - Parameter admit: Refuses the state that the entry would follow.
    /// - Returns: The state after the entry.
    func append(
        _ actions: [Action], to base: State, message: String, writer: Writer,
        admit: (State) throws(RefError) -> Void
    ) throws(RefError) -> State {
        let message = Secrets.withoutCredentials(message)
        let after = try append(to: base, message: message, writer: writer) {
            (state, _, _) throws(RefError) in
            try admit(state)
            return (state.number, actions)
        }
        guard let after else { throw .invalidTransaction(reason: "it has no actions") }
        return after
    }

    /// Appends an entry to the log, wherever it ends by then.
    ///
    /// - Parameter draft: What the entry is to do in a state, and the number of the state that this was computed on;
    ///   nil when it is to do nothing. Asked again in each state that others bring about first, and told which
    ///   packs were removed since it was asked last.
    /// - Returns: The state after the entry, or nil when there is none.
    private func append(
        to base: State, message: String, writer: Writer, attempts: Int = attemptLimit,
        holding held: (any WriterTurn)? = nil,
        draft: (
            State, _ removed: Set<ObjectID>, _ now: Timestamp
        ) throws(RefError) -> (base: Int, actions: [Action])?
    ) throws(RefError) -> State? {
        let turn = held ?? awaitTurn(writer)
        defer { withExtendedLifetime(turn) {} }
        var state = base
        var removed = try refresh(&state)
        try refuseGap(after: state)
        for attempt in 0..<attempts {
            let now = writer.now()
            let drafted: (base: Int, actions: [Action])?
            do throws(RefError) { drafted = try draft(state, removed, now) } catch {
                // What is absent may have been collected after others moved on: judge again where the log ends now.
                let judged = state.number
                guard error.isAbsence else { throw error }
                removed.formUnion(try refresh(&state))
                guard state.number > judged else { throw error }
                continue
            }
            guard let drafted else { return nil }
            if let reason = LogEntry.objection(
                writer: writer.name, message: message, actions: drafted.actions.count)
            {
                throw .invalidTransaction(reason: reason)
            }
            try Self.refuseSecrets(writer.name, message, drafted.actions)
            let unsigned = LogEntry(
                number: state.number + 1, previous: state.entryHash, base: drafted.base,
                time: max(now, state.time), skew: state.skew(at: now),
                writer: writer.name, message: message, nonce: RandomBits(from: writer.random),
                actions: drafted.actions)
            let entry = try writer.signed(unsigned, after: state)
            if case .won = try put(entry) {
                try state.apply(entry, isVouchedFor: true)
                writeCaches(after: &state, by: writer)
                gatherIfDue(state)
                return state
            }
            writer.pause(writer.backoff(attempt: attempt))
            let lost = state.number + 1
            removed = try refresh(&state)
            guard state.number >= lost else {
                throw .damaged(place: LogFile.place(of: lost), reason: "it vanished")
            }
        }
        throw .busy(attempts: attempts)
    }

    private static func refuseSecrets(
        _ writer: String, _ message: String, _ actions: [Action]
    ) throws(RefError) {
        let reason = Secrets.objection(writer: writer, message: message, actions: actions)
        if let reason { throw .invalidTransaction(reason: reason) }
    }

    /// Waits until no other writer is at it, but not for long: one that was stopped must not stop others. Nothing
    /// depends on it; without it, of many writers some lose races again and again.
    package func awaitTurn(_ writer: Writer) -> (any WriterTurn)? {
        var waited = 0
        while true {
            if let turn = bucket.takeTurn() { return turn }
            guard waited < Self.patience else { return nil }
            // Little, so that a turn that comes free is taken at once by one of the many who look.
            let pause = 1 + Int(writer.random() % 4)
            writer.pause(pause)
            waited += pause
        }
    }

    /// How many milliseconds a writer waits for its turn.
    private static let patience = 2000

    private enum Race { case won, lost }

    /// Creates the entry's file; whoever does that first has committed.
    private func put(_ entry: LogEntry) throws(RefError) -> Race {
        let name = LogFile.entry(entry.number)
        let bytes = entry.encoded
        guard bytes.count <= LogEntry.byteLimit else {
            throw .invalidTransaction(
                reason: "its entry has \(bytes.count) bytes, more than \(LogEntry.byteLimit)")
        }
        let creation: Creation
        do {
            creation = try bucket.create(name, bytes)
        } catch {
            // The file may be there all the same. Only what is seen to be absent did not happen.
            let found: [UInt8]?
            do {
                found = try bucket.read(name, limit: LogEntry.byteLimit)
            } catch _ {
                throw .outcomeUnknown(number: entry.number, error)
            }
            if found == bytes { throw .outcomeUnknown(number: entry.number, error) }
            throw .storage(error)
        }
        if creation == .created { return try settled(entry.number) }
        // A network file system may deny a creation that it has made: the nonce tells whose it is.
        let found: [UInt8]?
        do {
            found = try bucket.read(name, limit: LogEntry.byteLimit)
        } catch { throw .outcomeUnknown(number: entry.number, error) }
        return found == bytes ? try settled(entry.number) : .lost
    }

    /// Whether an entry that this writer has made counts: not if others have come so far meanwhile that its
    /// number is gathered already, and only its single file was gone.
    private func settled(_ number: Int) throws(RefError) -> Race {
        let isVoid: Bool
        do throws(RefError) {
            isVoid = try isGathered(number)
        } catch .storage(let error) {
            throw .outcomeUnknown(number: number, error)
        }
        guard isVoid else { return .won }
        // Nobody counts it, whether or not it can be removed.
        try? bucket.delete(LogFile.entry(number))
        return .lost
    }
}
