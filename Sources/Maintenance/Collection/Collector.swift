internal import Objects
public import Refs
internal import Storage

/// Collects garbage: decides in a state what goes, and says so in one entry of the log.
///
/// What other writers commit meanwhile is looked at before the entry is made: had they begun to need something that
/// is to go, everything is decided anew. A writer that finds the entry made before its own does the same with what
/// it needs. So of both, whichever order their entries have, one knows of the other, and no clock and no lock is
/// needed for it.
struct Collector {
    let repository: Repository
    let options: CollectionOptions
    let writer: Writer
    let progress: @Sendable (_ copied: Int, _ total: Int) -> Void
    private var earlier = CollectionDraft.EarlierAttempts()
    /// The newest transaction when the file of a live pack was found gone.
    private var lastLoss: Int?
    /// The error that told that there was no space.
    private var lack: RefError?
    /// What was done before a lease was found to need some of it.
    private var overtaken: CollectionReport?

    /// How often everything is decided anew before it is left for another time.
    private static let attempts = 64
    /// How often it competes with writers before it makes them wait while it decides, for as long as they are willing to.
    private static let freeAttempts = 4
    /// How many packs one entry removes at most: it has room for so many.
    private static let removalLimit = 9_000

    init(
        _ repository: Repository, _ options: CollectionOptions, writer: Writer,
        progress: @escaping @Sendable (_ copied: Int, _ total: Int) -> Void
    ) {
        self.repository = repository
        self.options = options
        self.writer = writer
        self.progress = progress
    }

    /// Collects.
    ///
    /// - Throws: `busy` when other writers change what is needed time and again; `damaged`; `storage`.
    mutating func run() throws(RefError) -> CollectionReport {
        for attempt in 0..<Self.attempts {
            let turn =
                attempt < Self.freeAttempts || options.isDryRun
                ? nil : repository.log.awaitTurn(writer)
            do throws(RefError) {
                let draft = try CollectionDraft(repository, options, now: writer.now(), earlier)
                if options.isDryRun { return draft.waiting(draft.report) }
                if var report = try carryOut(draft, holding: turn) {
                    if report.isOvertaken, attempt + 1 < Self.attempts {
                        overtaken = overtaken ?? report
                        continue
                    }
                    report = overtaken?.followed(by: report) ?? report
                    report.ranOutOfSpace = earlier.isFull
                    if let lack, report.hasFreedNothing { throw lack }
                    return report
                }
            } catch {
                try learn(from: error)
            }
            withExtendedLifetime(turn) {}
            writer.pause(writer.backoff(attempt: min(attempt, 2)))
        }
        throw .busy(attempts: Self.attempts)
    }

    /// Whether it is worth another attempt after an error, and under which conditions.
    private mutating func learn(from error: RefError) throws(RefError) {
        switch error {
        case .outdated: return
        case .storage(let cause), .objects(.storage(let cause)):
            guard cause.isOutOfSpace, !earlier.isFull, !options.isDryRun else { throw error }
            // What has no room can only go.
            earlier.isFull = true
            lack = error
            try? repository.bucket.delete(LogFile.reserve)
        case .objects(.damagedPack), .objects(.packGone):
            // Another collection may have deleted the file since the state was read.
            let newest = try repository.state().number
            guard lastLoss != newest else { throw error }
            lastLoss = newest
        default: throw error
        }
    }

    /// Does what a draft says; nil when a pack turned out to be damaged, so that it must be drafted anew.
    private mutating func carryOut(
        _ draft: CollectionDraft, holding turn: (any WriterTurn)?
    ) throws(RefError) -> CollectionReport? {
        var report = draft.report
        let going = draft.going.prefix(Self.removalLimit)
        let condemned = draft.condemned.sorted().prefix(Self.removalLimit - going.count)
        var proposal = Proposal(
            base: draft.state, updates: [], removedPacks: going.map(\.name) + condemned,
            retention: draft.rules, message: "collect garbage")
        report.leftCount =
            draft.going.count - going.count + draft.condemned.count - condemned.count
        if !proposal.removedPacks.isEmpty {
            // Refused before anything is copied.
            try writer.authorized(
                [.retain(draft.rules)], at: max(writer.now(), draft.state.time),
                after: draft.state)
        }
        do throws(ObjectError) {
            var damaged: PackReference?
            let total = draft.plan.copiedBytes
            var copied = 0
            let survivors = try draft.plan.copySurvivors(damaged: &damaged) { count in
                copied += count
                progress(copied, total)
            }
            if let damaged {
                earlier.damaged.insert(damaged.name)
                return nil
            }
            if let survivors {
                let pack = try survivors.publish()
                earlier.vain.insert(pack.name)
                proposal.addedPacks = [pack]
                report.copiedBytes = pack.size
            }
        } catch { throw .objects(error) }
        var files = draft.files
        if !proposal.removedPacks.isEmpty || !proposal.addedPacks.isEmpty {
            // Copying took its time: who has taken a lease since needs what it names.
            guard try newLeases(draft).isEmpty else { throw .outdated }
            var check = CollectionRecheck(draft, repository, options)
            let result = try repository.log.append(&proposal, writer: writer, holding: turn) {
                (proposal, _, removed, state) throws(RefError) in
                try check.run(&proposal, removed: removed, in: state)
            }
            if let state = result?.state {
                report.transaction = state.number
                report.condemned = files.files(draft.condemned.intersection(proposal.removedPacks))
                files.add(
                    PackFiles.Removal(transaction: state.number, time: state.time),
                    of: proposal.removedPacks)
            }
        }
        try delete(files, draft, &report)
        return report
    }

    /// Deletes the files of packs that were removed long enough ago and that no lease asks for, and what writers
    /// that died have left.
    private func delete(
        _ files: PackFiles, _ draft: CollectionDraft, _ report: inout CollectionReport
    ) throws(RefError) {
        let bucket = repository.bucket
        var old = try files.removed(atLeast: options.grace, before: draft.time, in: bucket)
            .subtracting(earlier.damaged)
        let new = try newLeases(draft)
        if !files.removals.isEmpty, !new.isEmpty {
            // What was leased between the last look and the entry is brought back at once.
            let needed = try repository.removed(
                Set(files.removals.keys), neededBy: new.flatMap(\.snapshots),
                in: repository.state())
            old.subtract(needed)
            report.isOvertaken = !needed.isEmpty
        }
        let expired = try repository.leaseFiles().expired
        do throws(StorageError) {
            // At once: one may be renewed.
            for blob in expired { try bucket.delete(blob) }
            for name in old.sorted() {
                // What is no file stays: a person has put it there.
                do throws(StorageError) { try bucket.delete(BlobName(.packs, name.hex)) } catch {
                    guard error.isNoFile else { throw error }
                    old.remove(name)
                }
            }
            report.abandonedFiles = try bucket.removeAbandonedFiles()
        } catch { throw .storage(error) }
        report.deleted = files.files(old)
        report.waiting = files.files(Set(files.removals.keys).subtracting(old))
        // Nothing depends on it until the disk is full.
        let reserve = LogFile.reserveBytes
        if let found = try? bucket.open(LogFile.reserve), found.size == reserve.count { return }
        try? bucket.replace(LogFile.reserve, reserve)
    }

    /// The leases that were taken since a draft was made.
    private func newLeases(_ draft: CollectionDraft) throws(RefError) -> [Lease] {
        try repository.leases().filter { !draft.leases.contains($0) }
    }
}

extension Repository {
    /// Collects garbage: packs of which no ref, no retained value of a ref and no lease needs anything are removed,
    /// of those of which less than half is needed the rest is copied into a new pack first, and the files of packs
    /// are deleted that were removed long enough ago.
    ///
    /// Safe beside any number of writers, readers and other collections. Nothing is ever lost by a crash in it.
    ///
    /// - Parameter progress: Called with the bytes that were copied so far, and how many there are.
    /// - Throws: `busy` when other writers change what is needed time and again; `damaged` when it cannot be told
    ///   what is needed; `storage`.
    public func collect(
        _ options: CollectionOptions = CollectionOptions(), writer: Writer,
        progress: @escaping @Sendable (_ copied: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(RefError) -> CollectionReport {
        var collector = Collector(self, options, writer: writer, progress: progress)
        return try collector.run()
    }
}
