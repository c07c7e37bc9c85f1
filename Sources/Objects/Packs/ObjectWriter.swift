public import Storage
internal import Synchronization

/// Writes objects into one new pack, leaving out what the repository has already.
///
/// Nothing that is written exists for anybody else until the pack is published by ``finish()`` and the log
/// says so; dropping a writer leaves nothing behind. Safe to use from several threads.
public final class ObjectWriter: ObjectSource, ObjectSink {
    /// Counts of what went through a writer.
    public struct Statistics: Hashable, Sendable {
        /// Objects written, new or not.
        public var objects = 0
        /// The bytes of those objects.
        public var rawBytes = 0
        /// The bytes of the chunks that were new.
        public var newBytes = 0
        /// What those chunks take in the pack, and its index once it is finished.
        public var storedBytes = 0
    }

    /// The most bytes that one chunk holds; a larger object is cut into pieces.
    static let chunkLimit = 1 << 20

    private struct Contents {
        var chunks: [ObjectID: PackFooter.Chunk] = [:]
        var recipes: [ObjectID: PackFooter.Recipe] = [:]
        /// Chunks that some thread has undertaken to write, or has written.
        var claimed: Set<ObjectID> = []
        /// Claimed chunks that are objects as well, whichever thread found out first.
        var objects: Set<ObjectID> = []
        var reliedOn: Set<ObjectID> = []
        var statistics = Statistics()
    }

    /// What the repository held when this writer began.
    public let existing: PackStore
    private let bucket: any Bucket
    private let contents = Mutex(Contents())
    private let staged = Mutex<(any StagedBlob)?>(nil)
    private let batches = Mutex<[ChunkBatch]>([])

    /// Makes a writer that adds to what `existing` holds.
    public init(bucket: any Bucket, existing: PackStore) {
        self.bucket = bucket
        self.existing = existing
    }

    /// Counts of what went through so far.
    public var statistics: Statistics { contents.withLock { $0.statistics } }

    /// The names of the packs whose chunks were not written again because those packs have them.
    public var reliedOn: Set<ObjectID> { contents.withLock { $0.reliedOn } }

    // MARK: Writing

    /// See ``ObjectSink``.
    @discardableResult
    public func write(
        _ bytes: [UInt8], hint: StorageHint, predecessor: ObjectID?
    ) throws(ObjectError) -> ObjectID {
        guard bytes.count <= Self.chunkLimit else { return try writeLarge(bytes) }
        let id = ObjectID(of: bytes.span)
        count(objects: 1, rawBytes: bytes.count)
        try writeChunk(id, bytes.span, hint: hint, predecessor: predecessor, isObject: true)
        return id
    }

    private func writeLarge(_ bytes: [UInt8]) throws(ObjectError) -> ObjectID {
        let plan = ChunkPlan()
        let id = ObjectID(of: bytes.span)
        var pieces: [PackFooter.Piece] = []
        var offset = 0
        for length in plan.cuts(of: bytes.span, at: 0, size: bytes.count, atLeast: bytes.count) {
            let piece = bytes.span.extracting(offset..<offset + length)
            pieces.append(try writePiece(piece, hint: plan.hint))
            offset += length
        }
        count(objects: 1, rawBytes: bytes.count)
        try writeRecipe(id, PackFooter.Recipe(size: bytes.count, pieces: pieces))
        return id
    }

    /// Stores a piece of a large object, if it is new.
    func writePiece(
        _ bytes: Span<UInt8>, hint: StorageHint
    ) throws(ObjectError) -> PackFooter.Piece {
        let id = ObjectID(of: bytes)
        try writeChunk(id, bytes, hint: hint, predecessor: nil, isObject: false)
        return PackFooter.Piece(id: id, size: bytes.count)
    }

    /// Stores how a large object is put together, if that is new.
    func writeRecipe(_ id: ObjectID, _ recipe: PackFooter.Recipe) throws(ObjectError) {
        if try existing.size(of: id) == nil { contents.withLock { $0.recipes[id] = recipe } }
    }

    func writeChunk(
        _ id: ObjectID, _ bytes: Span<UInt8>, hint: StorageHint, predecessor: ObjectID?,
        isObject: Bool
    ) throws(ObjectError) {
        guard try claim(id, size: bytes.count, isObject: isObject) else { return }
        var base: ChunkCoder.Base?
        if let predecessor { base = try existing.deltaBase(for: predecessor) }
        let batch = batches.withLock { $0.popLast() } ?? ChunkBatch()
        defer { batches.withLock { $0.append(batch) } }
        batch.add(id, bytes, hint: hint, base: base, isObject: isObject)
        contents.withLock { $0.statistics.newBytes += bytes.count }
        if batch.isFull { try flush(batch) }
    }

    /// Whether the caller must write this chunk: nobody has it yet, and nobody else is at it.
    private func claim(_ id: ObjectID, size: Int, isObject: Bool) throws(ObjectError) -> Bool {
        let isNew = contents.withLock { contents in
            if isObject, contents.claimed.contains(id) { contents.objects.insert(id) }
            return !contents.claimed.contains(id)
        }
        guard isNew else { return false }
        if let (pack, index) = try existing.packHoldingChunk(id) {
            let isPieceOnly = isObject ? try !pack.chunk(at: index).isObject : false
            contents.withLock { contents in
                contents.reliedOn.insert(pack.reference.name)
                // It was only ever a piece of something: say that it is an object as well.
                if isPieceOnly {
                    contents.recipes[id] = PackFooter.Recipe(
                        size: size, pieces: [PackFooter.Piece(id: id, size: size)])
                }
            }
            return false
        }
        return contents.withLock { contents in
            if isObject { contents.objects.insert(id) }
            return contents.claimed.insert(id).inserted
        }
    }

    func count(objects: Int, rawBytes: Int) {
        contents.withLock {
            $0.statistics.objects += objects
            $0.statistics.rawBytes += rawBytes
        }
    }

    // MARK: The pack

    private func flush(_ batch: ChunkBatch) throws(ObjectError) {
        guard !batch.pending.isEmpty else { return }
        let start: Int
        do throws(StorageError) { start = try stagedBlob().append(batch.output) } catch {
            throw .storage(error)
        }
        contents.withLock { contents in
            for entry in batch.pending {
                var chunk = entry.chunk
                chunk.offset += start
                contents.chunks[entry.id] = chunk
            }
            contents.statistics.storedBytes += batch.output.count
        }
        batch.clear()
    }

    private func flushAll() throws(ObjectError) {
        let waiting = batches.withLock { $0 }
        for batch in waiting { try flush(batch) }
    }

    /// The staged pack, begun with its magic when it is first needed.
    private func stagedBlob() throws(StorageError) -> any StagedBlob {
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
        let (chunks, recipes) = contents.withLock { contents in
            for id in contents.objects { contents.chunks[id]?.isObject = true }
            return (contents.chunks, contents.recipes)
        }
        if chunks.isEmpty, recipes.isEmpty { return nil }
        do throws(StorageError) {
            let blob = try stagedBlob()
            let footer = PackFooter.encode(
                chunks: chunks, recipes: recipes, nonce: try randomBytes(PackFooter.nonceSize))
            let offset = try blob.append(footer)
            let reference = PackReference(
                name: ObjectID(of: footer.span), size: offset + footer.count, indexOffset: offset)
            try blob.publish(as: reference.blobName)
            contents.withLock { $0.statistics.storedBytes += footer.count }
            return reference
        } catch { throw .storage(error) }
    }

    // MARK: Reading what was written

    /// See ``ObjectSource``.
    public func size(of id: ObjectID) throws(ObjectError) -> Int? {
        try flushAll()
        let own = contents.withLock { contents in
            contents.objects.contains(id) ? contents.chunks[id]?.size : contents.recipes[id]?.size
        }
        if let own { return own }
        return try existing.size(of: id)
    }

    /// See ``ObjectSource``.
    public func read(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8] {
        guard let size = try size(of: id) else { throw .missing(id) }
        guard size <= limit else { throw .tooLarge(id, size: size, limit: limit) }
        let (chunk, recipe) = contents.withLock { ($0.chunks[id], $0.recipes[id]) }
        if let chunk { return try bytes(of: id, chunk) }
        guard let recipe else { return try existing.read(id, limit: limit) }
        var bytes: [UInt8] = []
        for piece in recipe.pieces {
            if let chunk = contents.withLock({ $0.chunks[piece.id] }) {
                bytes.append(contentsOf: try self.bytes(of: piece.id, chunk))
            } else {
                bytes.append(contentsOf: try existing.chunkBytes(piece.id, size: piece.size))
            }
        }
        guard ObjectID(of: bytes.span) == id else { throw .corrupt(id, where: "the staged pack") }
        return bytes
    }

    private func bytes(
        of id: ObjectID, _ chunk: PackFooter.Chunk
    ) throws(ObjectError) -> [UInt8] {
        let stored: [UInt8]
        do throws(StorageError) {
            stored = try stagedBlob().read(at: chunk.offset, count: chunk.storedSize)
        } catch { throw .storage(error) }
        var base: [UInt8]?
        if chunk.codec == .delta, let baseID = try? ChunkCoder.deltaBase(stored.span) {
            base = try existing.deltaBase(for: baseID)?.bytes
        }
        let batch = batches.withLock { $0.popLast() } ?? ChunkBatch()
        defer { batches.withLock { $0.append(batch) } }
        do throws(CodecError) {
            return try batch.decode(stored, codec: chunk.codec, size: chunk.size, base: base)
        } catch { throw .corrupt(id, where: "the staged pack") }
    }
}
