internal import Artifacts
internal import Objects

/// The embed stage: it makes the vectors that the chunks of many documents lack, in one go.
struct EmbedStage: Sendable {
    let embedder: any Embedder

    /// A document with its rows.
    struct Embedded {
        let path: String
        let outcome: DocumentWork.Outcome
        /// Its rows; none unless the outcome is `made`.
        let rows: [TableRow]
    }

    /// Embeds what has no vector yet; documents stay in their order.
    func run(
        _ documents: [(path: String, outcome: DocumentWork.Outcome)]
    ) throws(EmbeddingError) -> [Embedded] {
        var texts: [String] = []
        for case (_, .made(let made)) in documents {
            for draft in made.drafts where draft.vector == nil { texts.append(draft.text) }
        }
        let vectors = try embedder.embed(texts, as: .document)
        var next = vectors.makeIterator()
        return documents.map { path, outcome in
            guard case .made(let made) = outcome else {
                return Embedded(path: path, outcome: outcome, rows: [])
            }
            let rows = made.drafts.map { $0.tableRow($0.vector ?? next.next() ?? []) }
            return Embedded(path: path, outcome: outcome, rows: rows)
        }
    }
}
