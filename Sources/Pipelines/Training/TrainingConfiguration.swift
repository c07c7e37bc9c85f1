public import Artifacts
public import Objects

/// What `fti-training run` is told: the contents of its YAML file.
public struct TrainingConfiguration: Hashable, Sendable {
    /// How questions are held out.
    public struct Split: Hashable, Sendable {
        /// The part of the questions that training never sees, from 0 to 1.
        public var heldOut = 0.25
        /// Which part: another seed holds out other questions.
        public var seed = 7

        /// The defaults.
        public init() {}
    }

    /// Supervised fine-tuning.
    public struct Supervised: Hashable, Sendable {
        /// Steps along the gradient.
        public var epochs = 300
        /// The length of a step.
        public var rate = 0.5
        /// The pull back to the untrained rule, at least: cross-validation may make it stronger.
        public var l2 = 0.01

        /// The defaults.
        public init() {}
    }

    /// Preference optimisation.
    public struct Preference: Hashable, Sendable {
        /// Steps along the gradient; 0 leaves preference optimisation out.
        public var epochs = 100
        /// The length of a step.
        public var rate = 0.2
        /// How far the ranker may move from the supervised one: the smaller, the further.
        public var beta = 0.5
        /// The pull back to the supervised weights.
        public var l2 = 0.01
        /// The weight of the supervised loss beside that of preferences, so that ranking is not unlearnt.
        public var retain = 0.3

        /// The defaults.
        public init() {}
    }

    /// Where the repository is, relative to the file; nil to look for it as every command does.
    public var repository: String?
    /// The features to train on, as a revision.
    public var features = "features/prod"
    /// The file with labelled questions; nil to make them from the features.
    public var questions: String?
    /// The file with preferences; nil to take the ranker's own best mistakes as rejected.
    public var preferences: String?
    /// The ref that the model is published under.
    public var model = "models/candidate"
    /// The ref that the supervised examples are published under.
    public var supervisedDataset = "datasets/sft"
    /// The ref that the preferences are published under.
    public var preferenceDataset = "datasets/dpo"
    /// How rows are found that the ranker ranks; kept with it.
    public var retrieval = RetrievalSettings()
    /// See ``Split``.
    public var split = Split()
    /// See ``Supervised``.
    public var supervised = Supervised()
    /// See ``Preference``.
    public var preference = Preference()
    /// The k of recall@k.
    public var recallDepth = 5

    /// The defaults.
    public init() {}

    /// What decides the outcome, for the snapshot: no paths.
    public var parameters: JSONObject {
        var object = JSONObject()
        object["retrieval"] = retrieval.json
        object["evaluate"] = ["k": .integer(recallDepth)]
        object["split"] = ["heldout": .number(split.heldOut), "seed": .integer(split.seed)]
        object["sft"] = [
            "epochs": .integer(supervised.epochs), "rate": .number(supervised.rate),
            "l2": .number(supervised.l2),
        ]
        object["dpo"] = [
            "epochs": .integer(preference.epochs), "rate": .number(preference.rate),
            "beta": .number(preference.beta), "l2": .number(preference.l2),
            "retain": .number(preference.retain),
        ]
        object["questions"] = .string(questions == nil ? "generated" : "labelled")
        object["preferences"] = .string(preferences == nil ? "hard negatives" : "labelled")
        return object
    }
}
