internal import Artifacts

/// What training made and measured, before anything is published.
struct TrainingOutcome: Sendable {
    let set: TrainingSet
    let policy: RetrievalPolicy
    /// Before training, after supervised training, and after preference training where it took place.
    let measurements: [Stage]
    let features: TrainingFeatures
    /// The row whose text stands for a question's answer in the dataset, by question.
    let answers: [Int]

    struct Stage: Sendable {
        let name: String
        let measurement: Measurement
        /// The loss before and after, on what was trained on; nil for the base policy.
        let loss: (before: Double, after: Double)?
    }
}
