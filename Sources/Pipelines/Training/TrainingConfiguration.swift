public import Artifacts
public import Objects
internal import Storage
internal import YAML

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

extension TrainingConfiguration {
    /// Longer files are no configuration.
    private static let sizeLimit = 1 << 20

    /// Reads a configuration file.
    ///
    /// - Throws: `configuration` with the line of what is wrong; `storage` when it cannot be read or is too large.
    public init(reading path: String) throws(TrainingError) {
        let bytes = try wrapping(as: TrainingError.storage) { () throws(StorageError) in
            try LocalFile.read(path, limit: Self.sizeLimit)
        }
        try self.init(yaml: String(decoding: bytes, as: UTF8.self), path: path)
    }

    /// Reads a configuration; keys that are not known are refused, so that a misspelt one is noticed.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - path: Its path: relative paths in it start from its folder, and errors name it.
    /// - Throws: `configuration` with the line of what is wrong.
    public init(yaml: String, path: String) throws(TrainingError) {
        self.init()
        do throws(ConfigurationError) { try read(yaml, path: path) } catch {
            throw .configuration(path: error.path, line: error.line, reason: error.reason)
        }
    }

    private mutating func read(_ yaml: String, path: String) throws(ConfigurationError) {
        let folder = YAMLMapping.folder(of: path)
        var top = try YAMLMapping(document: yaml, path: path, isEmptyAllowed: true)
        repository = try top.text("repo").map { YAMLMapping.located($0.value, in: folder) }
        features = try top.text("features")?.value ?? features
        questions = try top.text("questions").map { YAMLMapping.located($0.value, in: folder) }
        preferences = try top.text("preferences").map { YAMLMapping.located($0.value, in: folder) }
        model = try top.text("model")?.value ?? model
        let candidates = try top.integer("candidates", in: RetrievalSettings.candidateRange)
        retrieval.candidates = candidates ?? retrieval.candidates
        if var inner = try top.mapping("retrieval") {
            if let found = try inner.text("mode") {
                guard let mode = RetrievalSettings.Mode(rawValue: found.value) else {
                    throw inner.error(
                        "retrieval.mode must be hybrid, vector or lexical", line: found.line)
                }
                retrieval.mode = mode
            }
            if let own = try inner.integer("candidates", in: RetrievalSettings.candidateRange) {
                guard candidates == nil else {
                    throw inner.error(
                        "retrieval.candidates says what candidates says too: leave one out")
                }
                retrieval.candidates = own
            }
            retrieval.k = try inner.integer("k", in: RetrievalSettings.countRange) ?? retrieval.k
            retrieval.perDocument =
                try inner.integer("perDocument", in: 0...RetrievalSettings.countRange.upperBound)
                ?? retrieval.perDocument
            try inner.finish(known: ["mode", "candidates", "k", "perDocument"])
        }
        if var inner = try top.mapping("datasets") {
            supervisedDataset = try inner.text("sft")?.value ?? supervisedDataset
            preferenceDataset = try inner.text("dpo")?.value ?? preferenceDataset
            try inner.finish(known: ["sft", "dpo"])
        }
        if var inner = try top.mapping("split") {
            split.heldOut = try inner.number("heldout", in: 0...1) ?? split.heldOut
            split.seed = try inner.integer("seed", in: 0...JSON.largestInteger) ?? split.seed
            try inner.finish(known: ["heldout", "seed"])
        }
        if var inner = try top.mapping("sft") {
            supervised.epochs = try inner.integer("epochs", in: 0...100_000) ?? supervised.epochs
            supervised.rate = try inner.number("rate", in: 1e-9...1000) ?? supervised.rate
            supervised.l2 = try inner.number("l2", in: 0...1000) ?? supervised.l2
            try inner.finish(known: ["epochs", "rate", "l2"])
        }
        if var inner = try top.mapping("dpo") {
            preference.epochs = try inner.integer("epochs", in: 0...100_000) ?? preference.epochs
            preference.rate = try inner.number("rate", in: 1e-9...1000) ?? preference.rate
            preference.beta = try inner.number("beta", in: 1e-9...1000) ?? preference.beta
            preference.l2 = try inner.number("l2", in: 0...1000) ?? preference.l2
            preference.retain = try inner.number("retain", in: 0...1000) ?? preference.retain
            try inner.finish(known: ["epochs", "rate", "beta", "l2", "retain"])
        }
        if var inner = try top.mapping("evaluate") {
            recallDepth = try inner.integer("k", in: 1...1000) ?? recallDepth
            try inner.finish(known: ["k"])
        }
        try top.finish(
            known: [
                "repo", "features", "questions", "preferences", "model", "candidates", "retrieval",
                "datasets", "split", "sft", "dpo", "evaluate",
            ])
    }
}
