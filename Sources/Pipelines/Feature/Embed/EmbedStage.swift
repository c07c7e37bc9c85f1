internal import Artifacts
internal import Objects

/// The embed stage: it makes the vectors that the chunks of many documents lack, in one go.
struct EmbedStage: Sendable {
    let embedder: any Embedder
    /// The vectors of a run that was cut off, and where new ones are kept; nil where they cost nothing.
    let kept: KeptVectors?
    let meter: RunMeter

    /// A document with its rows.
    struct Embedded {
        let path: String
        let outcome: DocumentWork.Outcome
        /// Its rows; none unless the outcome is `made`.
        let rows: [TableRow]
    }

    /// Embeds what has no vector yet, each text once; documents stay in their order.
    func run(
        _ documents: [(path: String, outcome: DocumentWork.Outcome)]
    ) throws(EmbeddingError) -> [Embedded] {
        // By bytes: canonically equivalent texts are different texts.
        var vectors: [[UInt8]: [Float]] = [:]
        var texts: [String] = []
        for case (_, .made(let made)) in documents {
            for draft in made.drafts where draft.vector == nil {
                guard vectors.updateValue([], forKey: Array(draft.text.utf8)) == nil else {
                    continue
                }
                if let vector = kept?.vector(of: draft.text) {
                    vectors[Array(draft.text.utf8)] = vector
                    meter.recovered()
                } else {
                    texts.append(draft.text)
                }
            }
        }
        let asked = texts
        meter.wanted(asked.count)
        let found = try embedder.embed(asked, as: .document) { first, vectors in
            kept?.add(vectors, of: asked[first..<(first + vectors.count)])
            meter.made(vectors.count)
        }
        for (text, vector) in zip(asked, found) { vectors[Array(text.utf8)] = vector }
        return documents.map { path, outcome in
            guard case .made(let made) = outcome else {
                return Embedded(path: path, outcome: outcome, rows: [])
            }
            let rows = made.drafts.map { draft in
                draft.tableRow(draft.vector ?? vectors[Array(draft.text.utf8)] ?? [])
            }
            return Embedded(path: path, outcome: outcome, rows: rows)
        }
    }
}
