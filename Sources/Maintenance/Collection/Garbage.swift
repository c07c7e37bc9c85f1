internal import Objects
internal import Refs
internal import Storage

/// The garbage in one state of the repository, and the reasons that keep the rest.
struct Garbage {
    let state: State
    let rules: RetentionRules
    /// The live packs of the state.
    let live: [PackReference]
    let leases: [Lease]
    /// The present time, by the slowest clock.
    let time: Int
    let files: PackFiles
    /// The orphaned packs that are removed.
    let condemned: Set<ObjectID>
    let plan: CollectionPlan
    let reasons: NeededPacks.Reasons

    /// The live packs that go, rewritten or dropped.
    var going: [PackReference] {
        plan.decisions.filter { $0.fate != .keep }.map(\.pack)
    }

    /// The report of a dry run.
    var report: CollectionReport {
        var report = CollectionReport()
        report.packs = plan.decisions.map { decision in
            CollectionReport.Pack(
                decision: decision, reasons: reasons.first[decision.pack.name] ?? [],
                reasonCount: reasons.counts[decision.pack.name] ?? 0)
        }
        report.condemned = files.files(condemned)
        report.waiting = files.files(Set(files.removals.keys))
        return report
    }
}

/// What refs, their retained values and leases need of each pack.
struct NeededPacks {
    /// The first reasons that keep each pack, and the number of all reasons.
    struct Reasons {
        private static let limit = 3
        private(set) var first: [ObjectID: [KeepingReason]] = [:]
        private(set) var counts: [ObjectID: Int] = [:]

        fileprivate mutating func add(_ reason: KeepingReason, for packs: Set<ObjectID>) {
            for pack in packs {
                counts[pack, default: 0] += 1
                if first[pack, default: []].count < Self.limit {
                    first[pack, default: []].append(reason)
                }
            }
        }
    }

    var marks: PackMarks
    private(set) var reasons = Reasons()

    init(_ store: PackStore, needsBases: Bool) throws(ObjectError) {
        marks = try PackMarks(store, needsBases: needsBases)
    }

    mutating func add(_ root: RetentionRoot) throws(ObjectError) {
        try root.mark(&marks)
        reasons.add(root.reason, for: marks.takeTouched())
    }

    /// Adds what leases need, or as much of it as exists.
    mutating func add(_ leases: [Lease], skippingMissing: Bool) throws(ObjectError) {
        for lease in leases {
            for snapshot in lease.snapshots {
                try marks.mark(snapshot: snapshot, skippingMissing: skippingMissing)
            }
            reasons.add(.lease(lease.purpose), for: marks.takeTouched())
        }
    }
}

extension RetentionRoot {
    /// Marks what the root needs.
    ///
    /// - Throws: `corrupt` when something that a ref needs is missing, and read errors.
    fileprivate func mark(_ marks: inout PackMarks) throws(ObjectError) {
        do throws(ObjectError) {
            try marks.mark(snapshot: snapshot, skippingMissing: !isPromised)
        } catch .malformed(snapshot, _, _, _) where !isPromised {
            // A ref once pointed at something that is not a snapshot: nothing to keep.
        } catch .missing(let id) {
            throw .corrupt(id, where: "the content of \(reason.description): it is missing")
        }
    }
}

/// Rechecks, after others have committed something, that the garbage of a collection is still garbage.
struct GarbageRecheck {
    private let garbage: Garbage
    private let repository: Repository
    private let options: CollectionOptions
    private let going: Set<ObjectID>
    private var marks: PackMarks
    private var checked: Int

    init(_ garbage: Garbage, _ repository: Repository, _ options: CollectionOptions) {
        self.garbage = garbage
        self.repository = repository
        self.options = options
        going = Set(garbage.going.map(\.name))
        marks = garbage.plan.marks
        checked = garbage.state.number
    }

    /// Checks everything that is new since the last call, and drops from the proposal the orphans that a writer has
    /// added.
    ///
    /// - Throws: `outdated` when the collection must start again.
    mutating func run(
        _ proposal: inout Proposal, removed: Set<ObjectID>, in state: State
    ) throws(RefError) {
        guard options.rules(in: state) == garbage.rules else { throw .outdated }
        let live = try state.packs
        let liveNames = Set(live.map(\.name))
        let condemned = garbage.condemned
        proposal.removedPacks.removeAll {
            condemned.contains($0) && (removed.contains($0) || liveNames.contains($0))
        }
        guard removed.isDisjoint(with: going.union(proposal.addedPacks.map(\.name))) else {
            throw .outdated
        }
        let after = live.filter { !going.contains($0.name) } + proposal.addedPacks
        let roots = try repository.log.roots(
            in: state, garbage.rules, at: garbage.time, after: checked)
        let isGarbage: Bool
        do throws(ObjectError) {
            isGarbage = try isStillGarbage(
                roots, removed: removed, live: live, after: after, own: proposal.addedPacks)
        } catch {
            // Another collection may have removed the unreadable pack; the next attempt will show.
            throw .outdated
        }
        guard isGarbage else { throw .outdated }
        checked = state.number
    }

    private mutating func isStillGarbage(
        _ roots: [RetentionRoot], removed: Set<ObjectID>, live: [PackReference],
        after: [PackReference], own: [PackReference]
    ) throws(ObjectError) -> Bool {
        let store = repository.objects(after)
        // The plan relied on these packs, which were merged in the meantime.
        for pack in garbage.live where removed.contains(pack.name) {
            guard try store.holdsAll(of: pack) else { return false }
        }
        let known = Set(marks.packs)
        let new = live.filter { !known.contains($0) }
        try marks.add(new)
        _ = marks.takeTouched()
        for root in roots { try root.mark(&marks) }
        guard marks.takeTouched().isSubset(of: after.map(\.name)) else { return false }
        for pack in new + own where try !PackMarks.isWhole(pack, in: store) { return false }
        return true
    }
}
