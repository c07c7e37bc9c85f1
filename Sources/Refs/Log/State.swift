public import Objects
internal import Storage

/// What a ref is in one state.
public struct RefState: Hashable, Sendable {
    /// The snapshot that it points at.
    public let target: ObjectID
    /// The number of the transaction that moved it there.
    public let transaction: Int
    /// When that was.
    public let time: Timestamp

    /// Makes the state of a ref.
    public init(target: ObjectID, transaction: Int, time: Timestamp) {
        self.target = target
        self.transaction = transaction
        self.time = time
    }
}

/// The fold of the log up to one entry: where every ref points and which packs are live.
///
/// A value: whatever is committed later does not show in it, so that a reader who uses one state
/// throughout never sees half a transaction.
public struct State: Sendable {
    /// The number of the newest entry that is folded in.
    public internal(set) var number: Int
    /// The hash of that entry.
    public internal(set) var entryHash: ObjectID
    /// The time of that entry.
    public internal(set) var time: Timestamp
    /// The identity of the repository.
    public let repositoryID: RandomBits
    /// Every ref that exists.
    public internal(set) var refs: [RefName: RefState]
    /// The transactions that removed refs that do not exist any more: where their histories begin.
    var removedRefs: [RefName: Int]
    /// Who may write what from the next entry on; nil when nobody has set a policy.
    public internal(set) var policy: AccessPolicy?
    /// Who signed the first policy that asked for signatures: the root of all rights.
    public internal(set) var policyRoot: PublicKey?
    /// The transaction since which every later one had to be signed; nil when that is not demanded now.
    var signedSince: Int?
    /// Every key that a policy has listed.
    var listedKeys: Set<PublicKey> = []
    /// The approvals that are not void yet.
    var pendingApprovals = Approvals()
    var packLedger: PackLedger
    /// Who has signed the checkpoint that this state was read from; nil when it was folded, or nobody has.
    package var certifier: PublicKey?
    /// The newest checkpoint that is known to be good.
    var checkpoint: CheckpointName?
    /// The bytes of that checkpoint.
    var checkpointSize = 0

    /// What a ref points at, or nil when it does not exist.
    public func target(of name: RefName) -> ObjectID? { refs[name]?.target }

    /// How many milliseconds the log is ahead of a clock, when that is more than entries leave unsaid.
    func skew(at now: Timestamp) -> Int? {
        let lead = time.milliseconds - now.milliseconds
        return lead > LogEntry.tolerableSkew ? lead : nil
    }

    /// The moment that an entry made now counts as: `now`, or the log's time when that is a little ahead. A log that is
    /// far ahead holds an entry that is dated wrongly, and does not count.
    public func moment(at now: Timestamp) -> Timestamp {
        skew(at: now) == nil ? max(now, time) : now
    }

    /// The number of the newest transaction that moved or removed a ref; nil when there was never such a
    /// ref.
    public func lastTransaction(of name: RefName) -> Int? {
        refs[name]?.transaction ?? removedRefs[name]
    }

    /// The approvals that are not void yet, in the order of the transactions that gave them.
    public var approvals: [Approval] { pendingApprovals.all }

    /// The live packs in the order in which they were added.
    ///
    /// Read from the checkpoint at each call: O(packs).
    ///
    /// - Throws: `damaged` when the log is seen to add a pack again.
    public var packs: [PackReference] {
        get throws(RefError) { try packLedger.live() }
    }

    /// Lets go of what a checkpoint of this state holds.
    mutating func restart(from name: CheckpointName, _ bytes: [UInt8]) {
        checkpoint = name
        checkpointSize = bytes.count
        let lines = Checkpoint.body(bytes, name: name)
        guard let end = lines.firstIndex(of: 0x0A) else { return }
        packLedger = PackLedger(lines: lines[(end + 1)...], place: name.blob.description)
    }
}
