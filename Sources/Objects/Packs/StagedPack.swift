internal import Storage

/// A published pack read through what it was written with, which works even when its file is gone already.
struct StagedPack: Blob {
    let staged: any StagedBlob
    let size: Int

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        try staged.read(at: offset, count: count)
    }
}

extension PackStore {
    /// Takes a pack that this process has just published, so that nobody can take it away.
    func adopt(_ reference: PackReference, from staged: any StagedBlob) throws(ObjectError) {
        guard opened[reference] == nil else { return }
        opened.insert(
            try OpenPack(reference, blob: StagedPack(staged: staged, size: reference.size)))
    }

    /// What the log would say of a pack whose file is there, live or not; nil when there is no file, or it does not
    /// end as packs do.
    ///
    /// - Throws: `storage` when the process has not the means to look, such as open files.
    public func reference(to name: ObjectID) throws(ObjectError) -> PackReference? {
        do throws(ObjectError) {
            let blob: (any Blob)?
            let trailer: [UInt8]
            do throws(StorageError) {
                blob = try bucket.open(BlobName(.packs, name.hex))
                guard let blob, blob.size >= PackFooter.headerSize + PackFooter.trailerSize else {
                    return nil
                }
                trailer = try blob.read(at: blob.size - PackFooter.trailerSize, count: 8)
            } catch { throw .storage(error) }
            guard let blob, let length = Int(exactly: LittleEndian.uint64(trailer.span, at: 0)),
                length <= blob.size
            else { return nil }
            let reference = PackReference(
                name: name, size: blob.size, indexOffset: blob.size - length)
            _ = try open(reference)
            return reference
        } catch {
            if error.isOutOfMeans { throw error }
            return nil
        }
    }

    /// What the log would say of those of some packs of which it can be told.
    ///
    /// - Throws: As ``reference(to:)``.
    public func references(
        to names: some Sequence<ObjectID>
    ) throws(ObjectError) -> [PackReference] {
        var result: [PackReference] = []
        for name in names { if let found = try reference(to: name) { result.append(found) } }
        return result
    }

    /// Those of some packs that can be opened, whether or not they are among ``packs``.
    func available(_ references: [PackReference]) -> [PackReference] {
        references.filter { (try? open($0)) != nil }
    }

    /// Whether what a pack holds can be read from these packs: they have every piece of its large objects, and
    /// every piece that it has differences against.
    ///
    /// - Throws: `damagedPack`, `storage` when an index cannot be read.
    public func isWhole(_ reference: PackReference) throws(ObjectError) -> Bool {
        let marks = try PackMarks(self)
        guard let number = packs.firstIndex(of: reference) else { return false }
        let footer = try open(reference).footer
        for bit in 0..<footer.pieceCount + footer.recipeCount {
            for need in try marks.needs(of: PackMarks.Place(pack: number, bit: bit)) {
                guard try marks.piece(need.id, asBase: need.isBase) != nil else { return false }
            }
        }
        return true
    }

    /// Copies into a new pack, and publishes it, what some snapshots and packs cannot be read without and is in none
    /// of this store's packs any more, only in packs that were removed from them.
    ///
    /// - Parameters:
    ///   - snapshots: Snapshots of which everything is needed.
    ///   - needed: Removed packs of which everything is needed, and packs of this store of which everything must
    ///     stay readable.
    ///   - removed: Packs whose files, or what this process has open of them, may be there still.
    /// - Returns: The new pack; nil when nothing was found that could be copied.
    public func rescue(
        _ snapshots: [ObjectID], _ needed: [PackReference], from removed: [PackReference]
    ) throws(ObjectError) -> PackReference? {
        let gone = available(removed)
        var marks = try PackMarks(over(gone + packs))
        for snapshot in snapshots { try marks.mark(snapshot: snapshot, whatIsThere: true) }
        for pack in needed { try marks.markAll(of: pack.name) }
        let numbers = gone.indices.filter { marks.entries[$0].needed.count > 0 }
        if numbers.isEmpty { return nil }
        var damaged: PackReference?
        guard let copy = try marks.copy(from: numbers, damaged: &damaged) else { return nil }
        let reference = try copy.publish()
        try adopt(reference, from: copy.staged)
        return reference
    }
}
