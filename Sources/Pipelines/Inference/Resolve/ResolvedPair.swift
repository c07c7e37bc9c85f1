internal import Artifacts
internal import EmbeddingService
public import Objects
internal import Refs
internal import Storage

/// The outcome of the resolve stage: features and a model that fit each other, by identity.
public struct ResolvedPair: Sendable {
    /// The features snapshot.
    public let features: ObjectID
    /// The model snapshot.
    public let model: ObjectID
    /// The release that binds the two, when they were chosen by one.
    public let release: ObjectID?
    /// The embedding space of both.
    public let space: ObjectID
    /// The newest transaction of the state in which both were resolved.
    public let transaction: Int
    let table: Table
    /// The attributes that the features are declared to have.
    let schema: AttributeSchema
    /// The lexical index of the features; nil where their snapshot has none.
    let index: Content?
    /// What the embedding space is.
    let spaceDescription: EmbeddingSpace
    let modelTree: ObjectID
    let embedder: any Embedder
    let objects: PackStore

    /// Checks that the chosen parts fit, and finds the embedder that the features name.
    ///
    /// - Throws: `embedding` with both spaces when they differ, or when the embedder is not there or not what it was;
    ///   `unusable`, `refs`, `objects`.
    init(
        _ chosen: ChosenVersions, in repository: Repository, state: State,
        embedders: EmbedderSource
    ) throws(InferenceError) {
        let objects = try wrapping(as: InferenceError.refs) { () throws(RefError) in
            try repository.objects(in: state)
        }
        let names = chosen.names
        (features, model, release) = (chosen.features, chosen.model, chosen.release)
        transaction = chosen.transaction
        self.objects = objects
        let (first, second) = try wrapping(as: InferenceError.objects) { () throws(ObjectError) in
            (
                try Snapshot(chosen.features, in: objects),
                try Snapshot(chosen.model, in: objects)
            )
        }
        guard first.kind == .features,
            case .table(let root, let rows, let dimension) = first.content
        else { throw .unusable(name: names.features, reason: "it is of kind \(first.kind)") }
        guard second.kind == .model, case .tree(let tree, _, _) = second.content else {
            throw .unusable(name: names.model, reason: "it is of kind \(second.kind)")
        }
        table = Table(root: root, rows: rows, dimension: dimension)
        schema = AttributeSchema(params: first.params)
        index = first.index
        modelTree = tree
        let needed = try wrapping(as: InferenceError.refs) { () throws(RefError) in
            try SpaceNeed(of: second, in: objects).id
        }
        guard let space = first.space, needed == space else {
            throw .embedding(.spacesDiffer(needed: needed, found: first.space))
        }
        self.space = space
        let description = try wrapping(as: InferenceError.objects) { () throws(ObjectError) in
            try EmbeddingSpace(space, in: objects)
        }
        guard description.dimension == dimension else {
            throw .unusable(
                name: names.features,
                reason: "its vectors have \(dimension) numbers, its space \(description.dimension)")
        }
        spaceDescription = description
        embedder = try wrapping(as: InferenceError.embedding) { () throws(EmbeddingError) in
            try embedders.embedder(of: description)
        }
    }
}
