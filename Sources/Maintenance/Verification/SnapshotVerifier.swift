public import Objects
internal import Storage

/// Compares what was derived from snapshots with what it is derived from.
public protocol DerivedAudit: Sendable {
    /// What is wrong with it; nil when nothing is.
    ///
    /// - Throws: What reading objects throws.
    mutating func problem(
        of snapshot: Snapshot, in objects: PackStore
    ) throws(ObjectError) -> String?
}

/// Follows snapshots to everything that they hold, and says which of them damage affects.
struct SnapshotVerifier {
    /// Something wrong with a snapshot, or with what it holds.
    struct Damage {
        let snapshot: ObjectID
        /// Where in the snapshot's content; empty for the snapshot itself, or where there are no paths.
        let path: String
        let error: ObjectError
    }

    private let objects: PackStore
    /// Objects whose bytes were found to be damaged already.
    private let damaged: [ObjectID: ObjectError]
    /// Finds out what is wrong with what was derived from a snapshot; nil where that is not looked at.
    private var derived: (any DerivedAudit)?
    private var tables: TableVerifier
    private var trees: TreeVerifier
    private var contents: [Content: [(path: String, error: ObjectError)]] = [:]
    private var seen: Set<ObjectID> = []
    private(set) var damage: [Damage] = []
    /// The versions of the past of which something is not there.
    private var incomplete: Set<ObjectID> = []
    /// What versions of the past were made from.
    private var inputs: [ObjectID: [ObjectID]] = [:]
    /// The kind of each snapshot that was read.
    private(set) var kinds: [ObjectID: Snapshot.Kind] = [:]

    init(
        _ objects: PackStore, damaged: [ObjectID: ObjectError], full: Bool,
        derived: (any DerivedAudit)?,
        progress: @escaping @Sendable (Int) -> Void
    ) {
        self.objects = objects
        self.damaged = damaged
        self.derived = derived
        tables = TableVerifier(objects, damaged: damaged, readsLeaves: full, progress: progress)
        trees = TreeVerifier(objects, damaged: damaged)
    }

    /// Checks what must be there: snapshots, and those that they were made from.
    ///
    /// What was found wrong is in ``damage``.
    mutating func verify(_ roots: [ObjectID], history: [ObjectID]) {
        var past = history
        // What a ref points at is collected only once the ref was moved, after the state that is checked here.
        follow(roots, past: &past) { if case .collected = $0 { false } else { true } }
        // Versions that nothing points at any more may have been collected, wholly or in part: what is not there is
        // no damage then, but what is there must be sound. What lies in a damaged pack is not "missing".
        while !past.isEmpty {
            let pending = past
            past = []
            follow(pending, past: &past) { error in
                switch error {
                case .missing, .collected: false
                default: true
                }
            }
        }
    }

    /// Those of some versions of the past of which something is not there, whether or not that is damage.
    func gone(of history: [ObjectID]) -> Set<ObjectID> {
        var gone = incomplete
        var users: [ObjectID: [ObjectID]] = [:]
        for (user, used) in inputs { for id in used { users[id, default: []].append(user) } }
        var pending = Array(incomplete)
        while let id = pending.popLast() {
            for user in users[id] ?? [] where gone.insert(user).inserted { pending.append(user) }
        }
        return gone.intersection(history)
    }

    private mutating func follow(
        _ roots: [ObjectID], past: inout [ObjectID], counts: (ObjectError) -> Bool
    ) {
        var pending = Array(roots.reversed())
        while let id = pending.popLast() {
            guard seen.insert(id).inserted else { continue }
            let snapshot: Snapshot
            do throws(ObjectError) {
                if let error = damaged[id] { throw error }
                snapshot = try Snapshot(id, in: objects)
            } catch {
                if counts(error) {
                    damage.append(Damage(snapshot: id, path: "", error: error))
                } else if case .missing = error {
                    incomplete.insert(id)
                }
                continue
            }
            kinds[id] = snapshot.kind
            past += snapshot.parents
            pending += snapshot.inputs.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map(\.value)
            inputs[id] = Array(snapshot.inputs.values)
            for (path, error) in check(snapshot) {
                if counts(error) {
                    damage.append(Damage(snapshot: id, path: path, error: error))
                } else if case .missing = error {
                    incomplete.insert(id)
                }
            }
        }
    }

    private mutating func check(_ snapshot: Snapshot) -> [(path: String, error: ObjectError)] {
        var result = snapshot.contents.flatMap { check($0) }
        if let space = snapshot.space, let error = absence(of: space) { result.append(("", error)) }
        // What cannot be read is said already, and nothing can be derived from it.
        if result.isEmpty, var audit = derived {
            do throws(ObjectError) {
                if let reason = try audit.problem(of: snapshot, in: objects) {
                    result.append(
                        (
                            "",
                            .malformed(
                                snapshot.index?.id, as: "lexical index", reason: reason, offset: nil
                            )
                        ))
                }
            } catch {
                result.append(("", error))
            }
            derived = audit
        }
        return result
    }

    private func absence(of id: ObjectID) -> ObjectError? {
        if let error = damaged[id] { return error }
        do throws(ObjectError) { return try objects.size(of: id) == nil ? .missing(id) : nil } catch
        {
            return error
        }
    }

    private mutating func check(_ content: Content) -> [(path: String, error: ObjectError)] {
        if let known = contents[content] { return known }
        let result: [(path: String, error: ObjectError)]
        switch content {
        case .table(let root, let rows, let dimension):
            let table = Table(root: root, rows: rows, dimension: dimension)
            result = tables.check(table).map { ("", $0) }
        case .tree(let root, let files, let bytes):
            result = trees.check(root, files: files, bytes: bytes).map {
                ($0.path.description, $0.error)
            }
        }
        contents[content] = result
        return result
    }
}
