public import Storage
internal import Synchronization

/// The objects of a set of packs, read and verified.
///
/// A store opens a pack when it first needs it and searches the newest packs first, because recent objects are
/// read most. Safe to use from several threads.
public final class PackStore: ObjectSource {
    /// The packs, in the order in which the log added them.
    public let packs: [PackReference]
    package let bucket: any Bucket
    package let opened: OpenPacks
    let coders = Mutex<[PooledCoder]>([])
    let storedCount = Atomic<Int>(0)
    let recent = RecentPieces()
    /// Pieces whose stored bytes had the right checksum, and whose identities were not compared.
    let recentUnverified = RecentPieces()
    /// Why packs could not be opened: they are damaged or gone.
    private let unusable = Mutex<[ObjectID: ObjectError]>([:])
    private let renewal: (@Sendable () -> PackRenewal?)?
    private let renewed = Mutex<RenewedPacks?>(nil)
    /// How often ``renewed`` was set.
    private let renewals = Atomic<Int>(0)

    private static let reservationLimit = 256 << 20

    /// Makes a store over packs that are live in one state of the log.
    ///
    /// - Parameters:
    ///   - opened: Indexes already read by other stores over the same bucket; this store adds those it reads.
    ///   - renewal: Called when the file of a pack is gone; returns which packs are live now, or nil if unknown.
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

    /// The number of stored bytes read so far.
    package var storedBytesRead: Int { storedCount.load(ordering: .relaxed) }

    // MARK: Objects

    /// See ``ObjectSource``.
    public func size(of id: ObjectID) throws(ObjectError) -> Int? {
        guard let location = try locateObject(id) else { return nil }
        return try size(at: location)
    }

    func size(at location: Location) throws(ObjectError) -> Int {
        switch location {
        case .piece(_, let piece): piece.size
        case .recipe(let pack, let index): try pack.recipeSize(at: index)
        }
    }

    /// See ``ObjectSource``.
    public func read(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8] {
        let location = try existing(id)
        let size = try size(at: location)
        guard size <= limit else { throw .tooLarge(id, size: size, limit: limit) }
        if case .piece(let pack, let piece) = location {
            return try bytes(of: pack.stored(id, piece))
        }
        var bytes: [UInt8] = []
        // An index may claim any size; beyond this the array grows only as pieces arrive.
        bytes.reserveCapacity(min(size, Self.reservationLimit))
        try stream(id) { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// Passes all bytes of an object to `consume` in order, piece by piece: usually at most 256 KiB, and
    /// never more than ``PackFooter/pieceSizeLimit``.
    ///
    /// Each piece is verified before it is passed on; the digest of the whole is verified after the last one.
    ///
    /// - Throws: `corrupt` when a piece or the whole does not hash to its identity. Pieces passed on before that were
    ///   sound, but the caller must not use them as the object.
    public func stream(
        _ id: ObjectID, into consume: ([UInt8]) throws(ObjectError) -> Void
    ) throws(ObjectError) {
        switch try existing(id) {
        case .piece(let pack, let piece): try consume(try bytes(of: pack.stored(id, piece)))
        case .recipe(let pack, let index):
            var hasher = ObjectHasher()
            for reference in try pack.recipe(at: index).pieces {
                let bytes = try pieceBytes(reference.id, size: reference.size)
                hasher.update(bytes.span)
                try consume(bytes)
            }
            guard hasher.finalize() == id else { throw Self.corruptRecipe(id, in: pack.reference) }
        }
    }

    static func corruptRecipe(_ id: ObjectID, in pack: PackReference) -> ObjectError {
        .corrupt(id, where: "the recipe in pack \(pack.name.short)")
    }

    /// Reads a range of an object, clamped to its size; reads and verifies only the pieces that the range touches.
    public func read(_ id: ObjectID, offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        precondition(offset >= 0 && count >= 0, "a range begins at 0 or later")
        let range = offset..<offset + min(count, Int.max - offset)
        switch try existing(id) {
        case .piece(let pack, let piece):
            let bytes = try bytes(of: pack.stored(id, piece))
            return Array(bytes[range.clamped(to: bytes.indices)])
        case .recipe(let pack, let index):
            let (start, pieces) = try pack.pieces(ofRecipe: index, in: range)
            return try pieces.read(range, from: start, pieceBytes)
        }
    }

    /// The pieces of an object, in order; the object itself when it is stored as one piece.
    public func pieces(of id: ObjectID) throws(ObjectError) -> [(id: ObjectID, size: Int)] {
        switch try existing(id) {
        case .piece(_, let piece): return [(id, piece.size)]
        case .recipe(let pack, let index):
            return try pack.recipe(at: index).pieces.map { ($0.id, $0.size) }
        }
    }

    /// The objects whose identities begin with `prefix`, ascending, at most `limit` of them.
    ///
    /// Leaves out pieces that are not objects. Reads the index of every pack.
    public func objects(
        withPrefix prefix: ObjectIDPrefix, limit: Int
    ) throws(ObjectError) -> [ObjectID] {
        if let whole = prefix.whole { return try size(of: whole) == nil ? [] : [whole] }
        return try withPacks { (packs) throws(ObjectError) in
            var found: Set<ObjectID> = []
            for reference in packs {
                found.formUnion(try open(reference).objects(withPrefix: prefix, limit: limit))
            }
            return Array(found.sorted().prefix(limit))
        }
    }

    // MARK: Locations

    package enum Location {
        case piece(OpenPack, PackFooter.Piece)
        case recipe(OpenPack, Int)
    }

    /// Finds an object; nil when no pack has it.
    package func locateObject(_ id: ObjectID) throws(ObjectError) -> Location? {
        try newest { (pack) throws(ObjectError) in
            if let index = pack.footer.indexOfPiece(id) {
                let piece = try pack.piece(at: index)
                if piece.isObject { return .piece(pack, piece) }
            }
            return pack.footer.indexOfRecipe(id).map { .recipe(pack, $0) }
        }
    }

    /// The object's location.
    ///
    /// - Throws: `missing` or `collected` when no pack has it.
    func existing(_ id: ObjectID) throws(ObjectError) -> Location {
        guard let location = try locateObject(id) else { throw absence(of: id) }
        return location
    }

    /// The result of `find` for the newest pack where it is not nil.
    ///
    /// A pack that cannot be opened does not hide the others.
    ///
    /// - Throws: Why a pack could not be opened, when no other pack has a result.
    func newest<Found>(
        _ find: (OpenPack) throws(ObjectError) -> Found?
    ) throws(ObjectError) -> Found? {
        try withPacks { (packs) throws(ObjectError) -> Found? in
            var failure: ObjectError?
            for reference in packs.reversed() {
                let pack: OpenPack
                do throws(ObjectError) { pack = try open(reference) } catch {
                    // Prefer to report a pack that is gone: ``withPacks(_:)`` can find its replacement.
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

    // MARK: Opening packs

    /// Opens a pack, once.
    package func open(_ reference: PackReference) throws(ObjectError) -> OpenPack {
        if let pack = opened[reference] { return pack }
        if let error = unusable.withLock({ $0[reference.name] }) { throw error }
        // Two threads may both read it. That is harmless, and no lock is held during the read.
        do throws(ObjectError) {
            let pack = try OpenPack(reference, in: bucket)
            opened.insert(pack)
            return pack
        } catch {
            // Damage and removal are permanent; other failures may pass.
            switch error {
            case .damagedPack, .packGone: unusable.withLock { $0[reference.name] = error }
            default: break
            }
            throw error
        }
    }

    /// Keeps open a pack that this process has just published, so that removing its file does not affect this process.
    func adopt(_ reference: PackReference, from staged: any StagedBlob) throws(ObjectError) {
        guard opened[reference] == nil else { return }
        opened.insert(
            try OpenPack(reference, blob: StagedBytes(staged: staged, size: reference.size)))
    }

    /// The reference to a pack whose file exists, live or not; nil when there is no such file, or it is damaged
    /// or cannot be read.
    ///
    /// - Throws: `storage` when the process lacks a resource, such as a file descriptor.
    public func reference(to name: ObjectID) throws(ObjectError) -> PackReference? {
        do throws(ObjectError) {
            let blob = try inStorage(bucket.open(BlobName(.packs, name.hex)))
            guard let blob, blob.size >= PackFooter.headerSize + PackFooter.trailerSize else {
                return nil
            }
            let trailer = try blob.bytes(at: blob.size - PackFooter.trailerSize, count: 8)
            guard let length = Int(exactly: LittleEndian.uint64(trailer.span, at: 0)),
                length <= blob.size
            else { return nil }
            let reference = PackReference(
                name: name, size: blob.size, indexOffset: blob.size - length)
            _ = try open(reference)
            return reference
        } catch {
            if error.isOutOfResources { throw error }
            return nil
        }
    }

    /// The references to some packs, without the packs whose files are missing or damaged.
    ///
    /// - Throws: The errors of ``reference(to:)``.
    public func references(
        to names: some Sequence<ObjectID>
    ) throws(ObjectError) -> [PackReference] {
        var result: [PackReference] = []
        for name in names { if let found = try reference(to: name) { result.append(found) } }
        return result
    }

    // MARK: Packs that were removed

    /// Calls `body` with the packs. If a pack turns out to have been removed, calls it again with the packs that are
    /// still open and those that replaced the others.
    package func withPacks<Result>(
        _ body: ([PackReference]) throws(ObjectError) -> Result
    ) throws(ObjectError) -> Result {
        while true {
            let renewal = renewals.load(ordering: .acquiring)
            do throws(ObjectError) {
                let result = try body(searched)
                // Another thread may have dropped a pack because its file is gone, just before `body` opened it. What
                // a writer relies on must be in packs that later searches include.
                if renewals.load(ordering: .acquiring) == renewal { return result }
            } catch {
                guard case .packGone(let name) = error, renew(without: name) else { throw error }
            }
        }
    }

    /// The packs that the store was made with, and those that have replaced some of them since.
    public var known: [PackReference] { packs + searched.filter { !packs.contains($0) } }

    /// Whether the store searches other packs than those that it was made with.
    var isRenewed: Bool { renewals.load(ordering: .acquiring) > 0 }

    private var searched: [PackReference] {
        guard isRenewed else { return packs }
        return renewed.withLock { $0?.packs } ?? packs
    }

    /// The error for an object that no pack has: `missing`, or `collected` if packs were removed meanwhile.
    func absence(of id: ObjectID) -> ObjectError {
        guard isRenewed, let transaction = renewed.withLock({ $0?.transaction }) else {
            return .missing(id)
        }
        return .collected(id, transaction: transaction)
    }

    /// Whether opening a pack failed only because a transaction removed the pack, so that nothing is damaged.
    package func wasRemoved(_ reference: PackReference, _ error: ObjectError) -> Bool {
        guard case .packGone = error else { return false }
        return renew(without: reference.name)
    }

    /// Looks for the packs that replaced a pack whose file is gone; returns false when no transaction removed that
    /// pack.
    private func renew(without name: ObjectID) -> Bool {
        guard let renewal, let newest = renewal(), let transaction = newest.removals[name] else {
            return false
        }
        let live = Set(newest.packs)
        renewed.withLock { renewed in
            // Counted before the look at the open packs: a search that opens one after this look is repeated.
            renewals.add(1, ordering: .acquiringAndReleasing)
            // Another thread may have renewed the packs meanwhile, and opened some of the new ones.
            let others = (renewed?.packs ?? packs).filter { !live.contains($0) }
            let kept = others.filter { opened[$0] != nil }
            let closed = others.filter { !kept.contains($0) }
            let last = closed.compactMap { newest.removals[$0.name] }.max() ?? transaction
            renewed = RenewedPacks(
                packs: kept + newest.packs,
                transaction: max(renewed?.transaction ?? 0, last, transaction))
        }
        return true
    }
}

/// Which packs are live now, and which transactions removed others since a store was made.
public struct PackRenewal: Sendable {
    /// The packs that are live.
    public let packs: [PackReference]
    /// The numbers of the transactions that removed packs, by the names of the packs.
    public let removals: [ObjectID: Int]

    /// Makes a renewal from the live packs and the removals of others.
    public init(packs: [PackReference], removals: [ObjectID: Int]) {
        self.packs = packs
        self.removals = removals
    }
}

/// The packs that a store searches after it found the file of a pack gone.
///
/// The file of a removed pack stays for a while, for readers of older states. A reader that takes longer finds the
/// same objects in the packs that replaced it.
private struct RenewedPacks {
    /// The packs that this process still has open, and those that are live now.
    let packs: [PackReference]
    /// The newest transaction that removed a pack whose file is gone.
    let transaction: Int
}
