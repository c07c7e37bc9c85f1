public import Objects
public import Storage

/// Why a revision is malformed or finds nothing.
public enum RevisionError: Diagnosable, Hashable {
    /// The text is not a revision; `column` counts bytes from 1.
    case syntax(text: String, column: Int, reason: String)
    /// The text names neither a ref nor an object; refs that it may have been meant for.
    case unknown(text: String, suggestions: [RefName])
    /// No object's identity begins so.
    case noObject(prefix: String)
    /// Several objects' identities begin so.
    case ambiguous(prefix: String, candidates: [Candidate])
    /// A history of first parents is shorter than asked for.
    case noAncestor(of: ObjectID, generation: Int, available: Int)
    /// A snapshot has no input of this role.
    case noRole(String, of: ObjectID, roles: [String])
    /// A ref has had fewer values than asked for.
    case noPriorValue(RefName, position: Int, available: Int)
    /// A ref did not exist at that moment; when it got its first value.
    case notThen(RefName, RevisionTime, first: Timestamp)
    /// A tree has no such path, or a table no such key.
    case noPath(String, of: ObjectID)
    /// A path is not possible inside a tree.
    case badPath(String, reason: String)
    /// An object is not a snapshot, where one is needed.
    case notASnapshot(ObjectID)

    /// An object that an ambiguous prefix may mean.
    public struct Candidate: Hashable, Sendable {
        /// Its identity.
        public let id: ObjectID
        /// What it is, as far as can be told: `model snapshot`, or its size in bytes.
        public let kind: String
    }

    /// See ``Diagnosable``.
    public var fault: Fault {
        switch self {
        case .syntax, .unknown, .badPath: .usage
        case .noObject, .ambiguous, .noAncestor, .noRole, .noPriorValue, .notThen, .noPath,
            .notASnapshot:
            .missing
        }
    }

    /// See ``Diagnosable``.
    public var message: String {
        switch self {
        case .syntax(let text, let column, let reason):
            "\(Quoting.quoted(text)) is not a revision: \(reason) (at byte \(column))"
        case .unknown(let text, let suggestions):
            "\(Quoting.quoted(text)) is neither a ref, such as models/current, nor an id"
                + Suggestions.question(suggestions)
        case .noObject(let prefix): "there is no object \(prefix)"
        case .ambiguous(let prefix, let candidates):
            "\(prefix) is ambiguous: "
                + candidates.map { "\($0.id.short) (\($0.kind))" }.joined(separator: ", ")
        case .noAncestor(let id, let generation, let available):
            "\(id.short) has no ancestor \(generation) generations back: its history is "
                + "\(available) long"
        case .noRole(let role, let id, let roles):
            "\(id.short) has no input \(Quoting.quoted(role)); "
                + (roles.isEmpty ? "it has none" : "it has " + roles.joined(separator: ", "))
        case .noPriorValue(let name, let position, let available):
            "\(name) has no value \(position) moves ago: it has had \(available)"
        case .notThen(let name, let time, let first):
            "there is no \(name)@{\(time)}: it did not exist then; its first value is of \(first)"
        case .noPath(let path, let id): "there is no \(Quoting.quoted(path)) in \(id.short)"
        case .badPath(let path, let reason):
            "\(Quoting.quoted(path)) is not a path inside a snapshot: \(reason)"
        case .notASnapshot(let id): "object \(id.short) is not a snapshot"
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .unknown: "ftictl refs lists the refs"
        case .syntax, .badPath: "ftictl --help says how a revision is written"
        case .noObject: "ftictl log lists the versions with their ids"
        case .noAncestor: "ftictl log --graph lists what versions were made from"
        case .noRole(_, let id, _): "ftictl show \(id.short) lists its inputs"
        case .notASnapshot(let id): "ftictl show \(id.short) says what it is"
        case .ambiguous: "give more digits"
        case .noPriorValue(let name, _, _), .notThen(let name, _, _):
            "ftictl reflog \(name) lists its values"
        case .noPath(_, let id): "ftictl ls \(id.short) lists what there is"
        }
    }
}
