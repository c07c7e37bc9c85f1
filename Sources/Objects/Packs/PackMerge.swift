package import Storage

/// A pack that holds all that some others hold, and has no name yet.
///
/// It exists for nobody until it is published and the log adds it; dropping it leaves nothing behind.
public struct MergedPack: Sendable {
    /// The packs of which something is in it.
    public let sources: [PackReference]
    /// The bytes of the pieces in it as they are stored.
    public let storedBytes: Int
    let staged: any StagedBlob
    fileprivate let pieces: [ObjectID: PackFooter.Piece]
    fileprivate let recipes: [ObjectID: PackFooter.Recipe]

    /// Publishes the pack, durably and once, and returns what the log must say of it.
    public func publish() throws(ObjectError) -> PackReference {
        do throws(StorageError) {
            return try staged.publishPack(pieces: pieces, recipes: recipes)
        } catch { throw .storage(error) }
    }
}

/// Why packs could not be copied.
package enum CopyError: Error {
    /// Something in a pack is damaged.
    case damaged(PackReference)
    /// The bucket failed.
    case storage(StorageError)
}

extension PackStore {
    /// Copies everything that some of this store's packs hold into one new pack.
    ///
    /// Pieces keep their stored form. The checksum of every one is verified on the way, so that damage never moves
    /// into a pack that looks new: a pack with damage is left out of ``MergedPack/sources``.
    ///
    /// - Throws: `storage` when the bucket fails.
    public func merge(_ packs: [PackReference]) throws(ObjectError) -> MergedPack {
        var sources = packs
        while true {
            var opened: [OpenPack] = []
            var damaged: PackReference?
            for reference in sources where damaged == nil {
                do throws(ObjectError) { opened.append(try open(reference)) } catch {
                    damaged = reference
                }
            }
            if damaged == nil {
                do throws(CopyError) { return try copy(opened) } catch {
                    switch error {
                    case .damaged(let pack): damaged = pack
                    case .storage(let error): throw .storage(error)
                    }
                }
            }
            sources.removeAll { $0 == damaged }
        }
    }

    /// Where the copy of a piece is that goes into the merged pack.
    private struct Chosen {
        var pack: Int
        var piece: PackFooter.Piece
        /// Whether it is a difference that is to be stored by itself.
        var isDetached = false
    }

    /// Copies packs, or some of what is in them, into a new one.
    ///
    /// - Parameters:
    ///   - isWanted: Whether something in a pack is to be copied: the number of the pack, and the place in its
    ///     index, where recipes follow pieces.
    ///   - isDetached: Whether a difference is to be stored by itself; asked as `isWanted`.
    ///   - progress: Called with the number of bytes that were just copied.
    package func copy(
        _ packs: [OpenPack], where isWanted: (Int, Int) -> Bool = { _, _ in true },
        detaching isDetached: (Int, Int) -> Bool = { _, _ in false },
        progress: (Int) -> Void = { _ in }
    ) throws(CopyError) -> MergedPack {
        var chosen: [ObjectID: Chosen] = [:]
        var recipes: [ObjectID: PackFooter.Recipe] = [:]
        for (number, pack) in packs.enumerated() {
            do throws(ObjectError) {
                try pack.checkMagic()
                try choose(
                    from: pack, number: number, isWanted, isDetached, &chosen, &recipes)
            } catch { throw .damaged(pack.reference) }
        }
        let staged: any StagedBlob
        do throws(StorageError) {
            staged = try bucket.stage(in: .packs)
            _ = try staged.append(PackFooter.packMagic)
        } catch { throw .storage(error) }
        let detached = chosen.filter(\.value.isDetached)
        let order = chosen.filter { !$0.value.isDetached }.sorted {
            ($0.value.pack, $0.value.piece.offset) < ($1.value.pack, $1.value.piece.offset)
        }
        var copy = PackCopy(to: staged)
        var first = 0
        while first < order.count {
            let pack = order[first].value.pack
            var last = first + 1
            var end = order[first].value.piece.end
            while last < order.count, order[last].value.pack == pack,
                order[last].value.piece.offset - order[last].value.piece.gap == end,
                end - order[first].value.piece.offset < PackCopy.runSize
            {
                end = order[last].value.piece.end
                last += 1
            }
            try copy.add(order[first..<last].map { ($0.key, $0.value.piece) }, of: packs[pack])
            progress(end - order[first].value.piece.offset)
            first = last
        }
        for (id, choice) in detached.sorted(by: { $0.key < $1.key }) {
            let pack = packs[choice.pack]
            let bytes: [UInt8]
            do throws(ObjectError) { bytes = try self.bytes(of: id, choice.piece, in: pack) } catch
            {
                if case .storage(let cause) = error { throw .storage(cause) }
                throw .damaged(pack.reference)
            }
            try copy.add(id, bytes, isObject: choice.piece.isObject)
            progress(choice.piece.storedSize)
        }
        return MergedPack(
            sources: packs.map(\.reference), storedBytes: copy.end - PackFooter.packMagic.count,
            staged: staged, pieces: copy.pieces, recipes: recipes)
    }

    /// Chooses what a pack adds to the packs before it.
    private func choose(
        from pack: OpenPack, number: Int, _ isWanted: (Int, Int) -> Bool,
        _ isDetached: (Int, Int) -> Bool,
        _ chosen: inout [ObjectID: Chosen], _ recipes: inout [ObjectID: PackFooter.Recipe]
    ) throws(ObjectError) {
        let pieceCount = pack.footer.pieceCount
        for index in 0..<pieceCount where isWanted(number, index) {
            let id = pack.footer.pieceID(at: index)
            var choice = Chosen(
                pack: number, piece: try pack.piece(at: index),
                isDetached: isDetached(number, index))
            if let other = chosen[id] {
                let isObject = choice.piece.isObject || other.piece.isObject
                // One copy is enough, but a difference can be the base of no other.
                if other.piece.codec != .delta || choice.piece.codec == .delta { choice = other }
                choice.piece.isObject = isObject
            }
            chosen[id] = choice
        }
        for index in 0..<pack.footer.recipeCount where isWanted(number, pieceCount + index) {
            recipes[pack.footer.recipeID(at: index)] = try pack.recipe(at: index)
        }
    }

    /// Whether everything that was live in a pack can be read from this store's packs as well as it could there.
    ///
    /// - Throws: `damagedPack`, `storage` when an index cannot be read.
    public func holdsAll(of reference: PackReference) throws(ObjectError) -> Bool {
        let pack = try open(reference)
        for index in 0..<pack.footer.pieceCount {
            let id = pack.footer.pieceID(at: index)
            let piece = try pack.piece(at: index)
            if piece.isObject {
                guard try locateObject(id) != nil else { return false }
            }
            // Others may be differences against this piece, which a difference cannot be the base of.
            let copy = piece.codec == .delta ? try packHoldingPiece(id) : try packHoldingBase(id)
            guard let (holder, at) = copy,
                try packsNeeded(for: .piece(holder, try holder.piece(at: at))) != nil
            else { return false }
        }
        for index in 0..<pack.footer.recipeCount {
            guard let location = try locateObject(pack.footer.recipeID(at: index)),
                try packsNeeded(for: location) != nil
            else { return false }
        }
        return true
    }
}

/// Copies pieces of packs, as they are stored, into a pack that is being written: those that lie side by side in one
/// go. They are read and not mapped: a disk that fails must not end whoever merges packs.
struct PackCopy {
    /// The most bytes that are moved in one go, or little more: enough that calls cost nothing.
    static let runSize = 4 << 20

    private let staged: any StagedBlob
    /// Where the next bytes will be.
    private(set) var end = PackFooter.packMagic.count
    /// The pieces that were copied.
    private(set) var pieces: [ObjectID: PackFooter.Piece] = [:]

    /// Copies to a blob that holds nothing but the magic of packs.
    init(to staged: any StagedBlob) { self.staged = staged }

    /// Copies pieces that follow one another in a pack, with nothing but their gaps between them.
    ///
    /// The checksum of every one is verified on the way, so that damage never moves into a pack that looks new.
    mutating func add(
        _ run: [(id: ObjectID, piece: PackFooter.Piece)], of pack: OpenPack
    ) throws(CopyError) {
        guard let first = run.first?.piece, let last = run.last?.piece else { return }
        let range = first.offset..<last.end
        // What is used in place stays where it is between two multiples of the alignment.
        let isAligned = run.contains { $0.piece.codec == .leaf }
        let gap =
            isAligned
            ? (first.offset % PackFooter.alignment - end % PackFooter.alignment
                + PackFooter.alignment) % PackFooter.alignment : 0
        let bytes: [UInt8]
        do throws(StorageError) { bytes = try pack.bytes(range) } catch {
            if case .truncated = error { throw .damaged(pack.reference) }
            throw .storage(error)
        }
        guard Self.isSound(run, bytes.span) else { throw .damaged(pack.reference) }
        do throws(StorageError) {
            if gap > 0 { _ = try staged.append([UInt8](repeating: 0, count: gap)) }
            _ = try staged.append(bytes)
        } catch { throw .storage(error) }
        let shift = end + gap - first.offset
        for (index, item) in run.enumerated() {
            var piece = item.piece
            piece.offset += shift
            if index == 0 { piece.gap = gap }
            pieces[item.id] = piece
        }
        end += gap + range.count
    }

    /// Stores a piece by itself, whatever it was stored as before.
    mutating func add(_ id: ObjectID, _ bytes: [UInt8], isObject: Bool) throws(CopyError) {
        var batch = PieceBatch()
        _ = batch.add(id, bytes.span, hint: StorageHint(suiting: bytes), base: nil)
        do throws(StorageError) {
            let (start, gap) = try staged.append(batch.output, alignment: batch.alignment)
            for (index, entry) in batch.pending.enumerated() {
                var piece = entry.piece
                piece.offset += start
                piece.isObject = isObject
                if index == 0 { piece.gap += gap }
                pieces[entry.id] = piece
            }
            end = start + batch.output.count
        } catch { throw .storage(error) }
    }

    /// Whether every piece has its checksum and every gap is zero; `bytes` begin with the first piece.
    private static func isSound(
        _ run: [(id: ObjectID, piece: PackFooter.Piece)], _ bytes: Span<UInt8>
    ) -> Bool {
        var end = 0
        for (index, item) in run.enumerated() {
            let piece = item.piece
            let start = index == 0 ? 0 : end + piece.gap
            for index in end..<start where bytes[index] != 0 { return false }
            end = start + piece.storedSize
            guard Checksum.of(bytes.extracting(start..<end)) == piece.checksum else { return false }
        }
        return true
    }
}

extension PackFooter.Piece {
    /// Where it ends in its pack.
    package var end: Int { offset + storedSize }
}
