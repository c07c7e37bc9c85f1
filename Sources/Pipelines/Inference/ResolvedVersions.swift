internal import Conditions
public import Artifacts

public import Objects
public import Refs
internal import Storage

/// The result of the resolve stage: features, and a ranker and more that fit them.
public struct ResolvedVersions: Sendable {
    /// The versions, and the state in which they were resolved.
    public let chosen: ChosenVersions
    /// The embedding space of the features and the ranker.
    public let space: EmbeddingSpace
    let table: Table
    /// The declared attributes of the features.
    let schema: AttributeSchema
    /// The lexical index of the features; nil where the snapshot has none.
    let index: Content?
    let embedder: any Embedder
    let objects: PackStore

    /// Checks that the chosen versions fit, and opens the embedder of their space.
    ///
    /// - Parameter previous: Versions that are open. Their embedder is used again if it made its vectors with weights from
    ///   the repository, which cannot change; a service is checked anew.
    /// - Throws: `embedding` when the spaces differ, or when the embedder is missing or has changed; `unusable`,
    ///   `refs`, `objects`.
    static func resolve(
        _ chosen: ChosenVersions, in repository: Repository, state: State,
        embedders: EmbedderRegistry, sharing previous: ResolvedVersions? = nil
    ) throws(InferenceError) -> ResolvedVersions {
        let objects = try wrapping(repository.objects(in: state), as: InferenceError.refs)
        let features = try wrapping(
            Snapshot(chosen.roles.features, in: objects), as: InferenceError.objects)
        guard features.kind == .features, let table = features.content.table else {
            throw .unusable(
                name: chosen.names.features, reason: "it is a snapshot of kind \(features.kind)")
        }
        var needed = features.space
        if let ranker = chosen.roles.ranker {
            let model = try wrapping(Snapshot(ranker, in: objects), as: InferenceError.objects)
            guard model.kind == .model, case .tree = model.content else {
                throw .unusable(
                    name: chosen.names.model, reason: "it is a snapshot of kind \(model.kind)")
            }
            needed = try wrapping(SpaceNeed(of: model, in: objects).id, as: InferenceError.refs)
        }
        guard let space = features.space, needed == space else {
            throw .embedding(.spacesDiffer(needed: needed, found: features.space))
        }
        let description = try wrapping(
            EmbeddingSpace(space, in: objects), as: InferenceError.objects)
        guard description.dimension == table.dimension else {
            throw .unusable(
                name: chosen.names.features,
                reason:
                    "its vectors have dimension \(table.dimension), its space has \(description.dimension)"
            )
        }
        let known = previous.flatMap { previous in
            previous.space == description && description.encoder != nil ? previous.embedder : nil
        }
        let embedder = try wrapping(as: InferenceError.embedding) { () throws(EmbeddingError) in
            if let known { known } else { try embedders.embedder(of: description, in: objects) }
        }
        return ResolvedVersions(
            chosen: chosen, space: description, table: table,
            schema: AttributeSchema(params: features.params), index: features.index,
            embedder: embedder, objects: objects)
    }

    /// The ranker; the untrained one where the release binds none.
    ///
    /// - Throws: `objects` when one of its files is missing or malformed; `embedding` when its configuration names
    ///   another space than its snapshot.
    func ranker() throws(InferenceError) -> Ranker {
        guard let id = chosen.roles.ranker else { return .untrained(for: space) }
        let ranker = try wrapping(Ranker(id, in: objects), as: InferenceError.objects)
        guard ranker.space == space.id else {
            throw .embedding(.spacesDiffer(needed: ranker.space, found: space.id))
        }
        return ranker
    }

    /// The prompt that the release binds; the built-in one where it binds none.
    ///
    /// - Throws: `objects` when it is missing or malformed.
    func prompt() throws(InferenceError) -> Prompt {
        guard let bound = chosen.roles.prompt else { return .builtin }
        let bytes = try wrapping(
            objects.read(bound.id, limit: Prompt.byteLimit), as: InferenceError.objects)
        return try malformed(bound.id, as: "prompt") { () throws(JSONSchemaError) in
            try Prompt(file: bound.form.rawValue, bytes)
        }
    }

    /// The recorded answers of the language model; nil where the release binds none.
    ///
    /// - Throws: `objects` when they are missing or malformed.
    func canary() throws(InferenceError) -> Canary? {
        guard let id = chosen.roles.canary else { return nil }
        let bytes = try wrapping(
            objects.read(id, limit: Canary.byteLimit), as: InferenceError.objects)
        return try malformed(id, as: "canary") { () throws(JSONSchemaError) in
            try Canary(decoding: bytes)
        }
    }

    private func malformed<Value>(
        _ id: ObjectID, as kind: String, _ decode: () throws(JSONSchemaError) -> Value
    ) throws(InferenceError) -> Value {
        do throws(JSONSchemaError) { return try decode() } catch {
            throw .objects(
                .malformed(id, as: kind, reason: "\(error.path) \(error.reason)", offset: nil))
        }
    }
}

/// The versions that a selection names in one state of the log; equal when they name the same snapshots.
public struct ChosenVersions: Equatable, Sendable {
    /// The versions by role.
    public let roles: Release.Roles
    /// The release that binds them; nil when the selection named none.
    public let release: ObjectID?
    /// The newest transaction of the state; for pinned versions, the lock file's.
    public let transaction: Int
    /// The revisions that the user typed or the lock file records, for messages.
    let names: (features: String, model: String)

    /// The snapshots by role, the release among them.
    public var snapshots: [String: ObjectID] {
        var snapshots = roles.inputs
        snapshots["release"] = release
        return snapshots
    }

    /// Resolves a selection.
    ///
    /// - Parameter reranker: The revision of the reranker's model; nil for the one that a release binds.
    /// - Throws: `rerankerDiffers` when a release or a lock file has another reranker; `pin`, `unusable`, `refs`,
    ///   `objects`.
    init(
        _ selection: Selection, reranker: String? = nil, in repository: Repository, state: State,
        now: Timestamp
    ) throws(InferenceError) {
        let resolver = Resolver(repository, state: state, now: now)
        let named = try wrapping(as: InferenceError.refs) { () throws(RefError) in
            try reranker.map { (name) throws(RefError) in
                try resolver.snapshot(try Revision(name))
            }
        }
        try self.init(selection, reranker: named, resolver, in: repository, state: state)
        guard let reranker, named != roles.reranker else { return }
        let versions = if case .pinned(_, let path) = selection { path } else { names.features }
        throw .rerankerDiffers(named: reranker, versions: versions, bound: roles.reranker)
    }

    private init(
        _ selection: Selection, reranker: ObjectID?, _ resolver: Resolver,
        in repository: Repository, state: State
    ) throws(InferenceError) {
        switch selection {
        case .revisions(let features, let model):
            names = (features, model)
            roles = try wrapping(as: InferenceError.refs) { () throws(RefError) in
                Release.Roles(
                    features: try resolver.snapshot(try Revision(features)),
                    ranker: try resolver.snapshot(try Revision(model)), reranker: reranker)
            }
            release = nil
            transaction = state.number
        case .release(let name):
            names = (name, name)
            (release, roles) = try wrapping(as: InferenceError.refs) { () throws(RefError) in
                let id = try resolver.snapshot(try Revision(name))
                return (id, try Self.roles(of: id, name, in: repository.objects(in: state)))
            }
            transaction = state.number
        case .pinned(let lock, let path):
            guard lock.repository == state.repositoryID else {
                throw .pin(path: path, reason: "it pins versions of another repository")
            }
            transaction = lock.transaction
            if let pin = lock.pin(of: .release) {
                names = (pin.revision, pin.revision)
                release = pin.id
                roles = try wrapping(
                    Self.roles(of: pin.id, pin.revision, in: repository.objects(in: state)),
                    as: InferenceError.refs)
                return
            }
            guard let features = lock.pin(of: .features), let model = lock.pin(of: .model) else {
                throw .pin(
                    path: path,
                    reason: "it must pin one release, or one features snapshot and one model")
            }
            names = (features.revision, model.revision)
            roles = Release.Roles(features: features.id, ranker: model.id)
            release = nil
        }
    }

    /// Compares neither the names nor the transaction.
    public static func == (left: ChosenVersions, right: ChosenVersions) -> Bool {
        left.roles == right.roles && left.release == right.release
    }

    private static func roles(
        of release: ObjectID, _ name: String, in objects: PackStore
    ) throws(RefError) -> Release.Roles {
        let snapshot = try wrapping(Snapshot(release, in: objects), as: RefError.objects)
        return try Release(of: snapshot, named: name, in: objects).roles
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
