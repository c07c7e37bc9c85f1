public import Objects
public import Refs

/// What a collection of garbage is to do.
public struct CollectionOptions: Sendable {
    /// For how many milliseconds each ref keeps what it pointed at; nil for what the policy says.
    public var keep: Int?
    /// How many values each ref keeps at least; nil for what the policy says.
    public var keepLast: Int?
    /// For how many milliseconds the files of packs that were removed are kept, for readers of older states and so
    /// that the removal can be taken back, and packs that no transaction has added yet.
    public var grace = CollectionOptions.standardGrace
    /// Whether every pack is rewritten that holds anything that nobody needs, so that deleted content is gone from
    /// the disk as soon as the files are.
    public var isPurge = false
    /// Whether nothing is to be changed.
    public var isDryRun = false

    /// A day: longer than a reader takes, and time to notice a mistake.
    public static let standardGrace = 86_400_000

    /// Makes options with the policy's retention and the standard grace.
    public init() {}

    /// One retention for every ref; nil for what the policy says.
    public var retention: Retention? {
        get {
            guard let keep, let keepLast else { return nil }
            return Retention(milliseconds: keep, count: keepLast)
        }
        set { (keep, keepLast) = (newValue?.milliseconds, newValue?.count) }
    }

    /// What is kept in a state.
    func rules(in state: State) -> RetentionRules {
        state.retention.replacing(milliseconds: keep, count: keepLast)
    }
}

/// What a collection of garbage did, or would do.
public struct CollectionReport: Sendable {
    /// What becomes of a live pack, and why.
    public struct Pack: Sendable {
        /// The pack and how much of it is needed.
        public let decision: CollectionPlan.Decision
        /// What needs something of it, at most a few; empty when nothing does.
        public let reasons: [KeepingReason]
        /// How many reasons there are.
        public let reasonCount: Int
    }

    /// A file of a pack that is not live.
    public struct File: Sendable {
        /// The name of the pack.
        public let name: ObjectID
        /// Its size in bytes.
        public let size: Int
    }

    /// The transaction that removed packs; nil when there was nothing to remove, or nothing was to be changed.
    public internal(set) var transaction: Int?
    /// The packs that were live before, in the order in which they were added.
    public internal(set) var packs: [Pack] = []
    /// The bytes of the pack into which what is needed of others was copied.
    public internal(set) var copiedBytes = 0
    /// The packs that no transaction had added and none ever will now: of writers that died.
    public internal(set) var condemned: [File] = []
    /// The files of removed packs that were deleted.
    public internal(set) var deleted: [File] = []
    /// The files of removed packs that are there still, until the grace has passed or a lease ends.
    public internal(set) var waiting: [File] = []
    /// Unfinished files of writers that died, which were removed.
    public internal(set) var abandonedFiles = 0

    /// How many packs are left for another collection, because one transaction removes no more.
    public internal(set) var leftCount = 0

    /// Whether there was no space to copy what is needed of packs, so that those stayed as they are.
    public internal(set) var ranOutOfSpace = false

    /// Whether somebody has taken a lease, just before the transaction, for something that it removed.
    var isOvertaken = false

    /// What both of two collections did, of which the second brought back what a lease needs.
    func followed(by second: CollectionReport) -> CollectionReport {
        var report = self
        report.copiedBytes += second.copiedBytes
        report.deleted += second.deleted
        report.waiting = second.waiting
        report.abandonedFiles += second.abandonedFiles
        return report
    }

    /// Whether it left everything as it was.
    var hasFreedNothing: Bool { transaction == nil && deleted.isEmpty && abandonedFiles == 0 }

    /// The packs that stay with something that nobody needs.
    public var wasteful: [Pack] { packs.filter { $0.decision.unneededBytes > 0 } }

    /// The stored bytes of what live packs hold after the collection.
    public var liveBytes: Int {
        packs.reduce(0) { sum, pack in
            let decision = pack.decision
            return switch decision.fate {
            case .keep: sum + decision.neededBytes + decision.unneededBytes
            case .rewrite: sum + decision.neededBytes
            case .drop: sum
            }
        }
    }

    /// Those of them that nobody needs.
    public var unneededBytes: Int { packs.reduce(0) { $0 + $1.decision.unneededBytes } }

    /// Packs with a fate.
    public func packs(_ fate: CollectionPlan.Fate) -> [Pack] {
        packs.filter { $0.decision.fate == fate }
    }
}
