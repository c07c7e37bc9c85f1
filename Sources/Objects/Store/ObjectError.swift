public import Storage

/// Why an object could not be read, decoded or stored.
public enum ObjectError: Diagnosable, Hashable {
    /// No object has this identity.
    case missing(ObjectID)
    /// The object was collected while it was needed; the newest transaction that removed packs then.
    case collected(ObjectID, transaction: Int)
    /// Stored bytes do not hash to the identity that they are stored under.
    case corrupt(ObjectID, where: String)
    /// The object's bytes are not a valid encoding of what refers to it.
    case malformed(ObjectID?, as: String, reason: String, offset: Int?)
    /// An object is larger than what it may be for this use.
    case tooLarge(ObjectID, size: Int, limit: Int)
    /// A pack's own structure is damaged.
    case damagedPack(String, reason: String)
    /// The file of a pack is not there: it was removed, or else it is damage.
    case packGone(ObjectID)
    /// What a caller asked to store is not valid.
    case invalid(what: String, reason: String)
    /// The bucket failed.
    case storage(StorageError)

    /// See ``Diagnosable``.
    public var fault: Fault {
        switch self {
        case .missing, .collected: .missing
        case .corrupt, .malformed, .damagedPack, .packGone, .tooLarge: .damaged
        case .invalid: .usage
        case .storage(let error): error.fault
        }
    }

    /// Whether something is not there. Another process may have taken it away.
    public var isAbsence: Bool {
        switch self {
        case .missing, .collected, .packGone: true
        default: false
        }
    }

    /// Whether the process had no means to go on, such as open files: nothing is wrong with what it asked for.
    public var isOutOfMeans: Bool {
        if case .storage(let error) = self { error.isOutOfMeans } else { false }
    }

    /// See ``Diagnosable``.
    public var message: String {
        switch self {
        case .missing(let id): "there is no object \(id.short)"
        case .collected(let id, let transaction):
            "object \(id.short) was collected by transaction \(transaction)"
        case .corrupt(let id, let place): "object \(id.short) is damaged in \(place)"
        case .malformed(let id, let kind, let reason, let offset):
            (id.map { "object \($0.short) is not" } ?? "these bytes are not")
                + " a valid \(kind): \(reason)" + (offset.map { " (at byte \($0))" } ?? "")
        case .tooLarge(let id, let size, let limit):
            "object \(id.short) has \(size) bytes, more than the \(limit) that fit here"
        case .damagedPack(let name, let reason): "pack \(name.prefix(12)) is damaged: \(reason)"
        case .packGone(let name): "pack \(name.short) is damaged: its file is gone"
        case .invalid(let what, let reason): "\(what): \(reason)"
        case .storage(let error): error.message
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .corrupt, .damagedPack, .packGone:
            "ftictl verify --full lists all damage and what it affects"
        case .missing:
            "if it was collected, ftictl reflog shows by which transaction: ftictl undo takes that back"
        case .collected(_, let transaction):
            "ftictl undo \(transaction) brings it back while the files of its pack are there"
        case .storage(let error): error.remedy
        default: nil
        }
    }
}

/// A failure that a program can be told more of than a person reads.
public protocol DetailedFailure: Diagnosable {
    /// What the report in JSON has beside the message; none of the members that every report has.
    var details: JSONObject { get }
}
