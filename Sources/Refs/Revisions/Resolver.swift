public import Objects
internal import Storage
internal import Synchronization

/// Finds what revisions mean in one state of a repository.
///
/// Made once for each operation, so that everything it resolves belongs together. Resolving the name of a
/// ref reads one object: the snapshot, which must be of the ref's kind. Safe to use from several threads.
public final class Resolver: Sendable {
    /// The state that everything is resolved in.
    public let state: State
    private let repository: Repository
    private let now: Timestamp
    private let store = Mutex<PackStore?>(nil)
    private let names = Mutex<Set<RefName>>([])
    private let known = Mutex(Known())

    /// Snapshots that were read: many refs may point at one, and it may be large.
    private struct Known {
        var snapshots: [ObjectID: Snapshot] = [:]
        var bytes = 0
    }

    /// The most bytes of snapshots that are kept, as they are encoded.
    private static let knownLimit = 16 << 20

    /// The most bytes of an object whose sort is looked at when an id names it: larger than any snapshot
    /// that a person made, and small enough to read in passing.
    private static let sniffLimit = 8 << 20
    /// How many objects an ambiguous prefix lists.
    private static let candidateLimit = 10

    /// Makes a resolver; `now` is what times such as `yesterday` count from.
    public init(_ repository: Repository, state: State, now: Timestamp) {
        self.repository = repository
        self.state = state
        self.now = now
    }

    /// The objects of the state.
    ///
    /// - Throws: `damaged` when the log's account of packs contradicts itself.
    public func objects() throws(RefError) -> PackStore {
        if let store = store.withLock({ $0 }) { return store }
        let made = try repository.objects(in: state)
        return store.withLock { store in
            store = store ?? made
            return store ?? made
        }
    }

    /// Reads and resolves a revision; a mistyped ref is answered with the ones that may be meant.
    ///
    /// - Throws: As ``Revision/init(_:)`` and ``resolve(_:)-(Revision)``.
    public func resolve(_ text: some StringProtocol) throws(RefError) -> Resolution {
        let revision: Revision
        do {
            revision = try Revision(text)
        } catch {
            guard case .revision(.unknown(let word, _)) = error else { throw error }
            throw .revision(
                .unknown(text: word, suggestions: Suggestions.near(word, among: state.refs.keys)))
        }
        return try resolve(revision)
    }

    /// Resolves a revision.
    ///
    /// - Throws: `unknownRef` or `revision` when it finds nothing, saying what there is instead; `objects`
    ///   when what it leads through cannot be read; `damaged`, `needsNewer`.
    public func resolve(_ revision: Revision) throws(RefError) -> Resolution {
        var warnings: [String] = []
        var ref: RefName?
        var target: Resolution.Target
        switch revision.base {
        case .ref(let name):
            ref = name
            _ = names.withLock { $0.insert(name) }
            let id = try value(of: name, revision.selector, &warnings)
            try refuseMisdirected(name, at: id)
            target = .snapshot(id)
        case .object(let prefix): target = try object(prefix)
        }
        for step in revision.steps {
            let start = try snapshotID(target)
            switch step {
            case .ancestor(let generation): target = .snapshot(try ancestor(of: start, generation))
            case .input(let role): target = .snapshot(try input(role, of: start))
            }
        }
        var snapshot: ObjectID?
        if case .snapshot(let id) = target { snapshot = id }
        if let path = revision.path {
            let id = try snapshotID(target)
            target = try find(path, in: id)
        }
        return Resolution(target: target, snapshot: snapshot, ref: ref, warnings: warnings)
    }

    /// The identity of the snapshot that a revision means.
    ///
    /// - Throws: As ``resolve(_:)-(Revision)``; `revision` when it means something else.
    public func snapshot(_ revision: Revision) throws(RefError) -> ObjectID {
        try snapshotID(try resolve(revision).target)
    }

    /// Does something that writes, relying on the refs that were resolved and on others.
    ///
    /// - Throws: What `body` throws; `conflict` in place of an error about something absent, when one of the refs was moved
    ///   meanwhile: a collection may remove what it pointed at before.
    public func writing<Result>(
        _ others: [RefName], _ body: () throws -> Result
    ) throws -> Result {
        do { return try body() } catch {
            guard
                let cause = error as? RefError ?? (error as? ObjectError).map({ .objects($0) }),
                let conflict = repository.conflict(
                    behind: cause, relyingOn: names.withLock { $0 }.union(others), in: state)
            else { throw error }
            throw conflict
        }
    }

    /// Reads a snapshot.
    ///
    /// - Throws: `revision` when the object is no snapshot; `objects`.
    public func read(_ id: ObjectID) throws(RefError) -> Snapshot {
        let objects = try objects()
        do throws(ObjectError) { return try snapshot(id, in: objects) } catch {
            if case .malformed = error { throw .revision(.notASnapshot(id)) }
            throw .objects(error)
        }
    }

    private func snapshot(_ id: ObjectID, in objects: PackStore) throws(ObjectError) -> Snapshot {
        if let snapshot = known.withLock({ $0.snapshots[id] }) { return snapshot }
        let bytes = try objects.read(id, limit: structuredObjectLimit)
        let snapshot = try Snapshot(decoding: bytes, id: id)
        known.withLock { known in
            if known.bytes + bytes.count > Self.knownLimit { known = Known() }
            known.snapshots[id] = snapshot
            known.bytes += bytes.count
        }
        return snapshot
    }

    /// Reads the snapshot that a ref points at, or once did.
    ///
    /// - Throws: `misdirected` when the ref cannot point at what is there; `objects`.
    public func read(_ id: ObjectID, of name: RefName) throws(RefError) -> Snapshot {
        let objects = try objects()
        let snapshot: Snapshot
        do throws(ObjectError) { snapshot = try self.snapshot(id, in: objects) } catch {
            switch error {
            case .malformed(id, _, _, _), .tooLarge(id, _, _):
                throw .misdirected(name, id, found: "no snapshot")
            default: throw .objects(error)
            }
        }
        guard snapshot.kind == name.namespace.kind else {
            throw .misdirected(name, id, found: "a \(snapshot.kind.rawValue) snapshot")
        }
        return snapshot
    }

    /// Refuses a value of a ref that no writer would have given it. One that is not there says so when it is read.
    private func refuseMisdirected(_ name: RefName, at id: ObjectID) throws(RefError) {
        do throws(RefError) { _ = try read(id, of: name) } catch .objects { return }
    }

    private func snapshotID(_ target: Resolution.Target) throws(RefError) -> ObjectID {
        switch target {
        case .snapshot(let id): return id
        case .object(let id): throw .revision(.notASnapshot(id))
        case .entry(let entry): throw .revision(.notASnapshot(entry.id))
        case .row(let key): throw .revision(.badPath(key, reason: "it is a row, not a snapshot"))
        }
    }

    // MARK: Refs

    private func value(
        of name: RefName, _ selector: Revision.Selector?, _ warnings: inout [String]
    ) throws(RefError) -> ObjectID {
        guard state.lastTransaction(of: name) != nil else { throw state.absence(of: name) }
        switch selector {
        case nil: return try state.existingTarget(of: name)
        case .position(let position): return try value(of: name, at: position)
        case .time(let time): return try value(of: name, at: time, &warnings)
        }
    }

    /// Counts values only: a removal in between is none.
    private func value(of name: RefName, at position: Int) throws(RefError) -> ObjectID {
        if position == 0 { return try state.existingTarget(of: name) }
        var history = repository.log.history(of: name, in: state)
        // A ref that is removed now had its last value one move ago.
        var count = state.target(of: name) == nil ? 1 : 0
        let base = count
        while let version = try history.next() {
            guard let target = version.target else { continue }
            if count == position { return target }
            count += 1
        }
        throw .revision(.noPriorValue(name, position: position, available: count - base))
    }

    private func value(
        of name: RefName, at time: RevisionTime, _ warnings: inout [String]
    ) throws(RefError) -> ObjectID {
        let moment = time.resolved(now: now)
        if case .now = time, let target = state.target(of: name) { return target }
        if let moment, moment > now, let target = state.target(of: name) {
            warnings.append("\(moment) is in the future: this is the newest value of \(name)")
            return target
        }
        var history = repository.log.history(of: name, in: state)
        var first = now
        var isThen = true
        while let version = try history.next() {
            first = version.entry.moment(asOf: now.milliseconds)
            // A moment before the year 0 is before everything.
            guard isThen, let moment, first <= moment else { continue }
            if let target = version.target { return target }
            isThen = false
        }
        throw .revision(.notThen(name, time, first: first))
    }

    // MARK: Snapshots

    private func ancestor(
        of start: ObjectID, _ generation: Int
    ) throws(RefError) -> ObjectID {
        var id = start
        for step in 0..<generation {
            guard let parent = try read(id).parents.first else {
                throw .revision(
                    .noAncestor(of: start, generation: generation, available: step + 1))
            }
            id = parent
        }
        return id
    }

    private func input(_ role: String, of id: ObjectID) throws(RefError) -> ObjectID {
        let inputs = try read(id).inputs
        guard let input = inputs.first(where: { $0.key.utf8.elementsEqual(role.utf8) }) else {
            throw .revision(.noRole(role, of: id, roles: inputs.keys.sorted()))
        }
        return input.value
    }

    // MARK: Objects

    private func object(_ prefix: ObjectIDPrefix) throws(RefError) -> Resolution.Target {
        let objects = try objects()
        let found: [ObjectID]
        do throws(ObjectError) {
            found = try objects.objects(withPrefix: prefix, limit: Self.candidateLimit)
        } catch { throw .objects(error) }
        guard let id = found.first else { throw .revision(.noObject(prefix: prefix.hex)) }
        guard found.count == 1 else {
            var candidates: [RevisionError.Candidate] = []
            for id in found {
                candidates.append(.init(id: id, kind: try kind(of: id, in: objects).description))
            }
            throw .revision(.ambiguous(prefix: prefix.hex, candidates: candidates))
        }
        if case .snapshot = try kind(of: id, in: objects) { return .snapshot(id) }
        return .object(id)
    }

    private enum Kind: CustomStringConvertible {
        case snapshot(Snapshot.Kind), other(size: Int)

        var description: String {
            switch self {
            case .snapshot(let kind): "\(kind.rawValue) snapshot"
            case .other(let size): "\(size) bytes"
            }
        }
    }

    private func kind(of id: ObjectID, in objects: PackStore) throws(RefError) -> Kind {
        do throws(ObjectError) {
            let size = try objects.size(of: id) ?? 0
            guard size <= Self.sniffLimit else { return .other(size: size) }
            let bytes = try objects.read(id, limit: Self.sniffLimit)
            // Canonical JSON sorts its keys, so every snapshot begins so.
            guard bytes.starts(with: #"{"content":"#.utf8),
                let snapshot = try? Snapshot(decoding: bytes, id: id)
            else { return .other(size: size) }
            return .snapshot(snapshot.kind)
        } catch { throw .objects(error) }
    }
}

/// What a revision means in one state.
public struct Resolution: Sendable {
    /// What was found.
    public enum Target: Hashable, Sendable {
        /// A snapshot.
        case snapshot(ObjectID)
        /// An object that is not a snapshot.
        case object(ObjectID)
        /// A path below a snapshot's tree.
        case entry(TreeEntry)
        /// The row of a snapshot's table that has this key.
        case row(key: String)
    }

    /// What was found.
    public let target: Target
    /// The snapshot that it is, or that the path begins from; nil for other objects.
    public let snapshot: ObjectID?
    /// The ref that the revision begins with.
    public let ref: RefName?
    /// What the caller should tell a person, such as that a moment lies in the future.
    public let warnings: [String]

    /// The identity of the object that was found; nil for a row, which is a part of one.
    public var id: ObjectID? {
        switch target {
        case .snapshot(let id), .object(let id): id
        case .entry(let entry): entry.id
        case .row: nil
        }
    }
}

extension Resolver {
    /// Finds a path in a snapshot's tree, or a key in its table.
    ///
    /// - Throws: `revision` when there is none, or the path is not possible in a tree; `objects`.
    func find(_ path: String, in id: ObjectID) throws(RefError) -> Resolution.Target {
        let snapshot = try read(id)
        let objects = try objects()
        switch snapshot.content {
        case .tree(let root, _, _):
            let relative: RelativePath
            // A directory is listed with a slash behind its name, and may be typed so.
            let namesDirectory = path.utf8.count > 1 && path.utf8.last == UInt8(ascii: "/")
            do throws(FileNameError) {
                relative = try RelativePath(namesDirectory ? String(path.dropLast()) : path)
            } catch { throw .revision(.badPath(path, reason: error.reason)) }
            let entry: TreeEntry?
            do throws(ObjectError) {
                entry = try TreeReader(objects).entry(at: relative, in: root)
            } catch { throw .objects(error) }
            guard let entry, entry.mode == .directory || !namesDirectory else {
                throw .revision(.noPath(path, of: id))
            }
            return .entry(entry)
        case .table(let root, let rows, let dimension):
            let table = Table(root: root, rows: rows, dimension: dimension)
            for key in Self.keys(meantBy: path) {
                do throws(ObjectError) {
                    if try table.row(for: key, in: objects) != nil { return .row(key: key) }
                } catch { throw .objects(error) }
            }
            throw .revision(.noPath(path, of: id))
        }
    }

    /// The keys that a person may mean: the one that is typed; of a number the text that is spelled so; and what is
    /// shown with escapes, since a terminal would obey it.
    private static func keys(meantBy path: String) -> [String] {
        var keys = [path]
        if let text = RowKey.ofText(spelledAs: path) { keys.append(text) }
        if let shown = unescaped(path) { keys.append(shown) }
        return keys
    }

    /// A text in which escapes such as `\u{202e}` are the characters; nil where there are none.
    private static func unescaped(_ text: String) -> String? {
        var result = ""
        var rest = text[...]
        var found = false
        while let mark = rest.firstRange(of: "\\u{") {
            result += rest[..<mark.lowerBound]
            rest = rest[mark.upperBound...]
            guard let end = rest.firstIndex(of: "}"), rest[..<end].utf8.count <= 6,
                let value = UInt32(rest[..<end], radix: 16), let scalar = Unicode.Scalar(value)
            else {
                result += "\\u{"
                continue
            }
            result.unicodeScalars.append(scalar)
            rest = rest[rest.index(after: end)...]
            found = true
        }
        return found ? result + rest : nil
    }
}
