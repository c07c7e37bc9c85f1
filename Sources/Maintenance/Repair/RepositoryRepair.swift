internal import Objects
public import Refs
internal import Storage

/// Restores damaged files of a repository from copies of it, and rebuilds what can be derived.
///
/// It verifies everything that it takes from a copy, so a copy may be damaged, too. It can be interrupted and repeated
/// at any point: every file except the hint, which may be torn, is replaced atomically, and transactions add and remove
/// packs.
public struct RepositoryRepair: Sendable {
    /// The result of a repair.
    public struct Report: Sendable {
        /// What was done: a sentence for each file.
        public fileprivate(set) var done: [String] = []
        /// The copies whose log was not used, and why.
        public fileprivate(set) var refused: [String] = []
        /// A full verification after the repair.
        public fileprivate(set) var after: RepositoryVerifier.Report
    }

    private let repository: Repository
    private let copies: [Repository]
    private let writer: Writer

    /// Prepares a repair.
    ///
    /// - Parameter copies: Repositories with the same content, or a part of it; their packs may differ.
    public init(_ repository: Repository, copies: [Repository], writer: Writer) {
        self.repository = repository
        self.copies = copies
        self.writer = writer
    }

    /// Verifies everything, repairs what it can, and verifies everything again after a change.
    ///
    /// - Throws: `storage` when the bucket cannot be written; `unauthorized` or `key` when the writer may not make the
    ///   transaction that is needed; `busy` or `packRemoved` when others change the repository meanwhile; `objects`
    ///   when the process lacks resources.
    public func run(
        progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) throws(RefError) -> Report {
        func verify() throws(RefError) -> RepositoryVerifier.Report {
            // A new verifier each time: it must not use indexes from before the repair.
            try RepositoryVerifier(repository).verify(full: true, progress: progress)
        }
        var report = Report(after: try verify())
        if !report.after.log.isEmpty || report.after.isHintTorn {
            let outcome = try LogRepair(log: repository.log, copies: copies.map(\.log)).run()
            (report.done, report.refused) = (outcome.done, outcome.refused)
            if !report.done.isEmpty { report.after = try verify() }
        }
        guard !report.after.isSound, let state = report.after.state else { return report }
        var repaired = try repairPacks(report.after, state)
        // Only a sound log shows which files no ref needs.
        if report.after.log.isEmpty {
            let fresh = reopened()
            repaired += try IdleFiles(fresh).repair(
                in: fresh.state(), from: copies.map(\.bucket))
        }
        guard !repaired.isEmpty else { return report }
        report.done += repaired
        report.after = try verify()
        return report
    }

    /// The repository without cached indexes: the repair replaces files.
    private func reopened() -> Repository {
        Repository(in: repository.bucket, trust: repository.log.trust)
    }

    private func repairPacks(
        _ report: RepositoryVerifier.Report, _ state: State
    ) throws(RefError) -> [String] {
        // A pack that was unreadable for lack of memory or open files may be sound.
        for error in report.packs.map(\.error) where error.isOutOfResources {
            throw .objects(error)
        }
        let damaged = Set(report.packs.filter { $0.object == nil || $0.range != nil }.map(\.pack))
        let packs = try state.packs
        let fresh = reopened()
        var done: [String] = []
        var left: [PackReference] = []
        for pack in packs where damaged.contains(pack.name) {
            let mending = PackMending(fresh.objects(packs), copies: copies.map(\.bucket))
            if try mending.mend(pack) {
                done.append("packs/\(pack.name.hex): rebuilt")
            } else {
                left.append(pack)
            }
        }
        let isIncomplete = report.findings.contains { !$0.affects.isEmpty }
        guard !left.isEmpty || (isIncomplete && done.isEmpty) else { return done }
        return try done + rescue(from: left, state)
    }

    /// Copies everything that is needed and unreadable here into a new pack, which replaces the damaged ones.
    private func rescue(from damaged: [PackReference], _ state: State) throws(RefError) -> [String]
    {
        let fresh = reopened()
        let packs = try state.packs
        let kept = fresh.objects(packs.filter { !damaged.contains($0) })
        var sources = [fresh.objects(packs)]
        for copy in copies {
            // A copy with a damaged log may hold useful packs, but nothing tells which.
            if let state = try? copy.state(), let objects = try? copy.objects(in: state) {
                sources.append(objects)
            }
        }
        var rescue = ObjectRescue(kept: kept, sources: sources)
        let leases = try fresh.listLeases()
        let roots =
            state.refs.sorted { $0.key < $1.key }.map(\.value.target)
            + leases.current.flatMap(\.snapshots)
        let pack = try wrapping(as: RefError.objects) { () throws(ObjectError) in
            var past: [ObjectID] = []
            for root in roots { past += try rescue.bring(root, isHistory: false) }
            past += RepositoryVerifier(fresh).history(of: state)
            while let id = past.popLast() { past += try rescue.bring(id, isHistory: true) }
            return try rescue.writer.finish()
        }
        // Damaged packs stay while objects are lost, which they may still hold, and while an unreadable lease may need
        // them.
        let removed = rescue.lost.isEmpty && leases.unreadable.isEmpty ? damaged : []
        guard !removed.isEmpty || !copies.isEmpty && pack != nil else { return [] }
        var proposal = Proposal(
            base: state, updates: [], addedPacks: pack.map { [$0] } ?? [],
            removedPacks: removed.map(\.name), message: "repair \(removed.count) damaged packs")
        // Others may have removed packs that the repair relies on, or moved refs and so changed what is needed.
        let result = try repository.log.append(&proposal, writer: writer) {
            (_, _, removed, newest) throws(RefError) in
            if let name = removed.first { throw .packRemoved(name) }
            guard newest.refs == state.refs else { throw .busy(attempts: 1) }
        }
        guard let number = result?.state.number else { return [] }
        let what = removed.map { "packs/\($0.name.hex)" }.joined(separator: ", ")
        return [
            (what.isEmpty ? "everything found in copies" : what)
                + ": stored again by transaction \(number)"
        ]
    }
}

/// Rebuilds damaged pack files from their undamaged pieces, wherever copies have them.
struct PackMending {
    private let store: PackStore
    private let buckets: [any Bucket]

    /// Prepares to rebuild packs in the bucket of a store.
    ///
    /// - Parameter copies: Other buckets that may have files of the same packs.
    init(_ store: PackStore, copies: [any Bucket]) {
        self.store = store
        buckets = [store.bucket] + copies
    }

    /// Rebuilds the file of a damaged pack, piece by piece from the first copy that has it undamaged, and replaces it
    /// durably and atomically.
    ///
    /// A pack's name vouches for its index, and the index for every piece: a file that matches its name is the pack,
    /// wherever its parts come from.
    ///
    /// - Returns: False, with nothing changed, when no file has some part undamaged, or a directory has the name of the
    ///   file.
    /// - Throws: `objects` with the cause `storage` when the bucket cannot be written.
    func mend(_ reference: PackReference) throws(RefError) -> Bool {
        let blobs = buckets.compactMap { try? OpenPack.blob(of: reference, in: $0) }
        let indexed = blobs.lazy.compactMap { blob in
            (try? OpenPack(reference, blob: blob)).map { (pack: $0, blob: blob) }
        }.first
        guard let (pack, source) = indexed else { return false }
        let pieces = try wrapping(as: RefError.objects) { () throws(ObjectError) in
            var pieces: [(id: ObjectID, piece: PackFooter.Piece)] = []
            for index in 0..<pack.footer.pieceCount {
                pieces.append((pack.footer.pieceID(at: index), try pack.piece(at: index)))
            }
            return pieces.sorted { $0.piece.offset < $1.piece.offset }
        }
        return try wrapping(as: { RefError.objects(.storage($0)) }) { () throws(StorageError) in
            let staged = try store.bucket.stage(in: .packs)
            var output = PackFooter.packMagic
            for (id, piece) in pieces {
                guard let stored = sound(id, piece, of: pack, in: blobs) else { return false }
                output.append(contentsOf: repeatElement(0, count: piece.gap))
                output.append(contentsOf: stored)
                guard output.count >= PieceBatch.flushSize else { continue }
                _ = try staged.append(output)
                output.removeAll(keepingCapacity: true)
            }
            let index = reference.size - reference.indexOffset
            let footer = try source.read(at: reference.indexOffset, count: index)
            guard ObjectID(of: footer.span) == reference.name else { return false }
            _ = try staged.append(output + footer)
            return try store.bucket.unlessDirectory { () throws(StorageError) in
                try staged.replace(reference.blobName)
            }
        }
    }

    /// The stored bytes of a piece from the first file that has them undamaged.
    private func sound(
        _ id: ObjectID, _ piece: PackFooter.Piece, of pack: OpenPack, in blobs: [any Blob]
    ) -> [UInt8]? {
        blobs.lazy.compactMap { blob in
            let copy = pack.stored(id, piece, in: blob)
            guard let (stored, bytes) = try? store.check(copy, .identityByCaller) else {
                // The base of a difference may be damaged; then the checksum has to suffice.
                return piece.codec == .delta ? try? copy.storedBytes() : nil
            }
            return ObjectID(of: bytes.span) == id ? stored : nil
        }.first
    }
}
