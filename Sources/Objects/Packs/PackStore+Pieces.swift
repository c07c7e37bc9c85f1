internal import Storage
internal import Synchronization

/// One copy of a piece: its entry in a pack's index, and the file that holds the stored bytes.
package struct StoredPiece: Sendable {
    package let id: ObjectID
    package let entry: PackFooter.Piece
    /// The name of the pack; nil while the pack is being written.
    let pack: ObjectID?
    let file: any Blob

    /// The place of the copy, for errors.
    package var place: String {
        "\(pack.map { "pack \($0.short)" } ?? "the staged pack") at byte \(entry.offset)"
    }

    /// The error for a copy that fails a check.
    package var corrupt: ObjectError { .corrupt(id, where: place) }

    /// Reads the stored bytes and compares their checksum.
    package func storedBytes() throws(ObjectError) -> [UInt8] {
        let bytes = try file.bytes(at: entry.offset, count: entry.storedSize)
        guard entry.hasChecksum(of: bytes.span) else { throw corrupt }
        return bytes
    }
}

extension PackStore {
    /// Which checks the bytes of a piece must pass. All of them find damage; only an identity also finds forgery.
    package enum Verification {
        /// The stored bytes have the right checksum, and the piece hashes to its identity.
        case identity
        /// As `identity`, except that the caller verifies the decoded bytes.
        case identityByCaller
        /// The stored bytes, and those of a base, have the right checksum.
        case checksum
    }

    /// Reads, decodes and verifies one copy of a piece. Every read of a piece goes through here, except that of mapped
    /// vectors.
    ///
    /// - Parameter isBase: Whether the piece is read as the base of a delta, so that it must not be a delta itself.
    /// - Returns: The stored and the decoded bytes. If the base of a delta was collected, the decoded bytes come
    ///   from the copy that the collection stored whole.
    /// - Throws: `corrupt`, with the pack and the offset; `missing`, `collected`; the errors of reading a
    ///   pack.
    package func check(
        _ piece: StoredPiece, _ verification: Verification = .identity, isBase: Bool = false
    ) throws(ObjectError) -> (stored: [UInt8], bytes: [UInt8]) {
        let stored = try piece.storedBytes()
        storedCount.add(stored.count, ordering: .relaxed)
        var base: [UInt8]?
        if piece.entry.codec == .delta {
            guard !isBase, let baseID = try? PieceCoder.deltaBase(stored.span) else {
                throw piece.corrupt
            }
            guard let (pack, index) = try packHoldingBase(baseID) else {
                guard isRenewed else { throw piece.corrupt }
                guard let (pack, index) = try packHoldingBase(piece.id) else {
                    throw absence(of: piece.id)
                }
                let copy = try pack.storedPiece(at: index)
                return (stored, try check(copy, verification, isBase: true).bytes)
            }
            base = try bytes(
                of: pack.storedPiece(at: index),
                verification == .checksum ? .checksum : .identity, isBase: true)
        }
        let bytes = try decode(stored, of: piece, base: base)
        guard verification != .identity || ObjectID(of: bytes.span) == piece.id else {
            throw piece.corrupt
        }
        return (stored, bytes)
    }

    private func decode(
        _ stored: [UInt8], of piece: StoredPiece, base: [UInt8]?
    ) throws(ObjectError) -> [UInt8] {
        let coder = coders.withLock { $0.popLast() } ?? PooledCoder()
        defer { coders.withLock { $0.append(coder) } }
        do throws(CodecError) {
            return try coder.decode(
                stored, codec: piece.entry.codec, size: piece.entry.size, base: base)
        } catch { throw piece.corrupt }
    }

    /// The bytes of a piece, from a cache if the piece passed the same or a stricter check recently.
    func bytes(
        of piece: StoredPiece, _ verification: Verification = .identity, isBase: Bool = false
    ) throws(ObjectError) -> [UInt8] {
        let (id, size) = (piece.id, piece.entry.size)
        if let bytes = recent[id], bytes.count == size { return bytes }
        if verification == .checksum, let bytes = recentUnverified[id], bytes.count == size {
            return bytes
        }
        let bytes = try check(piece, verification, isBase: isBase).bytes
        if piece.entry.codec != .delta {
            (verification == .identity ? recent : recentUnverified).insert(id, bytes)
        }
        return bytes
    }

    /// The bytes of a piece of a large object, verified; `size` must be its size.
    package func pieceBytes(_ id: ObjectID, size: Int) throws(ObjectError) -> [UInt8] {
        try bytes(of: storedPiece(id, size: size))
    }

    /// The newest copy of a piece of a large object; `size` must be its size.
    func storedPiece(_ id: ObjectID, size: Int) throws(ObjectError) -> StoredPiece {
        guard let (pack, index) = try packHoldingPiece(id) else { throw absence(of: id) }
        let piece = try pack.storedPiece(at: index)
        guard piece.entry.size == size else {
            throw .corrupt(id, where: "pack \(pack.reference.name.short): its size is wrong")
        }
        return piece
    }

    // MARK: Copies

    /// The newest pack that has the piece, and the place of the piece in the pack's index.
    package func packHoldingPiece(
        _ id: ObjectID
    ) throws(ObjectError) -> (pack: OpenPack, index: Int)? {
        try newest { (pack) throws(ObjectError) in
            pack.footer.indexOfPiece(id).map { (pack, $0) }
        }
    }

    /// The newest pack that stores the piece whole, as every base of a delta must be.
    ///
    /// Two writers that store a piece at the same time may store it once whole and once as a delta.
    func packHoldingBase(_ id: ObjectID) throws(ObjectError) -> (pack: OpenPack, index: Int)? {
        try newest { (pack) throws(ObjectError) in
            guard let index = pack.footer.indexOfPiece(id),
                try pack.piece(at: index).codec != .delta
            else { return nil }
            return (pack, index)
        }
    }

    /// The base for a delta against a piece: the piece itself, or its own base when it is stored as a delta, so that no
    /// chain is longer than one. Nil when the piece or its own base is missing.
    func deltaBase(
        for id: ObjectID
    ) throws(ObjectError) -> (base: PieceCoder.Base, pack: ObjectID)? {
        guard let (pack, index) = try packHoldingPiece(id) else { return nil }
        let piece = try pack.storedPiece(at: index)
        guard piece.entry.codec == .delta else {
            return (PieceCoder.Base(id: id, bytes: try bytes(of: piece)), pack.reference.name)
        }
        guard let baseID = try pack.deltaBase(of: piece.entry), baseID != id,
            let (basePack, baseIndex) = try packHoldingBase(baseID)
        else { return nil }
        let bytes = try bytes(of: basePack.storedPiece(at: baseIndex), isBase: true)
        return (PieceCoder.Base(id: baseID, bytes: bytes), basePack.reference.name)
    }

    /// The packs that are needed to read the object or piece at a location; nil if no pack has one of
    /// the pieces needed.
    package func packsNeeded(for location: Location) throws(ObjectError) -> Set<ObjectID>? {
        switch location {
        case .piece(let pack, let piece):
            guard piece.codec == .delta else { return [pack.reference.name] }
            guard let baseID = try pack.deltaBase(of: piece),
                let (basePack, _) = try packHoldingBase(baseID)
            else { return nil }
            return [pack.reference.name, basePack.reference.name]
        case .recipe(let pack, let index):
            var names: Set = [pack.reference.name]
            for reference in try pack.recipe(at: index).pieces {
                guard let (holder, at) = try packHoldingPiece(reference.id),
                    let needed = try packsNeeded(for: .piece(holder, try holder.piece(at: at)))
                else { return nil }
                names.formUnion(needed)
            }
            return names
        }
    }

    /// Whether this store's packs can replace a pack: they hold all its objects and pieces, with everything needed to
    /// read them, and store every piece whole that the pack stores whole.
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
            // Other pieces may be deltas against this one, so a delta cannot replace it.
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

extension PackFooter.Piece {
    /// Whether stored bytes have the checksum that the index lists.
    func hasChecksum(of stored: Span<UInt8>) -> Bool { Checksum.of(stored) == checksum }
}

extension [PackFooter.PieceReference] {
    /// The bytes of a range of an object, given its pieces from the one at offset `start` on.
    func read(
        _ range: Range<Int>, from start: Int,
        _ bytes: (ObjectID, Int) throws(ObjectError) -> [UInt8]
    ) throws(ObjectError) -> [UInt8] {
        var result: [UInt8] = []
        var start = start
        for reference in self {
            let end = start + reference.size
            if end > range.lowerBound, start < range.upperBound {
                let low = Swift.max(range.lowerBound - start, 0)
                let high = Swift.min(range.upperBound - start, reference.size)
                result += try bytes(reference.id, reference.size)[low..<high]
            }
            start = end
        }
        return result
    }
}

extension PackStore: ChecksummedSource {
    package func readChecksummed(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8] {
        guard case .piece(let pack, let piece)? = try locateObject(id) else {
            return try read(id, limit: limit)
        }
        guard piece.size <= limit else { throw .tooLarge(id, size: piece.size, limit: limit) }
        return try bytes(of: pack.stored(id, piece), .checksum)
    }
}

extension PackStore: ObjectRangeSource {
    /// See ``ObjectRangeSource``: the pieces in the range; nil if the range begins or ends inside a piece.
    public func pieces(of id: ObjectID, in range: Range<Int>) throws(ObjectError) -> [ObjectID]? {
        var result: [ObjectID] = []
        var start = 0
        for piece in try pieces(of: id) where start < range.upperBound {
            let end = start + piece.size
            if end > range.lowerBound {
                guard start >= range.lowerBound, end <= range.upperBound else { return nil }
                result.append(piece.id)
            }
            start = end
        }
        return result
    }
}

/// The most recently decoded pieces, up to a number of bytes.
///
/// A delta and its base are usually read together: comparing two versions of a table reads each old leaf as
/// itself and again as the base of the new leaf.
final class RecentPieces: Sendable {
    private struct Contents {
        var bytes: [ObjectID: [UInt8]] = [:]
        /// Identities, the first inserted first.
        var order: [ObjectID] = []
        var size = 0
    }

    /// Enough for a hundred leaves, and small enough that the allocator reuses the memory.
    private static let capacity = 4 << 20
    /// Larger pieces belong to files, which are read once.
    private static let pieceLimit = 128 << 10

    private let contents = Mutex(Contents())

    subscript(_ id: ObjectID) -> [UInt8]? { contents.withLock { $0.bytes[id] } }

    func insert(_ id: ObjectID, _ bytes: [UInt8]) {
        guard bytes.count <= Self.pieceLimit else { return }
        contents.withLock { contents in
            guard contents.bytes.updateValue(bytes, forKey: id) == nil else { return }
            contents.order.append(id)
            contents.size += bytes.count
            guard contents.size > Self.capacity else { return }
            // Half at a time, so that the order is not shifted for every piece.
            var dropped = 0
            for old in contents.order {
                guard contents.size > Self.capacity / 2 else { break }
                contents.size -= contents.bytes.removeValue(forKey: old)?.count ?? 0
                dropped += 1
            }
            contents.order.removeFirst(dropped)
        }
    }
}
