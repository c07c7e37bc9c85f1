package import Objects
package import Storage

extension Log {
    /// How many races in a row a writer loses before it gives up: far more than any crowd of writers with backoff has
    /// needed in tests.
    static let attemptLimit = 1000

    /// Entry 0 of a new repository.
    ///
    /// - Throws: `invalidTransaction` when the writer's name or the message contains a likely secret key.
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

    /// Appends a proposal to the log as one entry after the newest one.
    ///
    /// - Parameters:
    ///   - turn: A turn that the caller holds already.
    ///   - admit: Called with each state that has new entries since the last check. Checks the moves, and that
    ///     everything the proposal builds on still exists; may add packs to the proposal or drop some. The caller has
    ///     checked the moves in the proposal's base.
    /// - Returns: The state after the entry and the moves in it; nil when the entry would be empty.
    package func append(
        _ proposal: inout Proposal, writer: Writer, attempts: Int = attemptLimit,
        holding turn: (any WriterTurn)? = nil,
        admit: (
            inout Proposal, [RefChange], _ removed: Set<ObjectID>, State
        ) throws(RefError) -> Void
    ) throws(RefError) -> (state: State, changes: [RefChange])? {
        // The state in which everything was checked; moves are checked again in every later one.
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
                // When `admit` throws, the next attempt must find the proposal unchanged.
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

    /// Appends an entry whose actions move no ref.
    ///
    /// - Parameter admit: Throws when the entry must not follow a state.
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

    /// Appends an entry to the log after the newest one.
    ///
    /// - Parameter compose: The actions of the entry after a state, and the number of the state that they are based on;
    ///   nil for no entry. Called again for each newer state that other writers have created, with the packs that were
    ///   removed since the last call.
    /// - Returns: The state after the entry; nil when there is none.
    private func append(
        to base: State, message: String, writer: Writer, attempts: Int = attemptLimit,
        holding held: (any WriterTurn)? = nil,
        compose: (
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
            let composed: (base: Int, actions: [Action])?
            do throws(RefError) { composed = try compose(state, removed, now) } catch {
                // A concurrent collection may have removed the missing object: try again after the newest entry.
                let judged = state.number
                guard error.isAbsence else { throw error }
                removed.formUnion(try refresh(&state))
                guard state.number > judged else { throw error }
                continue
            }
            guard let composed else { return nil }
            if let reason = LogEntry.objection(
                writer: writer.name, message: message, actions: composed.actions.count)
            {
                throw .invalidTransaction(reason: reason)
            }
            try Self.refuseSecrets(writer.name, message, composed.actions)
            let unsigned = LogEntry(
                number: state.number + 1, previous: state.entryHash, base: composed.base,
                time: max(now, state.time), skew: state.skew(at: now),
                writer: writer.name, message: message, nonce: RandomBits(from: writer.random),
                actions: composed.actions)
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
                throw .damaged(place: LogFile.place(of: lost), reason: "it disappeared")
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

    /// Waits until no other writer holds the turn; nil after a while, because a suspended writer must not block the
    /// others. Correctness does not depend on turns, but without them some of many writers lose races again and again.
    package func awaitTurn(_ writer: Writer) -> (any WriterTurn)? {
        var waited = 0
        while true {
            if let turn = bucket.takeTurn() { return turn }
            guard waited < Self.patience else { return nil }
            // Short, so that one of many waiting writers takes a free turn at once.
            let pause = 1 + Int(writer.random() % 4)
            writer.pause(pause)
            waited += pause
        }
    }

    /// The most milliseconds that a writer waits for its turn.
    private static let patience = 2000

    private enum Race { case won, lost }

    /// Creates the entry's file, which commits it unless another writer created the file first.
    private func put(_ entry: LogEntry) throws(RefError) -> Race {
        let name = LogFile.entry(entry.number)
        let bytes = entry.encoded
        guard bytes.count <= LogEntry.byteLimit else {
            throw .invalidTransaction(
                reason: "its entry has \(bytes.count) bytes, more than \(LogEntry.byteLimit)")
        }
        func found(after error: StorageError?) throws(RefError) -> [UInt8]? {
            try wrapping(
                bucket.read(name, limit: LogEntry.byteLimit),
                as: { RefError.outcomeUnknown(number: entry.number, error ?? $0) })
        }
        let creation: Creation
        do { creation = try bucket.create(name, bytes) } catch {
            // The file may exist despite the error: only its absence, or another entry in it, proves that nothing
            // happened.
            if try found(after: error) == bytes {
                throw .outcomeUnknown(number: entry.number, error)
            }
            throw .storage(error)
        }
        if creation == .created { return try settled(entry.number) }
        // A network file system may deny a creation that it performed: the nonce tells whose entry it is.
        return try found(after: nil) == bytes ? settled(entry.number) : .lost
    }

    /// Whether an entry that this writer created counts. It does not if others had gathered another entry of this
    /// number already, so that only the single file of that entry was missing.
    private func settled(_ number: Int) throws(RefError) -> Race {
        let isVoid: Bool
        do throws(RefError) {
            isVoid = try isGathered(number)
        } catch .storage(let error) {
            throw .outcomeUnknown(number: number, error)
        }
        guard isVoid else { return .won }
        // Readers ignore the file whether or not it can be deleted.
        try? bucket.delete(LogFile.entry(number))
        return .lost
    }
}
