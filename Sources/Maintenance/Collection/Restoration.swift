public import Objects
public import Refs

/// What taking back the removal of packs did.
public struct Restoration: Sendable {
    /// The transaction that removed them.
    public let undone: Int
    /// The transaction that brought back what was in them.
    public let transaction: Int
    /// The pack that holds it now.
    public let pack: PackReference
    /// How many packs were removed then.
    public let packCount: Int
}

extension Repository {
    /// Brings back what a transaction removed by removing packs, as long as their files are there: it is copied into
    /// a new pack, because a pack that was removed never comes back under its name.
    ///
    /// The next collection removes it again, unless a ref or a lease needs it by then.
    ///
    /// - Throws: `noTransaction`; `nothingToUndo` when the transaction removed no pack; `nothingLost` when everything
    ///   in them is there; `tooLateToUndo`; `busy` when others remove packs time and again.
    public func restore(_ number: Int, writer: Writer) throws(RefError) -> Restoration {
        var names: [ObjectID] = []
        for case .unpack(let name) in try log.entry(number).actions { names.append(name) }
        guard !names.isEmpty else { throw .nothingToUndo(number) }
        for _ in 0..<Self.restorationAttempts {
            do throws(RefError) {
                return try restore(names, removedBy: number, writer: writer)
            } catch .packRemoved {
                // Somebody else removed packs at this very moment.
            }
        }
        throw .busy(attempts: Self.restorationAttempts)
    }

    private static var restorationAttempts: Int { 16 }

    private func restore(
        _ names: [ObjectID], removedBy number: Int, writer: Writer
    ) throws(RefError) -> Restoration {
        let state = try state()
        let store = objects(try state.packs)
        let files: [PackReference]
        do throws(ObjectError) { files = try store.references(to: names) } catch {
            throw .objects(error)
        }
        guard files.count == names.count else {
            throw .tooLateToUndo(number, missing: names.count - files.count, of: names.count)
        }
        let published: PackReference?
        do throws(ObjectError) { published = try store.restoring(files)?.publish() } catch {
            throw .objects(error)
        }
        guard let pack = published else { throw .nothingLost(number) }
        var proposal = Proposal(
            base: state, updates: [], addedPacks: [pack],
            message: "undo transaction \(number): bring back what it removed")
        let result = try log.append(&proposal, writer: writer) {
            (_, _, removed, state) throws(RefError) in
            if removed.isEmpty { return }
            let live = try state.packs
            let isWhole: Bool
            do throws(ObjectError) {
                isWhole = try PackMarks.isWhole(pack, in: objects(live + [pack]))
            } catch { throw .objects(error) }
            if removed.contains(pack.name) || !isWhole { throw .packRemoved(pack.name) }
        }
        return Restoration(
            undone: number, transaction: result?.state.number ?? state.number, pack: pack,
            packCount: names.count)
    }
}
