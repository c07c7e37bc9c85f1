internal import Objects

/// Whether refs may point where a transaction wants them to.
enum Admission {
    /// Checks that every new target is a snapshot of the ref's kind, and that what it names exists.
    ///
    /// - Throws: `wrongKind`, `notASnapshot`, `incomplete`; `objects` when objects cannot be read.
    static func check(_ changes: [RefChange], in objects: some ObjectSource) throws(RefError) {
        for change in changes {
            guard let target = change.new else { continue }
            let snapshot = try snapshot(target, for: change.name, in: objects)
            guard snapshot.kind == change.name.namespace.kind else {
                throw .wrongKind(change.name, target, kind: snapshot.kind)
            }
            for link in snapshot.links {
                guard try exists(link, in: objects) else {
                    throw .incomplete(change.name, snapshot: target, missing: link)
                }
            }
        }
    }

    private static func snapshot(
        _ id: ObjectID, for name: RefName, in objects: some ObjectSource
    ) throws(RefError) -> Snapshot {
        do {
            return try Snapshot(id, in: objects)
        } catch .missing(id) {
            throw .incomplete(name, snapshot: id, missing: id)
        } catch .malformed(_, _, let reason, _) {
            throw .notASnapshot(name, id, reason: reason)
        } catch .tooLarge(_, let size, _) {
            throw .notASnapshot(name, id, reason: "it has \(size) bytes")
        } catch { throw .objects(error) }
    }

    private static func exists(
        _ id: ObjectID, in objects: some ObjectSource
    ) throws(RefError) -> Bool {
        do throws(ObjectError) {
            return try objects.size(of: id) != nil
        } catch { throw .objects(error) }
    }
}
