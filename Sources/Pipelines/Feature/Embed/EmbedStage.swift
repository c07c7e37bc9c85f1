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
        var rows: [TableRow] = []
        /// How many of them had no vector yet.
        var embedded = 0
    }

    /// Embeds what has no vector yet, each text once; documents stay in their order.
    ///
    /// - Parameter past: Where a vector is looked for before it is made.
    func run(
        _ documents: [(path: String, outcome: DocumentWork.Outcome)], past: inout PastVectors
    ) throws(EmbeddingError) -> [Embedded] {
        let drafts = documents.flatMap { document in
            if case .made(let made) = document.outcome { made.drafts } else { [UnembeddedRow]() }
        }
        let existing = past.vectors(of: drafts.filter { $0.vector == nil })
        let made = try embed(
            drafts.filter { $0.vector == nil && existing[Array($0.text.utf8)] == nil })
        return documents.map { path, outcome in
            var embedded = Embedded(path: path, outcome: outcome)
            guard case .made(let document) = outcome else { return embedded }
            embedded.rows = document.drafts.map { draft in
                let text = Array(draft.text.utf8)
                if let vector = draft.vector ?? existing[text] { return draft.tableRow(vector) }
                embedded.embedded += 1
                return draft.tableRow(made[text] ?? [])
            }
            return embedded
        }
    }

    /// The vectors of rows that had none, by the bytes of their texts: canonically equivalent texts are different texts.
    private func embed(_ drafts: [UnembeddedRow]) throws(EmbeddingError) -> [[UInt8]: [Float]] {
        var vectors: [[UInt8]: [Float]] = [:]
        var texts: [String] = []
        for draft in drafts {
            let text = Array(draft.text.utf8)
            guard vectors[text] == nil else { continue }
            vectors[text] = []
            if let vector = kept?.vector(of: draft.text) {
                vectors[text] = vector
                meter.recovered()
            } else {
                texts.append(draft.text)
            }
        }
        let asked = texts
        meter.wanted(asked.count)
        let found = try embedder.embed(asked, as: .document) { first, vectors in
            kept?.add(vectors, of: asked[first..<(first + vectors.count)])
            meter.made(vectors.count)
        }
        for (text, vector) in zip(asked, found) { vectors[Array(text.utf8)] = vector }
        return vectors
    }
}
