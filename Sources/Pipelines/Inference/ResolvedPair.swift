internal import Conditions
internal import Artifacts

public import Objects
public import Refs
internal import Storage

/// The result of the resolve stage: features and a model that fit each other.
public struct ResolvedPair: Sendable {
    /// The features snapshot.
    public let features: ObjectID
    /// The model snapshot.
    public let model: ObjectID
    /// The release that binds both, if the selection named one.
    public let release: ObjectID?
    /// The embedding space of both.
    public let space: ObjectID
    /// The newest transaction of the state in which both were resolved; for pinned versions, the lock file's.
    public let transaction: Int
    let table: Table
    /// The declared attributes of the features.
    let schema: AttributeSchema
    /// The lexical index of the features; nil where the snapshot has none.
    let index: Content?
    /// The description of the embedding space.
    let spaceDescription: EmbeddingSpace
    let modelTree: ObjectID
    let embedder: any Embedder
    let objects: PackStore

    /// Checks that the chosen versions fit, and opens the embedder of their space.
    ///
    /// - Throws: `embedding` when the spaces differ, or when the embedder is missing or has changed; `unusable`,
    ///   `refs`, `objects`.
    static func resolve(
        _ chosen: ChosenVersions, in repository: Repository, state: State,
        embedders: EmbedderSource
    ) throws(InferenceError) -> ResolvedPair {
        let objects = try wrapping(repository.objects(in: state), as: InferenceError.refs)
        let names = chosen.names

        let (first, second) = try wrapping(as: InferenceError.objects) { () throws(ObjectError) in
            (
                try Snapshot(chosen.features, in: objects),
                try Snapshot(chosen.model, in: objects)
            )
        }
        guard first.kind == .features, let table = first.content.table else {
            throw .unusable(name: names.features, reason: "it is a snapshot of kind \(first.kind)")
        }
        guard second.kind == .model, case .tree(let tree, _, _) = second.content else {
            throw .unusable(name: names.model, reason: "it is a snapshot of kind \(second.kind)")
        }

        let needed = try wrapping(SpaceNeed(of: second, in: objects).id, as: InferenceError.refs)
        guard let space = first.space, needed == space else {
            throw .embedding(.spacesDiffer(needed: needed, found: first.space))
        }
        let description = try wrapping(
            EmbeddingSpace(space, in: objects), as: InferenceError.objects)
        guard description.dimension == table.dimension else {
            throw .unusable(
                name: names.features,
                reason:
                    "its vectors have dimension \(table.dimension), its space has \(description.dimension)"
            )
        }
        let embedder = try wrapping(
            embedders.embedder(of: description), as: InferenceError.embedding)
        return ResolvedPair(
            features: chosen.features, model: chosen.model, release: chosen.release, space: space,
            transaction: chosen.transaction,
            table: table,
            schema: AttributeSchema(params: first.params), index: first.index,
            spaceDescription: description, modelTree: tree, embedder: embedder, objects: objects)
    }
}

/// The versions that a selection names in one state of the log; equal when they name the same snapshots.
struct ChosenVersions: Equatable, Sendable {
    let features: ObjectID
    let model: ObjectID
    /// The release that binds both; nil when the selection named none.
    let release: ObjectID?
    /// The newest transaction of the state; for pinned versions, the lock file's.
    let transaction: Int
    /// The revisions that the user typed or the lock file records, for messages.
    let names: (features: String, model: String)

    /// Resolves a selection.
    ///
    /// - Throws: `pin`, `unusable`, `refs`, `objects`.
    init(
        _ selection: Selection, in repository: Repository, state: State, now: Timestamp
    ) throws(InferenceError) {
        let resolver = Resolver(repository, state: state, now: now)
        switch selection {
        case .revisions(let features, let model):
            names = (features, model)
            (self.features, self.model) = try wrapping(as: InferenceError.refs) {
                () throws(RefError) in
                (
                    try resolver.snapshot(try Revision(features)),
                    try resolver.snapshot(try Revision(model))
                )
            }
            release = nil
            transaction = state.number
        case .release(let name):
            let (id, bound) = try wrapping(as: InferenceError.refs) { () throws(RefError) in
                let id = try resolver.snapshot(try Revision(name))
                return (id, try Self.release(id, in: repository.objects(in: state)))
            }
            names = (name, name)
            (features, model, release) = (bound.features, bound.model, id)
            transaction = state.number
        case .pinned(let lock, let path):
            guard lock.repository == state.repositoryID else {
                throw .pin(path: path, reason: "it pins versions of another repository")
            }
            transaction = lock.transaction
            if let pin = lock.pin(of: .release) {
                let bound = try wrapping(
                    Self.release(pin.id, in: repository.objects(in: state)), as: InferenceError.refs
                )
                names = (pin.revision, pin.revision)
                (self.features, self.model, release) = (bound.features, bound.model, pin.id)
                return
            }
            guard let features = lock.pin(of: .features), let model = lock.pin(of: .model) else {
                throw .pin(
                    path: path,
                    reason: "it must pin one release, or one features snapshot and one model")
            }
            names = (features.revision, model.revision)
            (self.features, self.model, release) = (features.id, model.id, nil)
        }
    }

    /// Compares neither the names nor the transaction.
    static func == (left: ChosenVersions, right: ChosenVersions) -> Bool {
        left.features == right.features && left.model == right.model
            && left.release == right.release
    }

    private static func release(
        _ id: ObjectID, in objects: PackStore
    ) throws(RefError) -> (features: ObjectID, model: ObjectID) {
        let snapshot = try wrapping(Snapshot(id, in: objects), as: RefError.objects)
        let roles = try Release(of: snapshot, in: objects).roles
        guard let ranker = roles.ranker else {
            throw .misfit(
                reason: "the release \(id.short) binds no ranker",
                remedy: "ftictl release REF --from \(id.short) --ranker REV")
        }
        return (roles.features, ranker)
    }
}

/// The versions that a user wants answers from.
public enum Selection: Sendable {
    /// Two revisions, resolved in one state of the log.
    case revisions(features: String, model: String)
    /// The versions that a release binds, by a revision of the release.
    case release(String)
    /// The versions of a lock file.
    case pinned(LockFile, path: String)

    /// Reads a lock file.
    ///
    /// - Throws: `storage`, `pin`.
    public static func pinned(by path: String) throws(InferenceError) -> Selection {
        let bytes = try wrapping(
            LocalFile.read(path, limit: LockFile.byteLimit), as: InferenceError.storage)
        do {
            return .pinned(try LockFile(decoding: bytes), path: path)
        } catch {
            throw .pin(path: path, reason: "\(error.path) \(error.reason)")
        }
    }
}
