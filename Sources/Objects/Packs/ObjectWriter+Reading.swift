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
