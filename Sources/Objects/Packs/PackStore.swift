public import Storage
internal import Synchronization

/// The objects of a set of packs, read and verified.
///
/// Packs are opened when they are first needed, the newest first: what is asked for was most often written
/// last. Safe to use from several threads.
public final class PackStore: ObjectSource {
    /// The packs, in the order in which they were added.
    public let packs: [PackReference]
    package let bucket: any Bucket
    package let opened: OpenPacks
    private let coders = Mutex<[PooledCoder]>([])
    private let counters = ReadCounters()
    /// The packs that turned out to be damaged.
    private let unusable = Mutex<[ObjectID: ObjectError]>([:])
    private let recent = RecentPieces()
    // Pieces whose stored bytes had the right checksum; their identity was not recomputed.
    private let recentlyDecoded = RecentPieces()
    let renewal: (@Sendable () -> PackRenewal?)?
    let renewed = Mutex<RenewedPacks?>(nil)
    let isRenewed = Atomic<Bool>(false)

    private static let reservationLimit = 256 << 20

    /// Makes a store over packs that are live in one state of the log.
    ///
    /// - Parameters:
    ///   - opened: Indexes that other stores over the same bucket have read, and those that this one reads; without
    ///     it the store has its own.
    ///   - renewal: Asked, when the file of a pack is gone, what is live by now; nil when that is not known.
    public init(
        bucket: any Bucket, packs: [PackReference], opened: OpenPacks = OpenPacks(),
        renewal: (@Sendable () -> PackRenewal?)? = nil
    ) {
        self.renewal = renewal
        self.bucket = bucket
        self.packs = packs
        self.opened = opened
        opened.keep(packs)
    }

    /// A store over other packs of the same bucket.
    func over(_ packs: [PackReference]) -> PackStore {
        PackStore(bucket: bucket, packs: packs, opened: opened)
    }

    /// How many stored bytes were read so far.
    public var storedBytesRead: Int { counters.stored.load(ordering: .relaxed) }

    // MARK: Objects

    /// See ``ObjectSource``.
    public func size(of id: ObjectID) throws(ObjectError) -> Int? {
        guard let location = try locateObject(id) else { return nil }
        return try size(at: location)
    }

    /// The size of an object that was found.
    func size(at location: Location) throws(ObjectError) -> Int {
        switch location {
        case .piece(_, let piece): piece.size
        case .recipe(let pack, let index): try pack.recipeSize(at: index)
        }
    }

    /// See ``ObjectSource``.
    public func read(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8] {
        switch try locateObject(id) {
        case .piece(let pack, let piece):
            guard piece.size <= limit else { throw .tooLarge(id, size: piece.size, limit: limit) }
            return try bytes(of: id, piece, in: pack)
        case .recipe(let pack, let index):
            let size = try pack.recipeSize(at: index)
            guard size <= limit else { throw .tooLarge(id, size: size, limit: limit) }
            var bytes: [UInt8] = []
            // What an index claims is not believed beyond a point before there are bytes to show for it.
            bytes.reserveCapacity(min(size, Self.reservationLimit))
            try stream(id) { bytes.append(contentsOf: $0) }
            return bytes
        case nil: throw absence(of: id)
        }
    }

    /// Hands out all bytes of an object in order, in pieces of at most a few hundred KiB.
    ///
    /// Every piece is verified before it is handed out; the whole digest is verified after the last one.
    ///
    /// - Throws: `corrupt` when a piece or the whole is not what its identity says. Pieces handed out before
    ///   that were right for themselves, but the caller must not take them for the object.
    public func stream(
        _ id: ObjectID, into consume: ([UInt8]) throws(ObjectError) -> Void
    ) throws(ObjectError) {
        switch try locateObject(id) {
        case .piece(let pack, let piece): try consume(try bytes(of: id, piece, in: pack))
        case .recipe(let pack, let index):
            var hasher = ObjectHasher()
            for reference in try pack.recipe(at: index).pieces {
                let bytes = try pieceBytes(reference.id, size: reference.size)
                hasher.update(bytes.span)
                try consume(bytes)
            }
            guard hasher.finalize() == id else {
                throw .corrupt(id, where: "the recipe in pack \(pack.reference.name.short)")
            }
        case nil: throw absence(of: id)
        }
    }

    /// A range of an object, clamped to its size; only the pieces it touches are read, and each is verified.
    public func read(_ id: ObjectID, offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        precondition(offset >= 0 && count >= 0, "a range begins at 0 or later")
        switch try locateObject(id) {
        case .piece(let pack, let piece):
            let bytes = try bytes(of: id, piece, in: pack)
            guard offset < bytes.count else { return [] }
            return Array(bytes[offset..<min(bytes.count, offset + min(count, bytes.count))])
        case .recipe(let pack, let index):
            let end = offset + min(count, Int.max - offset)
            var (start, pieces) = try pack.pieces(ofRecipe: index, in: offset..<end)
            var result: [UInt8] = []
            for reference in pieces {
                let bytes = try pieceBytes(reference.id, size: reference.size)
                let low = max(offset - start, 0)
                result.append(contentsOf: bytes[low..<min(end - start, reference.size)])
                start += reference.size
            }
            return result
        case nil: throw absence(of: id)
        }
    }

    /// The pieces that an object is put together from, in order; one piece for a small object.
    public func pieces(of id: ObjectID) throws(ObjectError) -> [(id: ObjectID, size: Int)] {
        switch try locateObject(id) {
        case .piece(_, let piece): return [(id, piece.size)]
        case .recipe(let pack, let index):
            return try pack.recipe(at: index).pieces.map { ($0.id, $0.size) }
        case nil: throw absence(of: id)
        }
    }

    // MARK: Pieces

    /// Whether any pack has the piece; which one, if so.
    package func packHoldingPiece(_ id: ObjectID) throws(ObjectError) -> (
        pack: OpenPack, index: Int
    )? {
        try newest { (pack) throws(ObjectError) in
            pack.footer.indexOfPiece(id).map { (pack, $0) }
        }
    }

    /// A copy of the piece that is not a difference, as every base of a difference must be: after two writers
    /// stored the same piece at once there may be copies of both sorts.
    func packHoldingBase(_ id: ObjectID) throws(ObjectError) -> (pack: OpenPack, index: Int)? {
        try newest { (pack) throws(ObjectError) in
            guard let index = pack.footer.indexOfPiece(id),
                try pack.piece(at: index).codec != .delta
            else { return nil }
            return (pack, index)
        }
    }

    /// A piece's bytes, verified; `size` must be its size.
    package func pieceBytes(_ id: ObjectID, size: Int) throws(ObjectError) -> [UInt8] {
        let (pack, piece) = try reference(id, size: size)
        return try bytes(of: id, piece, in: pack)
    }

    /// Where a piece of a large object is.
    private func reference(
        _ id: ObjectID, size: Int
    ) throws(ObjectError) -> (pack: OpenPack, piece: PackFooter.Piece) {
        guard let (pack, index) = try packHoldingPiece(id) else { throw absence(of: id) }
        let piece = try pack.piece(at: index)
        guard piece.size == size else {
            throw .corrupt(id, where: "pack \(pack.reference.name.short): its size is wrong")
        }
        return (pack, piece)
    }

    /// What a difference against a piece must be made against: the piece itself, or its own base when it is
    /// stored as a difference, so that no chain is longer than one. Nil when there is no such piece.
    func deltaBase(
        for id: ObjectID
    ) throws(ObjectError) -> (base: PieceCoder.Base, pack: PackReference)? {
        guard let (pack, index) = try packHoldingPiece(id) else { return nil }
        let piece = try pack.piece(at: index)
        if piece.codec == .delta {
            guard let baseID = try pack.deltaBase(of: piece), baseID != id,
                let (basePack, baseIndex) = try packHoldingBase(baseID)
            else { return nil }
            let bytes = try bytes(
                of: baseID, try basePack.piece(at: baseIndex), in: basePack, isBase: true)
            return (PieceCoder.Base(id: baseID, bytes: bytes), basePack.reference)
        }
        return (PieceCoder.Base(id: id, bytes: try bytes(of: id, piece, in: pack)), pack.reference)
    }

    /// The packs without which something that was found here could not be read; nil when one is missing
    /// already.
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

    /// How bytes are verified: both find damage, an identity also finds forgery.
    package enum Verification { case identity, checksum }

    /// Decodes and verifies one piece, unless it was just now.
    func bytes(
        of id: ObjectID, _ piece: PackFooter.Piece, in pack: OpenPack, isBase: Bool = false,
        verifying verification: Verification = .identity
    ) throws(ObjectError) -> [UInt8] {
        if let bytes = recent[id], bytes.count == piece.size { return bytes }
        if verification == .checksum, let bytes = recentlyDecoded[id], bytes.count == piece.size {
            return bytes
        }
        let bytes = try decoded(
            id, piece, in: pack, isBase: isBase, verifyingBase: verification)
        guard verification == .checksum || ObjectID(of: bytes.span) == id else {
            throw .corrupt(id, where: pack.place(of: piece))
        }
        if piece.codec != .delta {
            (verification == .identity ? recent : recentlyDecoded).insert(id, bytes)
        }
        return bytes
    }

    /// A piece's bytes, whose identity the caller verifies; `size` must be its size.
    func decodedPiece(_ id: ObjectID, size: Int) throws(ObjectError) -> [UInt8] {
        let (pack, piece) = try reference(id, size: size)
        return try decoded(id, piece, in: pack)
    }

    /// Decodes one piece, whose stored bytes have the right checksum and whose identity the caller verifies.
    package func decoded(
        _ id: ObjectID, _ piece: PackFooter.Piece, in pack: OpenPack, isBase: Bool = false,
        verifyingBase verification: Verification = .identity
    ) throws(ObjectError) -> [UInt8] {
        try decoded(
            id, piece, in: pack, stored: try pack.storedBytes(of: id, piece), isBase: isBase,
            verifyingBase: verification)
    }

    /// The same from stored bytes that were read already.
    package func decoded(
        _ id: ObjectID, _ piece: PackFooter.Piece, in pack: OpenPack, stored: [UInt8],
        isBase: Bool = false, verifyingBase verification: Verification = .identity
    ) throws(ObjectError) -> [UInt8] {
        let place = pack.place(of: piece)
        counters.stored.add(stored.count, ordering: .relaxed)
        var base: [UInt8]?
        if piece.codec == .delta {
            guard !isBase, let baseID = try? PieceCoder.deltaBase(stored.span) else {
                throw .corrupt(id, where: place)
            }
            guard let (basePack, index) = try packHoldingBase(baseID) else {
                return try independentCopy(of: id, insteadOf: place)
            }
            base = try bytes(
                of: baseID, try basePack.piece(at: index), in: basePack, isBase: true,
                verifying: verification)
        }
        return try decode(stored, of: id, piece, base: base, place: place)
    }

    /// Decodes stored bytes, which the caller verifies.
    func decode(
        _ stored: [UInt8], of id: ObjectID, _ piece: PackFooter.Piece, base: [UInt8]?, place: String
    ) throws(ObjectError) -> [UInt8] {
        do throws(CodecError) {
            return try withCoder { (coder) throws(CodecError) in
                try coder.decode(stored, codec: piece.codec, size: piece.size, base: base)
            }
        } catch { throw .corrupt(id, where: place) }
    }

    /// Why the digest of a large object did not arrive where it must: the first of its pieces that is damaged, or
    /// else the recipe.
    func damage(
        in pieces: some Sequence<PackFooter.PieceReference>, of id: ObjectID, in pack: ObjectID
    ) -> ObjectError {
        do throws(ObjectError) {
            for reference in pieces { _ = try pieceBytes(reference.id, size: reference.size) }
            return .corrupt(id, where: "the recipe in pack \(pack.short)")
        } catch { return error }
    }

    func withCoder<Result, Failure: Error>(
        _ body: (PooledCoder) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let coder = coders.withLock { $0.popLast() } ?? PooledCoder()
        defer { coders.withLock { $0.append(coder) } }
        return try body(coder)
    }

    // MARK: Packs

    package enum Location {
        case piece(OpenPack, PackFooter.Piece)
        case recipe(OpenPack, Int)
    }

    /// The object, if there is one.
    package func locateObject(_ id: ObjectID) throws(ObjectError) -> Location? {
        let location = try locate(id)
        if case .piece(_, let piece)? = location, !piece.isObject { return nil }
        return location
    }

    /// The object, or, where there is none, the piece of that identity that is only a piece.
    func locate(_ id: ObjectID) throws(ObjectError) -> Location? {
        var reference: Location?
        let object = try newest { (pack) throws(ObjectError) -> Location? in
            if let index = pack.footer.indexOfPiece(id) {
                let piece = try pack.piece(at: index)
                if piece.isObject { return .piece(pack, piece) }
                reference = reference ?? .piece(pack, piece)
            }
            return pack.footer.indexOfRecipe(id).map { .recipe(pack, $0) }
        }
        return object ?? reference
    }

    /// What the newest pack that has it has.
    ///
    /// A pack that cannot be opened takes nothing away from the others.
    ///
    /// - Throws: Why a pack could not be opened, when no other has it.
    private func newest<Found>(
        _ find: (OpenPack) throws(ObjectError) -> Found?
    ) throws(ObjectError) -> Found? {
        try withPacks { (packs) throws(ObjectError) -> Found? in
            var failure: ObjectError?
            for reference in packs.reversed() {
                let pack: OpenPack
                do throws(ObjectError) { pack = try open(reference) } catch {
                    // What is gone may be elsewhere by now, which is worth more than a reason.
                    if case .packGone = error { failure = error }
                    failure = failure ?? error
                    continue
                }
                if let found = try find(pack) { return found }
            }
            if let failure { throw failure }
            return nil
        }
    }

    /// The pack, opened once.
    package func open(_ reference: PackReference) throws(ObjectError) -> OpenPack {
        if let pack = opened[reference] { return pack }
        if let error = unusable.withLock({ $0[reference.name] }) { throw error }
        // Two threads may both read it: harmless, and no lock is held across the read.
        do throws(ObjectError) {
            let pack = try OpenPack(reference, in: bucket)
            opened.insert(pack)
            return pack
        } catch {
            // Damage stays; what the system refuses now it may grant later.
            switch error {
            case .damagedPack, .packGone: unusable.withLock { $0[reference.name] = error }
            default: break
            }
            throw error
        }
    }
}

private struct ReadCounters: ~Copyable {
    let stored = Atomic<Int>(0)
}

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

extension PackStore: ObjectRangeSource {
    /// See ``ObjectRangeSource``: the pieces that lie in the range, if it cuts none of them.
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
