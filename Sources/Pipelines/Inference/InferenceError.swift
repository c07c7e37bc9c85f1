public import Conditions
public import Artifacts
public import Objects
public import Refs
public import Storage

/// Why a question was not answered.
public enum InferenceError: Diagnosable {
    /// The name does not lead to a usable snapshot of the required kind.
    case unusable(name: String, reason: String)
    /// The question has no words.
    case question
    /// A line begins like a request but is not a valid one.
    case request(reason: String)
    /// The question is too long.
    case longQuestion(limit: Int)
    /// A condition does not fit the rows.
    case condition(ConditionError)
    /// The lock file does not select usable versions.
    case pin(path: String, reason: String)
    /// Features and model need different spaces, or the embedder is missing or failed.
    case embedding(EmbeddingError)
    /// The reranker cannot be run.
    case reranker(RerankerError)
    /// The configuration names a reranker that the versions do not have.
    case rerankerDiffers(named: String, versions: String, bound: ObjectID?)
    /// The passages were not found in time, or nobody waits for them any more.
    case late
    /// The language model failed.
    case generation(GenerationError)
    /// The language model does not answer as the release records.
    case engine(model: String, reason: String)
    /// The repository failed.
    case refs(RefError)
    /// Objects could not be read.
    case objects(ObjectError)
    /// The lock file could not be read.
    case storage(StorageError)

    /// Whether a collection may have removed objects that existed a moment ago.
    var isOfCollection: Bool {
        switch self {
        case .objects(.missing), .objects(.collected), .refs(.objects(.missing)),
            .refs(.objects(.collected)), .refs(.gone), .refs(.incomplete):
            true
        default: false
        }
    }

    /// See ``Diagnosable``.
    public var fault: Fault {
        switch self {
        case .unusable, .engine: .refused
        case .rerankerDiffers: .usage
        case .late: .io
        case .reranker(let error): error.fault
        case .generation(let error): error.fault
        case .pin, .question, .request, .longQuestion: .usage
        case .condition(let error): error.fault
        case .embedding(let error): error.fault
        case .refs(let error): error.fault
        case .objects(let error): error.fault
        case .storage(let error): error.fault
        }
    }

    /// See ``Diagnosable``.
    public var message: String {
        switch self {
        case .unusable(let name, let reason): "\(name) cannot be used: \(reason)"
        case .question: "the question has no words"
        case .request(let reason): "invalid request: \(reason)"
        case .longQuestion(let limit): "the question has more than \(limit) bytes"
        case .pin(let path, let reason): "\(path): \(reason)"
        case .reranker(let error): error.message
        case .rerankerDiffers(let named, let versions, let bound):
            "the reranker \(named) is not the one of \(versions), which "
                + (bound.map { "binds \($0.short)" } ?? "binds none")
        case .late: "the passages were not found in time"
        case .generation(let error): error.message
        case .engine(let model, let reason):
            "the language model \(model) is not the one that the release records: \(reason)"
        case .condition(let error):
            if case .undeclared = error {
                "no row has an attribute that the condition names: \(error.message)"
            } else {
                error.message
            }
        case .embedding(let error): error.message
        case .refs(let error): error.message
        case .objects(let error): error.message
        case .storage(let error): error.message
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .unusable: "use features that fti-feature made and a model that fti-training made"
        case .request: "send one JSON object per line, such as {\"id\": 1, \"question\": \"...\"}"
        case .question, .longQuestion: nil
        case .reranker(let error): error.remedy
        case .rerankerDiffers(let named, _, _):
            "leave it out, or bind it: ftictl release REF --from REF --reranker \(named)"
        case .late: "ask again, or rerank fewer passages (rerank.candidates)"
        case .pin: "ftictl pin features/prod models/current -o fti.lock"
        case .generation(let error): error.remedy
        case .engine:
            "serve the model that the release records, or record this one: "
                + "fti-inference canary URL -o canary.json, then "
                + "ftictl release REF --from REF --canary canary.json"
        case .condition(.undeclared):
            "correct the condition: retrieval.where in the configuration of a service, or --where"
        case .condition(let error): error.remedy
        case .embedding(let error): error.remedy
        case .refs(let error): error.remedy
        case .objects(let error): error.remedy
        case .storage(let error): error.remedy
        }
    }
}
