public import Objects
public import Refs
internal import Storage
internal import YAML

/// The configuration of a run of the user's own trainer: a file of `fti-training run` with the key `trainer`.
public struct TrainerConfiguration: Equatable, Sendable {
    /// The path of the repository; nil to search for it as every command does.
    public var repository: String?
    /// The path of the configuration file.
    public var path: String
    /// The folder of the configuration file, where the trainer runs.
    public var folder: String
    /// The revision of the dataset to train on.
    public var dataset: String
    /// The revision of the model to begin with; nil to begin without one.
    public var base: String?
    /// The revision of the dataset that the trainer measures the model with; nil for none.
    public var evaluation: String?
    /// The ref that receives the model.
    public var model: RefName
    /// The ref that receives the folder `adapter` of the output; nil to leave the folder in the model.
    public var adapter: RefName?
    /// The program and its arguments; no shell reads them.
    public var command: [String]
    /// The parameters that the trainer reads.
    public var params = JSONObject()
    /// The seed that the trainer gets.
    public var seed = 7
    /// How long the trainer may run.
    public var timeout = Duration.seconds(86_400)
    /// How long the trainer may write neither to its log nor to its metrics; nil for as long as it runs.
    public var silence: Duration?
    /// The names of the variables that the trainer gets besides a fixed list.
    public var environment: [String] = []
    /// Whether the trainer runs without network, and sees only its own files.
    public var sandbox = false
    /// The ref that receives the last checkpoint of a run that fails.
    public var checkpoint: RefName?

    /// Whether the model's tokenizer and chat template may differ from those of the base.
    public var changesTokenizer = false

    /// The refs that a run may move.
    var refs: [RefName] { [model, adapter, checkpoint].compactMap(\.self) }

    /// What identifies a run, besides its inputs: it determines the result as far as the trainer is deterministic.
    var identity: JSONObject {
        var identity = JSONObject([
            ("command", .array(command.map { .string($0) })), ("params", .object(params)),
            ("seed", .integer(seed)),
        ])
        if changesTokenizer { identity[ModelRole.tokenizer] = .string(ModelRole.changed) }
        return identity
    }
}

extension TrainerConfiguration {
    /// The keys of a configuration that trains the built-in ranker, in place of which `trainer` runs a command.
    private static let rankerKeys = [
        "features", "questions", "preferences", "feedback", "candidates", "retrieval", "datasets",
        "split", "sft", "dpo", "evaluate",
    ]

    private static let keys = [
        "repo", "dataset", "base", "evaluation", "model", "adapter", "trainer",
    ]

    private static let trainerKeys = [
        "command", "params", "seed", "timeout", "silence", "environment", "sandbox", "checkpoint",
        "tokenizer",
    ]

    /// The longest time that `timeout` accepts.
    private static let longest = Duration.seconds(365 * 86_400)

    /// Reads the mapping of a configuration file that has the key `trainer`.
    init(_ top: YAMLMapping, path: String) throws(ConfigurationError) {
        var top = top
        self.path = path
        let folder = YAMLMapping.folder(of: path)
        self.folder = folder
        for key in Self.rankerKeys {
            guard let line = top.line(of: key) else { continue }
            throw top.error(
                "\(key) and trainer are for different runs: split the file in two. One has "
                    + "features and builds datasets and a ranker; the other has trainer and trains "
                    + "on such a dataset, as in `dataset: datasets/sft`", line: line)
        }
        repository = try top.text("repo").map { YAMLMapping.located($0.value, in: folder) }
        guard let dataset = try top.text("dataset") else {
            throw top.error("dataset is missing: name a revision, such as datasets/sft")
        }
        self.dataset = dataset.value
        base = try top.text("base")?.value
        evaluation = try top.text("evaluation")?.value
        guard let model = try Self.name("model", of: &top) else {
            throw top.error("model is missing: name the ref to publish, such as models/sft")
        }
        self.model = model
        adapter = try Self.name("adapter", of: &top)
        guard var trainer = try top.mapping("trainer") else {
            throw top.error("trainer is missing")
        }
        guard let words = try trainer.texts("command"), !words.isEmpty else {
            throw trainer.error(
                "trainer.command is missing: list the program and its arguments, such as "
                    + "[python3, train.py]")
        }
        command = words.map(\.value)
        params = try trainer.object("params")?.value ?? params
        seed = try trainer.integer("seed", in: 0...JSON.largestInteger) ?? seed
        timeout =
            try trainer.duration("timeout", in: .seconds(1)...Self.longest) ?? timeout
        silence = try trainer.duration("silence", in: .seconds(1)...Self.longest)
        for variable in try trainer.texts("environment") ?? [] {
            if let reason = TrainerEnvironment.objection(to: variable.value) {
                throw trainer.error("trainer.environment: \(reason)", line: variable.line)
            }
            environment.append(variable.value)
        }
        sandbox = try trainer.flag("sandbox") ?? sandbox
        if let tokenizer = try trainer.text("tokenizer") {
            guard ["same", ModelRole.changed].contains(tokenizer.value) else {
                throw trainer.error(
                    "trainer.tokenizer must be same or changed", line: tokenizer.line)
            }
            changesTokenizer = tokenizer.value == ModelRole.changed
        }
        checkpoint = try Self.name("checkpoint", of: &trainer, "trainer.checkpoint")
        try trainer.finish(known: Self.trainerKeys)
        try top.finish(known: Self.keys)
        guard Set(refs).count == refs.count else {
            throw top.error("model, adapter and trainer.checkpoint must be different refs")
        }
    }

    /// Takes the name of a ref to models; nil when the key is missing.
    private static func name(
        _ key: String, of mapping: inout YAMLMapping, _ full: String? = nil
    ) throws(ConfigurationError) -> RefName? {
        guard let text = try mapping.text(key) else { return nil }
        do throws(RefError) {
            let name = try RefName(text.value)
            if name.namespace.kind == .model { return name }
        } catch {
            throw mapping.error("\(full ?? key): \(error.message)", line: text.line)
        }
        throw mapping.error(
            "\(full ?? key) must be a ref of a model, such as models/sft", line: text.line)
    }
}

/// What the configuration file of `fti-training run` asks for.
public enum TrainingPlan: Equatable, Sendable {
    /// To build datasets from features and train a ranker.
    case ranker(TrainingConfiguration)
    /// To run the user's own trainer.
    case trainer(TrainerConfiguration)

    /// Reads a configuration file.
    ///
    /// - Throws: `configuration`, with the line of the mistake; `storage` when the file cannot be read or is too large.
    public init(reading path: String) throws(TrainingError) {
        let bytes = try wrapping(
            LocalFile.read(path, limit: TrainingConfiguration.sizeLimit),
            as: TrainingError.storage)
        try self.init(yaml: String(decoding: bytes, as: UTF8.self), path: path)
    }

    /// Parses a configuration.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - path: The path of the file: relative paths start at its folder, and error messages name it.
    /// - Throws: `configuration`, with the line of the mistake.
    public init(yaml: String, path: String) throws(TrainingError) {
        do throws(ConfigurationError) {
            let top = try YAMLMapping(document: yaml, path: path, isEmptyAllowed: true)
            guard top.line(of: "trainer") == nil else {
                self = .trainer(try TrainerConfiguration(top, path: path))
                return
            }
        } catch {
            throw .configuration(path: error.path, line: error.line, reason: error.reason)
        }
        self = .ranker(try TrainingConfiguration(yaml: yaml, path: path))
    }
}
