internal import Synchronization

/// Which packs are live by now, and which transactions removed others since a store was made.
public struct PackRenewal: Sendable {
    /// The packs that are live.
    public let packs: [PackReference]
    /// The numbers of the transactions that removed packs, by the names of those.
    public let removals: [ObjectID: Int]

    /// Makes an answer.
    public init(packs: [PackReference], removals: [ObjectID: Int]) {
        self.packs = packs
        self.removals = removals
    }
}

/// Where a store looks that found the file of a pack gone.
///
/// A pack that was removed from the log stays a while, for readers of older states. One who reads for longer than
/// that finds the same objects in the packs that took its place.
struct RenewedPacks: Sendable {
    /// The packs that can be opened still, and those that are live by now.
    var packs: [PackReference]
    /// The newest transaction that removed one of the packs whose files are gone.
    var transaction: Int?
}

extension PackStore {
    /// Calls `body` with the packs, and again, once packs that it could not open turn out to have been removed, with
    /// those that can be opened and those that took the place of the others.
    package func withPacks<Result>(
        _ body: ([PackReference]) throws(ObjectError) -> Result
    ) throws(ObjectError) -> Result {
        while true {
            let packs = searched
            do throws(ObjectError) { return try body(packs) } catch {
                guard case .packGone(let name) = error,
                    renew(packs, without: name)
                else { throw error }
            }
        }
    }

    /// The packs that the store was made with, and those that took the place of some of them meanwhile.
    public var known: [PackReference] { packs + searched.filter { !packs.contains($0) } }

    /// The packs in which is looked.
    var searched: [PackReference] {
        guard isRenewed.load(ordering: .acquiring) else { return packs }
        return renewed.withLock { $0?.packs } ?? packs
    }

    /// What is wrong when there is no such object.
    func absence(of id: ObjectID) -> ObjectError {
        guard isRenewed.load(ordering: .acquiring),
            let transaction = renewed.withLock({ $0?.transaction })
        else { return .missing(id) }
        return .collected(id, transaction: transaction)
    }

    /// The bytes of a piece whose base was removed: the collection that removed it stored the piece by itself.
    func independentCopy(
        of id: ObjectID, insteadOf place: String
    ) throws(ObjectError) -> [UInt8] {
        guard isRenewed.load(ordering: .acquiring) else { throw .corrupt(id, where: place) }
        guard let (pack, index) = try packHoldingBase(id) else { throw absence(of: id) }
        return try decoded(id, try pack.piece(at: index), in: pack, isBase: true)
    }

    /// Whether a pack whose file is gone was removed, so that nothing is damaged.
    package func wasRemoved(_ reference: PackReference, _ error: ObjectError) -> Bool {
        guard case .packGone = error else { return false }
        return renew(packs, without: reference.name)
    }

    /// Looks for what took the place of a pack whose file is gone; false when it should be there.
    private func renew(_ current: [PackReference], without name: ObjectID) -> Bool {
        guard let renewal, let newest = renewal(),
            let gone = current.first(where: { $0.name == name }),
            let transaction = newest.removals[gone.name]
        else { return false }
        let live = Set(newest.packs)
        let kept = current.filter { !live.contains($0) && $0 != gone && opened[$0] != nil }
        let removed = current.filter { !live.contains($0) && opened[$0] == nil }
        let last = removed.compactMap { newest.removals[$0.name] }.max() ?? transaction
        renewed.withLock { renewed in
            let before = renewed?.transaction ?? 0
            renewed = RenewedPacks(
                packs: kept + newest.packs, transaction: max(before, last, transaction))
        }
        isRenewed.store(true, ordering: .releasing)
        return true
    }
}
