internal import Artifacts
internal import Objects

/// Vectors of one embedding space that exist already, by the text that they are vectors of.
struct VectorPool: Sendable {
    // By bytes: canonically equivalent texts are different texts.
    private var vectors: [[UInt8]: [Float]] = [:]

    /// Takes the vectors of rows; a row that is no features row is passed over.
    init(_ rows: [TableRow]) {
        for row in rows {
            guard let feature = try? FeatureRow(attributes: row.attributes) else { continue }
            vectors[Array(feature.embeddingText.utf8)] = row.vector
        }
    }

    /// The vector of a text, or nil when it has to be made.
    func vector(of text: String) -> [Float]? {
        vectors.isEmpty ? nil : vectors[Array(text.utf8)]
    }
}
