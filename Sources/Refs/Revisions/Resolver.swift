public import Objects
internal import Storage
internal import Synchronization

/// Resolves revisions in one state of a repository.
///
/// Make one for each operation, so that everything it resolves belongs together. To resolve the name of a ref it reads
/// one object: the snapshot, which must be of the ref's kind. Safe to use from several threads.
public final class Resolver: Sendable {
    /// The state that everything is resolved in.
    public let state: State
    private let repository: Repository
    private let now: Timestamp
    private let store = Mutex<PackStore?>(nil)
    /// The refs that were resolved.
    private let names = Mutex<Set<RefName>>([])
    private let cache = Mutex(SnapshotCache())

    /// Snapshots that were read: many refs may point at one, and it may be large.
    private struct SnapshotCache {
        var snapshots: [ObjectID: Snapshot] = [:]
        /// The bytes of the snapshots as they are encoded.
        var bytes = 0
    }

    /// The most encoded bytes of snapshots that are cached.
    private static let cacheLimit = 16 << 20
    /// The most bytes of an object that is decoded to find out whether it is a snapshot: more than any real snapshot
    /// has, and few enough to read in passing.
    private static let sniffLimit = 8 << 20
    /// The maximum number of objects that an ambiguous prefix lists.
    private static let candidateLimit = 10

    /// Makes a resolver; times such as `yesterday` count from `now`.
    public init(_ repository: Repository, state: State, now: Timestamp) {
        self.repository = repository
        self.state = state
        self.now = now
    }

    /// The objects of the state.
    ///
    /// - Throws: `damaged` when the log contradicts itself about packs.
    public func objects() throws(RefError) -> PackStore {
        if let store = store.withLock({ $0 }) { return store }
        let opened = try repository.objects(in: state)
        return store.withLock { store in
            store = store ?? opened
            return store ?? opened
        }
    }

    /// Parses and resolves a revision; suggests similar refs for a mistyped one.
    ///
    /// - Throws: As ``Revision/init(_:)`` and ``resolve(_:)-(Revision)``.
    public func resolve(_ text: some StringProtocol) throws(RefError) -> Resolution {
        let revision: Revision
        do { revision = try Revision(text) } catch .revision(.unknown(let word, _)) {
            throw .revision(
                .unknown(text: word, suggestions: Suggestions.near(word, among: state.refs.keys)))
        }
        return try resolve(revision)
    }

    /// Resolves a revision.
    ///
    /// - Throws: `unknownRef`, `deleted` or `revision` when it finds nothing; `misdirected` when the ref points at an
    ///   object of another kind; `objects` when a snapshot on the way cannot be read; `damaged`, `untrusted`,
    ///   `needsNewer`.
    public func resolve(_ revision: Revision) throws(RefError) -> Resolution {
        var warnings: [String] = []
        var ref: RefName?
        var target: Resolution.Target
        switch revision.base {
        case .ref(let name):
            ref = name
            _ = names.withLock { $0.insert(name) }
            let id = try value(of: name, revision.selector, &warnings)
            // A missing object is reported when it is read.
            do throws(RefError) { _ = try read(id, of: name) } catch .objects {}
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
        if let path = revision.path { target = try find(path, in: try snapshotID(target)) }
        return Resolution(target: target, snapshot: snapshot, ref: ref, warnings: warnings)
    }

    /// The snapshot that a revision names.
    ///
    /// - Throws: As ``resolve(_:)-(Revision)``; `revision` when it names anything else.
    public func snapshot(_ revision: Revision) throws(RefError) -> ObjectID {
        try snapshotID(try resolve(revision).target)
    }

    /// Runs code that writes, and that relies on the resolved refs and on others.
    ///
    /// - Throws: The error of `body`; but `conflict` when an object is missing and one of the refs moved meanwhile,
    ///   because a collection may have removed its old target.
    public func writing<Result>(
        _ others: [RefName], _ body: () throws -> Result
    ) throws -> Result {
        do { return try body() } catch {
            guard
                let cause = error as? RefError ?? (error as? ObjectError).map({ .objects($0) }),
                let conflict = conflict(behind: cause, relyingOn: others)
            else { throw error }
            throw conflict
        }
    }

    /// The conflict behind an error, when one of the refs that were resolved, or one of others, moved meanwhile.
    func conflict(behind error: RefError, relyingOn others: [RefName] = []) -> RefError? {
        repository.conflict(
            behind: error, relyingOn: names.withLock { $0 }.union(others), in: state)
    }

    /// Reads a snapshot, and caches it.
    ///
    /// - Throws: `revision` when the object is not a snapshot; `objects`.
    public func read(_ id: ObjectID) throws(RefError) -> Snapshot {
        let objects = try objects()
        do throws(ObjectError) { return try snapshot(id, in: objects) } catch {
            if case .malformed = error { throw .revision(.notASnapshot(id)) }
            throw .objects(error)
        }
    }

    private func snapshot(_ id: ObjectID, in objects: PackStore) throws(ObjectError) -> Snapshot {
        if let snapshot = cache.withLock({ $0.snapshots[id] }) { return snapshot }
        let bytes = try objects.read(id, limit: structuredObjectLimit)
        let snapshot = try Snapshot(decoding: bytes, id: id)
        cache.withLock { cache in
            if cache.bytes + bytes.count > Self.cacheLimit { cache = SnapshotCache() }
            cache.snapshots[id] = snapshot
            cache.bytes += bytes.count
        }
        return snapshot
    }

    /// Reads a present or former target of a ref.
    ///
    /// - Throws: `misdirected` when the ref cannot point at such an object; `objects`.
    public func read(_ id: ObjectID, of name: RefName) throws(RefError) -> Snapshot {
        let objects = try objects()
        let snapshot: Snapshot
        do throws(ObjectError) { snapshot = try self.snapshot(id, in: objects) } catch {
            switch error {
            case .malformed(id, _, _, _), .tooLarge(id, _, _):
                throw .misdirected(name, id, found: "not a snapshot")
            default: throw .objects(error)
            }
        }
        guard snapshot.kind == name.namespace.kind else {
            throw .misdirected(name, id, found: "a \(snapshot.kind.rawValue) snapshot")
        }
        return snapshot
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

    /// Counts values; a deletion in between does not count.
    private func value(of name: RefName, at position: Int) throws(RefError) -> ObjectID {
        if position == 0 { return try state.existingTarget(of: name) }
        var history = repository.log.history(of: name, in: state)
        // The last value of a deleted ref is one move back.
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
            warnings.append("\(moment) is in the future: using the current value of \(name)")
            return target
        }
        var history = repository.log.history(of: name, in: state)
        var first = now
        var isPast = true
        while let version = try history.next() {
            first = version.entry.moment(asOf: now.milliseconds)
            // A time before the year 0 precedes every value.
            guard isPast, let moment, first <= moment else { continue }
            if let target = version.target { return target }
            isPast = false
        }
        throw .revision(.notYetSet(name, time, first: first))
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
        let found = try wrapping(
            objects.objects(withPrefix: prefix, limit: Self.candidateLimit), as: RefError.objects)
        guard let id = found.first else { throw .revision(.noObject(prefix: prefix.hex)) }
        guard found.count == 1 else {
            var candidates: [RevisionError.Candidate] = []
            for id in found {
                let kind = try wrapping(kind(of: id, in: objects), as: RefError.objects)
                candidates.append(.init(id: id, kind: kind.description))
            }
            throw .revision(.ambiguous(prefix: prefix.hex, candidates: candidates))
        }
        switch try wrapping(kind(of: id, in: objects), as: RefError.objects) {
        case .snapshot: return .snapshot(id)
        case .other: return .object(id)
        }
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

    private func kind(of id: ObjectID, in objects: PackStore) throws(ObjectError) -> Kind {
        let size = try objects.size(of: id) ?? 0
        guard size <= Self.sniffLimit else { return .other(size: size) }
        let bytes = try objects.read(id, limit: Self.sniffLimit)
        // Canonical JSON sorts its keys, so every snapshot begins with its content.
        guard bytes.starts(with: #"{"content":"#.utf8),
            let snapshot = try? Snapshot(decoding: bytes, id: id)
        else { return .other(size: size) }
        return .snapshot(snapshot.kind)
    }
}

/// The result of resolving a revision in one state.
public struct Resolution: Sendable {
    /// The thing that a revision names.
    public enum Target: Hashable, Sendable {
        /// A snapshot.
        case snapshot(ObjectID)
        /// An object that is not a snapshot.
        case object(ObjectID)
        /// The entry at a path in a snapshot's tree.
        case entry(TreeEntry)
        /// The row of a snapshot's table that has this key.
        case row(key: String)
    }

    /// The thing that the revision names.
    public let target: Target
    /// The target, or the snapshot that contains it; nil for other objects.
    public let snapshot: ObjectID?
    /// The ref that the revision begins with.
    public let ref: RefName?
    /// Warnings for a person, such as one about a time in the future.
    public let warnings: [String]

    /// The id of the object that was found; nil for a row, which is only a part of an object.
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
    /// - Throws: `revision` when there is none, or when a tree cannot have such a path; `objects`.
    func find(_ path: String, in id: ObjectID) throws(RefError) -> Resolution.Target {
        let snapshot = try read(id)
        let objects = try objects()
        switch snapshot.content {
        case .tree(let root, _, _):
            let relative: RelativePath
            // Listings show a directory with a trailing slash, so people type it.
            let namesDirectory = path.utf8.count > 1 && path.utf8.last == UInt8(ascii: "/")
            do throws(FileNameError) {
                relative = try RelativePath(namesDirectory ? String(path.dropLast()) : path)
            } catch { throw .revision(.badPath(path, reason: error.reason)) }
            let entry = try wrapping(
                TreeReader(objects).entry(at: relative, in: root), as: RefError.objects)
            guard let entry, entry.mode == .directory || !namesDirectory else {
                throw .revision(.noPath(path, of: id))
            }
            return .entry(entry)
        case .table(let table):
            for key in Self.keys(meantBy: path)
            where try wrapping(table.row(for: key, in: objects), as: RefError.objects) != nil {
                return .row(key: key)
            }
            throw .revision(.noPath(path, of: id))
        }
    }

    /// The keys that a person may mean: the typed one; for a number, the text key with the same digits; and the typed
    /// one with its escapes decoded, because listings escape what a terminal would obey.
    private static func keys(meantBy path: String) -> [String] {
        var keys = [path]
        if let text = RowKey.ofText(spelledAs: path) { keys.append(text) }
        if let shown = unescaped(path) { keys.append(shown) }
        return keys
    }

    /// Decodes escapes such as `\u{202e}`; nil when the text contains none.
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
