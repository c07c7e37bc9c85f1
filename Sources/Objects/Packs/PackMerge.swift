internal import Storage

/// A new pack with the content of some other packs, not yet published.
///
/// Nobody can see it until it is published and the log adds it; dropping it leaves nothing behind.
public struct MergedPack: Sendable {
    /// The packs that it was copied from.
    public let sources: [PackReference]
    /// The size of its pieces as stored, in bytes.
    public let storedBytes: Int
    let staged: StagedPack
    private let pieces: [ObjectID: PackFooter.Piece]
    private let recipes: [ObjectID: PackFooter.Recipe]

    /// Publishes the pack, durably, and returns what the log must record. Call it once.
    public func publish() throws(ObjectError) -> PackReference {
        try staged.publish(pieces: pieces, recipes: recipes)
    }

    /// Copies everything that some packs hold into one new pack.
    ///
    /// Pieces keep their stored form. Copying verifies the checksum of each, so that damage never moves into a new
    /// pack; a pack that is damaged or cannot be opened is left out of ``sources``.
    ///
    /// - Throws: `storage` when the bucket fails.
    public static func merge(
        _ packs: [PackReference], of store: PackStore
    ) throws(ObjectError) -> MergedPack {
        var sources = packs
        while true {
            var opened: [OpenPack] = []
            var damaged: ObjectID?
            for reference in sources where damaged == nil {
                do throws(ObjectError) { opened.append(try store.open(reference)) } catch {
                    damaged = reference.name
                }
            }
            if damaged == nil {
                do throws(ObjectError) { return try copy(opened, of: store) } catch {
                    guard case .damagedPack(let name, _) = error else { throw error }
                    damaged = name
                }
            }
            sources.removeAll { $0.name == damaged }
        }
    }

    /// Copies packs, or parts of them, into a new pack.
    ///
    /// - Parameters:
    ///   - isWanted: Whether to copy a piece or a recipe, given the number of the pack and the place in its index,
    ///     where recipes follow pieces.
    ///   - isDetached: Whether to store a delta whole; called like `isWanted`.
    ///   - progress: Called with the number of bytes just copied.
    /// - Throws: `damagedPack` when anything is wrong with one of the packs; `storage` when the bucket fails.
    package static func copy(
        _ packs: [OpenPack], of store: PackStore,
        where isWanted: (Int, Int) -> Bool = { _, _ in true },
        detaching isDetached: (Int, Int) -> Bool = { _, _ in false },
        progress: (Int) -> Void = { _ in }
    ) throws(ObjectError) -> MergedPack {
        var chosen: [ObjectID: ChosenCopy] = [:]
        var recipes: [ObjectID: PackFooter.Recipe] = [:]
        for (number, pack) in packs.enumerated() {
            do throws(ObjectError) {
                try pack.checkMagic()
                try choose(from: pack, number: number, isWanted, isDetached, &chosen, &recipes)
            } catch { throw pack.damaged(error) }
        }
        let order = chosen.filter { !$0.value.isDetached }.sorted {
            ($0.value.pack, $0.value.piece.offset) < ($1.value.pack, $1.value.piece.offset)
        }
        var copy = try PackCopy(in: store.bucket)
        var first = 0
        while first < order.count {
            let pack = order[first].value.pack
            var last = first + 1
            var end = order[first].value.piece.end
            while last < order.count, order[last].value.pack == pack,
                order[last].value.piece.offset - order[last].value.piece.gap == end,
                end - order[first].value.piece.offset < PackCopy.spanSize
            {
                end = order[last].value.piece.end
                last += 1
            }
            try copy.add(order[first..<last].map { ($0.key, $0.value.piece) }, of: packs[pack])
            progress(end - order[first].value.piece.offset)
            first = last
        }
        let detached = chosen.filter(\.value.isDetached).sorted { $0.key < $1.key }
        for (id, choice) in detached {
            let pack = packs[choice.pack]
            let bytes: [UInt8]
            do throws(ObjectError) {
                bytes = try store.bytes(of: pack.stored(id, choice.piece))
            } catch {
                if case .storage = error { throw error }
                throw pack.damaged(error)
            }
            try copy.add(id, bytes, isObject: choice.piece.isObject)
            progress(choice.piece.storedSize)
        }
        return MergedPack(
            sources: packs.map(\.reference), storedBytes: copy.end - PackFooter.packMagic.count,
            staged: copy.staged, pieces: copy.pieces, recipes: recipes)
    }

    /// The copy of a piece that goes into the merged pack.
    private struct ChosenCopy {
        var pack: Int
        var piece: PackFooter.Piece
        /// Whether it is a delta that is stored whole in the merged pack.
        var isDetached: Bool
    }

    /// Chooses the pieces and recipes of one pack, given those of the packs before it.
    private static func choose(
        from pack: OpenPack, number: Int, _ isWanted: (Int, Int) -> Bool,
        _ isDetached: (Int, Int) -> Bool,
        _ chosen: inout [ObjectID: ChosenCopy], _ recipes: inout [ObjectID: PackFooter.Recipe]
    ) throws(ObjectError) {
        let pieceCount = pack.footer.pieceCount
        for index in 0..<pieceCount where isWanted(number, index) {
            let id = pack.footer.pieceID(at: index)
            var choice = ChosenCopy(
                pack: number, piece: try pack.piece(at: index),
                isDetached: isDetached(number, index))
            if let other = chosen[id] {
                let isObject = choice.piece.isObject || other.piece.isObject
                // One copy is enough, but it must be whole if any is: a delta cannot be a base.
                if other.piece.codec != .delta || choice.piece.codec == .delta { choice = other }
                choice.piece.isObject = isObject
            }
            chosen[id] = choice
        }
        for index in 0..<pack.footer.recipeCount where isWanted(number, pieceCount + index) {
            recipes[pack.footer.recipeID(at: index)] = try pack.recipe(at: index)
        }
    }
}

/// Copies stored pieces of packs into a new pack; adjacent pieces are moved in one read and one write.
///
/// Packs are read rather than mapped, because a failing disk must not kill the process that merges packs.
private struct PackCopy {
    /// About the most bytes to move at once: enough that the cost of the calls does not matter.
    static let spanSize = 4 << 20

    let staged: StagedPack
    /// The offset of the next byte.
    private(set) var end = PackFooter.packMagic.count
    /// The pieces copied so far.
    private(set) var pieces: [ObjectID: PackFooter.Piece] = [:]

    init(in bucket: any Bucket) throws(ObjectError) { staged = try StagedPack(in: bucket) }

    /// Copies pieces that are adjacent in a pack except for their gaps, after verifying the checksum of each.
    mutating func add(
        _ span: [(id: ObjectID, piece: PackFooter.Piece)], of pack: OpenPack
    ) throws(ObjectError) {
        guard let first = span.first?.piece, let last = span.last?.piece else { return }
        let range = first.offset..<last.end
        // Leaves are used in place, so they keep their offset within a multiple of the alignment.
        let isAligned = span.contains { $0.piece.codec == .leaf }
        let gap =
            isAligned
            ? (first.offset % PackFooter.alignment - end % PackFooter.alignment
                + PackFooter.alignment) % PackFooter.alignment : 0
        let bytes: [UInt8]
        do throws(ObjectError) { bytes = try pack.bytes(range) } catch {
            if case .storage(.truncated) = error { throw pack.damaged(error) }
            throw error
        }
        try Self.check(span, bytes.span, of: pack)
        if gap > 0 { try inStorage(staged.blob.append([UInt8](repeating: 0, count: gap))) }
        try inStorage(staged.blob.append(bytes))
        let shift = end + gap - first.offset
        for (index, item) in span.enumerated() {
            var piece = item.piece
            piece.offset += shift
            if index == 0 { piece.gap = gap }
            pieces[item.id] = piece
        }
        end += gap + range.count
    }

    /// Adds a piece that is encoded again.
    mutating func add(_ id: ObjectID, _ bytes: [UInt8], isObject: Bool) throws(ObjectError) {
        var batch = PieceBatch()
        _ = batch.add(id, bytes.span, hint: StorageHint(suiting: bytes), base: nil)
        let (entries, count) = try staged.append(batch)
        for (id, piece) in entries {
            pieces[id] = piece
            pieces[id]?.isObject = isObject
        }
        end += count
    }

    /// Checks that every piece has its checksum and that every gap is zero; `bytes` begin with the first piece.
    private static func check(
        _ span: [(id: ObjectID, piece: PackFooter.Piece)], _ bytes: Span<UInt8>, of pack: OpenPack
    ) throws(ObjectError) {
        var end = 0
        for (index, item) in span.enumerated() {
            let start = index == 0 ? 0 : end + item.piece.gap
            for index in end..<start where bytes[index] != 0 {
                throw .damagedPack(
                    pack.reference.name,
                    reason: "the gap before byte \(item.piece.offset) is not zero")
            }
            end = start + item.piece.storedSize
            guard item.piece.hasChecksum(of: bytes.extracting(start..<end)) else {
                throw pack.damaged(pack.stored(item.id, item.piece).corrupt)
            }
        }
    }
}

extension OpenPack {
    /// The error for a pack that cannot be copied because of another error.
    fileprivate func damaged(_ cause: ObjectError) -> ObjectError {
        if case .damagedPack(reference.name, _) = cause { return cause }
        return .damagedPack(reference.name, reason: cause.message)
    }
}
