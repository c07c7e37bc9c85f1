internal import Storage
internal import Synchronization

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
        if isOwn { return try chunkBytes(PackFooter.Piece(id: id, size: size)) }
        guard let recipe else { return try existing.read(id, limit: limit) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        for piece in recipe.pieces { bytes.append(contentsOf: try chunkBytes(piece)) }
        guard ObjectID(of: bytes.span) == id else { throw .corrupt(id, where: "the staged pack") }
        return bytes
    }

    /// A chunk's bytes, verified, from the staged pack or from what there was before.
    private func chunkBytes(_ piece: PackFooter.Piece) throws(ObjectError) -> [UInt8] {
        guard let chunk = try stagedChunk(piece.id) else {
            return try existing.chunkBytes(piece.id, size: piece.size)
        }
        let stored: [UInt8]
        do throws(StorageError) {
            stored = try stagedBlob().read(at: chunk.offset, count: chunk.storedSize)
        } catch { throw .storage(error) }
        var base: [UInt8]?
        if chunk.codec == .delta, let baseID = try? ChunkCoder.deltaBase(stored.span) {
            base = try existing.deltaBase(for: baseID)?.base.bytes
        }
        let place = "the staged pack"
        let bytes = try existing.decode(stored, of: piece.id, chunk, base: base, place: place)
        guard ObjectID(of: bytes.span) == piece.id else { throw .corrupt(piece.id, where: place) }
        return bytes
    }

    private func stagedChunk(_ id: ObjectID) throws(ObjectError) -> PackFooter.Chunk? {
        let (chunk, isClaimed) = contents.withLock { ($0.chunks[id], $0.claimed[id] != nil) }
        if chunk != nil || !isClaimed { return chunk }
        try flushAll()
        return contents.withLock { $0.chunks[id] }
    }
}

extension ObjectWriter: ObjectRangeSource {
    /// See ``ObjectRangeSource``: of what was written, only the chunks that the range touches are read.
    public func read(_ id: ObjectID, offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        precondition(offset >= 0 && count >= 0, "a range begins at 0 or later")
        guard let size = try size(of: id) else { throw .missing(id) }
        let (isOwn, recipe) = contents.withLock { contents in
            (contents.objects.contains(id), contents.recipes[id])
        }
        let pieces: [PackFooter.Piece]
        if isOwn {
            pieces = [PackFooter.Piece(id: id, size: size)]
        } else if let recipe {
            pieces = recipe.pieces
        } else {
            return try existing.read(id, offset: offset, count: count)
        }
        let end = offset + min(count, max(0, size - offset))
        var result: [UInt8] = []
        var start = 0
        for piece in pieces {
            if start + piece.size > offset, start < end {
                let bytes = try chunkBytes(piece)
                result += bytes[max(offset - start, 0)..<min(end - start, piece.size)]
            }
            start += piece.size
        }
        return result
    }
}
