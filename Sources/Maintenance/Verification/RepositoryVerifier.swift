internal import Objects
public import Refs
internal import Storage

/// Verifies a repository: its log, its packs, and everything that refs point at.
///
/// It changes nothing. Damage is a finding and does not end the search.
public struct RepositoryVerifier: Sendable {
    /// The result of a verification.
    public struct Report: Sendable {
        /// All problems: first those of the log, then packs, leases, content, and past moves and versions.
        public var findings: [Finding] { list.findings }
        /// Remarks that are not about damage.
        public fileprivate(set) var notes: [String] = []
        /// How many entries of the log were read.
        public let entries: Int
        /// The content of the packs that can be opened, in figures.
        public fileprivate(set) var statistics = PackStatistics()
        /// The verified state; nil when the log has none.
        let state: State?
        /// The problems of the log.
        let log: [Finding]
        /// Whether a crash left the log's hint torn.
        let isHintTorn: Bool
        /// The damage of packs.
        fileprivate(set) var packs: [PackDamage] = []
        fileprivate var list = FindingList()

        /// Whether there are no findings.
        public var isSound: Bool { findings.isEmpty }

        fileprivate init(_ report: LogVerifier.Report) {
            (entries, state, log) = (report.entries, report.state, report.findings)
            isHintTorn = report.isHintTorn
            list.add(log)
        }
    }

    private let repository: Repository
    private let derived: (any DerivedAudit)?

    /// Makes a verifier, which uses nothing that the repository has cached.
    ///
    /// - Parameter derived: Compares derived data with its rows in a full verification; nil to skip that.
    public init(_ repository: Repository, derived: (any DerivedAudit)? = nil) {
        self.derived = derived
        self.repository = Repository(in: repository.bucket, trust: repository.log.trust)
    }

    /// Verifies the log, the index of every pack, and that everything that refs point at exists; with `full`, also
    /// reads every byte and everything that any ref ever pointed at.
    ///
    /// - Parameter progress: Called, from any thread, with the number of bytes just read and the least number of bytes
    ///   to read in total.
    /// - Throws: `noRepository` when there is no log at all; `foreignRoot` when no trusted key founded the repository;
    ///   `needsNewer`; `storage` when the bucket fails.
    public func verify(
        full: Bool, progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) throws(RefError) -> Report {
        var report = Report(try LogVerifier(repository.log).verify())
        guard let state = report.state else { return report }
        let objects = try repository.objects(in: state)
        // A forged log can claim any sizes; the total only serves to show progress.
        let total = objects.packs.reduce(0) {
            $0.addingReportingOverflow($1.size).overflow ? .max : $0 + $1.size
        }
        report.packs = objects.audit(full: full) { progress($0, total) }
        var damaged: [ObjectID: ObjectError] = [:]
        for item in report.packs {
            report.list.add(item)
            if let id = item.object { damaged[id] = item.error }
        }
        let leases = try repository.listLeases()
        report.list.add(
            leases.unreadable.map { place, error in
                let remedy = error.place == nil ? error.remedy : nil
                return Finding(
                    .lease(remedy: remedy ?? "remove it, then repeat the pin that it was for"),
                    at: .lease(path: place), error.reason)
            })
        var verifier = SnapshotVerifier(
            objects, damaged: damaged, full: full, derived: full ? derived : nil
        ) { progress($0, total) }
        let past = full ? history(of: state) : []
        verifier.verify(
            state.refs.sorted { $0.key < $1.key }.map(\.value.target)
                + leases.current.flatMap(\.snapshots),
            history: past)
        let misdirected = verifier.misdirectedRefs(of: state)
        report.list.add(misdirected.findings)
        let damage = verifier.damage.filter { !misdirected.objects.contains($0.snapshot) }
        if !damage.isEmpty {
            let names = SnapshotNames(log: repository.log, state: state)
            for item in damage { report.list.add(item, names[item.snapshot]) }
        }
        if report.isHintTorn {
            report.notes.append("a crash left \(LogFile.tip) torn; the next writer rebuilds it")
        }
        do throws(RefError) { report.notes += try idlePackNotes(state) } catch {
            guard error.concernsOneFile else { throw error }
            report.list.add([Finding(at: .folder(.packs), error.reason)])
        }
        if full {
            let gates = try GateVerifier(log: repository.log, objects: objects, tip: state).verify()
            report.list.add(gates.findings)
            report.notes += gates.notes
            let retention = RetentionVerifier(log: repository.log, tip: state)
            report.list.add(retention.findings(about: verifier.gone(of: past)))
            report.list.add(try IdleFiles(repository).findings(in: state))
        }
        report.statistics = objects.usableStatistics()
        return report
    }

    /// Lists everything that any ref ever pointed at, the newest first.
    func history(of state: State) -> [ObjectID] {
        var seen: Set<ObjectID> = []
        var result: [ObjectID] = []
        var entries = repository.log.entries()
        for number in stride(from: state.number, through: 0, by: -1) {
            // An unreadable entry is a finding already.
            guard let entry = try? entries.entry(number) else { continue }
            for id in entry.changes.compactMap(\.new) where seen.insert(id).inserted {
                result.append(id)
            }
        }
        return result
    }

    /// Counts the pack files that are not live: left by a crash, or removed and not deleted yet.
    private func idlePackNotes(_ state: State) throws(RefError) -> [String] {
        let live = Set(try state.packs.map(\.name.hex))
        let idle = try wrapping(as: RefError.storage) { () throws(StorageError) in
            try repository.bucket.list(.packs).filter { !live.contains($0.name) }
        }
        guard !idle.isEmpty else { return [] }
        let bytes = idle.reduce(0) { $0 + $1.size }
        return ["packs/ has \(idle.count) more files, \(bytes) bytes, that belong to no live pack"]
    }
}
