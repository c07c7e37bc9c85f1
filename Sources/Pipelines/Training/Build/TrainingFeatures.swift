internal import Artifacts

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
    static func open(
        _ id: ObjectID, name: String, in source: any ObjectSource, embedders: EmbedderRegistry,
        verified: VerifiedLeaves?, segments: SegmentCache
    ) throws(TrainingError) -> TrainingFeatures {
        let snapshot = try wrapping(Snapshot(id, in: source), as: TrainingError.objects)
        guard snapshot.kind == .features, let table = snapshot.content.table else {
            throw .notFeatures(name: name, reason: "it is a snapshot of kind \(snapshot.kind)")
        }
        guard let space = snapshot.space else {
            throw .notFeatures(name: name, reason: "it names no embedding space")
        }
        let description = try wrapping(EmbeddingSpace(space, in: source), as: TrainingError.objects)
        guard description.dimension == table.dimension else {
            throw .notFeatures(
                name: name,
                reason:
                    "its vectors have dimension \(table.dimension), its space has \(description.dimension)"
            )
        }
        let embedder = try wrapping(
            embedders.embedder(of: description, in: source), as: TrainingError.embedding)
        let index = try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
            let verified = if let verified { verified } else { try VerifiedLeaves() }
            return try FeatureIndex.open(
                table, index: snapshot.index, in: source, verified: verified, segments: segments)
        }
        let keys = try wrapping(FeatureKeys.read(table, in: source), as: TrainingError.objects)
        return TrainingFeatures(
            snapshot: id, index: index, keys: keys, space: description, embedder: embedder,
            source: source)
    }

    /// The language of most rows, judged by a sample; English without evidence for another.
    func language() throws(ObjectError) -> Language {
        let count = min(Self.sample, index.count)
        let rows = try index.rows(at: (0..<count).map { $0 * index.count / count }, in: source)
        return Language.detected(in: rows.map(\.text).joined(separator: "\n")) ?? .english
    }

    private static let sample = 64
}
