internal import TextAnalysis

/// Decides which questions training never sees.
///
/// A question's fate depends on its id and the seed alone: adding, removing or sorting other questions
/// changes nothing.
public struct HeldOut: Sendable {
    private let part: Double
    private let seed: Int

    /// Holds out about `part` of all questions.
    public init(_ split: TrainingConfiguration.Split) {
        part = split.heldOut
        seed = split.seed
    }

    /// Whether the question with this id is held out.
    public func contains(_ id: String) -> Bool {
        let hash = FeatureHash.of("\(seed)/\(id)")
        return Double(hash >> 11) * 0x1p-53 < part
    }
}
