public import Objects
internal import Synchronization

/// Finds what revisions mean in one state of a repository.
///
/// Made once for each operation, so that everything it resolves belongs together. Resolving the name of a
/// ref reads no object. Safe to use from several threads.
public final class Resolver: Sendable {
    /// The state that everything is resolved in.
    public let state: State
    private let repository: Repository
    private let now: Timestamp
    private let store = Mutex<PackStore?>(nil)

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
            target = .snapshot(try value(of: name, revision.selector, &warnings))
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

    /// Reads a snapshot.
    ///
    /// - Throws: `revision` when the object is no snapshot; `objects`.
    public func read(_ id: ObjectID) throws(RefError) -> Snapshot {
        let objects = try objects()
        do throws(ObjectError) {
            return try Snapshot(id, in: objects)
        } catch {
            if case .malformed = error { throw .revision(.notASnapshot(id)) }
            throw .objects(error)
        }
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
        guard state.lastTransaction(of: name) != nil else { throw unknown(name) }
        switch selector {
        case nil:
            guard let target = state.target(of: name) else { throw unknown(name) }
            return target
        case .position(let position): return try value(of: name, at: position)
        case .time(let time): return try value(of: name, at: time, &warnings)
        }
    }

    private func unknown(_ name: RefName) -> RefError {
        .unknownRef(name, suggestions: Suggestions.near(name.text, among: state.refs.keys))
    }

    /// Counts values only: a removal in between is none.
    private func value(of name: RefName, at position: Int) throws(RefError) -> ObjectID {
        if position == 0 {
            guard let target = state.target(of: name) else { throw unknown(name) }
            return target
        }
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
                candidates.append(.init(id: id, kind: try sort(of: id, in: objects).description))
            }
            throw .revision(.ambiguous(prefix: prefix.hex, candidates: candidates))
        }
        if case .snapshot = try sort(of: id, in: objects) { return .snapshot(id) }
        return .object(id)
    }

    private enum Sort: CustomStringConvertible {
        case snapshot(Snapshot.Kind), other(size: Int)

        var description: String {
            switch self {
            case .snapshot(let kind): "\(kind.rawValue) snapshot"
            case .other(let size): "\(size) bytes"
            }
        }
    }

    private func sort(of id: ObjectID, in objects: PackStore) throws(RefError) -> Sort {
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
