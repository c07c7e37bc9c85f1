public import Objects
public import Refs

/// Options of a collection of garbage.
public struct CollectionOptions: Sendable {
    /// How many milliseconds each ref keeps its past values; nil for the retention in force.
    public var keep: Int?
    /// How many values each ref keeps at least; nil for the retention in force.
    public var keepLast: Int?
    /// How many milliseconds the files of removed packs stay, for readers of older states and for undo. The files of
    /// packs that no transaction has added yet stay as long.
    public var grace = CollectionOptions.standardGrace
    /// Whether to rewrite every pack that holds unneeded data, so that deleted content leaves the disk with the files.
    public var isPurge = false
    /// Whether to report what would happen and change nothing.
    public var isDryRun = false

    /// A day: longer than any read takes, and time to notice a mistake.
    public static let standardGrace = 86_400_000

    /// Makes options with the standard grace and the retention in force: the access policy's, or else the standard one.
    public init() {}

    /// The retention rules in a state.
    func rules(in state: State) -> RetentionRules {
        state.retention.replacing(milliseconds: keep, count: keepLast)
    }
}

/// The result of a collection of garbage, or of a dry run.
public struct CollectionReport: Sendable {
    /// The fate of a live pack, and why.
    public struct Pack: Sendable {
        /// The pack, its fate, and how much of it is needed.
        public let decision: CollectionPlan.Decision
        /// The first few reasons that keep it; empty when nothing needs it.
        public let reasons: [KeepingReason]
        /// How many reasons keep the pack, including those that ``reasons`` leaves out.
        public let reasonCount: Int
    }

    /// The file of a pack that is not live.
    public struct File: Sendable {
        /// The name of the pack, which is the name of its file.
        public let name: ObjectID
        /// Its size in bytes.
        public let size: Int
    }

    /// The transaction that removed packs; nil when there was nothing to remove, and for a dry run.
    public internal(set) var transaction: Int?
    /// The packs that were live before, in the order in which transactions added them.
    public internal(set) var packs: [Pack] = []
    /// The size of the pack that received the copied data, in bytes.
    public internal(set) var copiedBytes = 0
    /// The packs of crashed writers, which no transaction has added and none can add now.
    public internal(set) var condemned: [File] = []
    /// The deleted files of removed packs.
    public internal(set) var deleted: [File] = []
    /// The files of removed packs that stay until the grace has passed or a lease ends.
    public internal(set) var waiting: [File] = []
    /// How many unfinished files of crashed writers were deleted.
    public internal(set) var abandonedFiles = 0

    /// How many packs are left for the next collection, because one transaction can remove no more.
    public internal(set) var leftCount = 0

    /// Whether the disk was full, so that no pack was rewritten.
    public internal(set) var ranOutOfSpace = false

    /// Whether a lease, taken just before the transaction, needs something that it removed.
    var isOvertaken = false

    /// Combines the report with that of a second collection, which restored what a lease needs.
    func followed(by second: CollectionReport) -> CollectionReport {
        var report = self
        report.copiedBytes += second.copiedBytes
        report.deleted += second.deleted
        report.waiting = second.waiting
        report.abandonedFiles += second.abandonedFiles
        return report
    }

    /// Whether it changed nothing.
    var freedNothing: Bool { transaction == nil && deleted.isEmpty && abandonedFiles == 0 }

    /// The packs that stay although they hold unneeded data.
    public var wasteful: [Pack] { packs.filter { $0.decision.unneededBytes > 0 } }

    /// The stored bytes in live packs after the collection.
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

    /// The unneeded bytes among ``liveBytes``.
    public var unneededBytes: Int { packs.reduce(0) { $0 + $1.decision.unneededBytes } }

    /// The packs with a fate, in the order of ``packs``.
    public func packs(_ fate: CollectionPlan.Fate) -> [Pack] {
        packs.filter { $0.decision.fate == fate }
    }
}
