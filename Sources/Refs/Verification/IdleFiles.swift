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
            let reference = store.reference(to: file.name)
            let findings: [Finding]
            if let reference {
                do throws(ObjectError) {
                    findings = try store.damagedBytes(of: reference).map {
                        Self.finding("bytes of it are damaged", file.name, at: $0)
                    }
                } catch { throw .objects(error) }
            } else {
                findings = [Self.finding("its index is damaged", file.name)]
            }
            if !findings.isEmpty { damaged.append((file.name, reference, findings)) }
        }
        return damaged
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

    /// Puts removed packs that are damaged together anew where copies have what is missing, and deletes the others and a
    /// damaged reserve; says what was done.
    func repair(in state: State, from copies: [any Bucket]) throws(RefError) -> [String] {
        var done: [String] = []
        let store = try repository.objects(in: state)
        for (name, reference, _) in try damagedPacks(in: state) {
            let blob = BlobName(.packs, name.hex)
            do throws(ObjectError) {
                if let reference, try store.mend(reference, from: copies) {
                    done.append("\(blob): put together anew")
                    continue
                }
            } catch { throw .objects(error) }
            try delete(blob)
            done.append("\(blob): deleted; it was removed before")
        }
        if try !reserveFindings().isEmpty {
            try delete(LogFile.reserve)
            done.append("\(LogFile.reserve): deleted; the next gc makes it anew")
        }
        return done
    }

    private func delete(_ name: BlobName) throws(RefError) {
        do throws(StorageError) { try repository.bucket.delete(name) } catch {
            throw .storage(error)
        }
    }
}
