public import Objects
internal import Refs
internal import Storage

/// Compares data that was derived from a snapshot, such as an index, with the snapshot.
public protocol DerivedAudit: Sendable {
    /// Describes what is wrong; nil when nothing is. Throws read errors.
    mutating func problem(
        of snapshot: Snapshot, in objects: PackStore
    ) throws(ObjectError) -> String?
}

/// Follows snapshots to all their content, and finds the snapshots that damage affects.
struct SnapshotVerifier {
    /// Damage to a snapshot or its content.
    struct Damage {
        let snapshot: ObjectID
        /// The path in the snapshot's content; empty for the snapshot itself and for content without paths.
        let path: String
        let error: ObjectError
    }

    private let objects: PackStore
    /// The objects that the audit of packs found damaged.
    private let damaged: [ObjectID: ObjectError]
    /// Nil when derived data is not checked.
    private var derived: (any DerivedAudit)?
    private var tables: TableVerifier
    private var trees: TreeVerifier
    private var contents: [Content: [(path: String, error: ObjectError)]] = [:]
    private var seen: Set<ObjectID> = []
    private(set) var damage: [Damage] = []
    /// The past versions that are missing or incomplete.
    private var incomplete: Set<ObjectID> = []
    private var inputs: [ObjectID: [ObjectID]] = [:]
    /// The kind of each snapshot read.
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

    /// Checks snapshots and their inputs, which must exist, and past versions, which may have been collected; adds what
    /// is wrong to ``damage``.
    mutating func verify(_ roots: [ObjectID], history: [ObjectID]) {
        var past = history
        // A collection removes the target of a ref only after the ref moves, so one that removed a root came after the
        // state that is verified here.
        follow(roots, past: &past) { if case .collected = $0 { false } else { true } }
        // Past versions may have been collected, wholly or in part: a missing object is no damage then, but an existing
        // one must be sound. Objects in a damaged pack do not count as missing.
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

    /// The past versions that are missing or incomplete, or have such inputs; damage or not.
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
            func note(_ error: ObjectError, at path: String = "") {
                if counts(error) {
                    damage.append(Damage(snapshot: id, path: path, error: error))
                } else if case .missing = error {
                    incomplete.insert(id)
                }
            }
            let snapshot: Snapshot
            do throws(ObjectError) {
                if let error = damaged[id] { throw error }
                snapshot = try Snapshot(id, in: objects)
            } catch {
                note(error)
                continue
            }
            kinds[id] = snapshot.kind
            past += snapshot.parents
            pending += snapshot.inputs.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map(\.value)
            inputs[id] = Array(snapshot.inputs.values)
            for (path, error) in check(snapshot) { note(error, at: path) }
        }
    }

    private mutating func check(_ snapshot: Snapshot) -> [(path: String, error: ObjectError)] {
        var result = snapshot.contents.flatMap { check($0) }
        if let space = snapshot.space, let error = absence(of: space) { result.append(("", error)) }
        // Damaged content is reported already, and nothing can be derived from it.
        if result.isEmpty, var audit = derived {
            do throws(ObjectError) {
                if let reason = try audit.problem(of: snapshot, in: objects) {
                    throw .malformed(
                        snapshot.index?.id, as: "lexical index", reason: reason, offset: nil)
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
        do throws(ObjectError) {
            return try objects.size(of: id) == nil ? .missing(id) : nil
        } catch { return error }
    }

    private mutating func check(_ content: Content) -> [(path: String, error: ObjectError)] {
        if let known = contents[content] { return known }
        let result: [(path: String, error: ObjectError)]
        switch content {
        case .table(let table):
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

extension SnapshotVerifier {
    /// Finds the refs that point at an object that their namespace does not allow, which only a forged entry can do.
    ///
    /// - Returns: A finding for each ref, and the targets that are no snapshots: they are sound, so a copy could not
    ///   repair them.
    func misdirectedRefs(of state: State) -> (findings: [Finding], objects: Set<ObjectID>) {
        var foreign: Set<ObjectID> = []
        for item in damage where item.path.isEmpty {
            switch item.error {
            case .malformed(item.snapshot, _, _, _), .tooLarge(item.snapshot, _, _):
                foreign.insert(item.snapshot)
            default: break
            }
        }
        var findings: [Finding] = []
        var objects: Set<ObjectID> = []
        for (name, ref) in state.refs.sorted(by: { $0.key < $1.key }) {
            let found: String
            if let kind = kinds[ref.target] {
                guard kind != name.namespace.kind else { continue }
                found = "a \(kind.rawValue) snapshot"
            } else {
                guard foreign.contains(ref.target) else { continue }
                found = "not a snapshot"
                objects.insert(ref.target)
            }
            let error = RefError.misdirected(name, ref.target, found: found)
            findings.append(
                Finding(
                    .misdirectedRef(remedy: error.remedy), at: .entry(ref.transaction),
                    error.message, affects: [name.text]))
        }
        return (findings, objects)
    }
}

/// The names that people know a snapshot by: the refs that point at it or, if there are none, the newest revision of
/// each ref that once did, such as `features/prod@{2}`.
struct SnapshotNames {
    private var names: [ObjectID: [String]] = [:]

    /// Reads the whole log, as far as it is readable.
    init(log: Log, state: State) {
        for (name, ref) in state.refs.sorted(by: { $0.key < $1.key }) {
            names[ref.target, default: []].append(name.text)
        }
        let current = Set(names.keys)
        var positions: [RefName: Int] = [:]
        var named: [ObjectID: Set<RefName>] = [:]
        var entries = log.entries()
        for number in stride(from: state.number, through: 0, by: -1) {
            guard let entry = try? entries.entry(number) else { continue }
            for change in entry.changes {
                let position = positions[change.name, default: 0]
                positions[change.name] = position + 1
                guard let target = change.new, !current.contains(target) else { continue }
                guard named[target, default: []].insert(change.name).inserted else { continue }
                names[target, default: []].append("\(change.name.text)@{\(position)}")
            }
        }
    }

    /// The names, such as `features/prod` or `features/prod@{2}`; the id when no ref ever pointed at the snapshot.
    subscript(id: ObjectID) -> [String] { names[id] ?? [id.short] }
}
