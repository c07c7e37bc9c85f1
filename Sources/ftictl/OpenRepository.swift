import CommandSupport
import Objects
import Refs
import Storage

/// A repository in one of its states: a command resolves everything against the same one.
struct OpenRepository {
    let repository: Repository
    let state: State
    private let resolver: Resolver
    private let output: Output

    init(_ repository: Repository, state: State, now: Timestamp, output: Output) {
        self.repository = repository
        self.state = state
        self.output = output
        resolver = Resolver(repository, state: state, now: now)
    }

    /// The objects of the state; packs are opened when they are needed.
    var objects: PackStore { get throws { try resolver.objects() } }

    /// What a revision means.
    func resolve(_ text: String) throws -> Resolution {
        let resolution = try resolver.resolve(text)
        for warning in resolution.warnings { try output.note("warning: \(warning)") }
        return resolution
    }

    /// The snapshot that a revision names.
    func snapshotID(_ text: String) throws -> ObjectID {
        let resolution = try resolve(text)
        switch resolution.target {
        case .snapshot(let id): return id
        case .object(let id): throw RefError.revision(.notASnapshot(id))
        case .entry, .row:
            throw CommandError.usage(
                "\(text) names a part of a snapshot, where a snapshot is needed",
                remedy: "leave out what follows the colon")
        }
    }

    /// The snapshot with an identity.
    func snapshot(_ id: ObjectID) throws -> Snapshot { try resolver.read(id) }

    /// The same of what a ref once pointed at; nil when it was collected.
    func snapshotIfThere(_ id: ObjectID) throws -> Snapshot? {
        do throws(RefError) { return try resolver.read(id) } catch {
            switch error {
            case .objects(.missing(id)), .objects(.collected(id, _)): return nil
            default: throw error
            }
        }
    }

    /// The same of what a ref points at in this state; nil when the ref was moved and the snapshot collected since.
    func snapshotUnlessCollected(_ id: ObjectID) throws -> Snapshot? {
        do throws(RefError) { return try resolver.read(id) } catch {
            guard case .objects(.collected(id, _)) = error else { throw error }
            return nil
        }
    }

    /// The target of a ref.
    ///
    /// - Throws: `unknownRef`, which says which refs are like it.
    func target(of name: RefName) throws -> ObjectID {
        if let target = state.target(of: name) { return target }
        return try resolver.snapshot(Revision(name))
    }

    /// Begins a transaction on the state that everything was resolved in.
    func begin(_ writer: Writer, moving names: [RefName] = []) throws -> Transaction {
        try repository.begin(on: state, writer: writer, moving: names)
    }
}

extension CommandContext {
    /// That repository in its newest state.
    func open() throws -> OpenRepository {
        let repository = try repository()
        return OpenRepository(
            repository, state: try repository.state(), now: now, output: output)
    }

    /// Where the states of stored files are kept; nil when there is no home for it.
    func statCache(of repository: RandomBits) -> CacheFile? {
        StatCacheLocation.path(repository: repository.hex, environment: environment)
            .map { CacheFile($0) }
    }
}

extension Content {
    /// The table, if it is one.
    var table: Table? {
        guard case .table(let root, let rows, let dimension) = self else { return nil }
        return Table(root: root, rows: rows, dimension: dimension)
    }
}
