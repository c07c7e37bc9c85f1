public import Objects

/// What a commit did.
public struct Commit: Sendable {
    /// The number of the transaction; nil when there was nothing to change and none was made.
    public let number: Int?
    /// The refs that it moved, in the order in which the updates named them.
    public let refs: [RefChange]
    /// A state after it: the next transaction is best begun on it.
    public let state: State
    /// What the caller should tell a person, such as that clocks disagree.
    public let warnings: [String]

    /// What gates said of the moves.
    public let gates: [GateOutcome]

    /// Whether nothing was to be changed.
    public var isUnchanged: Bool { number == nil }
}

/// New objects and moves of refs that take effect together or not at all.
///
/// Dropping it before ``commit(_:message:)`` leaves the repository as it was.
public struct Transaction: Sendable {
    /// What the transaction builds on.
    public let state: State
    /// Takes new objects, and reads those as well as the ones that exist already.
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
    /// Done once: a transaction that failed is begun anew. An update whose ref is already where it is to go moves nothing. When nothing moves and nothing is
    /// new, no entry is made.
    ///
    /// - Parameter reason: Why the moves are made even if gates refuse them; the entry then says which did.
    /// - Throws: `gates` when a gate refuses a move and no reason is given; `conflict` when a ref is not as expected, or was moved since ``state``; `wrongKind`,
    ///   `notASnapshot` and `incomplete` when a ref cannot point there; `packRemoved` and `busy` when
    ///   repeating the whole transaction can help; `outcomeUnknown` when it may have taken place.
    public func commit(
        _ updates: [RefUpdate], message: String = "", overriding reason: String? = nil
    ) throws(RefError) -> Commit {
        do throws(RefError) { return try attempt(updates, message: message, reason) } catch {
            throw repository.conflict(
                behind: error, relyingOn: updates.lazy.map(\.name), in: state) ?? error
        }
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
        // What cannot succeed fails here, before a pack that nobody would ever see is published.
        let log = repository.log
        let current = try log.refreshed(state)
        let changes = try proposal.changes(in: current, now: writer.now())
        try Admission.check(changes, in: objects, state)
        try refuseSecrets(in: changes)
        var outcomes: [GateOutcome] = []
        if current.number == state.number {
            do throws(RefError) {
                outcomes = try askGates(&proposal, changes, state, in: objects, reason)
            } catch {
                // Gates read other refs, whose versions may be collected once others have moved them. They are
                // asked again where the log ends then.
                guard error.isAbsence, try log.refreshed(state).number > state.number else {
                    throw error
                }
            }
        }
        // Which gates an override skips is known only against the state it commits on.
        if reason == nil || current.number == state.number {
            try writer.authorized(
                proposal.actions(for: changes, in: current), at: current.moment(at: writer.now()),
                after: current)
        }
        do throws(ObjectError) {
            proposal.addedPacks = try objects.finish().map { [$0] } ?? []
        } catch { throw .objects(error) }
        let result = try log.append(&proposal, writer: writer) {
            (proposal, changes, removed, state) throws(RefError) in
            if !removed.isEmpty { try readmit(&proposal, changes, removed, state) }
            // Whatever was committed meanwhile may have changed what gates compare with, and the gates.
            guard GateEvaluation<PackStore>.concerns(changes, in: state) else {
                (outcomes, proposal.override) = ([], nil)
                return
            }
            let store = repository.objects(try state.packs + proposal.addedPacks)
            outcomes = try askGates(&proposal, changes, state, in: store, reason)
        }
        guard let result else { return try unchanged(current) }
        var after = result.state
        repository.compact(&after, writer: writer)
        return Commit(
            number: result.state.number, refs: result.changes, state: after,
            warnings: Self.warnings(about: result.state, now: writer.now()), gates: outcomes)
    }

    /// What a commit of nothing comes to.
    func unchanged(_ current: State? = nil) throws(RefError) -> Commit {
        // Whoever wrote what is there may have crashed before syncing; sync before reporting success.
        try repository.log.makeDurable()
        return Commit(number: nil, refs: [], state: current ?? state, warnings: [], gates: [])
    }

    /// What gates would say of moves now; commits nothing.
    ///
    /// - Throws: As ``commit(_:message:overriding:)``, but for gates that refuse.
    public func rehearse(
        _ updates: [RefUpdate]
    ) throws(RefError) -> (refs: [RefChange], gates: [GateOutcome]) {
        let proposal = Proposal(base: state, updates: updates, message: "")
        let changes = try proposal.changes(in: state, now: writer.now())
        try Admission.check(changes, in: objects, state)
        return (changes, try gateOutcomes(changes, state, in: objects))
    }

    /// Asks the gates, and has the proposal say which of them it overrides.
    ///
    /// - Throws: `gates` when one refuses and there is no reason to override it.
    private func askGates(
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

    /// Refuses new snapshots with secret keys in them, whoever wrote them. One that is stored already may be moved
    /// to: refusing that would only take a way back away.
    private func refuseSecrets(in changes: [RefChange]) throws(RefError) {
        for id in Set(changes.compactMap(\.new)) where !isStored(id) {
            let snapshot: Snapshot
            do throws(ObjectError) { snapshot = try Snapshot(id, in: objects) } catch {
                throw .objects(error)
            }
            if let reason = Secrets.objection(to: snapshot) {
                throw .invalidTransaction(reason: reason)
            }
        }
    }

    /// Checks a proposal again after others removed packs. What it needs and was taken away meanwhile is stored once
    /// more, in a pack of another name, as long as there is anything to copy it from.
    private func readmit(
        _ proposal: inout Proposal, _ changes: [RefChange], _ removed: Set<ObjectID>, _ state: State
    ) throws(RefError) {
        let condemned = proposal.addedPacks.filter { removed.contains($0.name) }
        proposal.addedPacks.removeAll { removed.contains($0.name) }
        if condemned.isEmpty, try isComplete(proposal, changes, state) { return }
        let live = try state.packs
        let names = Set(live.map(\.name))
        let gone = objects.existing.known.filter { !names.contains($0.name) } + condemned
        do throws(ObjectError) {
            for pack in condemned { try objects.keepOpen(pack) }
            let rescued = try PackMarks.rescue(
                changes.compactMap(\.new), condemned + proposal.addedPacks, from: gone,
                for: repository.objects(live + proposal.addedPacks))
            if let rescued { proposal.addedPacks.append(rescued) }
        } catch { throw .objects(error) }
        if try isComplete(proposal, changes, state) { return }
        guard condemned.isEmpty, proposal.addedPacks.isEmpty else {
            throw .packRemoved((condemned + proposal.addedPacks)[0].name)
        }
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
        do throws(ObjectError) {
            for pack in proposal.addedPacks where try !PackMarks.isWhole(pack, in: store) {
                return false
            }
            return true
        } catch { throw .objects(error) }
    }

    private static func warnings(about state: State, now: Timestamp) -> [String] {
        guard let lead = state.skew(at: now) else { return [] }
        return [
            "the log's time is \(Age.description(milliseconds: lead)) ahead of this clock: "
                + "transaction \(state.number) is dated \(state.time)"
        ]
    }
}
