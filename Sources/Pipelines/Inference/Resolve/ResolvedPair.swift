internal import Artifacts
public import Objects
internal import Refs
internal import Storage

/// The outcome of the resolve stage: features and a model that fit each other, by identity.
public struct ResolvedPair: Sendable {
    /// The features snapshot.
    public let features: ObjectID
    /// The model snapshot.
    public let model: ObjectID
    /// The embedding space of both.
    public let space: ObjectID
    /// The newest transaction of the state in which both were resolved.
    public let transaction: Int
    let table: Table
    let modelTree: ObjectID
    let embedder: any Embedder
    let objects: PackStore

    /// Resolves a selection in the newest state of a repository and checks that the two parts fit.
    ///
    /// - Throws: `embedding` with both spaces when they differ, `unusable`, `pin`, `refs`, `objects`.
    init(
        _ selection: Selection, in repository: Repository, now: Timestamp
    ) throws(InferenceError) {
        let state = try Wrapping.refs { () throws(RefError) in try repository.state() }
        let objects = try Wrapping.refs { () throws(RefError) in try repository.objects(in: state) }
        let names: (features: String, model: String)
        let ids: (features: ObjectID, model: ObjectID)
        switch selection {
        case .revisions(let features, let model):
            names = (features, model)
            let resolver = Resolver(repository, state: state, now: now)
            ids = try Wrapping.refs { () throws(RefError) in
                (
                    try resolver.snapshot(try Revision(features)),
                    try resolver.snapshot(try Revision(model))
                )
            }
            transaction = state.number
        case .pinned(let lock, let path):
            guard lock.repository == state.repositoryID else {
                throw .pin(path: path, reason: "it pins versions of another repository")
            }
            guard let features = lock.pin(of: .features), let model = lock.pin(of: .model) else {
                throw .pin(path: path, reason: "it must pin one features snapshot and one model")
            }
            names = (features.revision, model.revision)
            ids = (features.id, model.id)
            transaction = lock.transaction
        }
        (features, model) = ids
        self.objects = objects
        let (first, second) = try Wrapping.objects { () throws(ObjectError) in
            (try Snapshot(ids.features, in: objects), try Snapshot(ids.model, in: objects))
        }
        guard first.kind == .features,
            case .table(let root, let rows, let dimension) = first.content
        else { throw .unusable(name: names.features, reason: "it is of kind \(first.kind)") }
        guard second.kind == .model, case .tree(let tree, _, _) = second.content else {
            throw .unusable(name: names.model, reason: "it is of kind \(second.kind)")
        }
        table = Table(root: root, rows: rows, dimension: dimension)
        modelTree = tree
        guard let space = first.space, second.space == space else {
            throw .embedding(.spacesDiffer(needed: second.space, found: first.space))
        }
        self.space = space
        let description = try Wrapping.objects { () throws(ObjectError) in
            try EmbeddingSpace(space, in: objects)
        }
        embedder = try Wrapping.embedding { () throws(EmbeddingError) in
            try description.availableEmbedder()
        }
        guard description.dimension == dimension else {
            throw .unusable(
                name: names.features,
                reason: "its vectors have \(dimension) numbers, its space \(description.dimension)")
        }
    }
}
