internal import Objects
public import Refs
internal import Storage

/// Restores what is damaged in a repository from copies of it, and makes anew what can be derived.
///
/// Whatever it takes from a copy is verified first, so a copy may be damaged itself. It can be interrupted anywhere
/// and repeated: every file is replaced at once, and packs come and go by transactions.
public struct RepositoryRepair: Sendable {
    /// What a repair did.
    public struct Report: Sendable {
        /// What was done, a sentence for each file.
        public let done: [String]
        /// Copies whose log was not used, and why.
        public let refused: [String]
        /// What a verification of everything found afterwards.
        public let after: RepositoryVerifier.Report
    }

    private let repository: Repository
    private let copies: [Repository]
    private let writer: Writer

    /// Prepares a repair.
    ///
    /// - Parameter copies: Repositories that hold the same, or some of it; how they pack it does not matter.
    public init(_ repository: Repository, copies: [Repository], writer: Writer) {
        self.repository = repository
        self.copies = copies
        self.writer = writer
    }

    /// Verifies everything, repairs what can be, and verifies everything again when something was done.
    ///
    /// - Throws: `storage` when the bucket cannot be written, `untrusted` or `key` when a transaction is needed and the
    ///   writer may not make it; `busy`.
    public func run(
        progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) throws(RefError) -> Report {
        var report = try RepositoryVerifier(repository).verify(full: true, progress: progress)
        var done: [String] = []
        var refused: [String] = []
        if !report.log.isEmpty || report.isHintTorn {
            let outcome = try LogRepair(repository.log, copies: copies.map(\.log)).run()
            (done, refused) = (outcome.done, outcome.refused)
            if !done.isEmpty {
                report = try RepositoryVerifier(repository).verify(full: true, progress: progress)
            }
        }
        guard !report.isSound, let state = report.state else {
            return Report(done: done, refused: refused, after: report)
        }
        var repaired = try repairPacks(report, state)
        // Which files no ref needs is certain where the log is.
        if report.log.isEmpty {
            let fresh = Repository(in: repository.bucket, trust: repository.log.trust)
            repaired += try IdleFiles(fresh).repair(
                in: fresh.state(), from: copies.map(\.bucket))
        }
        guard !repaired.isEmpty else { return Report(done: done, refused: refused, after: report) }
        return Report(
            done: done + repaired, refused: refused,
            after: try RepositoryVerifier(repository).verify(full: true, progress: progress))
    }

    private func repairPacks(
        _ report: RepositoryVerifier.Report, _ state: State
    ) throws(RefError) -> [String] {
        // What cannot be read for want of means is not damaged.
        for error in report.packs.map(\.error) where error.isOutOfMeans { throw .objects(error) }
        let wrong = Set(report.packs.filter { $0.object == nil || $0.range != nil }.map(\.pack))
        let packs = try state.packs
        // Without the indexes that are in memory: files are replaced.
        let fresh = Repository(in: repository.bucket, trust: repository.log.trust)
        var done: [String] = []
        var left: [PackReference] = []
        do throws(ObjectError) {
            for pack in packs where wrong.contains(pack.name) {
                let store = fresh.objects(packs)
                if try mend(pack, in: store) {
                    done.append("packs/\(pack.name.hex): put together anew")
                } else {
                    left.append(pack)
                }
            }
        } catch { throw .objects(error) }
        let isIncomplete = report.findings.contains { !$0.affects.isEmpty }
        guard !left.isEmpty || (isIncomplete && done.isEmpty) else { return done }
        return try done + rescue(from: left, state)
    }

    /// Whether a pack was put together anew; not where something stands that no file can take the place of.
    private func mend(_ pack: PackReference, in store: PackStore) throws(ObjectError) -> Bool {
        do throws(ObjectError) {
            return try store.mend(pack, from: copies.map(\.bucket))
        } catch {
            if case .storage(let cause) = error, cause.isNoFile { return false }
            throw error
        }
    }

    /// Copies what is needed and cannot be read here into a new pack, which takes the place of damaged ones.
    private func rescue(from damaged: [PackReference], _ state: State) throws(RefError) -> [String]
    {
        let fresh = Repository(in: repository.bucket, trust: repository.log.trust)
        let packs = try state.packs
        let kept = fresh.objects(packs.filter { !damaged.contains($0) })
        var sources = [fresh.objects(packs)]
        for copy in copies {
            // A copy whose log is damaged has packs that can be of use, but nobody says which.
            if let state = try? copy.state(), let objects = try? copy.objects(in: state) {
                sources.append(objects)
            }
        }
        var rescue = ObjectRescue(kept: kept, sources: sources)
        let leases = try fresh.listLeases()
        let roots =
            state.refs.sorted { $0.key < $1.key }.map(\.value.target)
            + leases.current.flatMap(\.snapshots)
        let pack: PackReference?
        do throws(ObjectError) {
            var past: [ObjectID] = []
            for root in roots { past += try rescue.bring(root, isHistory: false) }
            past += RepositoryVerifier(fresh).history(of: state)
            while let id = past.popLast() { past += try rescue.bring(id, isHistory: true) }
            pack = try rescue.writer.finish()
        } catch { throw .objects(error) }
        // Nobody knows what an unreadable lease needs.
        let removed = rescue.lost.isEmpty && leases.unreadable.isEmpty ? damaged : []
        // What nobody had a copy of stays as it is.
        guard !removed.isEmpty || !copies.isEmpty else { return [] }
        guard pack != nil || !removed.isEmpty else { return [] }
        var proposal = Proposal(
            base: state, updates: [], addedPacks: pack.map { [$0] } ?? [],
            removedPacks: removed.map(\.name), message: "repair \(removed.count) damaged packs")
        // Whoever removed packs or moved refs meanwhile has changed what can be relied on, and what is needed.
        let result = try repository.log.append(&proposal, writer: writer) {
            (_, _, removed, newest) throws(RefError) in
            if let name = removed.first { throw .packRemoved(name) }
            guard newest.refs == state.refs else { throw .busy(attempts: 1) }
        }
        guard let number = result?.state.number else { return [] }
        let what = removed.map { "packs/\($0.name.hex)" }.joined(separator: ", ")
        return [
            (what.isEmpty ? "what could be found" : what)
                + ": stored anew by transaction \(number)"
        ]
    }
}
