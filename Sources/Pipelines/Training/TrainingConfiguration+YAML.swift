internal import Artifacts
internal import Objects
internal import Storage
internal import YAML

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
