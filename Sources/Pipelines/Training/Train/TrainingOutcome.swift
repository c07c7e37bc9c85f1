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

/// What the published snapshots say of themselves, in one line each.
extension TrainingOutcome {
    /// The supervised dataset's message: "101 questions to train on, 37 held out".
    var supervisedMessage: String {
        Self.describe(
            set.questions.count { !$0.isHeldOut }, "question",
            heldOut: set.questions.count { $0.isHeldOut })
    }

    /// The preference dataset's message: "49 preferences to train on, 17 held out".
    var preferenceMessage: String {
        Self.describe(
            set.preferences.count { !$0.isHeldOut }, "preference",
            heldOut: set.preferences.count { $0.isHeldOut })
    }

    /// The model's message: "SFT on 101 questions, DPO on 49 preferences"; DPO only where it took place.
    var modelMessage: String {
        guard !isUntrained else {
            return "the untrained rule: nothing learnt from "
                + Self.count(set.questions.count { !$0.isHeldOut }, "question")
                + " beats it on validation"
        }
        let supervised =
            "SFT on " + Self.count(set.questions.count { !$0.isHeldOut }, "question")
        guard preferenceFate == .kept else { return supervised }
        return supervised + ", DPO on "
            + Self.count(set.preferences.count { !$0.isHeldOut }, "preference")
    }

    private static func describe(_ training: Int, _ noun: String, heldOut: Int) -> String {
        "\(count(training, noun)) to train on, \(heldOut) held out"
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
