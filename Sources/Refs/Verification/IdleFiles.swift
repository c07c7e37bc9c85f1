internal import Objects
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
    func damagedPacks(
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
            throw .storage(error)
        }
    }

    private static func finding(
        _ problem: String, _ pack: ObjectID, at range: Range<Int>? = nil
    ) -> Finding {
        Finding(
            problem: "\(problem), and the pack was removed",
            place: BlobName(.packs, pack.hex).description, range: range,
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
        } catch { throw .storage(error) }
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
            let needed = try transactionsOfNeeded(in: state)
            for (name, transaction) in try removals(in: state)
            where left.contains(name) && !needed.contains(transaction) {
                try delete(Self.blob(name))
                done.append("\(Self.blob(name)): deleted; nothing needs it")
            }
        }
        if try !reserveFindings().isEmpty {
            try delete(LogFile.reserve)
            done.append("\(LogFile.reserve): deleted; the next gc makes it anew")
        }
        return done
    }

    private func removals(
        in state: State
    ) throws(RefError) -> [(name: ObjectID, transaction: Int)] {
        var files = try PackFiles(in: repository.bucket)
        try files.tellApart(
            live: try state.packs, in: state, of: repository.log, at: state.time.milliseconds)
        return files.removals.sorted { $0.key < $1.key }.map { ($0.key, $0.value.transaction) }
    }

    /// The transactions that removed something that a ref has ever needed or a lease needs, and that no live pack has:
    /// ``Restoration`` takes back all that one of them removed, or nothing.
    private func transactionsOfNeeded(in state: State) throws(RefError) -> Set<Int> {
        let removals = try removals(in: state)
        let all = Set(removals.map(\.transaction))
        let roots =
            state.refs.values.map(\.target) + RepositoryVerifier(repository).history(of: state)
            + (try repository.leases()).flatMap(\.snapshots)
        let store = try repository.objects(in: state)
        do throws(ObjectError) {
            var marks = try PackMarks(store)
            try marks.add(try store.references(to: removals.map(\.name)), asOldest: true)
            for root in roots { try marks.mark(snapshot: root, whatIsThere: true) }
            let needed = marks.takeTouched()
            return Set(removals.filter { needed.contains($0.name) }.map(\.transaction))
        } catch {
            if case .storage = error { throw .objects(error) }
            // What cannot be read may need any of them.
            return all
        }
    }

    private func delete(_ name: BlobName) throws(RefError) {
        do throws(StorageError) {
            try repository.bucket.delete(name)
            try repository.bucket.synchronize(name.folder)
        } catch {
            throw .storage(error)
        }
    }
}
