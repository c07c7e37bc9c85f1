public import Artifacts
public import Objects
public import Refs
public import Storage

/// Why training failed. Nothing was published, except the replies of a language model that makes examples.
public enum TrainingError: RepositoryFailure, DetailedFailure {
    /// The configuration is invalid.
    case configuration(path: String, line: Int?, reason: String)
    /// A file of labels is invalid.
    case labels(path: String, line: Int, reason: String)
    /// The configured `features` is not a features snapshot with an embedding space.
    case notFeatures(name: String, reason: String)
    /// No question remains to train on.
    case tooFewQuestions(training: Int, heldOut: Int, unresolved: Int, missing: [MissingLabel])
    /// A trainer cannot be given an input, because it is not a snapshot of files of the right kind.
    case notFiles(name: String, reason: String)
    /// The inputs of a trainer do not fit each other.
    case inputs(reason: String, remedy: String)
    /// What a trainer made has another tokenizer or chat template than its base.
    case tokenizer(phrase: String, base: String)
    /// A variable that the trainer would get contains a secret.
    case secretVariable(name: String)
    /// The command or a parameter of the trainer contains a secret, which the string describes.
    case secretParameter(String)
    /// The trainer's program does not exist or is not executable.
    case noProgram(name: String)
    /// The trainer cannot run in a sandbox.
    case sandbox(reason: String, remedy: String)
    /// The run cannot go on from a checkpoint.
    case resume(ResumeProblem)
    /// The trainer failed; the report says how.
    case trainer(TrainerFailure)
    /// The file of the prompt is invalid.
    case prompt(path: String, reason: String)
    /// A snapshot is not a dataset with examples.
    case notDataset(ObjectID, reason: String)
    /// Evaluation would use examples that training uses too.
    case overlap(DatasetOverlap)
    /// The limit of requests is reached, and `left` units have no reply.
    case unfinished(asked: Int, left: Int, unit: GenerationSettings.Unit)
    /// The language model that makes examples answered, but no reply has a usable one, and there are no labels.
    case noExamples(GenerationReport)
    /// The language model that makes examples failed.
    case generation(GenerationError)
    /// The embedder of the features is missing or differs.
    case embedding(EmbeddingError)
    /// The repository failed or refused the transaction.
    case refs(RefError)
    /// Objects could not be read or written.
    case objects(ObjectError)
    /// A configuration or label file could not be read.
    case storage(StorageError)

    /// See ``RepositoryFailure``.
    public var repositoryCause: RefError? {
        switch self {
        case .refs(let error): error
        case .objects(let error): .objects(error)
        default: nil
        }
    }

    /// See ``Diagnosable``.
    public var fault: Fault {
        switch self {
        case .configuration, .labels, .tooFewQuestions, .prompt: .usage
        case .inputs, .tokenizer, .notFeatures, .notFiles, .secretVariable, .secretParameter,
            .sandbox:
            .refused
        case .notDataset, .overlap, .unfinished, .noExamples: .refused
        case .resume(.withoutRef): .usage
        case .resume: .refused
        case .noProgram: .missing
        case .trainer: .program
        case .generation(let error): error.fault
        case .embedding(let error): error.fault
        case .refs(let error): error.fault
        case .objects(let error): error.fault
        case .storage(let error): error.fault
        }
    }

    /// See ``Diagnosable``.
    public var message: String {
        switch self {
        case .configuration(let path, let line, let reason):
            "\(path)\(line.map { ":\($0)" } ?? ""): \(reason)"
        case .labels(let path, let line, let reason): "\(path), line \(line): \(reason)"
        case .notFeatures(let name, let reason): "\(name) cannot be trained on: \(reason)"
        case .tooFewQuestions(let training, let heldOut, let unresolved, let missing):
            ([
                heldOut > 0 && unresolved == 0
                    ? "all \(heldOut) questions are held out, which leaves none to train on"
                    : "too few questions: \(training) to train on, \(heldOut) held out, "
                        + "\(unresolved) whose sections the features lack"
            ]
                + MissingLabel.lines(missing)).joined(separator: "\n")
        case .notFiles(let name, let reason): "a trainer cannot take \(name): \(reason)"
        case .inputs(let reason, _): "the inputs of the trainer do not fit: \(reason)"
        case .tokenizer(let phrase, let base):
            "the model that the trainer made has \(phrase) than its base \(base), so it would be "
                + "served other tokens than the base was trained on"
        case .secretVariable(let name):
            "the value of the variable \(name) contains a secret, and trainers get none"
        case .secretParameter(let secret):
            "the trainer's command or a parameter contains \(secret), and they are published with the "
                + "model"
        case .noProgram(let name): "the trainer's program \(name) is not there, or not executable"
        case .sandbox(let reason, _): "cannot run the trainer in a sandbox: \(reason)"
        case .resume(let problem): problem.message
        case .trainer(let failure): failure.message
        case .prompt(let path, let reason): "\(path) is not a prompt: \(reason)"
        case .notDataset(let id, let reason): "\(id.hex) is not a dataset of examples: \(reason)"
        case .overlap(let overlap):
            (["\(overlap.exact.count) training examples are evaluation examples too"]
                + DatasetOverlap.lines(overlap.exact)).joined(separator: "\n")
        case .unfinished(let asked, let left, let unit):
            "the limit of requests is reached: \(asked) replies received and kept, "
                + "\(unit.counted(left)) left"
        case .noExamples(let report):
            "no example could be made of \(report.asked + report.known) replies: "
                + report.reasonsText
        case .generation(let error): error.message
        case .embedding(let error): error.message
        case .refs(let error): error.message
        case .objects(let error): error.message
        case .storage(let error): error.message
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .configuration:
            "docs/training.md describes every key, and docs/trainers.md those of files with trainer"
        case .labels: "each line is one JSON object; docs/training.md shows them"
        case .notFeatures: "use a ref that fti-feature writes, such as features/prod"
        case .tooFewQuestions(_, let heldOut, 0, _) where heldOut > 0:
            "lower split.heldout"
        case .tooFewQuestions:
            "check that the labels name documents and sections of the features, or leave "
                + "out `questions` to generate questions from the features"
        case .notFiles: "put the files in a snapshot of their own, with ftictl put"
        case .inputs(_, let remedy): remedy
        case .tokenizer:
            "have the trainer save the tokenizer of FTI_BASE_DIR unchanged; if the difference is "
                + "meant, add `tokenizer: changed` to trainer"
        case .secretVariable(let name): "unset \(name), or take the secret out of its value"
        case .secretParameter: "store what needs the secret with ftictl put first"
        case .noProgram:
            "a name with a slash is relative to the folder of the configuration; another one is "
                + "looked up on the PATH"
        case .sandbox(_, let remedy): remedy
        case .resume(let problem): problem.remedy
        case .trainer(let failure): failure.remedy
        case .prompt: "docs/generation.md describes the members of a prompt"
        case .notDataset: "use a ref that fti-training writes, such as datasets/sft"
        case .overlap:
            "remove these examples from one of the two, or join labels with the same question into "
                + "one with all its answers"
        case .unfinished:
            "run again to go on, or raise generate.maxRequests or --max-requests"
        case .noExamples:
            "use another model or generate.prompt; the replies are kept by request, so the same model is "
                + "asked again only with another generate.seed or generate.temperature"
        case .generation(let error):
            [
                error.remedy?.replacing("generator.", with: "generate."),
                "the replies so far are kept, and the next run asks only for the rest",
            ].compactMap(\.self).joined(separator: "; ")
        case .embedding(let error): error.remedy
        case .refs(let error): error.remedy
        case .objects(let error): error.remedy
        case .storage(let error): error.remedy
        }
    }

    /// See ``DetailedFailure``.
    public var details: JSONObject {
        switch self {
        case .trainer(let failure): failure.details
        case .refs(let error): error.details
        case .overlap(let overlap): JSONObject([("overlap", overlap.json)])
        case .unfinished(let asked, let left, let unit):
            JSONObject([
                ("asked", .integer(asked)), ("left", .integer(left)),
                ("per", .string(unit.rawValue)),
            ])
        default: JSONObject()
        }
    }
}
