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

extension RefError {
    /// See ``Diagnosable``.
    public var message: String {
        switch self {
        case .invalidName(let text, let reason): "\(text) is not the name of a ref: \(reason)"
        case .unknownNamespace(let name):
            "a ref begins with \(RefNamespace.listing), not with \(Quoting.quoted(name))"
        case .invalidTransaction(let reason): "this transaction is not possible: \(reason)"
        case .noRepository(let location): "there is no repository in \(location)"
        case .repositoryExists(let location): "there is a repository in \(location) already"
        case .unknownRef(let name, let suggestions):
            "there is no ref \(name)" + Suggestions.question(suggestions)
        case .deleted(let name, let transaction):
            "\(name) was deleted by transaction \(transaction)"
        case .notRestorable(let name, let deletion, let snapshot):
            "\(name) cannot be restored: transaction \(deletion) deleted it, and what it pointed at, "
                + "\(snapshot.short), was collected since"
        case .misdirected(let name, let id, let found):
            "\(name) points at \(id.short), which is \(found): only a "
                + "\(name.namespace.kind.rawValue) snapshot belongs there"
        case .movedSince(let change, let transaction, let actual, let later):
            Self.movedSince(change, transaction: transaction, actual: actual, by: later)
        case .noTransaction(let number): "there is no transaction \(number)"
        case .noVersionBefore(let name, let id): "\(name) has no version before \(id.short)"
        case .nothingToUndo(nil): "there is no transaction to undo: none has moved a ref"
        case .nothingToUndo(let number?):
            "transaction \(number) cannot be undone: it moved no ref and removed no pack"
        case .nothingToApprove(let name, let id):
            "there is nothing to approve: \(name) is already "
                + (id.map { "at \($0.short)" } ?? "absent")
        case .conflict(let name, let expected, let actual, let transaction, let age)
        where expected.allows(actual):
            "\(name) was moved meanwhile, and is \(actual.map { "at \($0.short)" } ?? "absent") again"
                + Self.origin(transaction: transaction, ageMilliseconds: age)
        case .conflict(let name, let expected, let actual, let transaction, let age):
            "\(name) is not as expected: expected \(expected.noun), found "
                + (actual?.short ?? "no such ref")
                + Self.origin(transaction: transaction, ageMilliseconds: age)
        case .packRemoved(let name):
            "something that this transaction builds on was collected meanwhile (pack \(name.short))"
        case .outdated: "others changed the repository meanwhile"
        case .busy(let attempts):
            "other writers were faster \(attempts) times in a row"
        case .wrongKind(let name, let id, let kind):
            "\(name) can only point at a \(name.namespace.kind.rawValue) snapshot, and \(id.short) "
                + "is a \(kind.rawValue) snapshot"
        case .notASnapshot(let name, let id, let reason):
            "\(name) can only point at a snapshot, and \(id.short) is none: \(reason)"
        case .incomplete(let name, let snapshot, let missing):
            missing == snapshot
                ? "\(name) cannot point at \(snapshot.short): there is no such object"
                : "\(name) cannot point at \(snapshot.short): it names object \(missing.short), "
                    + "which is not in this repository"
        case .gates(let outcomes): outcomes.refusal
        case .misfit(let reason, _): "this does not fit together: \(reason)"
        case .gone(let snapshot, let missing):
            missing == snapshot
                ? "snapshot \(snapshot.short) is not in this repository, or was collected"
                : "snapshot \(snapshot.short) is not whole: object \(missing.short) was collected"
        case .nothingLost(let number):
            "there is nothing to bring back: all that transaction \(number) removed is in other packs"
        case .tooLateToUndo(let number, let missing, let count):
            "it is too late to undo transaction \(number): of the \(count) packs that it removed, the "
                + "files of \(missing) were deleted"
        case .damaged(let place, let reason): "\(place) is damaged: \(reason)"
        case .untrusted(let place, let reason): "\(place) cannot be trusted: \(reason)"
        case .foreignRoot(let reason): "this repository is not trusted: \(reason)"
        case .rolledBack(let from, let to):
            "the log went backwards: transaction \(from) was seen here before, and "
                + (to.map { "it ends at \($0) now" } ?? "nothing is left of it")
        case .forked(let number):
            "the log was rewritten: transaction \(number) is not the one that was seen here before"
        case .replaced:
            "this is another repository than the signed one that was seen here before"
        case .unauthorized(let reason, _): reason
        case .policyChanged: "the policy was changed meanwhile"
        case .key(let error): error.message
        case .needsNewer(let place, let what): "\(place) needs a newer fti: \(what)"
        case .outcomeUnknown(let number, let error):
            "the transaction may have been committed as \(number): \(error.message)"
        case .revision(let error): error.message
        case .objects(let error): error.message
        case .storage(let error): error.message
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .noRepository: "ftictl init makes one; --repo or FTI_REPO names another"
        case .unknownRef: "ftictl refs lists the refs"
        case .deleted(let name, _): "ftictl ref restore \(name)"
        case .notRestorable:
            "ftictl undo N, where N is the collection in ftictl reflog, while the files of its packs are there"
        case .misdirected(let name, _, _):
            "ftictl rollback \(name), or ftictl ref delete \(name)"
        case .movedSince(let change, _, let actual, _) where actual == change.old:
            "ftictl reflog \(change.name) lists its moves"
        case .movedSince(let change, _, _, _):
            change.old.map { "ftictl move \(change.name) \($0.short)" }
                ?? "ftictl ref delete \(change.name)"
        case .invalidName:
            "ftictl refs lists the refs; the name of a new one is like models/candidate"
        case .unknownNamespace: "ftictl refs lists the refs"
        case .notASnapshot(_, let id, _): "ftictl show \(id.short) says what it is"
        case .noVersionBefore(let name, _): "ftictl rollback \(name) --to REV"
        case .nothingToUndo: "ftictl reflog lists the transactions"
        case .nothingToApprove(let name, _): "ftictl log \(name) -n 2 shows what it was before"
        case .conflict(_, _, nil, nil, _): "ftictl refs lists the refs"
        case .conflict(let name, _, _, _, _): "ftictl log \(name) -n 2 shows by whom; decide anew"
        case .packRemoved, .outdated, .busy: "repeat the command"
        case .wrongKind(_, let id, let kind):
            "choose a ref below \(RefNamespace(kind).rawValue)/ for \(id.short)"
        case .damaged:
            "ftictl verify lists all damage; verify --repair --from COPY restores what a copy has"
        case .untrusted: "ftictl verify lists all damage"
        case .foreignRoot:
            "ask the owner of the repository for the key; FTI_TRUST or ftictl key trust says which one"
        case .rolledBack, .forked, .replaced:
            "compare with another copy; if you know why, --accept-rollback goes on with what is there"
        case .unauthorized(_, let remedy): remedy
        case .policyChanged: "ftictl policy show, then repeat the command"
        case .key(let error): error.remedy
        case .gates(let outcomes): outcomes.remedy
        case .misfit(_, let remedy): remedy
        case .outcomeUnknown(let number, _): "ftictl reflog shows whether \(number) is there"
        case .revision(let error): error.remedy
        case .objects(let error): error.remedy
        case .storage(let error): error.remedy
        default: nil
        }
    }

    /// See ``DetailedFailure``: of gates that refuse, all that they say.
    public var details: JSONObject {
        var details = JSONObject()
        if case .gates(let outcomes) = self { details["gates"] = .array(outcomes.map(\.json)) }
        return details
    }

    private static func movedSince(
        _ change: RefChange, transaction: Int, actual: ObjectID?, by later: Int
    ) -> String {
        let name = change.name
        if actual == change.old {
            let place = actual.map { "back at \($0.short)" } ?? "gone again"
            return "transaction \(transaction) is undone already: \(name) is \(place) since "
                + "transaction \(later)"
        }
        let move = change.new.map { "moved \(name) to \($0.short)" } ?? "deleted \(name)"
        return "transaction \(transaction) cannot be undone: it \(move), and transaction \(later) "
            + (actual.map { "moved it to \($0.short)" } ?? "deleted it")
    }

    private static func origin(transaction: Int?, ageMilliseconds: Int?) -> String {
        guard let transaction else { return "" }
        let age = ageMilliseconds.map { ", \(Age.description(milliseconds: $0)) ago" } ?? ""
        return " (transaction \(transaction)\(age))"
    }
}

/// A span of time as people say it.
enum Age {
    /// The largest unit that fits: `2 s`, `5 min`, `3 h`, `4 days`; less than a second is `0 s`.
    static func description(milliseconds: Int) -> String {
        let seconds = max(0, milliseconds) / 1000
        return switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }
}
