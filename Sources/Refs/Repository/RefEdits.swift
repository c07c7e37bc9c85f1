public import Objects

/// The moves that promote, roll back, delete, rename and restore refs. They commit nothing: a ``Transaction`` makes them, and asks gates
/// and keys.
extension Repository {
    /// What moves refs to where revisions lead, all read in one state.
    ///
    /// - Throws: `revision` when one leads to no snapshot; `unknownRef` and `deleted`.
    public func promotion(
        _ moves: [(from: Revision, to: RefName)], in state: State, now: Timestamp
    ) throws(RefError) -> [RefUpdate] {
        let resolver = Resolver(self, state: state, now: now)
        var updates: [RefUpdate] = []
        for move in moves {
            updates.append(RefUpdate(move.to, new: try resolver.snapshot(move.from)))
        }
        return updates
    }

    /// What moves refs back, each to what it was before it first got its current value: a second rollback goes further back and
    /// not forth again.
    ///
    /// - Throws: `unknownRef` and `deleted` when one does not exist; `noVersionBefore` when one never was anything else; the log's errors.
    public func rollback(
        of names: [RefName], in state: State
    ) throws(RefError) -> [RefUpdate] {
        var updates: [RefUpdate] = []
        for name in names {
            let current = try state.existingTarget(of: name)
            updates.append(
                RefUpdate(
                    name, expected: .exactly(current),
                    new: try previousVersion(of: name, before: current, in: state)))
        }
        return updates
    }

    /// History is read as far as the transaction that made the current value.
    private func previousVersion(
        of name: RefName, before current: ObjectID, in state: State
    ) throws(RefError) -> ObjectID {
        var history = log.history(of: name, in: state)
        // A ref may have to be rolled back just because nothing can be read there.
        let snapshot = try? Snapshot(current, in: objects(in: state))
        var previous: ObjectID?
        while let version = try history.next() {
            guard version.target == current else {
                // Before its removal a ref had a version as well.
                previous = previous ?? version.target
                continue
            }
            previous = version.previous
            if let snapshot, version.isNew(snapshot) { break }
        }
        guard let previous else { throw .noVersionBefore(name, current) }
        return previous
    }

    /// What deletes refs.
    ///
    /// - Throws: `unknownRef` and `deleted` when one does not exist.
    public static func deletion(
        of names: [RefName], in state: State
    ) throws(RefError) -> [RefUpdate] {
        var updates: [RefUpdate] = []
        for name in names {
            let target = try state.existingTarget(of: name)
            updates.append(RefUpdate(name, expected: .exactly(target), new: nil))
        }
        return updates
    }

    /// What gives a ref another name: the old one goes and the new one comes, both or neither.
    ///
    /// - Throws: `unknownRef` and `deleted` when there is no such ref; `conflict` when the new name is taken;
    ///   `wrongKind` when it is in another namespace.
    public static func renaming(
        _ old: RefName, to new: RefName, in state: State
    ) throws(RefError) -> [RefUpdate] {
        let target = try state.existingTarget(of: old)
        guard old != new else {
            throw .invalidTransaction(reason: "it renames \(old) to itself")
        }
        guard old.namespace == new.namespace else {
            throw .wrongKind(new, target, kind: old.namespace.kind)
        }
        try state.refuseExisting(new)
        return [
            RefUpdate(old, expected: .exactly(target), new: nil),
            RefUpdate(new, expected: .absent, new: target),
        ]
    }

    /// What brings back deleted refs, each to where it was last.
    ///
    /// - Throws: `unknownRef` when one never was; `conflict` when one exists; `notRestorable` when what it pointed at was
    ///   collected; the log's and the bucket's errors.
    public func restoration(
        of names: [RefName], in state: State
    ) throws(RefError) -> [RefUpdate] {
        let objects = try objects(in: state)
        var closure = SnapshotClosure(in: objects, complete: Admission.targets(of: state))
        var updates: [RefUpdate] = []
        for name in names {
            try state.refuseExisting(name)
            var history = log.history(of: name, in: state)
            guard let removal = try history.next(), let target = removal.previous else {
                throw state.absence(of: name)
            }
            let missing: ObjectID?
            do throws(ObjectError) { missing = try closure.firstMissing(for: target) } catch {
                throw .objects(error)
            }
            guard missing == nil else {
                throw .notRestorable(name, deletion: removal.entry.number, snapshot: target)
            }
            updates.append(RefUpdate(name, expected: .absent, new: target))
        }
        return updates
    }
}

extension State {
    /// What a ref points at.
    ///
    /// - Throws: `unknownRef`, saying which refs are like it; `deleted` when it was one.
    public func existingTarget(of name: RefName) throws(RefError) -> ObjectID {
        guard let target = target(of: name) else { throw absence(of: name) }
        return target
    }

    /// The transaction that deleted a ref; nil when it exists, or never did.
    public func deletion(of name: RefName) -> Int? { removedRefs[name] }

    /// Why there is no such ref.
    func absence(of name: RefName) -> RefError {
        if let transaction = deletion(of: name) { return .deleted(name, transaction: transaction) }
        return .unknownRef(name, suggestions: Suggestions.near(name.text, among: refs.keys))
    }

    fileprivate func refuseExisting(_ name: RefName) throws(RefError) {
        guard let ref = refs[name] else { return }
        throw .conflict(
            name, expected: .absent, actual: ref.target, transaction: ref.transaction,
            ageMilliseconds: nil)
    }
}
