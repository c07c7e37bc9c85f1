public import Objects
public import Storage

extension PackStore {
    /// Puts the file of a damaged pack together anew, piece by piece from whichever copy has it undamaged, and replaces
    /// it, durably and all at once for every reader.
    ///
    /// A pack's name vouches for its index, which vouches for every piece: a file that fits its name is the pack, wherever
    /// its parts come from.
    ///
    /// - Parameter copies: Where else files of that name may be; this store's bucket is looked at first.
    /// - Returns: Whether there was enough to put it together; nothing is changed otherwise.
    /// - Throws: `storage` when the bucket cannot be written.
    public func mend(
        _ reference: PackReference, from copies: [any Bucket]
    ) throws(ObjectError) -> Bool {
        let blobs = ([bucket] + copies).compactMap { try? OpenPack.blob(of: reference, in: $0) }
        guard
            let indexed = blobs.lazy.compactMap({ blob in
                (try? OpenPack(reference, blob: blob)).map { (pack: $0, blob: blob) }
            }).first
        else { return false }
        let pack = indexed.pack
        var pieces: [(id: ObjectID, piece: PackFooter.Piece)] = []
        for index in 0..<pack.footer.pieceCount {
            pieces.append((pack.footer.pieceID(at: index), try pack.piece(at: index)))
        }
        pieces.sort { $0.piece.offset < $1.piece.offset }
        do throws(StorageError) {
            let staged = try bucket.stage(in: .packs)
            var output = PackFooter.packMagic
            for (id, piece) in pieces {
                guard let stored = sound(id, piece, of: pack, in: blobs) else { return false }
                output.append(contentsOf: repeatElement(0, count: piece.gap))
                output.append(contentsOf: stored)
                guard output.count >= PieceBatch.flushSize else { continue }
                _ = try staged.append(output)
                output.removeAll(keepingCapacity: true)
            }
            let index = reference.size - reference.indexOffset
            let footer = try indexed.blob.read(at: reference.indexOffset, count: index)
            guard ObjectID(of: footer.span) == reference.name else { return false }
            _ = try staged.append(output + footer)
            try staged.replace(reference.blobName)
            return true
        } catch { throw .storage(error) }
    }

    /// The stored bytes of a piece from the first file that has them undamaged.
    private func sound(
        _ id: ObjectID, _ piece: PackFooter.Piece, of pack: OpenPack, in blobs: [any Blob]
    ) -> [UInt8]? {
        blobs.lazy.compactMap { blob in
            let copy = pack.stored(id, piece, in: blob)
            guard let (stored, bytes) = try? self.check(copy, .identityByCaller) else {
                // The base of a difference may be what is damaged; the checksum must do then.
                return piece.codec == .delta ? try? copy.storedBytes() : nil
            }
            return ObjectID(of: bytes.span) == id ? stored : nil
        }.first
    }
}
