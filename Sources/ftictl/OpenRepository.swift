import CommandSupport
import Objects
import Refs

/// A repository in one of its states: a command resolves everything against the same one.
struct OpenRepository {
    let repository: Repository
    let state: State
    /// The objects of that state; packs are opened when they are needed.
    let objects: PackStore

    /// The snapshot that a revision names.
    func snapshotID(_ text: String) throws -> ObjectID {
        if let id = ObjectID(hex: text) { return id }
        let name = try RefName(text)
        guard let target = state.target(of: name) else {
            throw RefError.unknownRef(name, suggestions: [])
        }
        return target
    }

    /// The snapshot with an identity.
    func snapshot(_ id: ObjectID) throws -> Snapshot { try Snapshot(id, in: objects) }
}

extension CommandContext {
    /// The repository that the command works on.
    func repository() throws -> Repository {
        try Repository(opening: try repositoryLocation())
    }

    /// That repository in its newest state.
    func open() throws -> OpenRepository {
        let repository = try repository()
        let state = try repository.state()
        return OpenRepository(
            repository: repository, state: state, objects: try repository.objects(in: state))
    }

    /// Who writes.
    var writer: Writer { Writer(name: environment.author, now: environment.now) }
}
