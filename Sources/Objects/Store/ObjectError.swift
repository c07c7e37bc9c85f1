public import Storage

/// Why an object could not be read, decoded or stored.
public enum ObjectError: Diagnosable, Hashable {
    /// No object has this identity.
    case missing(ObjectID)
    /// The object was collected during the operation; `transaction` is the newest one that removed packs.
    case collected(ObjectID, transaction: Int)
    /// Stored bytes fail a check: they have the wrong checksum or size, cannot be decoded, or do not hash to the
    /// identity of the object or piece.
    case corrupt(ObjectID, where: String)
    /// Bytes are not a valid encoding, such as of a tree or a table leaf.
    case malformed(ObjectID?, as: String, reason: String, offset: Int?)
    /// An object is larger than this use permits; sizes in bytes.
    case tooLarge(ObjectID, size: Int, limit: Int)
    /// A pack, given by its name, is damaged.
    case damagedPack(ObjectID, reason: String)
    /// The file of a pack, given by its name, does not exist: a transaction removed the pack, or the repository is
    /// damaged.
    case packGone(ObjectID)
    /// The caller passed something that cannot be stored.
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

    /// Whether an object or a pack is missing; another process may have removed it.
    public var isAbsence: Bool {
        switch self {
        case .missing, .collected, .packGone: true
        default: false
        }
    }

    /// Whether the process lacked a resource, such as file descriptors; the objects may be sound.
    public var isOutOfResources: Bool {
        if case .storage(let error) = self { error.isOutOfResources } else { false }
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
            "object \(id.short) has \(size) bytes; the limit here is \(limit)"
        case .damagedPack(let name, let reason): "pack \(name.short) is damaged: \(reason)"
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
            "if it was collected, ftictl reflog shows the transaction, and ftictl undo reverses it"
        case .collected(_, let transaction):
            "ftictl undo \(transaction) restores it while the file of its pack still exists"
        case .storage(let error): error.remedy
        default: nil
        }
    }
}

/// Evaluates a call to Storage; wraps its error in ``ObjectError/storage(_:)``.
@discardableResult
func inStorage<Value>(
    _ call: @autoclosure () throws(StorageError) -> Value
) throws(ObjectError) -> Value {
    try wrapping(as: ObjectError.storage, call)
}

/// An error whose report in JSON has more than the message.
public protocol DetailedFailure: Diagnosable {
    /// The additional members of the report; their names differ from those that every report has.
    var details: JSONObject { get }
}
