public import Objects
internal import Storage

/// Options for moving refs.
public struct MoveOptions: Sendable {
    /// The message of the transaction; may be empty.
    public var message: String
    /// Whether the gates are evaluated and nothing is committed.
    public var isRehearsal: Bool
    /// Why the moves go ahead although gates refuse them; nil when gates decide.
    public var overrideReason: String?

    /// Makes options; by default the moves are committed with an empty message, and gates decide.
    public init(
        message: String = "", isRehearsal: Bool = false, overrideReason: String? = nil
    ) {
        self.message = message
        self.isRehearsal = isRehearsal
        self.overrideReason = overrideReason
    }
}

/// The result of moving refs.
public enum MoveOutcome: Sendable {
    /// The moves were committed.
    case committed(Commit)
    /// The gates were evaluated and nothing was committed.
    case rehearsed(Rehearsal)
}

/// The expected result of committing some moves.
public struct Rehearsal: Sendable {
    /// The refs that would move, without those that are at their targets already.
    public let refs: [RefChange]
    /// The outcomes of all gates that apply to the moves.
    public let gates: [GateOutcome]
    /// The error that a commit would throw because gates refuse; nil when it would go ahead.
    public let refusal: RefError?
}

/// The use cases that move refs: each reads one state, and moves all of its refs in one transaction or none.
extension Repository {
    /// Moves refs, or rehearses the moves.
    ///
    /// - Parameter state: The state that the caller decided on; a ref that moved since is a conflict.
    /// - Throws: As ``Transaction/commit(_:message:overriding:)``. In a rehearsal, a refusal by gates is part of the
    ///   outcome and is not thrown.
    public func move(
        _ updates: [RefUpdate], in state: State, by writer: Writer,
        _ options: MoveOptions = MoveOptions()
    ) throws(RefError) -> MoveOutcome {
        do throws(RefError) {
            let transaction = try begin(on: state, writer: writer)
            if options.isRehearsal {
                return .rehearsed(
                    try transaction.rehearse(updates, overriding: options.overrideReason))
            }
            return .committed(
                try transaction.commit(
                    updates, message: options.message, overriding: options.overrideReason))
        } catch {
            throw conflict(behind: error, relyingOn: updates.map(\.name), in: state) ?? error
        }
    }

    /// Points refs at the snapshots that revisions name.
    ///
    /// - Throws: As ``move(_:in:by:_:)``; `revision` when a revision names no snapshot; `unknownRef` and `deleted`.
    public func promote(
        _ moves: [(from: Revision, to: RefName)], in state: State, by writer: Writer,
        _ options: MoveOptions = MoveOptions()
    ) throws(RefError) -> MoveOutcome {
        let resolver = Resolver(self, state: state, now: writer.now())
        do throws(RefError) {
            var updates: [RefUpdate] = []
            for (revision, name) in moves {
                updates.append(RefUpdate(name, new: try resolver.snapshot(revision)))
            }
            return try move(updates, in: state, by: writer, options)
        } catch { throw resolver.conflict(behind: error) ?? error }
    }

    /// Moves each ref back to the value that it had before it first got its current one, so that a second rollback goes
    /// further back instead of forward again.
    ///
    /// - Throws: As ``move(_:in:by:_:)``; `unknownRef` and `deleted` when a ref does not exist; `noVersionBefore` when
    ///   it has had only one value.
    public func rollBack(
        _ names: [RefName], in state: State, by writer: Writer,
        _ options: MoveOptions = MoveOptions()
    ) throws(RefError) -> MoveOutcome {
        try move(try updates(rollingBack: names, in: state), in: state, by: writer, options)
    }

    /// The updates that roll refs back; see ``rollBack(_:in:by:_:)``.
    public func updates(
        rollingBack names: [RefName], in state: State
    ) throws(RefError) -> [RefUpdate] {
        var updates: [RefUpdate] = []
        for name in names {
            let current = try state.existingTarget(of: name)
            let previous = try previousVersion(of: name, before: current, in: state)
            updates.append(RefUpdate(name, expected: .exactly(current), new: previous))
        }
        return updates
    }

    /// Reads the history as far back as the transaction that created the current value.
    private func previousVersion(
        of name: RefName, before current: ObjectID, in state: State
    ) throws(RefError) -> ObjectID {
        var history = log.history(of: name, in: state)
        // An unreadable snapshot may be the very reason for the rollback.
        let snapshot = try? Snapshot(current, in: objects(in: state))
        var previous: ObjectID?
        while let version = try history.next() {
            guard version.target == current else {
                // A deleted ref had a value before the deletion.
                previous = previous ?? version.target
                continue
            }
            previous = version.previous
            if let snapshot, version.isNew(snapshot) { break }
        }
        guard let previous else { throw .noVersionBefore(name, current) }
        return previous
    }

    /// Deletes refs; the log keeps their histories.
    ///
    /// - Throws: As ``move(_:in:by:_:)``; `unknownRef` and `deleted` when a ref does not exist.
    public func delete(
        _ names: [RefName], in state: State, by writer: Writer,
        _ options: MoveOptions = MoveOptions()
    ) throws(RefError) -> MoveOutcome {
        var updates: [RefUpdate] = []
        for name in names {
            let target = try state.existingTarget(of: name)
            updates.append(RefUpdate(name, expected: .exactly(target), new: nil))
        }
        return try move(updates, in: state, by: writer, options)
    }

    /// Renames a ref within its namespace.
    ///
    /// - Throws: As ``move(_:in:by:_:)``; `unknownRef` and `deleted` when there is no such ref; `conflict` when the new
    ///   name is taken; `wrongKind` when it is in another namespace.
    public func rename(
        _ old: RefName, to new: RefName, in state: State, by writer: Writer,
        _ options: MoveOptions = MoveOptions()
    ) throws(RefError) -> MoveOutcome {
        let target = try state.existingTarget(of: old)
        guard old != new else {
            throw .invalidTransaction(reason: "it renames \(old) to itself")
        }
        guard old.namespace == new.namespace else {
            throw .wrongKind(new, target, kind: old.namespace.kind)
        }
        try state.refuseExisting(new)
        let updates = [
            RefUpdate(old, expected: .exactly(target), new: nil),
            RefUpdate(new, expected: .absent, new: target),
        ]
        return try move(updates, in: state, by: writer, options)
    }

    /// Brings back deleted refs, each with its last value.
    ///
    /// - Throws: As ``move(_:in:by:_:)``; `unknownRef` when a ref never existed; `conflict` when a ref exists;
    ///   `notRestorable` when a last value was collected; the log's and the bucket's errors.
    public func restore(
        _ names: [RefName], in state: State, by writer: Writer,
        _ options: MoveOptions = MoveOptions()
    ) throws(RefError) -> MoveOutcome {
        var closure = SnapshotClosure(
            in: try objects(in: state), complete: Admission.targets(of: state))
        var updates: [RefUpdate] = []
        for name in names {
            try state.refuseExisting(name)
            var history = log.history(of: name, in: state)
            guard let removal = try history.next(), let target = removal.previous else {
                throw state.absence(of: name)
            }
            guard try wrapping(closure.firstMissing(for: target), as: RefError.objects) == nil
            else { throw .notRestorable(name, deletion: removal.entry.number, snapshot: target) }
            updates.append(RefUpdate(name, expected: .absent, new: target))
        }
        return try move(updates, in: state, by: writer, options)
    }
}

extension State {
    /// The target of a ref.
    ///
    /// - Throws: `unknownRef` with the names of similar refs; `deleted` when the ref was deleted.
    public func existingTarget(of name: RefName) throws(RefError) -> ObjectID {
        guard let target = target(of: name) else { throw absence(of: name) }
        return target
    }

    /// The transaction that deleted a ref; nil when it exists, or never did.
    public func deletion(of name: RefName) -> Int? { removedRefs[name] }

    /// The error for a ref that does not exist.
    func absence(of name: RefName) -> RefError {
        if let transaction = deletion(of: name) { return .deleted(name, transaction: transaction) }
        return .unknownRef(name, suggestions: Suggestions.near(name.text, among: refs.keys))
    }

    /// The conflict over a ref that does not meet an expectation.
    func conflict(over name: RefName, expected: Expectation) -> RefError {
        .conflict(
            name, expected: expected, actual: target(of: name),
            transaction: lastTransaction(of: name), ageMilliseconds: nil)
    }

    fileprivate func refuseExisting(_ name: RefName) throws(RefError) {
        if refs[name] != nil { throw conflict(over: name, expected: .absent) }
    }
}
