internal import Artifacts
internal import EmbeddingService
internal import Objects
internal import TextAnalysis
internal import Storage

/// The features to train on, opened for retrieval.
struct TrainingFeatures: Sendable {
    let snapshot: ObjectID
    let index: FeatureIndex
    let keys: FeatureKeys
    let space: EmbeddingSpace
    let embedder: any Embedder
    let source: any ObjectSource

    /// Opens a features snapshot.
    ///
    /// - Throws: `notFeatures`, `embedding`, `objects`.
    init(
        _ id: ObjectID, name: String, in source: any ObjectSource, embedders: EmbedderSource,
        verified: VerifiedLeaves?, segments: SegmentCache
    ) throws(TrainingError) {
        let snapshot = try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
            try Snapshot(id, in: source)
        }
        guard snapshot.kind == .features,
            case .table(let root, let rows, let dimension) = snapshot.content
        else {
            throw .notFeatures(name: name, reason: "it is a snapshot of kind \(snapshot.kind)")
        }
        guard let space = snapshot.space else {
            throw .notFeatures(name: name, reason: "it does not say which embedding space it is of")
        }
        let description = try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
            try EmbeddingSpace(space, in: source)
        }
        guard description.dimension == dimension else {
            throw .notFeatures(
                name: name,
                reason: "its vectors have \(dimension) numbers, its space \(description.dimension)")
        }
        embedder = try wrapping(as: TrainingError.embedding) { () throws(EmbeddingError) in
            try embedders.embedder(of: description)
        }
        let table = Table(root: root, rows: rows, dimension: dimension)
        let index = try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
            let verified = if let verified { verified } else { try VerifiedLeaves() }
            return try FeatureIndex(
                table, index: snapshot.index, in: source, verified: verified, segments: segments)
        }
        keys = try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
            try FeatureKeys(table, in: source)
        }
        self.snapshot = id
        self.index = index
        self.space = description
        self.source = source
    }

    /// The language of most rows, judged by a sample; English without evidence for another.
    func language() throws(ObjectError) -> Language {
        let count = min(Self.sample, index.count)
        let rows = try index.rows(at: (0..<count).map { $0 * index.count / count }, in: source)
        return Language.detected(in: rows.map(\.text).joined(separator: "\n")) ?? .english
    }

    private static let sample = 64
}
