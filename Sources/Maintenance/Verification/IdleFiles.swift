internal import Objects
internal import Refs
internal import Storage

/// The files that no ref needs: the reserve, and the removed packs that an undo would restore.
struct IdleFiles {
    private let repository: Repository

    init(_ repository: Repository) { self.repository = repository }

    /// A damaged pack that was removed.
    private struct DamagedPack {
        let name: ObjectID
        /// Nil when the index is damaged.
        let reference: PackReference?
        let findings: [Finding]

        var blob: BlobName { BlobName(.packs, name.hex) }
    }

    /// Reads every byte of these files and lists all problems.
    func findings(in state: State) throws(RefError) -> [Finding] {
        try reserveFindings() + damagedPacks(in: state).flatMap(\.findings)
    }

    /// Lists the removed packs that are damaged.
    ///
    /// Other packs hold their objects, or nothing needs them: only ``Restoration`` is affected.
    private func damagedPacks(in state: State) throws(RefError) -> [DamagedPack] {
        var damaged: [DamagedPack] = []
        let store = try repository.objects(in: state)
        for file in try repository.idlePackFiles(in: state).removed {
            func finding(_ problem: String, at range: Range<Int>? = nil) -> Finding {
                Finding(
                    .idle, at: .pack(file.name), range: range,
                    "\(problem), and the pack was removed",
                    affects: ["what ftictl undo would bring back"])
            }
            let pack = try wrapping(as: RefError.objects) { () throws(ObjectError) in
                let reference = try store.reference(to: file.name)
                return DamagedPack(
                    name: file.name, reference: reference,
                    findings: try reference.map { (reference) throws(ObjectError) in
                        try store.damagedBytes(of: reference).map {
                            finding("some of its bytes are damaged", at: $0)
                        }
                    } ?? [finding("its index is damaged")])
            }
            // A collection may have deleted it in the meantime.
            guard !pack.findings.isEmpty, try isThere(pack.blob) else { continue }
            damaged.append(pack)
        }
        return damaged
    }

    private func isThere(_ name: BlobName) throws(RefError) -> Bool {
        do throws(StorageError) { return try repository.bucket.open(name) != nil } catch {
            if error.concernsOneFile { return true }
            throw .storage(error)
        }
    }

    private func reserveFindings() throws(RefError) -> [Finding] {
        do throws(StorageError) {
            guard let reserve = try repository.bucket.open(LogFile.reserve) else { return [] }
            let bytes = try reserve.read(
                at: 0, count: min(reserve.size, LogFile.reserveBytes.count))
            guard let offset = bytes.firstIndex(where: { $0 != 0 }) else { return [] }
            return [
                Finding(.idle, at: .reserve, range: offset..<offset + 1, "it is not all zeros")
            ]
        } catch {
            guard error.concernsOneFile else { throw .storage(error) }
            return [Finding(.idle, at: .reserve, RefError.storage(error).reason)]
        }
    }

    /// Rebuilds damaged removed packs with the help of copies, and deletes a damaged reserve and the damaged packs that
    /// nothing in the history needs.
    ///
    /// - Returns: A sentence for each changed file.
    func repair(in state: State, from copies: [any Bucket]) throws(RefError) -> [String] {
        var done: [String] = []
        var left: [DamagedPack] = []
        let mending = PackMending(try repository.objects(in: state), copies: copies)
        for pack in try damagedPacks(in: state) {
            if let reference = pack.reference, try mending.mend(reference) {
                done.append("\(pack.blob): rebuilt")
            } else {
                left.append(pack)
            }
        }
        if !left.isEmpty {
            let removals = try repository.packFiles(in: state).removals.mapValues(\.transaction)
            let needed = try transactionsOfNeeded(removals, in: state)
            for pack in left {
                guard let number = removals[pack.name], !needed.contains(number),
                    try delete(pack.blob)
                else { continue }
                done.append("\(pack.blob): deleted; nothing needs it")
            }
        }
        if try !reserveFindings().isEmpty, try delete(LogFile.reserve) {
            done.append("\(LogFile.reserve): deleted; the next gc creates it again")
        }
        return done
    }

    /// The transactions that removed something that is in no live pack and that any ref ever needed or a lease needs.
    /// ``Restoration`` restores everything that a transaction removed, or nothing.
    private func transactionsOfNeeded(
        _ removals: [ObjectID: Int], in state: State
    ) throws(RefError) -> Set<Int> {
        let leases = try repository.listLeases()
        // An unreadable lease may need any of them.
        guard leases.unreadable.isEmpty else { return Set(removals.values) }
        let roots =
            state.refs.values.map(\.target) + RepositoryVerifier(repository).history(of: state)
            + leases.current.flatMap(\.snapshots)
        do throws(RefError) {
            let needed = try repository.removed(
                Set(removals.keys), neededBy: roots, in: state)
            return Set(needed.compactMap { removals[$0] })
        } catch {
            guard case .objects(let cause) = error else { throw error }
            if case .storage = cause { throw error }
            // An unreadable object may need any of them.
            return Set(removals.values)
        }
    }

    /// Deletes a file, durably; returns false for a directory of that name.
    private func delete(_ name: BlobName) throws(RefError) -> Bool {
        try wrapping(as: RefError.storage) { () throws(StorageError) in
            try repository.bucket.unlessDirectory { () throws(StorageError) in
                try repository.bucket.delete(name)
                try repository.bucket.synchronize(name.folder)
            }
        }
    }
}
