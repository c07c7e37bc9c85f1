public import Objects
public import Storage

/// Why the log, a ref or a revision could not be read or changed.
public enum RefError: DetailedFailure, Hashable {
    /// Text is not the name of a ref; `text` is quoted already.
    case invalidName(_ text: String, reason: String)
    /// A ref's first component is not one of the four namespaces.
    case unknownNamespace(String)
    /// A transaction is asked for something that no transaction can hold.
    case invalidTransaction(reason: String)
    /// There is no repository.
    case noRepository(location: String)
    /// There is a repository already.
    case repositoryExists(location: String)
    /// No ref has this name; refs that it may have been meant for.
    case unknownRef(RefName, suggestions: [RefName])
    /// A ref does not exist any more: the transaction that deleted it.
    case deleted(RefName, transaction: Int)
    /// What a deleted ref pointed at was collected since.
    case notRestorable(RefName, deletion: Int, snapshot: ObjectID)
    /// Somebody wrote an entry that points a ref at what it cannot point at.
    case misdirected(RefName, ObjectID, found: String)
    /// A transaction cannot be undone: a later one moved a ref that it moved.
    case movedSince(RefChange, transaction: Int, actual: ObjectID?, by: Int)
    /// The log has no entry of this number.
    case noTransaction(Int)
    /// The transaction, or every one, moved no ref and removed no pack.
    case nothingToUndo(Int?)
    /// A ref never pointed at anything else than this.
    case noVersionBefore(RefName, ObjectID)
    /// A ref is already where its move is to be approved to.
    case nothingToApprove(RefName, ObjectID?)
    /// A ref is not what the update expects: it has `actual`, set by a transaction so long ago.
    case conflict(
        RefName, expected: Expectation, actual: ObjectID?, transaction: Int?, ageMilliseconds: Int?)
    /// What a transaction builds on was removed by another one meanwhile: this pack, or what it needs.
    case packRemoved(ObjectID)
    /// Others have changed what this was decided on, so it must be decided anew.
    case outdated
    /// Other writers win every race for the next entry.
    case busy(attempts: Int)
    /// A ref cannot point at a snapshot of this kind.
    case wrongKind(RefName, ObjectID, kind: Snapshot.Kind)
    /// A ref cannot point at what is not a snapshot.
    case notASnapshot(RefName, ObjectID, reason: String)
    /// A snapshot names an object that is not in the repository.
    case incomplete(RefName, snapshot: ObjectID, missing: ObjectID)
    /// Gates do not let moves pass.
    case gates([GateOutcome])
    /// What a release is to bind does not fit together.
    case misfit(reason: String, remedy: String)
    /// A snapshot, or something that it needs, was collected.
    case gone(snapshot: ObjectID, missing: ObjectID)
    /// Everything in the packs that a transaction removed is there, in other packs.
    case nothingLost(Int)
    /// What a transaction removed cannot be brought back any more: files of packs were deleted.
    case tooLateToUndo(Int, missing: Int, of: Int)
    /// The log's bytes are not what they must be.
    case damaged(place: String, reason: String)
    /// A transaction or a checkpoint is not by whom it must be: somebody without the right has written to the log.
    case untrusted(place: String, reason: String)
    /// A repository was not begun by any key that this client trusts.
    case foreignRoot(reason: String)
    /// The log ends before an entry that this client has seen; `to` is nil when nothing is left.
    case rolledBack(from: Int, to: Int?)
    /// The log has another entry where this client has seen one.
    case forked(at: Int)
    /// Another repository is where this client has seen one that demanded signatures.
    case replaced
    /// The policy does not let this writer do that.
    case unauthorized(reason: String, remedy: String)
    /// Somebody else has changed the policy meanwhile.
    case policyChanged
    /// A key cannot be had or used.
    case key(KeyError)
    /// The repository uses something that this version does not know.
    case needsNewer(place: String, what: String)
    /// Whether the transaction took place is not known.
    case outcomeUnknown(number: Int, StorageError)
    /// A revision is malformed or finds nothing.
    case revision(RevisionError)
    /// Objects could not be read or written.
    case objects(ObjectError)
    /// The bucket failed.
    case storage(StorageError)

    /// Whether something is not there. Another process may have taken it away.
    var isAbsence: Bool {
        switch self {
        case .incomplete, .gone: true
        case .objects(let error): error.isAbsence
        default: false
        }
    }

    /// Whether it is about one file, so that whoever looks at many can go on with the others.
    package var concernsOneFile: Bool {
        switch self {
        case .damaged: true
        case .storage(let error), .objects(.storage(let error)): error.concernsOneFile
        default: false
        }
    }

    /// The file that is damaged.
    package var place: String? {
        if case .damaged(let place, _) = self { place } else { nil }
    }

    /// What is wrong with the one file that the error is about.
    package var reason: String {
        if case .damaged(_, let reason) = self { reason } else { message }
    }

    /// Whether the process had no means to go on, such as open files: nothing is wrong with what it asked for.
    public var isOutOfMeans: Bool {
        switch self {
        case .objects(let error): error.isOutOfMeans
        case .storage(let error): error.isOutOfMeans
        default: false
        }
    }

    /// See ``Diagnosable``.
    public var fault: Fault {
        switch self {
        case .invalidName, .unknownNamespace, .invalidTransaction, .repositoryExists: .usage
        case .noRepository, .unknownRef, .noTransaction, .nothingToUndo, .noVersionBefore,
            .incomplete, .gone,
            .nothingLost, .tooLateToUndo, .deleted, .notRestorable:
            .missing
        case .conflict, .movedSince, .packRemoved, .outdated, .busy, .policyChanged: .conflict
        case .wrongKind, .notASnapshot, .misfit, .gates, .unauthorized, .nothingToApprove: .refused
        case .damaged, .untrusted, .foreignRoot, .rolledBack, .forked, .replaced, .misdirected:
            .damaged
        case .key(let error): error.fault
        case .needsNewer, .outcomeUnknown: .io
        case .revision(let error): error.fault
        case .objects(let error): error.fault
        case .storage(let error): error.fault
        }
    }
}
