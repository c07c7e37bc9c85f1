internal import Artifacts

/// The results of training and evaluation before publication.
struct TrainingOutcome: Sendable {
    let set: TrainingSet
    let ranker: Ranker
    /// The measurements before training, after supervised training, and after preference training if it took place.
    let measurements: [Stage]
    /// Whether the ranker is the untrained rule, because training did not improve on it.
    let isUntrained: Bool
    let preferenceFate: PreferenceFate
    /// Whether the questions were generated from the features.
    let isGenerated: Bool
    /// Whether the preferences were generated from the questions' labels.
    let hasGeneratedPreferences: Bool
    let features: TrainingFeatures
    /// The numbers of held-out questions that the rule declines.
    let declined: DeclinedQuestions
    /// The row that represents each question's answer in the dataset.
    let answers: [Int]

    struct Stage: Sendable {
        let name: String
        let measurement: Measurement
        /// The training loss before and after; nil for the untrained rule.
        let loss: (before: Double, after: Double)?
    }

    /// The measurements of the published ranker.
    var published: Stage? {
        if preferenceFate == .kept { return measurements.last }
        return measurements.first { $0.name == "sft" }
    }
}

/// The numbers of held-out questions that the published rule declines, with and without an answer in the documents.
public struct DeclinedQuestions: Hashable, Sendable {
    /// A number of declined questions, and the number of all questions.
    public struct Share: Hashable, Sendable {
        /// The number of declined questions.
        public let declined: Int
        /// The number of all questions.
        public let all: Int

        init(_ evidence: [[Double]], by rule: AnsweringRule) {
            declined = evidence.count { rule.score($0) < rule.threshold }
            all = evidence.count
        }
    }

    /// Questions with an answer, which the rule should not decline.
    public let answerable: Share
    /// Questions without an answer.
    public let unanswerable: Share
}

/// The fate of preference training.
enum PreferenceFate: Sendable {
    /// It did not take place.
    case none
    /// Its weights are published.
    case kept
    /// It did not improve validation enough, so its weights are discarded.
    case dropped
}

/// The messages of the published snapshots, one line each.
extension TrainingOutcome {
    /// The supervised dataset's message, such as "101 questions to train on, 37 held out".
    var supervisedMessage: String {
        Self.describe(set.supervisedCounts, "question", feedback: set.feedback?.supervised.count)
    }

    /// The preference dataset's message, such as "49 preferences to train on, 17 held out".
    var preferenceMessage: String {
        Self.describe(
            set.pairCounts, "preference", feedback: set.feedback?.preferences.count)
    }

    /// The model's message, such as "SFT on 101 questions, DPO on 49 preferences"; names DPO only if its weights are
    /// published.
    var modelMessage: String {
        guard !isUntrained else {
            return "the untrained rule: nothing learnt from "
                + Self.count(set.questionCounts.training, "question")
                + " beats it on validation"
        }
        let supervised =
            "SFT on " + Self.count(set.questionCounts.training, "question")
        guard preferenceFate == .kept else { return supervised }
        return supervised + ", DPO on "
            + Self.count(set.preferenceCounts.training, "preference")
    }

    private static func describe(
        _ counts: TrainingReport.Counts, _ noun: String, feedback: Int?
    ) -> String {
        "\(count(counts.training, noun)) to train on, \(counts.heldOut) held out"
            + (feedback.map { "; \(count($0, "example")) from feedback" } ?? "")
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
