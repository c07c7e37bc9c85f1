public import Storage
internal import Synchronization

/// Writes objects into one new pack, leaving out what the repository has already.
///
/// Nothing that is written exists for anybody else until the pack is published by ``finish()`` and the log
/// says so; dropping a writer leaves nothing behind. Safe to use from several threads.
public final class ObjectWriter: ObjectSink {
    /// Counts of what went through a writer.
    public struct Statistics: Hashable, Sendable {
        /// Objects written, new or not.
        public var objects = 0
        /// The bytes of those objects.
        public var rawBytes = 0
        /// The bytes of the pieces that were new.
        public var newBytes = 0
        /// What those pieces take in the pack, and its index once it is finished.
        public var storedBytes = 0
    }

    /// The most bytes that one piece holds; a larger object is cut into pieces.
    static let pieceLimit = 1 << 20

    struct Contents {
        /// The pieces that are in the staged pack.
        var pieces: [ObjectID: PackFooter.Piece] = [:]
        var recipes: [ObjectID: PackFooter.Recipe] = [:]
        /// The sizes of the pieces that some thread has undertaken to write, or has written.
        var claimed: [ObjectID: Int] = [:]
        /// Claimed pieces that are objects as well, whichever thread found out first.
        var objects: Set<ObjectID> = []
        var reliedOn: Set<ObjectID> = []
        var statistics = Statistics()
    }

    /// A batch that threads take from the idle ones in turn. Its lock is waited for only by who must see that
    /// everything in it is in the pack.
    private final class SharedBatch: Sendable {
        let state = Mutex(PieceBatch())
    }

    private struct Batches {
        var all: [SharedBatch] = []
        var idle: [SharedBatch] = []
    }

    /// What the repository held when this writer began.
    public let existing: PackStore
    private let bucket: any Bucket
    let contents = Mutex(Contents())
    private let staged = Mutex<(any StagedBlob)?>(nil)
    private let batches = Mutex(Batches())

    /// Makes a writer that adds to what `existing` holds.
    public init(bucket: any Bucket, existing: PackStore) {
        self.bucket = bucket
        self.existing = existing
    }

    /// Counts of what went through so far.
    public var statistics: Statistics { contents.withLock { $0.statistics } }

    /// The names of the packs that what was written needs: they hold pieces that were not written again, or
    /// that new ones are stored as differences against.
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
        var pieces: [PackFooter.PieceReference] = []
        var offset = 0
        let cuts = plan.cuts(of: bytes.span, at: 0, size: bytes.count, atLeast: bytes.count)
        for (id, length) in zip(ObjectID.ofPieces(of: bytes.span, lengths: cuts), cuts) {
            let reference = bytes.span.extracting(offset..<offset + length)
            pieces.append(try writePiece(id, reference, hint: plan.hint))
            offset += length
        }
        count(objects: 1, rawBytes: bytes.count)
        try writeRecipe(id, PackFooter.Recipe(size: bytes.count, pieces: pieces))
        return id
    }

    /// Stores a piece of a large object, of which it is the identity, if it is new.
    package func writePiece(
        _ id: ObjectID, _ bytes: Span<UInt8>, hint: StorageHint
    ) throws(ObjectError) -> PackFooter.PieceReference {
        try writePiece(id, bytes, hint: hint, predecessor: nil, isObject: false)
        return PackFooter.PieceReference(id: id, size: bytes.count)
    }

    /// Stores how a large object is put together, if that is new.
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
            let made = SharedBatch()
            batches.all.append(made)
            return made
        }
        defer { batches.withLock { $0.idle.append(shared) } }
        // The claim is made under the batch's lock: whoever finds a piece claimed and then takes every
        // batch's lock in turn finds it in the pack.
        try shared.state.withLock { (batch) throws(ObjectError) in
            guard try claim(id, size: bytes.count, isObject: isObject) else { return }
            // A predecessor that cannot be read costs what it would have saved, no more.
            let found = predecessor.flatMap { try? existing.deltaBase(for: $0) }
            let codec = batch.add(id, bytes, hint: hint, base: found?.base)
            contents.withLock { contents in
                contents.statistics.newBytes += bytes.count
                if codec == .delta, let found { contents.reliedOn.insert(found.pack.name) }
            }
            if batch.isFull { try flush(&batch) }
        }
    }

    /// Whether the caller must write this piece: nobody has it yet, and nobody else is at it.
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
                // It was only ever a piece of something: say that it is an object as well.
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

    /// Whether the repository has an object, which it must then keep until this writer's transaction is done.
    private func relyOnObject(_ id: ObjectID) throws(ObjectError) -> Bool {
        guard let location = try existing.locateObject(id),
            let needed = try existing.packsNeeded(for: location)
        else { return false }
        rely(on: needed)
        return true
    }

    /// Says that the repository must keep packs until this writer's transaction is done.
    func rely(on packs: Set<ObjectID>) { contents.withLock { $0.reliedOn.formUnion(packs) } }

    func count(objects: Int, rawBytes: Int) {
        contents.withLock {
            $0.statistics.objects += objects
            $0.statistics.rawBytes += rawBytes
        }
    }

    /// Space for bytes that need not last: dropping it leaves nothing behind.
    public func makeScratch() throws(ObjectError) -> any StagedBlob {
        do throws(StorageError) { return try bucket.stage(in: .packs) } catch {
            throw .storage(error)
        }
    }

    // MARK: The pack

    /// Sees to it that the published pack can be read by whoever shares the opened packs of ``existing``, even when
    /// its file is gone.
    public func keepOpen(_ pack: PackReference) throws(ObjectError) {
        if let staged = staged.withLock({ $0 }) { try existing.adopt(pack, from: staged) }
    }

    private func flush(_ batch: inout PieceBatch) throws(ObjectError) {
        guard !batch.pending.isEmpty else { return }
        let start: Int
        let gap: Int
        do throws(StorageError) {
            (start, gap) = try stagedBlob().append(batch.output, alignment: batch.alignment)
        } catch { throw .storage(error) }
        contents.withLock { contents in
            for (index, entry) in batch.pending.enumerated() {
                var piece = entry.piece
                piece.offset += start
                if index == 0 { piece.gap += gap }
                contents.pieces[entry.id] = piece
            }
            contents.statistics.storedBytes += gap + batch.output.count
        }
        batch.clear()
    }

    /// Brings every piece that was claimed before this call into the staged pack.
    func flushAll() throws(ObjectError) {
        for shared in batches.withLock({ $0.all }) {
            try shared.state.withLock { (batch) throws(ObjectError) in try flush(&batch) }
        }
    }

    /// The staged pack, begun with its magic when it is first needed.
    func stagedBlob() throws(StorageError) -> any StagedBlob {
        try staged.withLock { (current) throws(StorageError) in
            if let blob = current { return blob }
            let blob = try bucket.stage(in: .packs)
            _ = try blob.append(PackFooter.packMagic)
            current = blob
            return blob
        }
    }

    /// Publishes the pack, durably, and returns what the log must say of it; nil when nothing was new.
    ///
    /// All writes must have returned before this is called, and nothing may be written after it.
    public func finish() throws(ObjectError) -> PackReference? {
        try flushAll()
        let (pieces, recipes) = contents.withLock { contents in
            precondition(
                contents.pieces.count == contents.claimed.count, "a write has not returned yet")
            for id in contents.objects { contents.pieces[id]?.isObject = true }
            return (contents.pieces, contents.recipes)
        }
        if pieces.isEmpty, recipes.isEmpty { return nil }
        do throws(StorageError) {
            let reference = try stagedBlob().publishPack(pieces: pieces, recipes: recipes)
            contents.withLock {
                $0.statistics.storedBytes += reference.size - reference.indexOffset
            }
            return reference
        } catch { throw .storage(error) }
    }
}

extension ObjectWriter: ObjectSource {
    /// See ``ObjectSource``: what was written counts from the moment the write returned.
    public func size(of id: ObjectID) throws(ObjectError) -> Int? {
        let own = contents.withLock { contents in
            contents.objects.contains(id) ? contents.claimed[id] : contents.recipes[id]?.size
        }
        if let own { return own }
        return try existing.size(of: id)
    }

    /// See ``ObjectSource``: what was written counts from the moment the write returned.
    public func read(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8] {
        guard let size = try size(of: id) else { throw .missing(id) }
        guard size <= limit else { throw .tooLarge(id, size: size, limit: limit) }
        let (isOwn, recipe) = contents.withLock { contents in
            (contents.objects.contains(id), contents.recipes[id])
        }
        if isOwn { return try pieceBytes(PackFooter.PieceReference(id: id, size: size)) }
        guard let recipe else { return try existing.read(id, limit: limit) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        for reference in recipe.pieces { bytes.append(contentsOf: try pieceBytes(reference)) }
        guard ObjectID(of: bytes.span) == id else { throw .corrupt(id, where: "the staged pack") }
        return bytes
    }

    /// A piece's bytes, verified, from the staged pack or from what there was before.
    private func pieceBytes(_ reference: PackFooter.PieceReference) throws(ObjectError) -> [UInt8] {
        guard let piece = try stagedPiece(reference.id) else {
            return try existing.pieceBytes(reference.id, size: reference.size)
        }
        let stored: [UInt8]
        do throws(StorageError) {
            stored = try stagedBlob().read(at: piece.offset, count: piece.storedSize)
        } catch { throw .storage(error) }
        var base: [UInt8]?
        if piece.codec == .delta, let baseID = try? PieceCoder.deltaBase(stored.span) {
            base = try existing.deltaBase(for: baseID)?.base.bytes
        }
        let place = "the staged pack"
        let bytes = try existing.decode(stored, of: reference.id, piece, base: base, place: place)
        guard ObjectID(of: bytes.span) == reference.id else {
            throw .corrupt(reference.id, where: place)
        }
        return bytes
    }

    private func stagedPiece(_ id: ObjectID) throws(ObjectError) -> PackFooter.Piece? {
        let (piece, isClaimed) = contents.withLock { ($0.pieces[id], $0.claimed[id] != nil) }
        if piece != nil || !isClaimed { return piece }
        try flushAll()
        return contents.withLock { $0.pieces[id] }
    }
}

extension ObjectWriter: ObjectRangeSource {
    /// See ``ObjectRangeSource``: of what was written, only the pieces that the range touches are read.
    public func read(_ id: ObjectID, offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        precondition(offset >= 0 && count >= 0, "a range begins at 0 or later")
        guard let size = try size(of: id) else { throw .missing(id) }
        let (isOwn, recipe) = contents.withLock { contents in
            (contents.objects.contains(id), contents.recipes[id])
        }
        let pieces: [PackFooter.PieceReference]
        if isOwn {
            pieces = [PackFooter.PieceReference(id: id, size: size)]
        } else if let recipe {
            pieces = recipe.pieces
        } else {
            return try existing.read(id, offset: offset, count: count)
        }
        let end = offset + min(count, max(0, size - offset))
        var result: [UInt8] = []
        var start = 0
        for reference in pieces {
            if start + reference.size > offset, start < end {
                let bytes = try pieceBytes(reference)
                result += bytes[max(offset - start, 0)..<min(end - start, reference.size)]
            }
            start += reference.size
        }
        return result
    }
}
