internal import Artifacts
public import Objects
public import Refs

/// What a training run did, for people and for programs.
public struct TrainingReport: Sendable {
    /// One line of the table: a ranker and how well it answers.
    public struct Stage: Sendable {
        /// `base`, `sft` or `dpo`.
        public let name: String
        /// What was measured on held-out questions.
        public let measurement: Measurement
        /// The loss on what was trained on, before the first step; nil for `base`.
        public let lossBefore: Double?
        /// The same after the last step.
        public let lossAfter: Double?
    }

    /// How many labels there were.
    public struct Counts: Hashable, Sendable {
        /// Labels trained on.
        public let training: Int
        /// Labels measured on.
        public let heldOut: Int
        /// Labels whose sections the features do not have.
        public let unresolved: Int
    }

    /// The number of the transaction; nil when nothing had changed.
    public let transaction: Int?
    /// The refs that it moved.
    public let refs: [RefChange]
    /// The features that were trained on.
    public let features: ObjectID
    /// Their embedding space.
    public let space: ObjectID
    /// The supervised dataset.
    public let supervisedDataset: ObjectID
    /// The preference dataset.
    public let preferenceDataset: ObjectID
    /// The model.
    public let model: ObjectID
    /// Questions.
    public let questions: Counts
    /// Preferences.
    public let preferences: Counts
    /// What labels name and cannot be used.
    public let missing: [MissingLabel]
    /// The rankers, in the order of training.
    public let stages: [Stage]
    /// The k of recall@k.
    public let recallDepth: Int
    /// The weights of the published ranker, by signal.
    public let weights: [(signal: String, weight: Float)]
    /// Whether the questions were made from the features.
    public let isGenerated: Bool
    /// Whether the published ranker is the untrained rule, because nothing that was learnt beats it.
    public let isUntrained: Bool
    /// Questions without an answer, by their labels.
    public let unanswerable: Counts
    /// Which of the held-out questions are declined.
    public let declined: DeclinedQuestions
    /// Whether preferences were learnt from and the outcome is not published, because it gains too little on validation.
    public let droppedPreferences: Bool
    /// Whether the preferences were made from the labels of questions.
    public let hasMadePreferences: Bool
    /// What a person should be told, such as that clocks disagree.
    public let warnings: [String]

    init(_ outcome: TrainingOutcome, _ published: Published, recallDepth: Int) {
        transaction = published.commit.number
        refs = published.commit.refs
        features = outcome.features.snapshot
        space = outcome.features.space.id
        supervisedDataset = published.supervised
        preferenceDataset = published.preference
        model = published.model
        questions = Counts(
            training: outcome.set.questions.count { !$0.isHeldOut },
            heldOut: outcome.set.questions.count { $0.isHeldOut },
            unresolved: outcome.set.unresolvedQuestions)
        preferences = Counts(
            training: outcome.set.preferences.count { !$0.isHeldOut },
            heldOut: outcome.set.preferences.count { $0.isHeldOut },
            unresolved: outcome.set.unresolvedPreferences)
        missing = outcome.set.missing
        stages = outcome.measurements.map {
            Stage(
                name: $0.name, measurement: $0.measurement, lossBefore: $0.loss?.before,
                lossAfter: $0.loss?.after)
        }
        self.recallDepth = recallDepth
        weights = zip(Signal.allCases, outcome.ranker.weights).map {
            (signal: $0.rawValue, weight: $1)
        }
        isGenerated = outcome.isGenerated
        isUntrained = outcome.isUntrained
        unanswerable = Counts(
            training: outcome.set.unanswerable.count { !$0.isHeldOut },
            heldOut: outcome.set.unanswerable.count { $0.isHeldOut }, unresolved: 0)
        declined = outcome.declined
        hasMadePreferences = outcome.hasMadePreferences
        droppedPreferences = outcome.preferenceFate == .dropped
        warnings = published.commit.warnings
    }
}
