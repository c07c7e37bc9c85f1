internal import Objects
internal import Refs
internal import Storage

/// Files that no ref needs: the room in reserve, and packs whose removal can be taken back.
struct IdleFiles {
    private let repository: Repository

    init(_ repository: Repository) { self.repository = repository }

    /// Everything that is wrong with them, by every byte.
    func findings(in state: State) throws(RefError) -> [Finding] {
        try reserveFindings() + damagedPacks(in: state).flatMap(\.findings)
    }

    /// The removed packs that are damaged, with what is wrong with each.
    ///
    /// Their objects are in other packs, or nobody needs them: only ``Restoration`` is affected.
    private func damagedPacks(
        in state: State
    ) throws(RefError) -> [(name: ObjectID, reference: PackReference?, findings: [Finding])] {
        var damaged: [(name: ObjectID, reference: PackReference?, findings: [Finding])] = []
        let store = try repository.objects(in: state)
        for file in try repository.idlePackFiles(in: state).removed {
            var findings: [Finding] = []
            let reference: PackReference?
            do throws(ObjectError) {
                reference = try store.reference(to: file.name)
                if let reference {
                    findings = try store.damagedBytes(of: reference).map {
                        Self.finding("bytes of it are damaged", file.name, at: $0)
                    }
                } else {
                    findings = [Self.finding("its index is damaged", file.name)]
                }
            } catch { throw .objects(error) }
            // A collection may have deleted it meanwhile.
            guard !findings.isEmpty, try isThere(Self.blob(file.name)) else { continue }
            damaged.append((file.name, reference, findings))
        }
        return damaged
    }

    private static func blob(_ pack: ObjectID) -> BlobName { BlobName(.packs, pack.hex) }

    private func isThere(_ name: BlobName) throws(RefError) -> Bool {
        do throws(StorageError) { return try repository.bucket.open(name) != nil } catch {
            if error.concernsOneFile { return true }
            throw .storage(error)
        }
    }

    private static func finding(
        _ problem: String, _ pack: ObjectID, at range: Range<Int>? = nil
    ) -> Finding {
        Finding(
            problem: "\(problem), and the pack was removed",
            place: blob(pack).description, range: range,
            affects: ["what ftictl undo would bring back"], remedy: "ftictl verify --repair")
    }

    private func reserveFindings() throws(RefError) -> [Finding] {
        let name = LogFile.reserve
        do throws(StorageError) {
            guard let room = try repository.bucket.open(name) else { return [] }
            let bytes = try room.read(at: 0, count: min(room.size, LogFile.reserveBytes.count))
            guard let offset = bytes.firstIndex(where: { $0 != 0 }) else { return [] }
            return [
                Finding(
                    problem: "it is not all zeros", place: name.description,
                    range: offset..<offset + 1, remedy: "ftictl verify --repair")
            ]
        } catch {
            guard error.concernsOneFile else { throw .storage(error) }
            return [
                Finding(
                    problem: RefError.storage(error).reason, place: name.description,
                    remedy: "ftictl verify --repair")
            ]
        }
    }

    /// Puts removed packs that are damaged together anew where copies have what is missing, and deletes those that nothing
    /// that was ever pointed at needs, and a damaged reserve; says what was done.
    func repair(in state: State, from copies: [any Bucket]) throws(RefError) -> [String] {
        var done: [String] = []
        var left: [ObjectID] = []
        let store = try repository.objects(in: state)
        for (name, reference, _) in try damagedPacks(in: state) {
            do throws(ObjectError) {
                if let reference, try store.mend(reference, from: copies) {
                    done.append("\(Self.blob(name)): put together anew")
                } else {
                    left.append(name)
                }
            } catch { throw .objects(error) }
        }
        if !left.isEmpty {
            let removals = try repository.packFiles(in: state).removals.mapValues(\.transaction)
            let needed = try transactionsOfNeeded(removals, in: state)
            for name in left {
                guard let number = removals[name], !needed.contains(number) else { continue }
                guard try delete(Self.blob(name)) else { continue }
                done.append("\(Self.blob(name)): deleted; nothing needs it")
            }
        }
        if try !reserveFindings().isEmpty, try delete(LogFile.reserve) {
            done.append("\(LogFile.reserve): deleted; the next gc makes it anew")
        }
        return done
    }

    /// The transactions that removed something that a ref has ever needed or a lease needs, and that no live pack has:
    /// ``Restoration`` takes back all that one of them removed, or nothing.
    private func transactionsOfNeeded(
        _ removals: [ObjectID: Int], in state: State
    ) throws(RefError) -> Set<Int> {
        let leases = try repository.listLeases()
        // Nobody knows what an unreadable lease needs.
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
            // What cannot be read may need any of them.
            return Set(removals.values)
        }
    }

    /// Deletes a file, durably; false for what is none, which a person has put there.
    private func delete(_ name: BlobName) throws(RefError) -> Bool {
        do throws(StorageError) {
            try repository.bucket.delete(name)
            try repository.bucket.synchronize(name.folder)
            return true
        } catch {
            if error.isNoFile { return false }
            throw .storage(error)
        }
    }
}
