public import Objects
internal import Storage

/// Somebody's consent to one move of one ref.
///
/// It is void once the ref moves, wherever to, once the policy changes, and when it expires; so it is good for one
/// move at most.
public struct Approval: Hashable, Sendable {
    /// The ref.
    public let ref: RefName
    /// What the ref points at as long as it is not moved.
    public let old: ObjectID?
    /// What it may be moved to; nil for its removal.
    public let new: ObjectID?
    /// Who consents.
    public let key: PublicKey
    /// Up to when.
    public let expires: Timestamp
    /// The transaction that says so.
    public let transaction: Int

    /// What one key can approve of a ref once at a time.
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

    init(
        ref: RefName, old: ObjectID?, new: ObjectID?, key: PublicKey, expires: Timestamp,
        transaction: Int
    ) {
        self.ref = ref
        self.old = old
        self.new = new
        self.key = key
        self.expires = expires
        self.transaction = transaction
    }

    /// The command that approves a move, or with no revision the removal of a ref.
    static func command(for ref: RefName, to revision: String?) -> String {
        "ftictl approve \(ref) \(revision ?? "--delete")"
    }

    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        guard let key = PublicKey(hex: try reader.string("key")) else {
            throw reader.error("key", "must be an Ed25519 key")
        }
        self.init(
            ref: try reader.refName("ref"), old: try reader.objectIDOrNull("old"),
            new: try reader.objectIDOrNull("new"), key: key,
            expires: try reader.timestamp("expires"), transaction: try reader.count("transaction"))
        try reader.finish()
    }
}

/// The approvals of a state that are not void yet, by ref: what an entry does to them costs what it names, however
/// many there are.
struct Approvals: Sendable {
    private var byRef: [RefName: [Approval]] = [:]
    /// When the first of them expires.
    private var soonest: Timestamp?

    /// No approvals.
    init() {}

    /// Approvals as a checkpoint lists them.
    init(_ approvals: [Approval]) { for approval in approvals { add(approval) } }

    /// All of them, by transaction, ref, target and key.
    var all: [Approval] {
        byRef.values.joined().sorted { left, right in
            if left.transaction != right.transaction { return left.transaction < right.transaction }
            if left.ref != right.ref { return left.ref < right.ref }
            if left.new != right.new { return (left.new?.hex ?? "") < (right.new?.hex ?? "") }
            return left.key < right.key
        }
    }

    /// Those that are about a ref.
    subscript(ref: RefName) -> [Approval] { byRef[ref] ?? [] }

    /// Drops those that are void after an entry, and takes those that it gives.
    ///
    /// - Parameters:
    ///   - moved: The refs that the entry moves.
    ///   - clock: What has expired by then is void.
    ///   - letsExpire: Whether the entry lets time pass for the approvals of a ref.
    mutating func settle(
        _ entry: LogEntry, moving moved: Set<RefName>, at clock: Timestamp,
        letsExpire: (RefName) -> Bool = { _ in true }
    ) {
        var given: [RefName: [Approval.Subject: Approval]] = [:]
        for action in entry.actions {
            switch action {
            case .policy:
                // Under another policy somebody has consented by rules that do not hold any more.
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

    /// Drops those that are void for another reason.
    mutating func remove(_ void: Set<Approval>) {
        for name in Set(void.map(\.ref)) { byRef[name]?.removeAll(where: void.contains) }
    }

    private mutating func add(_ approval: Approval) {
        byRef[approval.ref, default: []].append(approval)
        soonest = min(soonest ?? approval.expires, approval.expires)
    }
}

extension Log {
    /// The approvals of moves that have expired although a writer's clock shows that they have not.
    ///
    /// A clock that is wrong, or was set back, must not bring back what has expired. So a writer also asks what it
    /// remembers of the time, and the place where the log is: how long ago, by its own clock, the approval's entry was
    /// written. A copy of a repository, or a segment, is younger than its entries, so that a place says that an approval has
    /// expired too late at worst, never too early.
    func lapsedApprovals(
        of changes: [RefChange], in state: State, at time: Timestamp
    ) throws(RefError) -> Set<Approval> {
        guard !state.approvals.isEmpty else { return [] }
        let names = Set(changes.map(\.name))
        let approvals = state.approvals.filter { names.contains($0.ref) && $0.expires > time }
        guard !approvals.isEmpty else { return [] }
        let newest = trust.memory?.newestTime(of: state.repositoryID) ?? time
        let files = approvals.flatMap { Self.files(holding: $0.transaction) }
        let ages: [BlobName: Int]
        do { ages = try bucket.ages(of: files) } catch { throw .storage(error) }
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

    /// The files that an entry may be in.
    private static func files(holding number: Int) -> [BlobName] {
        [LogFile.entry(number)]
            + SegmentName.sizes.map { SegmentName(of: $0, holding: number).blob }
    }
}
