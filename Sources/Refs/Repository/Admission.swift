internal import Objects

/// Whether refs may point where a transaction wants them to.
enum Admission {
    /// Checks that every new target is a snapshot of the ref's kind, that all it needs is there, and that a
    /// release binds what fits.
    ///
    /// What some ref points at in `state` is complete: no state of the log has a ref of which something is missing.
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
            let missing: ObjectID?
            do throws(ObjectError) { missing = try closure.firstMissing(for: target) } catch {
                throw .objects(error)
            }
            if let missing { throw .incomplete(change.name, snapshot: target, missing: missing) }
            if snapshot.kind == .release { _ = try Release(of: snapshot, in: objects) }
            kinds[target] = snapshot.kind
        }
    }

    /// What refs point at.
    static func targets(of state: State) -> Set<ObjectID> { Set(state.refs.values.map(\.target)) }

    private static func snapshot(
        _ id: ObjectID, for name: RefName, in objects: some ObjectSource
    ) throws(RefError) -> Snapshot {
        do {
            return try Snapshot(id, in: objects)
        } catch .missing(id) {
            throw .incomplete(name, snapshot: id, missing: id)
        } catch .collected(id, _) {
            throw .incomplete(name, snapshot: id, missing: id)
        } catch .malformed(_, _, let reason, _) {
            throw .notASnapshot(name, id, reason: reason)
        } catch .tooLarge(_, let size, _) {
            throw .notASnapshot(name, id, reason: "it has \(size) bytes")
        } catch { throw .objects(error) }
    }
}
