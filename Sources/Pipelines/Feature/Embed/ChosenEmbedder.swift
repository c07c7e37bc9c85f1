internal import Artifacts
internal import Encoders
internal import ModelServices
internal import Objects
internal import Refs
internal import Storage

/// The embedder of a run.
struct ChosenEmbedder {
    /// What makes the vectors.
    let embedder: any Embedder
    /// The snapshot of its model, where the repository has it.
    var model: ObjectID?
}

extension FeaturePipeline {
    /// Opens the run's embedder, in the first known space that it reproduces, otherwise in a new one.
    ///
    /// The known spaces are the ref's, then those of other features and of an interrupted run, in this order.
    func embedder(
        _ baseline: Baseline, _ left: EmbeddingSpace?, in transaction: Transaction
    ) throws(FeatureError) -> ChosenEmbedder {
        func known() throws(FeatureError) -> [EmbeddingSpace] {
            // Vectors of an interrupted run are useful only if this run embeds into the same space.
            [baseline.description].compactMap(\.self)
                + (try wrapping(Self.spaces(in: transaction), as: FeatureError.objects))
                + [left].compactMap(\.self)
        }
        switch configuration.embedder {
        case .builtin(let dimension):
            let embedder = try wrapping(
                BuiltinEmbedder(dimension: dimension), as: FeatureError.embedding)
            return ChosenEmbedder(embedder: embedder)
        case .bert(let revision):
            let (model, folder) = try model(revision, in: transaction)
            let spaces = try known()
            let embedder = try wrapping(
                SentenceEncoder.open(folder, known: spaces), as: FeatureError.embedding)
            return ChosenEmbedder(embedder: embedder, model: model)
        case .service(let service):
            let spaces = try known()
            let embedder = try wrapping(
                service.open(known: spaces, variable: variable), as: FeatureError.embedding)
            return ChosenEmbedder(embedder: embedder)
        }
    }

    /// The embedding space that vectors will most likely belong to, found without reading weights or calling a service.
    func expectedSpace(
        _ baseline: Baseline, in transaction: Transaction
    ) throws(FeatureError) -> (space: EmbeddingSpace, tokens: (any TokenCounter)?) {
        let known = [baseline.description].compactMap(\.self)
        switch configuration.embedder {
        case .builtin(let dimension):
            let embedder = try wrapping(
                BuiltinEmbedder(dimension: dimension), as: FeatureError.embedding)
            return (embedder.space, nil)
        case .bert(let revision):
            let (_, folder) = try model(revision, in: transaction)
            return try wrapping(as: FeatureError.embedding) { () throws(EmbeddingError) in
                let expected = try SentenceEncoder.expected(folder, known: known)
                return (expected.space, expected.tokens)
            }
        case .service(let service): return (service.model.expectedSpace(among: known), nil)
        }
    }

    /// Finds a model at a revision.
    private func model(
        _ revision: String, in transaction: Transaction
    ) throws(FeatureError) -> (id: ObjectID, folder: ModelFolder) {
        let id = try wrapping(as: FeatureError.refs) { () throws(RefError) in
            try Resolver(repository, state: transaction.state, now: writer.now())
                .snapshot(try Revision(revision))
        }
        let folder = try wrapping(
            ModelFolder(model: id, in: transaction.objects), as: FeatureError.objects)
        guard let folder else {
            throw .embedding(
                .model(
                    message: "\(revision) is not a folder of a model", .refused,
                    remedy: "put the model's folder: ftictl put models/embedder FOLDER"))
        }
        return (id, folder)
    }

    /// The vectors that an interrupted run left; nil where vectors cost little or the cache is unavailable.
    func keptVectors(in transaction: Transaction) -> KeptVectors? {
        guard configuration.embedder.isExpensive, let cache else { return nil }
        return KeptVectors.open(
            configuration.ref.text, of: transaction.state.repositoryID.hex, in: cache,
            now: writer.now())
    }

    /// The distinct spaces of all features refs, ordered by ref name.
    private static func spaces(in transaction: Transaction) throws(ObjectError) -> [EmbeddingSpace]
    {
        var spaces: [EmbeddingSpace] = []
        var seen: Set<ObjectID> = []
        let names = transaction.state.refs.keys.filter { $0.namespace == .features }
        for name in names.sorted(by: { $0.text < $1.text }) {
            guard let target = transaction.state.target(of: name),
                let id = try Snapshot(target, in: transaction.objects).space,
                seen.insert(id).inserted
            else { continue }
            spaces.append(try EmbeddingSpace(id, in: transaction.objects))
        }
        return spaces
    }
}
