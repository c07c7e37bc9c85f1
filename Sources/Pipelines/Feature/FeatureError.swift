public import Artifacts
public import Objects
public import Refs
public import Storage

/// Why a run of the feature pipeline failed. The repository is then unchanged.
public enum FeatureError: RepositoryFailure, Diagnosable, Hashable {
    /// The configuration is invalid; the line counts from 1.
    case configuration(path: String, line: Int?, reason: String)
    /// The configured ref is not a features ref.
    case notFeatures(RefName)
    /// Two documents of one run have the same path.
    case duplicateDocument(String)
    /// The sources have no documents, and the ref does not exist yet.
    case noDocuments(reason: String)
    /// A source does not exist, but the ref has rows of its documents.
    case sourceMissing(location: String, RefName)
    /// A source or a pattern matches nothing in a strict run.
    case nothingMatches(reasons: [String])
    /// Folders, files or records cannot be read in a strict run.
    case unreadable(reasons: [String])
    /// The ref's rows are in another embedding space than the run's.
    case spaceDiffers(RefName, found: ObjectID?, needed: ObjectID, differences: [String])
    /// The embedding space changes, but rows must stay because their documents may still exist.
    case spaceChangesIncompletely(document: String)
    /// The run would make more requests than it may; it made none.
    case tooManyRequests(EmbeddingPlan, limit: Int)
    /// The embedder failed.
    case embedding(EmbeddingError)
    /// The log or a ref could not be read or changed.
    case refs(RefError)
    /// Objects could not be read or written.
    case objects(ObjectError)
    /// A file could not be read.
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
        case .configuration, .duplicateDocument, .unreadable: .usage
        case .notFeatures, .spaceDiffers, .spaceChangesIncompletely, .tooManyRequests: .refused
        case .noDocuments, .sourceMissing, .nothingMatches: .missing
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
        case .notFeatures(let ref):
            "the feature pipeline cannot write to \(ref), only to features/*"
        case .duplicateDocument(let path): "two documents have the path \(path)"
        case .noDocuments(let reason): "there are no documents: \(reason)"
        case .sourceMissing(let location, let ref):
            "\(location) does not exist, but \(ref) has rows of its documents"
        case .nothingMatches(let reasons): reasons.joined(separator: "; ")
        case .unreadable(let reasons):
            reasons.prefix(10).joined(separator: "; ")
                + (reasons.count > 10 ? "; and \(reasons.count - 10) more" : "")
        case .spaceDiffers(let ref, let found, let needed, let differences):
            "\(ref) has rows in embedding space \(found?.short ?? "unknown"), but this run embeds into "
                + "\(needed.short)"
                + (differences.isEmpty ? "" : ": " + differences.joined(separator: "; "))
        case .spaceChangesIncompletely(let document):
            "the embedding space changes, but \(document) could not be listed or read, so its "
                + "rows must stay"
        case .tooManyRequests(let plan, let limit):
            "\(plan.texts) texts need \(plan.requests) requests, more than \(limit)"
        case .embedding(let error): error.message
        case .refs(let error): error.message
        case .objects(let error): error.message
        case .storage(let error): error.message
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .configuration: nil
        case .notFeatures: "set ref to features/staging"
        case .duplicateDocument:
            "give each source its own name, and each record its own id"
        case .noDocuments: "check files, include and exclude in the sources"
        case .sourceMissing:
            "restore it, or keep its rows: fti-feature run CONFIG --allow-missing"
        case .nothingMatches: "correct include and exclude, or run without --strict"
        case .unreadable:
            "correct or exclude them, or run without --strict, which keeps the rows they already have"
        case .spaceDiffers:
            "configure the embedder that made those rows, or embed everything again: "
                + "fti-feature run CONFIG --rebuild"
        case .spaceChangesIncompletely:
            "make all sources readable, or write to another ref, such as features/next"
        case .tooManyRequests(let plan, _):
            "allow them with --max-requests \(plan.requests), or read fewer documents"
        case .embedding(let error): error.remedy
        case .refs(let error): error.remedy
        case .objects(let error): error.remedy
        case .storage(let error): error.remedy
        }
    }
}
