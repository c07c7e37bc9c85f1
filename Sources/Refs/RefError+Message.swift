public import Objects
internal import Storage

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
