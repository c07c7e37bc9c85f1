internal import Objects
public import Refs
internal import Storage

extension Repository {
    /// Collects garbage: removes the packs that nothing needs, rewrites those that are less than half needed, and
    /// deletes the files of packs that were removed long enough ago.
    ///
    /// A pack is needed while a ref, a retained value of a ref or a lease needs something in it. A purge rewrites every
    /// pack with unneeded data, and a full disk prevents rewriting. Writers, readers and other collections may run
    /// concurrently. A crash loses nothing.
    ///
    /// - Parameter progress: Called with the number of bytes copied so far, and the total.
    /// - Throws: `busy` when other writers keep changing what is needed; `damaged` or `objects` when damage hides what
    ///   is needed; `unauthorized` or `key` when the writer may not collect that much; `storage`.
    public func collect(
        _ options: CollectionOptions = CollectionOptions(), writer: Writer,
        progress: @escaping @Sendable (_ copied: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(RefError) -> CollectionReport {
        var collector = Collector(
            repository: self, options: options, writer: writer, progress: progress)
        return try collector.run()
    }
}

/// A collection of garbage, from the plan to the deleted files:
///
/// 1. ``findGarbage()`` marks everything needed in one state and plans the fate of each pack.
/// 2. ``copySurvivors(of:)`` copies the needed data of the rewritten packs into a new pack.
/// 3. ``commitRemovals(_:of:holding:)`` removes the packs in one entry of the log.
/// 4. ``deleteFiles(_:of:_:)`` deletes the files of removed packs whose grace is over.
///
/// Other writers commit in the meantime. Before step 3 creates its entry, it rechecks what they committed: when they
/// need something that is about to go, everything starts again. A writer that finds the removal before its own entry
/// rechecks its needs the same way. Whichever entry comes first, the other side sees it, so neither clocks nor locks
/// matter.
private struct Collector {
    let repository: Repository
    let options: CollectionOptions
    let writer: Writer
    let progress: @Sendable (_ copied: Int, _ total: Int) -> Void

    // What earlier attempts have found out.
    /// Damaged packs, which stay as they are.
    fileprivate var damaged: Set<ObjectID> = []
    /// Packs of copied data that no transaction has added.
    fileprivate var unused: Set<ObjectID> = []
    /// The error that reported a full disk; from then on no live pack is rewritten.
    fileprivate var lackOfSpace: RefError?
    /// The newest transaction when the file of a live pack was missing or damaged.
    fileprivate var lastLoss: Int?
    /// The report of an attempt that removed something that a lease had just begun to need.
    fileprivate var overtaken: CollectionReport?

    /// How many attempts a collection makes before it gives up.
    private static let attempts = 64
    /// How many attempts race with writers; later ones take the writers' turn while they run.
    private static let freeAttempts = 4
    /// The maximum number of packs that one entry of the log can remove.
    private static let removalLimit = 9_000

    mutating func run() throws(RefError) -> CollectionReport {
        for attempt in 0..<Self.attempts {
            let turn =
                attempt < Self.freeAttempts || options.isDryRun
                ? nil : repository.log.awaitTurn(writer)
            do throws(RefError) {
                let garbage = try findGarbage()
                if options.isDryRun { return garbage.report }
                var report = try collect(garbage, holding: turn)
                if report.isOvertaken, attempt + 1 < Self.attempts {
                    overtaken = overtaken ?? report
                    continue
                }
                report = overtaken?.followed(by: report) ?? report
                report.ranOutOfSpace = lackOfSpace != nil
                if let lackOfSpace, report.freedNothing { throw lackOfSpace }
                return report
            } catch {
                try learn(from: error)
            }
            withExtendedLifetime(turn) {}
            writer.pause(writer.backoff(attempt: min(attempt, 2)))
        }
        throw .busy(attempts: Self.attempts)
    }

    /// Throws an error again unless another attempt may succeed.
    private mutating func learn(from error: RefError) throws(RefError) {
        switch error {
        case .outdated: return
        case .storage(let cause), .objects(.storage(let cause)):
            guard cause.isOutOfSpace, lackOfSpace == nil, !options.isDryRun else { throw error }
            lackOfSpace = error
            try? repository.bucket.delete(LogFile.reserve)
        case .objects(.damagedPack), .objects(.packGone):
            // Another collection may have deleted the file since the state was read.
            let newest = try repository.state().number
            guard lastLoss != newest else { throw error }
            lastLoss = newest
        default: throw error
        }
    }

    // MARK: 1. Plan

    private func findGarbage() throws(RefError) -> Garbage {
        // Files and leases are listed before the state is read. A listed pack that the state lacks belongs to a writer
        // that has not added it yet, and a lease taken later belongs to a client that reads a later state.
        let sizes = try repository.packFileSizes()
        let leases = try repository.leaseFiles().current
        let state = try repository.state()
        let rules = options.rules(in: state)
        let time = try agreedTime(state)
        let files = try PackFiles.classifying(
            sizes, in: state, of: repository.log, at: time)
        let orphans = try repository.orphans(in: files, atLeast: options.grace)
        let roots = try repository.log.roots(in: state, rules, at: time)
        let store = repository.objects(try state.packs)
        let rewriting: CollectionPlan.Rewriting =
            lackOfSpace != nil ? .none : options.isPurge ? .all : .sparse
        return try wrapping(as: RefError.objects) { () throws(ObjectError) in
            var needs = try NeededPacks(store, needsBases: rewriting != .all)
            for root in roots where root.isPromised { try needs.add(root) }
            var recovered: [PackReference] = []
            let before = needs
            do throws(ObjectError) {
                try needs.add(leases, skippingMissing: false)
            } catch .missing {
                // Someone took a lease while a collection removed something that it needs.
                needs = before
                recovered = try store.references(
                    to: Set(files.removals.keys).subtracting(damaged).sorted())
                try needs.marks.add(recovered, asOldest: true)
                try needs.add(leases, skippingMissing: true)
            }
            // Partly collected versions come last: a walk does not visit what is below a missing object again.
            for root in roots where !root.isPromised { try needs.add(root) }
            return Garbage(
                state: state, rules: rules, live: store.packs, leases: leases, time: time,
                files: files, condemned: orphans.union(unused.intersection(files.orphans)),
                plan: try CollectionPlan.deciding(
                    needs.marks, keeping: damaged, removed: Set(recovered.map(\.name)),
                    rewriting: rewriting),
                reasons: needs.reasons)
        }
    }

    /// The present time as far as this machine's clock agrees with the log and the storage's clock: a clock that is
    /// ahead must not make anything look old.
    private func agreedTime(_ state: State) throws(RefError) -> Int {
        let age = try repository.ages(ofEntries: [state.number])[state.number] ?? 0
        return min(writer.now().milliseconds, state.time.milliseconds + max(0, age))
    }

    private mutating func collect(
        _ garbage: Garbage, holding turn: (any WriterTurn)?
    ) throws(RefError) -> CollectionReport {
        var report = garbage.report
        let going = garbage.going.prefix(Self.removalLimit)
        let condemned = garbage.condemned.sorted().prefix(Self.removalLimit - going.count)
        report.leftCount =
            garbage.going.count - going.count + garbage.condemned.count - condemned.count
        var proposal = Proposal(
            base: garbage.state, updates: [], removedPacks: going.map(\.name) + condemned,
            retention: garbage.rules, message: "collect garbage")
        if !proposal.removedPacks.isEmpty {
            // A writer without the right is refused before anything is copied.
            try writer.authorized(
                [.retain(garbage.rules)], at: max(writer.now(), garbage.state.time),
                after: garbage.state)
        }
        if let pack = try copySurvivors(of: garbage) {
            proposal.addedPacks = [pack]
            report.copiedBytes = pack.size
        }
        var files = garbage.files
        if !proposal.removedPacks.isEmpty || !proposal.addedPacks.isEmpty,
            let state = try commitRemovals(&proposal, of: garbage, holding: turn)
        {
            report.transaction = state.number
            report.condemned = files.files(garbage.condemned.intersection(proposal.removedPacks))
            files.add(
                PackFiles.Removal(transaction: state.number, time: state.time),
                of: proposal.removedPacks)
        }
        try deleteFiles(files, of: garbage, &report)
        return report
    }

    // MARK: 2. Copy

    /// Copies the needed data of the rewritten packs into a new pack; nil when there is nothing to copy.
    ///
    /// - Throws: `outdated` when one of these packs turns out to be damaged: it stays, and everything starts again.
    private mutating func copySurvivors(of garbage: Garbage) throws(RefError) -> PackReference? {
        var broken: PackReference?
        let pack = try wrapping(as: RefError.objects) { () throws(ObjectError) in
            var copied = 0
            let total = garbage.plan.copiedBytes
            return try garbage.plan.copySurvivors(damaged: &broken) { count in
                copied += count
                progress(copied, total)
            }?.publish()
        }
        if let broken {
            damaged.insert(broken.name)
            throw .outdated
        }
        if let pack { unused.insert(pack.name) }
        return pack
    }

    // MARK: 3. Commit

    /// Removes packs in one entry of the log; nil when other writers have left nothing to remove.
    ///
    /// - Throws: `outdated` when others have come to need something that is about to go.
    private func commitRemovals(
        _ proposal: inout Proposal, of garbage: Garbage, holding turn: (any WriterTurn)?
    ) throws(RefError) -> State? {
        // Copying takes time: leases taken since then need what they name.
        guard try newLeases(garbage).isEmpty else { throw .outdated }
        var recheck = GarbageRecheck(garbage, repository, options)
        return try repository.log.append(&proposal, writer: writer, holding: turn) {
            (proposal, _, removed, state) throws(RefError) in
            try recheck.run(&proposal, removed: removed, in: state)
        }?.state
    }

    /// The leases taken since the plan.
    private func newLeases(_ garbage: Garbage) throws(RefError) -> [Lease] {
        try repository.leases().filter { !garbage.leases.contains($0) }
    }

    // MARK: 4. Delete

    /// Deletes the files of removed packs whose grace is over and that no new lease needs, expired leases, and the
    /// unfinished files of crashed writers. Creates the reserve again.
    private func deleteFiles(
        _ files: PackFiles, of garbage: Garbage, _ report: inout CollectionReport
    ) throws(RefError) {
        let bucket = repository.bucket
        var old = try repository.removedFiles(
            in: files, atLeast: options.grace, before: garbage.time
        ).subtracting(damaged)
        let new = try newLeases(garbage)
        if !files.removals.isEmpty, !new.isEmpty {
            // A lease taken between the recheck and the entry: the next attempt brings back what it needs.
            let needed = try repository.removed(
                Set(files.removals.keys), neededBy: new.flatMap(\.snapshots),
                in: repository.state())
            old.subtract(needed)
            report.isOvertaken = !needed.isEmpty
        }
        let expired = try repository.leaseFiles().expired
        try wrapping(as: RefError.storage) { () throws(StorageError) in
            // Right after the listing, because a lease may be renewed.
            for blob in expired { try bucket.delete(blob) }
            for name in old.sorted() where try !bucket.deleteFile(BlobName(.packs, name.hex)) {
                old.remove(name)
            }
            report.abandonedFiles = try bucket.removeAbandonedFiles()
        }
        report.deleted = files.files(old)
        report.waiting = files.files(Set(files.removals.keys).subtracting(old))
        // The reserve matters only when the disk is full, so a failure is ignored.
        let reserve = LogFile.reserveBytes
        if let found = try? bucket.open(LogFile.reserve), found.size == reserve.count { return }
        try? bucket.replace(LogFile.reserve, reserve)
    }
}
