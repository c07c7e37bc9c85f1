public import Artifacts
public import Objects
internal import Storage
internal import YAML

/// The configuration of `fti-training run`: the contents of its YAML file.
public struct TrainingConfiguration: Hashable, Sendable {
    /// How to hold out questions.
    public struct Split: Hashable, Sendable {
        /// The share of questions to hold out from training, from 0 to 1.
        public var heldOut = 0.25
        /// The seed, which selects the held-out questions.
        public var seed = 7

        /// The defaults.
        public init() {}
    }

    /// Supervised fine-tuning.
    public struct Supervised: Hashable, Sendable {
        /// The number of gradient steps.
        public var epochs = 300
        /// The step length.
        public var rate = 0.5
        /// The least strength of the pull towards the untrained rule; cross-validation may increase it.
        public var l2 = 0.01

        /// The defaults.
        public init() {}
    }

    /// Preference optimisation.
    public struct Preference: Hashable, Sendable {
        /// The number of gradient steps; 0 disables preference optimisation.
        public var epochs = 100
        /// The step length.
        public var rate = 0.2
        /// How strongly the supervised ranker holds this one back: smaller values let it move further.
        public var beta = 0.5
        /// The strength of the pull towards the supervised weights.
        public var l2 = 0.01
        /// The weight of the supervised loss, which keeps the ranker from forgetting how to rank.
        public var retain = 0.3

        /// The defaults.
        public init() {}
    }

    /// The path of the repository; nil to search for it as every command does.
    public var repository: String?
    /// The revision of the features to train on.
    public var features = "features/prod"
    /// The file of labelled questions; nil to generate questions from the features.
    public var questions: String?
    /// The file of preferences; nil to generate preferences, which reject the wrong section that the ranker scores
    /// highest.
    public var preferences: String?
    /// The file of the prompt that the service will ask with, in the format that releases bind; nil to write the bare
    /// questions to the datasets.
    public var prompt: String?
    /// How a language model makes examples from the features; nil to ask none.
    public var generate: GenerationSettings?
    /// A file of labelled questions for evaluation only; nil to use those held out.
    public var evaluationQuestions: String?
    /// The revision of the features that hold feedback on answers; nil to use none.
    public var feedback: String?
    /// The ref that receives the model.
    public var model = "models/candidate"
    /// The ref that receives the supervised examples.
    public var supervisedDataset = "datasets/sft"
    /// The ref that receives the preferences.
    public var preferenceDataset = "datasets/dpo"
    /// The ref that keeps the replies of the language model that makes examples.
    public var generatedDataset = "datasets/generated"
    /// How to find the rows to rank; stored with the ranker.
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

    /// Whether people's labels are held out, so that generated questions are not.
    var measuresLabels: Bool { questions != nil || evaluationQuestions != nil }

    /// The parameters that determine the outcome, as snapshots record them; they contain no paths.
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
        if let generate { object["generate"] = generate.params }
        if evaluationQuestions != nil { object["evaluation"] = "labelled" }
        object["preferences"] = .string(preferences == nil ? "hard negatives" : "labelled")
        return object
    }
}

extension TrainingConfiguration {
    /// The maximum number of bytes of a configuration file.
    static let sizeLimit = 1 << 20

    /// Reads a configuration file.
    ///
    /// - Throws: `configuration`, with the line of the mistake; `storage` when the file cannot be read or is too large.
    public init(reading path: String) throws(TrainingError) {
        let bytes = try wrapping(
            LocalFile.read(path, limit: Self.sizeLimit), as: TrainingError.storage)
        try self.init(yaml: String(decoding: bytes, as: UTF8.self), path: path)
    }

    /// Parses a configuration; rejects unknown keys, so that misspelled ones do not go unnoticed.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - path: The path of the file: relative paths start at its folder, and error messages name it.
    /// - Throws: `configuration`, with the line of the mistake.
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
        prompt = try top.text("prompt").map { YAMLMapping.located($0.value, in: folder) }
        if var inner = try top.mapping("generate") {
            generate = try GenerationSettings(&inner, folder: folder)
        }
        if var inner = try top.mapping("feedback") {
            guard let features = try inner.text("features") else {
                throw inner.error("feedback.features is missing: name features of feedback")
            }
            feedback = features.value
            try inner.finish(known: ["features"])
        }
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
                        "retrieval.candidates and candidates set the same value: leave one out")
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
            generatedDataset = try inner.text("generated")?.value ?? generatedDataset
            try inner.finish(known: ["sft", "dpo", "generated"])
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
            evaluationQuestions = try inner.text("questions").map {
                YAMLMapping.located($0.value, in: folder)
            }
            try inner.finish(known: ["k", "questions"])
        }
        try top.finish(
            known: [
                "repo", "features", "questions", "preferences", "prompt", "generate", "feedback",
                "model", "candidates", "retrieval", "datasets", "split", "sft", "dpo", "evaluate",
            ])
    }
}
