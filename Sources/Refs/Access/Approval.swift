public import Objects
internal import Storage

/// The consent of one key to one move of one ref.
///
/// It becomes void when the ref moves at all, when the access policy changes, and when it expires; so it counts for at
/// most one move.
public struct Approval: Hashable, Sendable {
    /// The ref that may move.
    public let ref: RefName
    /// The target of the ref when it was approved.
    public let old: ObjectID?
    /// The approved target; nil for a deletion.
    public let new: ObjectID?
    /// The key that consents.
    public let key: PublicKey
    /// The time at which it expires.
    public let expires: Timestamp
    /// The transaction that contains it.
    public let transaction: Int

    /// Identifies an approval among those of one ref: a later approval with the same subject replaces it.
    struct Subject: Hashable {
        let new: ObjectID?
        let key: PublicKey
    }

    var subject: Subject { Subject(new: new, key: key) }

    var json: JSON {
        [
            "ref": .string(ref.text), "old": old.map { .string($0.hex) } ?? .null,
            "new": new.map { .string($0.hex) } ?? .null, "key": .string(key.hex),
            "expires": .string(expires.description), "transaction": .integer(transaction),
        ]
    }

    /// The command that approves the move of a ref to a revision, or its deletion when the revision is nil.
    static func command(for ref: RefName, to revision: String?) -> String {
        "ftictl approve \(ref) \(revision ?? "--delete")"
    }
}

extension Approval {
    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        self.init(
            ref: try reader.refName("ref"), old: try reader.objectIDOrNull("old"),
            new: try reader.objectIDOrNull("new"), key: try reader.publicKey("key"),
            expires: try reader.timestamp("expires"), transaction: try reader.count("transaction"))
    }
}

/// The valid approvals of a state, by ref, so that the cost of an entry depends on the refs that it names and not on
/// the number of approvals.
struct Approvals: Sendable {
    private var byRef: [RefName: [Approval]] = [:]
    /// The time at which the first approval expires, or an earlier one.
    private var soonest: Timestamp?

    init() {}

    /// The approvals that a checkpoint lists.
    init(_ approvals: [Approval]) { for approval in approvals { add(approval) } }

    /// All approvals, sorted by transaction, ref, target and key.
    var all: [Approval] {
        byRef.values.joined().sorted { left, right in
            if left.transaction != right.transaction { return left.transaction < right.transaction }
            if left.ref != right.ref { return left.ref < right.ref }
            if left.new != right.new { return (left.new?.hex ?? "") < (right.new?.hex ?? "") }
            return left.key < right.key
        }
    }

    subscript(ref: RefName) -> [Approval] { byRef[ref] ?? [] }

    /// Drops the approvals that an entry makes void, and adds the ones that it gives.
    ///
    /// - Parameters:
    ///   - moved: The refs that the entry moves.
    ///   - clock: Approvals that expire at this time or earlier are dropped.
    ///   - letsExpire: Whether the entry lets approvals of a ref expire.
    mutating func settle(
        _ entry: LogEntry, moving moved: Set<RefName>, at clock: Timestamp,
        letsExpire: (RefName) -> Bool = { _ in true }
    ) {
        var given: [RefName: [Approval.Subject: Approval]] = [:]
        for action in entry.actions {
            switch action {
            case .accessPolicy:
                // The consent was given under rules that no longer hold.
                self = Approvals()
                return
            case .approve(let name, let old, let new, _, let expires):
                guard let key = entry.signature?.key, !moved.contains(name) else { continue }
                given[name, default: [:]][Approval.Subject(new: new, key: key)] = Approval(
                    ref: name, old: old, new: new, key: key, expires: expires,
                    transaction: entry.number)
            case .format, .ref, .pack, .unpack, .override, .retain: break
            }
        }
        for name in moved { byRef[name] = nil }
        for (name, approvals) in given {
            byRef[name]?.removeAll { approvals[$0.subject] != nil }
            for approval in approvals.values { add(approval) }
        }
        guard let soonest, soonest <= clock else { return }
        self = Approvals(
            byRef.values.joined().filter { $0.expires > clock || !letsExpire($0.ref) })
    }

    /// Drops approvals that are void for another reason.
    mutating func remove(_ void: Set<Approval>) {
        for name in Set(void.map(\.ref)) { byRef[name]?.removeAll(where: void.contains) }
    }

    private mutating func add(_ approval: Approval) {
        byRef[approval.ref, default: []].append(approval)
        soonest = min(soonest ?? approval.expires, approval.expires)
    }
}

extension Log {
    /// The approvals of some moves that have lapsed although the writer's clock says otherwise.
    ///
    /// A wrong clock, or one that was set back, must not revive an approval. So the writer also consults the newest
    /// time that it remembers, and asks the storage how long ago, by the storage's own clock, the entry of the approval
    /// was written. The file of a copied repository or of a segment is younger than its entries, so the storage may
    /// report an expiry too late but never too early.
    func lapsedApprovals(
        of changes: [RefChange], in state: State, at time: Timestamp
    ) throws(RefError) -> Set<Approval> {
        guard !state.approvals.isEmpty else { return [] }
        let names = Set(changes.map(\.name))
        let approvals = state.approvals.filter { names.contains($0.ref) && $0.expires > time }
        guard !approvals.isEmpty else { return [] }
        let newest = trust.memory?.newestTime(of: state.repositoryID) ?? time
        let files = approvals.flatMap { Self.files(holding: $0.transaction) }
        let ages = try wrapping(bucket.ages(of: files), as: RefError.storage)
        var lapsed = Set(approvals.filter { $0.expires <= newest })
        var reader = entries()
        for approval in approvals {
            let age = Self.files(holding: approval.transaction).compactMap { ages[$0] }.max()
            guard let age else { continue }
            let given = try reader.entry(approval.transaction).clock.milliseconds
            if given + age >= approval.expires.milliseconds { lapsed.insert(approval) }
        }
        return lapsed
    }

    /// The files that may hold an entry.
    private static func files(holding number: Int) -> [BlobName] {
        [LogFile.entry(number)] + SegmentName.all(holding: number).map(\.blob)
    }
}
