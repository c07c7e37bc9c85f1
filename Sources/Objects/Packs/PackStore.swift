public import Storage
internal import Synchronization

/// The objects of a set of packs, read and verified.
///
/// Packs are opened when they are first needed, the newest first: what is asked for was most often written
/// last. Safe to use from several threads.
public final class PackStore: ObjectSource {
    /// The packs, in the order in which they were added.
    public let packs: [PackReference]
    let bucket: any Bucket
    private let opened: Mutex<[ObjectID: OpenPack]>
    private let coders = Mutex<[CoderBox]>([])
    private let counters = ReadCounters()

    /// Makes a store over packs that are live in one state of the log.
    public init(bucket: any Bucket, packs: [PackReference]) {
        self.bucket = bucket
        self.packs = packs
        opened = Mutex([:])
    }

    /// How many stored bytes were read so far.
    public var storedBytesRead: Int { counters.stored.load(ordering: .relaxed) }

    // MARK: Objects

    /// See ``ObjectSource``.
    public func size(of id: ObjectID) throws(ObjectError) -> Int? {
        switch try locateObject(id) {
        case .chunk(_, let chunk): chunk.size
        case .recipe(let pack, let index): try pack.recipeSize(at: index)
        case nil: nil
        }
    }

    /// See ``ObjectSource``.
    public func read(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8] {
        switch try locateObject(id) {
        case .chunk(let pack, let chunk):
            guard chunk.size <= limit else { throw .tooLarge(id, size: chunk.size, limit: limit) }
            return try bytes(of: id, chunk, in: pack)
        case .recipe(let pack, let index):
            let size = try pack.recipeSize(at: index)
            guard size <= limit else { throw .tooLarge(id, size: size, limit: limit) }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(size)
            try stream(id) { bytes.append(contentsOf: $0) }
            return bytes
        case nil: throw .missing(id)
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
        case .chunk(let pack, let chunk): try consume(try bytes(of: id, chunk, in: pack))
        case .recipe(let pack, let index):
            var hasher = ObjectHasher()
            for piece in try pack.recipe(at: index).pieces {
                let bytes = try chunkBytes(piece.id, size: piece.size)
                hasher.update(bytes.span)
                try consume(bytes)
            }
            guard hasher.finalize() == id else {
                throw .corrupt(id, where: "the recipe in pack \(pack.reference.name.short)")
            }
        case nil: throw .missing(id)
        }
    }

    /// A range of an object, clamped to its size; only the chunks it touches are read, and each is verified.
    public func read(_ id: ObjectID, offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        precondition(offset >= 0 && count >= 0, "a range begins at 0 or later")
        switch try locateObject(id) {
        case .chunk(let pack, let chunk):
            let bytes = try bytes(of: id, chunk, in: pack)
            guard offset < bytes.count else { return [] }
            return Array(bytes[offset..<min(bytes.count, offset + min(count, bytes.count))])
        case .recipe(let pack, let index):
            var result: [UInt8] = []
            var start = 0
            for piece in try pack.recipe(at: index).pieces {
                defer { start += piece.size }
                let low = max(offset, start)
                let high = min(offset + min(count, Int.max - offset), start + piece.size)
                guard low < high else { continue }
                let bytes = try chunkBytes(piece.id, size: piece.size)
                result.append(contentsOf: bytes[low - start..<high - start])
            }
            return result
        case nil: throw .missing(id)
        }
    }

    /// The pieces that an object is put together from, in order; one piece for a small object.
    public func pieces(of id: ObjectID) throws(ObjectError) -> [(id: ObjectID, size: Int)] {
        switch try locateObject(id) {
        case .chunk(_, let chunk): return [(id, chunk.size)]
        case .recipe(let pack, let index):
            return try pack.recipe(at: index).pieces.map { ($0.id, $0.size) }
        case nil: throw .missing(id)
        }
    }

    // MARK: Chunks

    /// Whether any pack has the chunk; which one, if so.
    func packHoldingChunk(_ id: ObjectID) throws(ObjectError) -> (pack: OpenPack, index: Int)? {
        for reference in packs.reversed() {
            let pack = try open(reference)
            if let index = pack.footer.indexOfChunk(id) { return (pack, index) }
        }
        return nil
    }

    /// A chunk's bytes, verified; `size` must be its size.
    func chunkBytes(_ id: ObjectID, size: Int) throws(ObjectError) -> [UInt8] {
        guard let (pack, index) = try packHoldingChunk(id) else { throw .missing(id) }
        let chunk = try pack.chunk(at: index)
        guard chunk.size == size else {
            throw .corrupt(id, where: "pack \(pack.reference.name.short): its size is wrong")
        }
        return try bytes(of: id, chunk, in: pack)
    }

    /// A chunk's bytes, and the chunk that a difference against it must name: itself, or its own base when
    /// it is stored as a difference, so that no chain is longer than one. Nil when there is no such chunk.
    func deltaBase(for id: ObjectID) throws(ObjectError) -> ChunkCoder.Base? {
        guard let (pack, index) = try packHoldingChunk(id) else { return nil }
        let chunk = try pack.chunk(at: index)
        guard chunk.codec == .delta else {
            return ChunkCoder.Base(id: id, bytes: try bytes(of: id, chunk, in: pack))
        }
        let stored = try pack.storedBytes(of: chunk)
        guard let baseID = try? ChunkCoder.deltaBase(stored.span),
            let (basePack, baseIndex) = try packHoldingChunk(baseID)
        else { return nil }
        let base = try basePack.chunk(at: baseIndex)
        return ChunkCoder.Base(id: baseID, bytes: try bytes(of: baseID, base, in: basePack))
    }

    /// Decodes and verifies one chunk.
    func bytes(
        of id: ObjectID, _ chunk: PackFooter.Chunk, in pack: OpenPack, isBase: Bool = false
    ) throws(ObjectError) -> [UInt8] {
        let place = "pack \(pack.reference.name.short) at byte \(chunk.offset)"
        let stored = try pack.storedBytes(of: chunk)
        counters.stored.add(stored.count, ordering: .relaxed)
        var base: [UInt8]?
        if chunk.codec == .delta {
            guard !isBase, let baseID = try? ChunkCoder.deltaBase(stored.span),
                let (basePack, index) = try packHoldingChunk(baseID)
            else { throw .corrupt(id, where: place) }
            base = try bytes(
                of: baseID, try basePack.chunk(at: index), in: basePack, isBase: true)
        }
        let box = coders.withLock { $0.popLast() } ?? CoderBox()
        defer { coders.withLock { $0.append(box) } }
        let bytes: [UInt8]
        do throws(CodecError) {
            bytes = try box.coder.decode(stored, codec: chunk.codec, size: chunk.size, base: base)
        } catch { throw .corrupt(id, where: place) }
        guard ObjectID(of: bytes.span) == id else { throw .corrupt(id, where: place) }
        return bytes
    }

    // MARK: Packs

    private enum Location {
        case chunk(OpenPack, PackFooter.Chunk)
        case recipe(OpenPack, Int)
    }

    private func locateObject(_ id: ObjectID) throws(ObjectError) -> Location? {
        for reference in packs.reversed() {
            let pack = try open(reference)
            if let index = pack.footer.indexOfChunk(id) {
                let chunk = try pack.chunk(at: index)
                if chunk.isObject { return .chunk(pack, chunk) }
            }
            if let index = pack.footer.indexOfRecipe(id) { return .recipe(pack, index) }
        }
        return nil
    }

    /// The pack, opened once.
    func open(_ reference: PackReference) throws(ObjectError) -> OpenPack {
        if let pack = opened.withLock({ $0[reference.name] }) { return pack }
        // Two threads may both read it: harmless, and no lock is held across the read.
        let pack = try OpenPack(reference, in: bucket)
        opened.withLock { $0[reference.name] = pack }
        return pack
    }
}

/// A coder that moves from thread to thread, used by one at a time.
final class CoderBox: @unchecked Sendable {
    // Sound because a box is taken out of its pool before use and put back after it.
    let coder = ChunkCoder()
}

private struct ReadCounters: ~Copyable {
    let stored = Atomic<Int>(0)
}
