public import Storage
internal import Synchronization

/// Writes objects into one new pack, except those that the repository already has.
///
/// Nobody else sees the objects until ``finish()`` publishes the pack and the log adds it; dropping a writer leaves
/// nothing behind. Safe to use from several threads.
public final class ObjectWriter: ObjectSink {
    /// Counts of the objects passed to a writer.
    public struct Statistics: Hashable, Sendable {
        /// The number of objects written, new or not.
        public var objects = 0
        /// The sum of the sizes of those objects, in bytes.
        public var rawBytes = 0
        /// The sum of the sizes of the pieces that were new, in bytes.
        public var newBytes = 0
        /// The bytes appended to the pack so far: those pieces as stored and, once the pack is finished, the index.
        public var storedBytes = 0
    }

    /// The maximum number of bytes in one piece; a larger object is always cut into pieces.
    static let pieceLimit = 1 << 20

    struct Contents {
        /// The pieces in the staged pack.
        var pieces: [ObjectID: PackFooter.Piece] = [:]
        var recipes: [ObjectID: PackFooter.Recipe] = [:]
        /// The sizes of the pieces that a thread is writing or has written.
        var claimed: [ObjectID: Int] = [:]
        /// The claimed pieces that are also objects.
        var objects: Set<ObjectID> = []
        var reliedOn: Set<ObjectID> = []
        var statistics = Statistics()

        /// The pieces and the size of an object of this writer; nil when this writer has no such object.
        func object(_ id: ObjectID) -> (pieces: [PackFooter.PieceReference], size: Int)? {
            if objects.contains(id), let size = claimed[id] {
                return ([PackFooter.PieceReference(id: id, size: size)], size)
            }
            return recipes[id].map { ($0.pieces, $0.size) }
        }
    }

    /// A batch that one thread at a time takes from the idle ones, so that the lock is contended only by
    /// ``ObjectWriter/flushAll()``.
    private final class SharedBatch: Sendable {
        let state = Mutex(PieceBatch())
    }

    private struct Batches {
        var all: [SharedBatch] = []
        var idle: [SharedBatch] = []
    }

    /// The objects that the repository held when this writer began.
    public let existing: PackStore
    private let bucket: any Bucket
    private let contents = Mutex(Contents())
    private let staged = Mutex<StagedPack?>(nil)
    private let batches = Mutex(Batches())

    /// Makes a writer of objects that `existing` does not have.
    public init(bucket: any Bucket, existing: PackStore) {
        self.bucket = bucket
        self.existing = existing
    }

    /// The counts so far.
    public var statistics: Statistics { contents.withLock { $0.statistics } }

    /// The names of the existing packs that the written objects need, for pieces that were not written again and for
    /// the bases of new deltas.
    public var reliedOn: Set<ObjectID> { contents.withLock { $0.reliedOn } }

    // MARK: Writing

    /// See ``ObjectSink``.
    @discardableResult
    public func write(
        _ bytes: [UInt8], hint: StorageHint, predecessor: ObjectID?
    ) throws(ObjectError) -> ObjectID {
        guard bytes.count <= Self.pieceLimit else { return try writeLarge(bytes) }
        let id = ObjectID(of: bytes.span)
        count(objects: 1, rawBytes: bytes.count)
        try writePiece(id, bytes.span, hint: hint, predecessor: predecessor, isObject: true)
        return id
    }

    private func writeLarge(_ bytes: [UInt8]) throws(ObjectError) -> ObjectID {
        let plan = CutPlan()
        let id = ObjectID(of: bytes.span)
        let cuts = plan.cuts(of: bytes.span, at: 0, size: bytes.count, atLeast: bytes.count)
        let pieces = try writePieces(of: bytes, cuts: cuts, hint: plan.hint)
        count(objects: 1, rawBytes: bytes.count)
        try writeRecipe(id, PackFooter.Recipe(size: bytes.count, pieces: pieces))
        return id
    }

    /// Stores consecutive pieces of a large object, given the lengths of the pieces.
    func writePieces(
        of bytes: [UInt8], cuts: [Int], hint: StorageHint
    ) throws(ObjectError) -> [PackFooter.PieceReference] {
        var pieces: [PackFooter.PieceReference] = []
        var offset = 0
        for (id, length) in zip(ObjectID.ofPieces(of: bytes.span, lengths: cuts), cuts) {
            let piece = bytes.span.extracting(offset..<offset + length)
            pieces.append(try writePiece(id, piece, hint: hint))
            offset += length
        }
        return pieces
    }

    /// Stores a piece of a large object, if it is new; `id` must be its identity.
    package func writePiece(
        _ id: ObjectID, _ bytes: Span<UInt8>, hint: StorageHint
    ) throws(ObjectError) -> PackFooter.PieceReference {
        try writePiece(id, bytes, hint: hint, predecessor: nil, isObject: false)
        return PackFooter.PieceReference(id: id, size: bytes.count)
    }

    /// Stores the recipe of a large object, if the object is new.
    package func writeRecipe(_ id: ObjectID, _ recipe: PackFooter.Recipe) throws(ObjectError) {
        if try relyOnObject(id) { return }
        contents.withLock { $0.recipes[id] = recipe }
    }

    private func writePiece(
        _ id: ObjectID, _ bytes: Span<UInt8>, hint: StorageHint, predecessor: ObjectID?,
        isObject: Bool
    ) throws(ObjectError) {
        let shared = batches.withLock { batches in
            if let idle = batches.idle.popLast() { return idle }
            let batch = SharedBatch()
            batches.all.append(batch)
            return batch
        }
        defer { batches.withLock { $0.idle.append(shared) } }
        // Claim under the batch's lock: a thread that sees the claim and then locks every batch in turn is sure to
        // find the piece in the pack.
        try shared.state.withLock { (batch) throws(ObjectError) in
            guard try claim(id, size: bytes.count, isObject: isObject) else { return }
            // If the predecessor cannot be read, only the saving is lost.
            let found = predecessor.flatMap { try? existing.deltaBase(for: $0) }
            let codec = batch.add(id, bytes, hint: hint, base: found?.base)
            contents.withLock { contents in
                contents.statistics.newBytes += bytes.count
                if codec == .delta, let found { contents.reliedOn.insert(found.pack) }
            }
            if batch.isFull { try flush(&batch) }
        }
    }

    /// Whether the caller must write this piece: no pack has it, and no other thread claimed it.
    private func claim(_ id: ObjectID, size: Int, isObject: Bool) throws(ObjectError) -> Bool {
        let isNew = contents.withLock { contents in
            guard contents.claimed[id] != nil else { return true }
            if isObject { contents.objects.insert(id) }
            return false
        }
        guard isNew else { return false }
        if isObject, try relyOnObject(id) { return false }
        if let (pack, index) = try existing.packHoldingPiece(id),
            let needed = try existing.packsNeeded(for: .piece(pack, try pack.piece(at: index)))
        {
            contents.withLock { contents in
                contents.reliedOn.formUnion(needed)
                // The existing piece is not an object yet; a recipe makes it one.
                if isObject {
                    contents.recipes[id] = PackFooter.Recipe(
                        size: size, pieces: [PackFooter.PieceReference(id: id, size: size)])
                }
            }
            return false
        }
        return contents.withLock { contents in
            if isObject { contents.objects.insert(id) }
            guard contents.claimed[id] == nil else { return false }
            contents.claimed[id] = size
            return true
        }
    }

    /// Whether the repository has an object with everything needed to read it; if so, relies on its packs.
    private func relyOnObject(_ id: ObjectID) throws(ObjectError) -> Bool {
        guard let location = try existing.locateObject(id),
            let needed = try existing.packsNeeded(for: location)
        else { return false }
        rely(on: needed)
        return true
    }

    /// Records that the repository must keep some packs until this writer's transaction is done.
    func rely(on packs: Set<ObjectID>) { contents.withLock { $0.reliedOn.formUnion(packs) } }

    func count(objects: Int, rawBytes: Int) {
        contents.withLock {
            $0.statistics.objects += objects
            $0.statistics.rawBytes += rawBytes
        }
    }

    /// Makes temporary space for bytes; dropping it leaves nothing behind.
    public func makeScratch() throws(ObjectError) -> any StagedBlob {
        try inStorage(bucket.stage(in: .packs))
    }

    // MARK: The pack

    /// Keeps the published pack readable for all users of ``existing`` and its opened packs, even when its file is
    /// removed.
    public func keepOpen(_ pack: PackReference) throws(ObjectError) {
        if let staged = staged.withLock({ $0 }) { try existing.adopt(pack, from: staged.blob) }
    }

    private func flush(_ batch: inout PieceBatch) throws(ObjectError) {
        guard !batch.isEmpty else { return }
        let (entries, count) = try stagedPack().append(batch)
        contents.withLock { contents in
            for (id, piece) in entries { contents.pieces[id] = piece }
            contents.statistics.storedBytes += count
        }
        batch.clear()
    }

    /// Writes every piece that was claimed before this call to the staged pack.
    private func flushAll() throws(ObjectError) {
        for shared in batches.withLock({ $0.all }) {
            try shared.state.withLock { (batch) throws(ObjectError) in try flush(&batch) }
        }
    }

    private func stagedPack() throws(ObjectError) -> StagedPack {
        try staged.withLock { (current) throws(ObjectError) in
            if let pack = current { return pack }
            let pack = try StagedPack(in: bucket)
            current = pack
            return pack
        }
    }

    /// Publishes the pack, durably, and returns what the log must record; nil when nothing was new.
    ///
    /// Call it once all writes have returned, and write nothing after it.
    public func finish() throws(ObjectError) -> PackReference? {
        try flushAll()
        let (pieces, recipes) = contents.withLock { contents in
            precondition(
                contents.pieces.count == contents.claimed.count, "a write has not returned yet")
            for id in contents.objects { contents.pieces[id]?.isObject = true }
            return (contents.pieces, contents.recipes)
        }
        if pieces.isEmpty, recipes.isEmpty { return nil }
        let reference = try stagedPack().publish(pieces: pieces, recipes: recipes)
        contents.withLock { $0.statistics.storedBytes += reference.size - reference.indexOffset }
        return reference
    }
}

// MARK: Reading

extension ObjectWriter: ObjectRangeSource {
    /// See ``ObjectSource``; an object can be read as soon as the write has returned.
    public func size(of id: ObjectID) throws(ObjectError) -> Int? {
        if let own = contents.withLock({ $0.object(id) }) { return own.size }
        return try existing.size(of: id)
    }

    /// See ``ObjectSource``; an object can be read as soon as the write has returned.
    public func read(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8] {
        guard let (pieces, size) = contents.withLock({ $0.object(id) }) else {
            return try existing.read(id, limit: limit)
        }
        guard size <= limit else { throw .tooLarge(id, size: size, limit: limit) }
        let bytes = try pieces.read(0..<size, from: 0, pieceBytes)
        guard pieces.map(\.id) == [id] || ObjectID(of: bytes.span) == id else {
            throw .corrupt(id, where: "the staged pack")
        }
        return bytes
    }

    /// See ``ObjectRangeSource``; reads only the pieces that the range touches.
    public func read(_ id: ObjectID, offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        precondition(offset >= 0 && count >= 0, "a range begins at 0 or later")
        guard let (pieces, size) = contents.withLock({ $0.object(id) }) else {
            return try existing.read(id, offset: offset, count: count)
        }
        let end = offset + min(count, max(0, size - offset))
        return try pieces.read(offset..<end, from: 0, pieceBytes)
    }

    /// The bytes of a piece, verified, from the staged pack or an existing one.
    private func pieceBytes(_ id: ObjectID, size: Int) throws(ObjectError) -> [UInt8] {
        guard let entry = try stagedEntry(id) else {
            return try existing.pieceBytes(id, size: size)
        }
        let file = StagedBytes(staged: try stagedPack().blob, size: entry.end)
        return try existing.check(StoredPiece(id: id, entry: entry, pack: nil, file: file)).bytes
    }

    private func stagedEntry(_ id: ObjectID) throws(ObjectError) -> PackFooter.Piece? {
        let (piece, isClaimed) = contents.withLock { ($0.pieces[id], $0.claimed[id] != nil) }
        if piece != nil || !isClaimed { return piece }
        try flushAll()
        return contents.withLock { $0.pieces[id] }
    }
}
