public import Objects
internal import Storage

/// The result of a commit.
public struct Commit: Sendable {
    /// The number of the transaction; nil when there was nothing to change, so that no entry was written.
    public let number: Int?
    /// The refs that it moved, in the order of the updates.
    public let refs: [RefChange]
    /// A state at or after the transaction: begin the next one on it.
    public let state: State
    /// Warnings for a person, such as one about clocks that disagree.
    public let warnings: [String]
    /// The outcomes of the gates that apply to the moves.
    public let gates: [GateOutcome]

    /// Whether there was nothing to change.
    public var isUnchanged: Bool { number == nil }
}

/// New objects and moves of refs that take effect together or not at all.
///
/// Dropping a transaction before ``commit(_:message:overriding:)`` leaves the repository as it was.
public struct Transaction: Sendable {
    /// The state that the transaction builds on.
    public let state: State
    /// Stores new objects; reads these and the objects that exist already.
    public let objects: ObjectWriter
    private let repository: Repository
    private let writer: Writer

    init(repository: Repository, state: State, writer: Writer, objects: ObjectWriter) {
        self.repository = repository
        self.state = state
        self.writer = writer
        self.objects = objects
    }

    /// Stores the new objects and moves the refs, all in one entry of the log.
    ///
    /// Call it once: after a failure, begin a new transaction. An update of a ref that already points there moves
    /// nothing. When no ref moves and no object is new, no entry is written.
    ///
    /// - Parameter reason: Why the moves go ahead even if gates refuse them; the entry then names the gates.
    /// - Throws: `gates` when a gate refuses a move and `reason` is nil; `adapter` when the adapter of a new model does
    ///   not fit its input `base`; `conflict` when a ref is not as expected, or moved since ``state``; `wrongKind`,
    ///   `notASnapshot` and `incomplete` when a ref cannot point there; `unauthorized` and `key` when the writer lacks
    ///   the right; `packRemoved` and `busy` when repeating the whole transaction can help; `outcomeUnknown` when it may
    ///   have been committed.
    public func commit(
        _ updates: [RefUpdate], message: String = "", overriding reason: String? = nil
    ) throws(RefError) -> Commit {
        do throws(RefError) { return try attempt(updates, message: message, reason) } catch {
            throw repository.conflict(
                behind: error, relyingOn: updates.lazy.map(\.name), in: state)
                ?? removal(behind: error) ?? error
        }
    }

    /// The removal of a pack behind a missing object: the objects that this transaction did not write again rely on the
    /// pack, and neither a live pack nor this process has its content any more. Whoever repeats the transaction writes
    /// them. Nil when nothing like that happened, so that the object was never there, or the caller did not write it.
    private func removal(behind error: RefError) -> RefError? {
        guard error.isAbsence, let live = try? repository.log.refreshed(state).packs else {
            return nil
        }
        let lost = objects.reliedOn.subtracting(live.map(\.name))
        let readable = objects.existing.known.filter {
            lost.contains($0.name) && (try? objects.existing.open($0)) != nil
        }
        return lost.subtracting(readable.map(\.name)).min().map { .packRemoved($0) }
    }

    private func attempt(
        _ updates: [RefUpdate], message: String, _ reason: String?
    ) throws(RefError) -> Commit {
        let message = Secrets.withoutCredentials(message)
        let reason = reason.map { Secrets.withoutCredentials($0) }
        if let reason = LogEntry.objection(
            writer: writer.name, message: message, actions: updates.count)
            ?? Secrets.objection(
                writer: writer.name, message: message,
                actions: reason.map { [.override(gates: [], reason: $0)] } ?? [])
        {
            throw .invalidTransaction(reason: reason)
        }
        var proposal = Proposal(base: state, updates: updates, message: message)
        // A transaction that cannot succeed fails here, before it publishes a pack that nobody would ever use.
        let log = repository.log
        let current = try log.refreshed(state)
        let changes = try proposal.changes(in: current, now: writer.now())
        try Admission.check(changes, in: objects, state)
        try refuseSecrets(in: changes)
        let notes = try checkAdapters(in: changes)
        var outcomes: [GateOutcome] = []
        if current.number == state.number {
            do throws(RefError) {
                outcomes = try evaluateGates(&proposal, changes, state, in: objects, reason)
            } catch {
                // Gates read other refs, whose snapshots may be collected once those refs have moved. The gates are
                // evaluated again in the state that the entry follows.
                guard error.isAbsence, try log.refreshed(state).number > state.number else {
                    throw error
                }
            }
        }
        // Only the state that the entry follows decides which gates an override skips.
        if reason == nil || current.number == state.number {
            try writer.authorized(
                proposal.actions(for: changes, in: current), at: current.moment(at: writer.now()),
                after: current)
        }
        proposal.addedPacks =
            try wrapping(objects.finish(), as: RefError.objects).map { [$0] } ?? []
        let result = try log.append(&proposal, writer: writer) {
            (proposal, changes, removed, state) throws(RefError) in
            if !removed.isEmpty { try readmit(&proposal, changes, removed, state) }
            // Concurrent commits may have changed the gates, and the refs that gates compare with.
            guard GateEvaluation<PackStore>.concerns(changes, in: state) else {
                (outcomes, proposal.override) = ([], nil)
                return
            }
            let store = repository.objects(try state.packs + proposal.addedPacks)
            outcomes = try evaluateGates(&proposal, changes, state, in: store, reason)
        }
        guard let result else { return try unchanged(current) }
        var after = result.state
        repository.compact(&after, writer: writer)
        return Commit(
            number: result.state.number, refs: result.changes, state: after,
            warnings: Self.warnings(about: result.state, now: writer.now()) + notes,
            gates: outcomes)
    }

    /// The result of a commit that changes nothing.
    func unchanged(_ current: State? = nil) throws(RefError) -> Commit {
        // The writer of the existing version may have crashed before syncing; sync before reporting success.
        try repository.log.makeDurable()
        return Commit(number: nil, refs: [], state: current ?? state, warnings: [], gates: [])
    }

    /// Checks moves and evaluates their gates in ``state``, and commits nothing.
    ///
    /// - Throws: As ``commit(_:message:overriding:)``, except that a refusal by gates is returned.
    public func rehearse(
        _ updates: [RefUpdate], overriding reason: String? = nil
    ) throws(RefError) -> Rehearsal {
        let proposal = Proposal(base: state, updates: updates, message: "")
        let changes = try proposal.changes(in: state, now: writer.now())
        try Admission.check(changes, in: objects, state)
        let gates = try gateOutcomes(changes, state, in: objects)
        let refusals = gates.filter { !$0.passes }
        return Rehearsal(
            refs: changes, gates: gates,
            refusal: refusals.isEmpty || reason != nil ? nil : .gates(refusals))
    }

    /// Evaluates the gates, and records in the proposal which of them it overrides.
    ///
    /// - Throws: `gates` when one refuses and `reason` is nil.
    private func evaluateGates(
        _ proposal: inout Proposal, _ changes: [RefChange], _ state: State,
        in objects: some ObjectRangeSource, _ reason: String?
    ) throws(RefError) -> [GateOutcome] {
        let outcomes = try gateOutcomes(changes, state, in: objects)
        let refusals = outcomes.filter { !$0.passes }
        proposal.override = nil
        guard !refusals.isEmpty else { return outcomes }
        guard let reason else { throw .gates(refusals) }
        proposal.override = .override(gates: refusals.map(\.summary), reason: reason)
        return outcomes
    }

    private func gateOutcomes(
        _ changes: [RefChange], _ state: State, in objects: some ObjectRangeSource
    ) throws(RefError) -> [GateOutcome] {
        let time = state.moment(at: writer.now())
        var evaluation = GateEvaluation(
            changes, in: state, objects: objects, time: time,
            lapsed: try repository.log.lapsedApprovals(of: changes, in: state, at: time),
            isStored: isStored)
        return try evaluation.outcomes()
    }

    /// Whether an object was stored before this transaction.
    private func isStored(_ id: ObjectID) -> Bool {
        (try? objects.existing.size(of: id)) ?? nil != nil
    }

    /// Refuses new snapshots that contain likely secret keys. A ref may still move to a snapshot that is stored
    /// already: a refusal would only block a rollback.
    private func refuseSecrets(in changes: [RefChange]) throws(RefError) {
        for id in Set(changes.compactMap(\.new)) where !isStored(id) {
            let snapshot = try wrapping(Snapshot(id, in: objects), as: RefError.objects)
            if let reason = Secrets.objection(to: snapshot) {
                throw .invalidTransaction(reason: reason)
            }
        }
    }

    /// Refuses new models with an adapter that does not fit its base, and returns what was not compared. A ref may still
    /// move to a snapshot that is stored already.
    private func checkAdapters(in changes: [RefChange]) throws(RefError) -> [String] {
        var check = AdapterCheck(in: objects)
        var checked: Set<ObjectID> = []
        for change in changes {
            guard let id = change.new, !isStored(id), checked.insert(id).inserted else { continue }
            try check.check(
                try wrapping(Snapshot(id, in: objects), as: RefError.objects), of: change.name)
        }
        return check.notes
    }

    /// Checks a proposal again after others removed packs. Objects that the proposal needs and that disappeared are
    /// stored once more, in a pack of another name, as long as there is a copy.
    private func readmit(
        _ proposal: inout Proposal, _ changes: [RefChange], _ removed: Set<ObjectID>, _ state: State
    ) throws(RefError) {
        let own = proposal.addedPacks
        let condemned = own.filter { removed.contains($0.name) }
        proposal.addedPacks.removeAll { removed.contains($0.name) }
        if condemned.isEmpty, try isComplete(proposal, changes, state) { return }
        let live = try state.packs
        let names = Set(live.map(\.name))
        let gone = objects.existing.known.filter { !names.contains($0.name) } + condemned
        for pack in condemned { try wrapping(objects.keepOpen(pack), as: RefError.objects) }
        let rescued = try wrapping(
            PackMarks.rescue(
                changes.compactMap(\.new), condemned + proposal.addedPacks, from: gone,
                for: repository.objects(live + proposal.addedPacks)),
            as: RefError.objects)
        if let rescued { proposal.addedPacks.append(rescued) }
        if try isComplete(proposal, changes, state) { return }
        // Whoever repeats the transaction writes its objects again. A move only names its target, of which no more than
        // a part could be rescued.
        if let pack = (condemned + own).first { throw .packRemoved(pack.name) }
        proposal.addedPacks = []
        try Admission.check(changes, in: repository.objects(live), state)
    }

    private func isComplete(
        _ proposal: Proposal, _ changes: [RefChange], _ state: State
    ) throws(RefError) -> Bool {
        let store = repository.objects(try state.packs + proposal.addedPacks)
        do throws(RefError) { try Admission.check(changes, in: store, state) } catch {
            guard case .incomplete = error else { throw error }
            return false
        }
        for pack in proposal.addedPacks
        where try !wrapping(PackMarks.isWhole(pack, in: store), as: RefError.objects) {
            return false
        }
        return true
    }

    private static func warnings(about state: State, now: Timestamp) -> [String] {
        guard let lead = state.skew(at: now) else { return [] }
        return [
            "the log's time is \(Age.description(milliseconds: lead)) ahead of this clock: "
                + "transaction \(state.number) is dated \(state.time)"
        ]
    }
}

/// Checks whether refs may point where a transaction moves them.
enum Admission {
    /// Checks that every new target is a snapshot of the ref's kind, that everything it needs exists, and that the
    /// parts of a release fit each other.
    ///
    /// The targets of refs in `state` count as complete, because writers admit only complete ones.
    ///
    /// - Throws: `wrongKind`, `notASnapshot`, `incomplete`, `misfit`; `objects` when objects cannot be read.
    static func check(
        _ changes: [RefChange], in objects: some ObjectSource, _ state: State
    ) throws(RefError) {
        var closure = SnapshotClosure(in: objects, complete: targets(of: state))
        // Thousands of refs may move to one snapshot.
        var kinds: [ObjectID: Snapshot.Kind] = [:]
        for change in changes {
            guard let target = change.new else { continue }
            if let kind = kinds[target], kind == change.name.namespace.kind { continue }
            let snapshot = try snapshot(target, for: change.name, in: objects)
            guard snapshot.kind == change.name.namespace.kind else {
                throw .wrongKind(change.name, target, kind: snapshot.kind)
            }
            if let missing = try wrapping(closure.firstMissing(for: target), as: RefError.objects) {
                throw .incomplete(change.name, snapshot: target, missing: missing)
            }
            if snapshot.kind == .release { _ = try Release(of: snapshot, in: objects) }
            kinds[target] = snapshot.kind
        }
    }

    /// The snapshots that refs point at.
    static func targets(of state: State) -> Set<ObjectID> { Set(state.refs.values.map(\.target)) }

    private static func snapshot(
        _ id: ObjectID, for name: RefName, in objects: some ObjectSource
    ) throws(RefError) -> Snapshot {
        do {
            return try Snapshot(id, in: objects)
        } catch .missing(id), .collected(id, _) {
            throw .incomplete(name, snapshot: id, missing: id)
        } catch .malformed(_, _, let reason, _) {
            throw .notASnapshot(name, id, reason: reason)
        } catch .tooLarge(_, let size, _) {
            throw .notASnapshot(name, id, reason: "it has \(size) bytes")
        } catch { throw .objects(error) }
    }
}
