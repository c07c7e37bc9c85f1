public import Objects
public import Refs
internal import Storage

/// The undo of a transaction that removed packs.
public struct Restoration: Sendable {
    /// The transaction that removed the packs.
    public let undone: Int
    /// The transaction that restored their content.
    public let transaction: Int
    /// The pack that holds the content now.
    public let pack: PackReference
    /// How many packs the undone transaction removed.
    public let packCount: Int
}

extension Repository {
    /// Restores the packs that a transaction removed, as long as their files exist: copies their content into a new
    /// pack, because a removed pack never returns under its name.
    ///
    /// The next collection removes the content again unless a ref or a lease needs it by then.
    ///
    /// - Throws: `noTransaction`; `nothingToUndo` when the transaction removed no pack; `nothingLost` when live packs
    ///   hold everything; `tooLateToUndo`; `busy` when other writers keep removing packs.
    public func restore(_ number: Int, writer: Writer) throws(RefError) -> Restoration {
        var names: [ObjectID] = []
        for case .unpack(let name) in try log.entry(number).actions { names.append(name) }
        guard !names.isEmpty else { throw .nothingToUndo(number) }
        let attempts = 16
        for _ in 0..<attempts {
            do throws(RefError) {
                return try restore(names, removedBy: number, writer: writer)
            } catch .packRemoved {
                // Another writer removed packs at the same moment.
            }
        }
        throw .busy(attempts: attempts)
    }

    private func restore(
        _ names: [ObjectID], removedBy number: Int, writer: Writer
    ) throws(RefError) -> Restoration {
        let state = try state()
        let store = objects(try state.packs)
        let files = try wrapping(store.references(to: names), as: RefError.objects)
        guard files.count == names.count else {
            throw .tooLateToUndo(number, missing: names.count - files.count, of: names.count)
        }
        let published = try wrapping(
            LostContent(of: files, from: store).copied()?.publish(), as: RefError.objects)
        guard let pack = published else { throw .nothingLost(number) }
        var proposal = Proposal(
            base: state, updates: [], addedPacks: [pack],
            message: "undo transaction \(number): bring back what it removed")
        let result = try log.append(&proposal, writer: writer) {
            (_, _, removed, state) throws(RefError) in
            if removed.isEmpty { return }
            let live = try state.packs
            let isWhole = try wrapping(
                PackMarks.isWhole(pack, in: objects(live + [pack])), as: RefError.objects)
            if removed.contains(pack.name) || !isWhole { throw .packRemoved(pack.name) }
        }
        return Restoration(
            undone: number, transaction: result?.state.number ?? state.number, pack: pack,
            packCount: names.count)
    }
}

/// The content of removed packs that no live pack holds.
private struct LostContent {
    private let store: PackStore
    /// Marks of the removed packs and the live ones; a search finds live packs first.
    private let marks: PackMarks
    /// How many of the marked packs are removed ones.
    private let count: Int

    /// The kinds of content, in the order in which they are checked: each kind needs only earlier ones.
    private enum Kind: CaseIterable { case piece, difference, recipe }

    init(of removed: [PackReference], from store: PackStore) throws(ObjectError) {
        self.store = store
        count = removed.count
        var marks = try PackMarks(store)
        try marks.add(removed, asOldest: true)
        self.marks = marks
    }

    /// Copies the content into a new pack, as far as it is readable with the help of the live packs; nil when there is
    /// nothing to copy.
    ///
    /// - Throws: `damagedPack` when a removed pack is damaged or has no file; `storage`.
    func copied() throws(ObjectError) -> MergedPack? {
        var wanted = marks.entries[..<count].map { Bitmap(limit: $0.placeCount) }
        for kind in Kind.allCases {
            for number in 0..<count {
                for bit in 0..<marks.entries[number].placeCount {
                    let place = PackMarks.Place(pack: number, bit: bit)
                    guard try self.kind(of: place) == kind, try isLost(place) else { continue }
                    var isReadable = true
                    for need in try marks.needs(of: place) where isReadable {
                        let found = try marks.piece(need.id, asBase: need.isBase)
                        isReadable =
                            found.map { $0.pack >= count || wanted[$0.pack].contains($0.bit) }
                            ?? false
                    }
                    if isReadable { _ = wanted[number].insert(bit) }
                }
            }
        }
        guard wanted.contains(where: { $0.count > 0 }) else { return nil }
        return try MergedPack.copy(
            marks.entries[..<count].map(\.pack), of: store, where: { wanted[$0].contains($1) })
    }

    private func kind(of place: PackMarks.Place) throws(ObjectError) -> Kind {
        let pack = marks.entries[place.pack].pack
        guard place.bit < pack.footer.pieceCount else { return .recipe }
        return try pack.piece(at: place.bit).codec == .delta ? .difference : .piece
    }

    /// Whether no live pack has an equivalent.
    private func isLost(_ place: PackMarks.Place) throws(ObjectError) -> Bool {
        func isOnlyRemoved(_ found: PackMarks.Place?) -> Bool {
            found.map { $0.pack < count } ?? true
        }
        let pack = marks.entries[place.pack].pack
        guard place.bit < pack.footer.pieceCount else {
            let id = pack.footer.recipeID(at: place.bit - pack.footer.pieceCount)
            return isOnlyRemoved(try marks.object(id))
        }
        let id = pack.footer.pieceID(at: place.bit)
        let piece = try pack.piece(at: place.bit)
        if piece.isObject, isOnlyRemoved(try marks.object(id)) { return true }
        return isOnlyRemoved(try marks.piece(id, asBase: piece.codec != .delta))
    }
}
