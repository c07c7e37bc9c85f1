public import Artifacts
public import Objects
public import Refs
public import Storage

/// Why training failed. Nothing was published.
public enum TrainingError: RepositoryFailure, Diagnosable {
    /// The configuration is invalid.
    case configuration(path: String, line: Int?, reason: String)
    /// A file of labels is invalid.
    case labels(path: String, line: Int, reason: String)
    /// The configured `features` is not a features snapshot with an embedding space.
    case notFeatures(name: String, reason: String)
    /// No question remains to train on.
    case tooFewQuestions(training: Int, heldOut: Int, unresolved: Int, missing: [MissingLabel])
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
        case .configuration, .labels, .tooFewQuestions: .usage
        case .notFeatures: .refused
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
        case .embedding(let error): error.message
        case .refs(let error): error.message
        case .objects(let error): error.message
        case .storage(let error): error.message
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .configuration: "see docs/training.md for every key and its meaning"
        case .labels: "each line is one JSON object; docs/training.md shows them"
        case .notFeatures: "use a ref that fti-feature writes, such as features/prod"
        case .tooFewQuestions(_, let heldOut, 0, _) where heldOut > 0:
            "lower split.heldout"
        case .tooFewQuestions:
            "check that the labels name documents and sections of the features, or leave "
                + "out `questions` to generate questions from the features"
        case .embedding(let error): error.remedy
        case .refs(let error): error.remedy
        case .objects(let error): error.remedy
        case .storage(let error): error.remedy
        }
    }
}
