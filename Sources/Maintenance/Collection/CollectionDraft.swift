internal import Objects
internal import Refs
internal import Storage

/// What a collection of garbage has found in one state, and what it would do.
struct CollectionDraft {
    /// The state that it is about.
    let state: State
    /// What it keeps.
    let rules: RetentionRules
    /// The live packs of that state.
    let live: [PackReference]
    let leases: [Lease]
    private(set) var files: PackFiles
    private(set) var plan: CollectionPlan
    /// Orphans that go.
    let condemned: Set<ObjectID>
    /// The present time, by the clock that is furthest behind.
    let time: Int
    /// What needs something of each pack.
    private(set) var reasons = Reasons()

    /// Why packs are kept: a few reasons for each, and how many there are.
    struct Reasons {
        /// How many are told for one pack.
        private static let limit = 3
        private(set) var first: [ObjectID: [KeepingReason]] = [:]
        private(set) var counts: [ObjectID: Int] = [:]

        mutating func add(_ reason: KeepingReason, for packs: Set<ObjectID>) {
            for pack in packs {
                counts[pack, default: 0] += 1
                if first[pack, default: []].count < Self.limit {
                    first[pack, default: []].append(reason)
                }
            }
        }
    }

    /// What earlier attempts have found out.
    struct EarlierAttempts {
        /// Packs with damage: they stay as they are.
        var damaged: Set<ObjectID> = []
        /// Packs that were published in vain.
        var vain: Set<ObjectID> = []
        /// Whether there is no space to copy anything.
        var isFull = false
    }

    /// Looks at everything.
    ///
    /// - Throws: `damaged` when something that a ref needs is missing, or when it cannot be told what is needed.
    init(
        _ repository: Repository, _ options: CollectionOptions, now: Timestamp,
        _ earlier: EarlierAttempts
    ) throws(RefError) {
        // Files and leases before the state. A pack that is listed and not in the state is one that its writer has
        // not added yet; whoever takes a lease reads a state after it.
        var files = try PackFiles(in: repository.bucket)
        leases = try repository.leaseFiles().current
        state = try repository.state()
        rules = options.rules(in: state)
        live = try state.packs
        time = try Self.time(now, state, in: repository.bucket)
        try files.tellApart(live: live, in: state, of: repository.log, at: time)
        self.files = files
        condemned = try files.abandoned(atLeast: options.grace, in: repository.bucket)
            .union(earlier.vain.intersection(files.orphans))
        let roots = try repository.log.roots(in: state, rules, at: time)
        let store = repository.objects(live)
        do throws(ObjectError) {
            var marks = try PackMarks(store, needsBases: !options.isPurge || earlier.isFull)
            var reasons = Reasons()
            for root in roots where root.isPromised {
                try root.mark(&marks)
                reasons.add(root.reason, for: marks.takeTouched())
            }
            let before = (marks, reasons)
            var recovered: [PackReference] = []
            do throws(ObjectError) {
                try Self.mark(leases, in: &marks, &reasons)
            } catch .missing {
                // One was taken while something that it needs was being collected.
                (marks, reasons) = before
                recovered = try store.references(
                    to: Set(files.removals.keys).subtracting(earlier.damaged).sorted())
                try marks.add(recovered, asOldest: true)
                try Self.mark(leases, in: &marks, &reasons, whatIsThere: true)
            }
            // What is left of versions that were collected comes last: what was looked at there, and below which something
            // is missing, is not looked at again.
            for root in roots where !root.isPromised {
                try root.mark(&marks)
                reasons.add(root.reason, for: marks.takeTouched())
            }
            plan = try CollectionPlan(
                marks, keeping: earlier.damaged, removed: Set(recovered.map(\.name)),
                rewriting: earlier.isFull ? .none : options.isPurge ? .all : .sparse)
            self.reasons = reasons
        } catch { throw .objects(error) }
    }

    /// Marks what leases keep, or what is there of it.
    private static func mark(
        _ leases: [Lease], in marks: inout PackMarks, _ reasons: inout Reasons,
        whatIsThere: Bool = false
    ) throws(ObjectError) {
        for lease in leases {
            for snapshot in lease.snapshots {
                try marks.mark(snapshot: snapshot, whatIsThere: whatIsThere)
            }
            reasons.add(.lease(lease.purpose), for: marks.takeTouched())
        }
    }

    /// The present time as far as both the clock of this machine and the log with the clock of the bucket agree that
    /// it has come: whichever is ahead must not make anything look old.
    private static func time(
        _ now: Timestamp, _ state: State, in bucket: any Bucket
    ) throws(RefError) -> Int {
        let names =
            [LogFile.entry(state.number)]
            + SegmentName.sizes.map { SegmentName(of: $0, holding: state.number).blob }
        do throws(StorageError) {
            let age = try bucket.ages(of: names).values.max() ?? 0
            return min(now.milliseconds, state.time.milliseconds + max(0, age))
        } catch { throw .storage(error) }
    }

    // MARK: Decisions

    /// The live packs that go, all or after what is needed of them was copied.
    var going: [PackReference] {
        plan.decisions.filter { $0.fate != .keep }.map(\.pack)
    }

    /// Those files that are there of packs that were removed.
    func waiting(_ report: CollectionReport) -> CollectionReport {
        var report = report
        report.waiting = files.files(Set(files.removals.keys))
        return report
    }

    /// A report as if nothing was done.
    var report: CollectionReport {
        var report = CollectionReport()
        report.packs = plan.decisions.map { decision in
            CollectionReport.Pack(
                decision: decision, reasons: reasons.first[decision.pack.name] ?? [],
                reasonCount: reasons.counts[decision.pack.name] ?? 0)
        }
        report.condemned = files.files(condemned)
        return report
    }
}

extension RetentionRoot {
    /// Marks what the root needs.
    ///
    /// - Throws: `corrupt` when something is missing that a ref needs, and what reading throws.
    func mark(_ marks: inout PackMarks) throws(ObjectError) {
        do throws(ObjectError) {
            try marks.mark(snapshot: snapshot, whatIsThere: !isPromised)
        } catch .malformed(snapshot, _, _, _) where !isPromised {
            // Somebody pointed a ref at something else for a while. Nothing of that need be kept.
        } catch .missing(let id) {
            throw .corrupt(id, where: "what \(reason.description) needs: it is missing")
        } catch { throw error }
    }
}
