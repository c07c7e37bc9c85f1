internal import Artifacts

/// What training made and measured, before anything is published.
struct TrainingOutcome: Sendable {
    let set: TrainingSet
    let ranker: Ranker
    /// Before training, after supervised training, and after preference training where it took place.
    let measurements: [Stage]
    /// Whether the ranker is the untrained rule, because nothing that was learnt is better.
    let isUntrained: Bool
    let preferenceFate: PreferenceFate
    /// Whether the questions were made from the features.
    let isGenerated: Bool
    let features: TrainingFeatures
    /// The row whose text stands for a question's answer in the dataset, by question.
    let answers: [Int]

    struct Stage: Sendable {
        let name: String
        let measurement: Measurement
        /// The loss before and after, on what was trained on; nil for the untrained rule.
        let loss: (before: Double, after: Double)?
    }

    /// What was measured of the ranker that is published.
    var published: Stage? {
        if preferenceFate == .kept { return measurements.last }
        return measurements.first { $0.name == "sft" }
    }
}

/// What became of preference training.
enum PreferenceFate: Sendable {
    /// It did not take place.
    case none
    /// Its weights are published.
    case kept
    /// It cost something on validation, so its weights are not.
    case dropped
}
