public import Artifacts

/// A chunk that may answer, and how well.
public struct Passage: Hashable, Sendable {
    /// The chunk.
    public let row: FeatureRow
    /// Its score by the model; only differences within one question mean something.
    public let score: Double
    /// The cosine of its vector with the question's.
    public let similarity: Float
}
