public import Objects
public import Storage

extension PackStore {
    /// Puts the file of a damaged pack together anew, chunk by chunk from whichever copy has it undamaged, and replaces
    /// it, durably and all at once for every reader.
    ///
    /// A pack's name vouches for its index, which vouches for every chunk: a file that fits its name is the pack, wherever
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
        var chunks: [(id: ObjectID, chunk: PackFooter.Chunk)] = []
        for index in 0..<pack.footer.chunkCount {
            chunks.append((pack.footer.chunkID(at: index), try pack.chunk(at: index)))
        }
        chunks.sort { $0.chunk.offset < $1.chunk.offset }
        do throws(StorageError) {
            let staged = try bucket.stage(in: .packs)
            var output = PackFooter.packMagic
            for (id, chunk) in chunks {
                guard let stored = sound(id, chunk, of: pack, in: blobs) else { return false }
                output.append(contentsOf: repeatElement(0, count: chunk.gap))
                output.append(contentsOf: stored)
                guard output.count >= ChunkBatch.flushSize else { continue }
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

    /// The stored bytes of a chunk from the first file that has them undamaged.
    private func sound(
        _ id: ObjectID, _ chunk: PackFooter.Chunk, of pack: OpenPack, in blobs: [any Blob]
    ) -> [UInt8]? {
        blobs.lazy.compactMap { blob in
            guard let stored = try? blob.read(at: chunk.offset, count: chunk.storedSize),
                Checksum.of(stored.span) == chunk.checksum
            else { return nil }
            // The base of a difference may be what is damaged; the checksum must do then.
            guard let bytes = try? self.decoded(id, chunk, in: pack, stored: stored) else {
                return chunk.codec == .delta ? stored : nil
            }
            return ObjectID(of: bytes.span) == id ? stored : nil
        }.first
    }
}
