internal import Objects
public import Refs
internal import Storage

/// Checks a repository: its log, its packs, and what refs point at.
///
/// Changes nothing. Damage is a finding and does not end the search.
public struct RepositoryVerifier: Sendable {
    /// What a verification found.
    public struct Report: Sendable {
        /// Everything that is wrong: the log first, then packs, then what they hold.
        public let findings: [Finding]
        /// What is no damage, but worth knowing.
        public let notes: [String]
        /// How many entries of the log were read.
        public let entries: Int
        /// What the packs hold, as far as they can be opened.
        public let statistics: PackStatistics
        /// The state that was checked; nil when the log does not tell one.
        let state: State?
        /// What is wrong with the log.
        let log: [Finding]
        /// Whether the log's hint is to be made anew.
        let isHintTorn: Bool
        /// What is wrong with packs.
        let packs: [PackDamage]

        /// Whether nothing is wrong.
        public var isSound: Bool { findings.isEmpty }
    }

    private let repository: Repository
    private let derived: (any DerivedAudit)?

    /// Makes a verifier of a repository, which reads everything anew.
    ///
    /// - Parameter derived: Compares what was derived from rows with them, in a full verification; nil to leave that out.
    public init(_ repository: Repository, derived: (any DerivedAudit)? = nil) {
        self.derived = derived
        self.repository = Repository(in: repository.bucket, trust: repository.log.trust)
    }

    /// Checks the log and the index of every pack, and that what refs point at is there; with `full` reads every byte,
    /// and everything that any ref ever pointed at.
    ///
    /// - Parameter progress: Called, from any thread, with the number of bytes that were just read, and how many
    ///   there are to be read at least.
    /// - Throws: `noRepository` when there is nothing at all; `needsNewer`; `storage` when the bucket fails.
    public func verify(
        full: Bool, progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) throws(RefError) -> Report {
        let log = try LogVerifier(repository.log).verify()
        var list = FindingList()
        for finding in log.findings { list.add(finding) }
        guard let state = log.state else {
            return Report(
                findings: list.findings, notes: [], entries: log.entries,
                statistics: PackStatistics(), state: nil, log: log.findings,
                isHintTorn: log.isHintTorn, packs: [])
        }
        let objects = try repository.objects(in: state)
        // A log can claim any sizes: how far it has come is all that this is for.
        let total = objects.packs.reduce(0) {
            $0.addingReportingOverflow($1.size).overflow ? .max : $0 + $1.size
        }
        let packDamage = objects.audit(full: full) { progress($0, total) }
        var damaged: [ObjectID: ObjectError] = [:]
        for item in packDamage {
            list.add(item)
            if let id = item.object { damaged[id] = item.error }
        }
        var verifier = SnapshotVerifier(
            objects, damaged: damaged, full: full, derived: full ? derived : nil
        ) {
            progress($0, total)
        }
        let past = full ? history(of: state) : []
        let leases = try repository.listLeases()
        for (place, error) in leases.unreadable {
            list.add(
                Finding(
                    problem: error.reason, place: place,
                    remedy: (error.place == nil ? error.remedy : nil)
                        ?? "remove it, and make the pin that it was for again"))
        }
        verifier.verify(
            state.refs.sorted { $0.key < $1.key }.map(\.value.target)
                + leases.current.flatMap(\.snapshots),
            history: past)
        let misdirected = verifier.misdirectedRefs(of: state)
        for finding in misdirected.findings { list.add(finding) }
        let damage = verifier.damage.filter { !misdirected.objects.contains($0.snapshot) }
        if !damage.isEmpty {
            let names = SnapshotNames(log: repository.log, state: state)
            for item in damage { list.add(item, names[item.snapshot]) }
        }
        var notes =
            log.isHintTorn
            ? ["\(LogFile.tip) was cut short by a crash; the next writer makes it anew"] : []
        do throws(RefError) { notes += try self.notes(state) } catch {
            guard error.concernsOneFile else { throw error }
            list.add(Finding(problem: error.reason, place: BucketFolder.packs.rawValue))
        }
        if full {
            let gates = try GateVerifier(log: repository.log, objects: objects, tip: state).verify()
            for finding in gates.findings { list.add(finding) }
            notes += gates.notes
            let retention = RetentionVerifier(log: repository.log, tip: state)
            for finding in retention.findings(about: verifier.gone(of: past)) { list.add(finding) }
            let idle = IdleFiles(repository)
            for finding in try idle.findings(in: state) { list.add(finding) }
        }
        return Report(
            findings: list.findings, notes: notes, entries: log.entries,
            statistics: objects.usableStatistics(), state: state, log: log.findings,
            isHintTorn: log.isHintTorn, packs: packDamage)
    }

    /// Everything that any ref ever pointed at, the newest first.
    func history(of state: State) -> [ObjectID] {
        var seen: Set<ObjectID> = []
        var result: [ObjectID] = []
        var entries = repository.log.entries()
        for number in stride(from: state.number, through: 0, by: -1) {
            // An entry that cannot be read is a finding already.
            guard let entry = try? entries.entry(number) else { continue }
            for id in entry.changes.compactMap(\.new) where seen.insert(id).inserted {
                result.append(id)
            }
        }
        return result
    }

    /// Files beside the live packs: left by a crash, or removed and not yet deleted.
    private func notes(_ state: State) throws(RefError) -> [String] {
        let live = Set(try state.packs.map(\.name.hex))
        var count = 0
        var bytes = 0
        do throws(StorageError) {
            for entry in try repository.bucket.list(.packs) where !live.contains(entry.name) {
                count += 1
                bytes += entry.size
            }
        } catch { throw .storage(error) }
        guard count > 0 else { return [] }
        return ["packs/ has \(count) more files, of \(bytes) bytes, that belong to no live pack"]
    }
}
