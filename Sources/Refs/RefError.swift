public import Objects
public import Storage

/// An error of a repository: of its log, its refs or its revisions.
public enum RefError: DetailedFailure, Hashable {
    /// A text, which is quoted already, is not the name of a ref.
    case invalidName(_ text: String, reason: String)
    /// The first component of a name is not a namespace.
    case unknownNamespace(String)
    /// No transaction can do what was requested.
    case invalidTransaction(reason: String)
    /// There is no repository.
    case noRepository(location: String)
    /// There is a repository already.
    case repositoryExists(location: String)
    /// There is no ref of this name; the suggestions are similar names.
    case unknownRef(RefName, suggestions: [RefName])
    /// The transaction deleted the ref.
    case deleted(RefName, transaction: Int)
    /// The last target of a deleted ref was collected.
    case notRestorable(RefName, deletion: Int, snapshot: ObjectID)
    /// An entry moved a ref to an object that it cannot point at.
    case misdirected(RefName, ObjectID, found: String)
    /// A transaction cannot be undone because a later one moved the same ref.
    case movedSince(RefChange, transaction: Int, actual: ObjectID?, by: Int)
    /// The log has no entry of this number.
    case noTransaction(Int)
    /// The transaction moved no ref and removed no pack; without a number, no transaction moved a ref.
    case nothingToUndo(Int?)
    /// A ref never had another target.
    case noVersionBefore(RefName, ObjectID)
    /// A ref already has the target whose approval was requested.
    case nothingToApprove(RefName, ObjectID?)
    /// A ref does not meet its expectation: a transaction of this age moved it to `actual`.
    case conflict(
        RefName, expected: Expectation, actual: ObjectID?, transaction: Int?, ageMilliseconds: Int?)
    /// A concurrent transaction removed this pack, or objects in it, which the transaction builds on.
    case packRemoved(ObjectID)
    /// Concurrent changes have invalidated a decision.
    case outdated
    /// Other writers won this many races in a row.
    case busy(attempts: Int)
    /// A ref cannot point at a snapshot of this kind.
    case wrongKind(RefName, ObjectID, kind: Snapshot.Kind)
    /// A ref cannot point at an object that is not a snapshot.
    case notASnapshot(RefName, ObjectID, reason: String)
    /// A snapshot needs an object that is not in the repository.
    case incomplete(RefName, snapshot: ObjectID, missing: ObjectID)
    /// Gates refuse moves.
    case gates([GateOutcome])
    /// An adapter in the folder `place` of a new version does not fit the model that it adapts; `more` problems are left
    /// out.
    case adapter(RefName, place: String, base: ObjectID, _ problems: [String], more: Int)
    /// The parts of a release do not fit each other.
    case misfit(reason: String, remedy: String)
    /// A snapshot is no release; `name` is the name or the hash that led to it.
    case notARelease(name: String, reason: String)
    /// A snapshot, or an object that it needs, was collected.
    case gone(snapshot: ObjectID, missing: ObjectID)
    /// Other packs contain every object that a transaction removed.
    case nothingLost(Int)
    /// The files of packs that a transaction removed were deleted.
    case tooLateToUndo(Int, missing: Int, of: Int)
    /// A file of the log is malformed or missing.
    case damaged(place: String, reason: String)
    /// An entry or a checkpoint was written by a writer without the right to do so.
    case untrusted(place: String, reason: String)
    /// No key that this client trusts founded the repository.
    case foreignRoot(reason: String)
    /// The log ends before an entry that this client has seen; `to` is nil when no entry is left.
    case rolledBack(from: Int, to: Int?)
    /// The log has another entry where this client has seen one.
    case forked(at: Int)
    /// The log belongs to a repository other than the signed one that this client has seen.
    case replaced
    /// The access policy does not give the writer the right to do this.
    case unauthorized(reason: String, remedy: String)
    /// Another writer has changed the access policy.
    case accessPolicyChanged
    /// A key is missing or unusable.
    case key(KeyError)
    /// The repository requires something that this version does not have.
    case needsNewer(place: String, what: String)
    /// The transaction may or may not have been committed.
    case outcomeUnknown(number: Int, StorageError)
    /// A revision is malformed or names nothing.
    case revision(RevisionError)
    /// Objects could not be read or written.
    case objects(ObjectError)
    /// The bucket failed.
    case storage(StorageError)

    /// Whether an object is missing, perhaps because another process removed it.
    var isAbsence: Bool {
        switch self {
        case .incomplete, .gone: true
        case .objects(let error): error.isAbsence
        default: false
        }
    }

    /// Whether the error concerns one file, so that a scan of many can go on with the others.
    package var concernsOneFile: Bool {
        switch self {
        case .damaged: true
        case .storage(let error), .objects(.storage(let error)): error.concernsOneFile
        default: false
        }
    }

    /// The damaged file.
    package var place: String? {
        if case .damaged(let place, _) = self { place } else { nil }
    }

    /// The damage of the file, or else the message.
    package var reason: String {
        if case .damaged(_, let reason) = self { reason } else { message }
    }

    /// Whether the process lacked resources such as open files; the request itself was valid.
    public var isOutOfResources: Bool {
        switch self {
        case .objects(let error): error.isOutOfResources
        case .storage(let error): error.isOutOfResources
        default: false
        }
    }

    /// See ``Diagnosable``.
    public var fault: Fault {
        switch self {
        case .invalidName, .unknownNamespace, .invalidTransaction, .repositoryExists: .usage
        case .noRepository, .unknownRef, .noTransaction, .nothingToUndo, .noVersionBefore,
            .incomplete, .gone, .nothingLost, .tooLateToUndo, .deleted, .notRestorable:
            .missing
        case .conflict, .movedSince, .packRemoved, .outdated, .busy, .accessPolicyChanged: .conflict
        case .wrongKind, .notASnapshot, .adapter, .misfit, .notARelease, .gates, .unauthorized,
            .nothingToApprove:
            .refused
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
        case .invalidTransaction(let reason): "this transaction is impossible: \(reason)"
        case .noRepository(let location): "there is no repository in \(location)"
        case .repositoryExists(let location): "there is a repository in \(location) already"
        case .unknownRef(let name, let suggestions):
            "there is no ref \(name)" + Suggestions.question(suggestions)
        case .deleted(let name, let transaction):
            "\(name) was deleted by transaction \(transaction)"
        case .notRestorable(let name, let deletion, let snapshot):
            "\(name) cannot be restored: transaction \(deletion) deleted it, and its target "
                + "\(snapshot.short) was collected since"
        case .misdirected(let name, let id, let found):
            "\(name) points at \(id.short), which is \(found): only a "
                + "\(name.namespace.kind.rawValue) snapshot belongs there"
        case .movedSince(let change, let transaction, let actual, let later):
            Self.movedSince(change, transaction: transaction, actual: actual, by: later)
        case .noTransaction(let number): "there is no transaction \(number)"
        case .noVersionBefore(let name, let id): "\(name) has no version before \(id.short)"
        case .nothingToUndo(nil): "there is no transaction to undo: none moved a ref"
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
            "an object that this transaction needs was collected meanwhile (pack \(name.short))"
        case .outdated: "another writer changed the repository meanwhile"
        case .busy(let attempts):
            "gave up: lost the commit race \(attempts) times"
        case .wrongKind(let name, let id, let kind):
            "\(name) can only point at a \(name.namespace.kind.rawValue) snapshot, and \(id.short) "
                + "is a \(kind.rawValue) snapshot"
        case .notASnapshot(let name, let id, let reason):
            "\(name) can only point at a snapshot, and \(id.short) is not one: \(reason)"
        case .incomplete(let name, let snapshot, let missing):
            missing == snapshot
                ? "\(name) cannot point at \(snapshot.short): there is no such object"
                : "\(name) cannot point at \(snapshot.short): it needs object \(missing.short), "
                    + "which is not in this repository"
        case .gates(let outcomes): outcomes.refusal
        case .adapter(let name, let place, let base, let problems, let more):
            AdapterMisfit.message(name, place, base, problems, more: more)
        case .misfit(let reason, _): "the parts of the release do not fit: \(reason)"
        case .notARelease(let name, let reason): "\(name) \(reason)"
        case .gone(let snapshot, let missing):
            missing == snapshot
                ? "snapshot \(snapshot.short) is not in this repository, or was collected"
                : "snapshot \(snapshot.short) is incomplete: object \(missing.short) was collected"
        case .nothingLost(let number):
            "nothing is missing: other packs contain every object that transaction \(number) removed"
        case .tooLateToUndo(let number, let missing, let count):
            "it is too late to undo transaction \(number): it removed \(count) packs, and the files of "
                + "\(missing) of them were deleted"
        case .damaged(let place, let reason): "\(place) is damaged: \(reason)"
        case .untrusted(let place, let reason): "\(place) cannot be trusted: \(reason)"
        case .foreignRoot(let reason): "this repository is not trusted: \(reason)"
        case .rolledBack(let from, let to):
            "log rollback detected: this client has seen transaction \(from), "
                + (to.map { "the log now ends at \($0)" } ?? "the log is now empty")
        case .forked(let number):
            "the log was rewritten: transaction \(number) differs from the one that this client has seen"
        case .replaced:
            "this is not the signed repository that this client has seen here before"
        case .unauthorized(let reason, _): reason
        case .accessPolicyChanged: "another writer changed the access policy meanwhile"
        case .key(let error): error.message
        case .needsNewer(let place, let what): "\(place) needs a newer version of fti: \(what)"
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
        case .unknownRef(let name, let suggestions)
        where name.namespace == .releases && suggestions.isEmpty:
            "ftictl release \(name) --features features/prod --ranker models/candidate"
        case .unknownRef: "ftictl refs lists the refs"
        case .deleted(let name, _): "ftictl ref restore \(name)"
        case .notRestorable:
            "ftictl undo N, where ftictl reflog shows collection N, while the files of its packs exist"
        case .misdirected(let name, _, _):
            "ftictl rollback \(name), or ftictl ref delete \(name)"
        case .movedSince(let change, _, let actual, _) where actual == change.old:
            "ftictl reflog \(change.name) lists its moves"
        case .movedSince(let change, _, _, _):
            change.old.map { "ftictl move \(change.name) \($0.short)" }
                ?? "ftictl ref delete \(change.name)"
        case .invalidName:
            "ftictl refs lists the refs; a new name looks like models/candidate"
        case .unknownNamespace: "ftictl refs lists the refs"
        case .notASnapshot(_, let id, _): "ftictl show \(id.short) describes it"
        case .noVersionBefore(let name, _): "ftictl rollback \(name) --to REV"
        case .nothingToUndo: "ftictl reflog lists the transactions"
        case .nothingToApprove(let name, _): "ftictl log \(name) -n 2 shows its last moves"
        case .conflict(_, _, nil, nil, _): "ftictl refs lists the refs"
        case .conflict(let name, _, _, _, _):
            "ftictl log \(name) -n 2 shows who moved it; then decide again"
        case .packRemoved, .outdated, .busy: "repeat the command"
        case .wrongKind(_, let id, let kind):
            "choose a ref below \(RefNamespace(kind).rawValue)/ for \(id.short)"
        case .damaged:
            "ftictl verify lists all damage; ftictl verify --repair --from COPY restores it from a copy"
        case .untrusted: "ftictl verify lists all damage"
        case .foreignRoot:
            "ask the owner of the repository for the key, and trust it with ftictl key trust or FTI_TRUST"
        case .rolledBack, .forked, .replaced:
            "compare with another copy; if you know the reason, --accept-rollback accepts this log"
        case .unauthorized(_, let remedy): remedy
        case .accessPolicyChanged: "ftictl policy show, then repeat the command"
        case .key(let error): error.remedy
        case .gates(let outcomes): outcomes.remedy
        case .adapter: AdapterMisfit.remedy
        case .misfit(_, let remedy): remedy
        case .notARelease: "ftictl release REF --features REV --ranker REV makes one"
        case .outcomeUnknown(let number, _): "ftictl reflog shows whether \(number) is there"
        case .revision(let error): error.remedy
        case .objects(let error): error.remedy
        case .storage(let error): error.remedy
        default: nil
        }
    }

    /// See ``DetailedFailure``: the outcomes of gates that refuse.
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
            return "transaction \(transaction) was undone already: \(name) is \(place) since "
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

/// Durations as people say them.
enum Age {
    /// The duration in the largest unit that it has at least two of: `90 s`, `5 min`, `3 h`, `4 days`; less than a
    /// second is `0 s`.
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
