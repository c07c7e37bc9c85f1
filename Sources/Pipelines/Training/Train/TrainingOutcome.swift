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
    /// Whether the preferences were made from the questions' labels.
    let hasMadePreferences: Bool
    let features: TrainingFeatures
    /// Which of the held-out questions are declined.
    let declined: DeclinedQuestions
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

/// How many held-out questions the published rule declines, of those that the documents answer and of those that they do not.
public struct DeclinedQuestions: Hashable, Sendable {
    /// Some of all.
    public struct Share: Hashable, Sendable {
        /// The number of those that are declined.
        public let declined: Int
        /// The number of all.
        public let all: Int

        init(_ evidence: [[Double]], by rule: AnsweringRule) {
            declined = evidence.count { rule.score($0) < rule.threshold }
            all = evidence.count
        }
    }

    /// Questions that have answers: to decline them is a mistake.
    public let answerable: Share
    /// Questions that have none.
    public let unanswerable: Share
}

/// What became of preference training.
enum PreferenceFate: Sendable {
    /// It did not take place.
    case none
    /// Its weights are published.
    case kept
    /// It gained too little on validation, so its weights are not.
    case dropped
}
