public import Objects
internal import Refs
internal import Storage

/// Copies objects that snapshots need and the sound packs lack, from any source that has them undamaged.
public struct ObjectRescue {
    /// The objects that no source has undamaged.
    public private(set) var lost: Set<ObjectID> = []
    /// The writer of the new pack.
    public let writer: ObjectWriter
    private let kept: PackStore
    private let sources: [PackStore]
    private var visited: Set<ObjectID> = []

    /// Prepares a rescue.
    ///
    /// - Parameters:
    ///   - kept: The sound packs, which stay.
    ///   - sources: The sources to search for everything else, in this order.
    public init(kept: PackStore, sources: [PackStore]) {
        self.kept = kept
        self.sources = sources
        writer = ObjectWriter(bucket: kept.bucket, existing: kept)
    }

    /// Copies everything that a snapshot and its inputs need and no kept pack has.
    ///
    /// - Parameter isHistory: Whether missing objects may have been collected.
    /// - Returns: The parents of the snapshots.
    /// - Throws: `storage` when writing fails.
    public mutating func bring(
        _ root: ObjectID, isHistory: Bool
    ) throws(ObjectError) -> [ObjectID] {
        var parents: [ObjectID] = []
        var pending = [root]
        while let id = pending.popLast() {
            guard visited.insert(id).inserted else { continue }
            guard let bytes = try structured(id, isHistory),
                let snapshot = try? Snapshot(decoding: bytes, id: id)
            else { continue }
            parents += snapshot.parents
            pending += snapshot.inputs.values.sorted()
            for content in snapshot.contents { try bring(content, isHistory) }
            if let space = snapshot.space { _ = try structured(space, isHistory) }
        }
        return parents
    }

    private mutating func bring(_ content: Content, _ isHistory: Bool) throws(ObjectError) {
        var pending = [content.id]
        let isTree = if case .tree = content { true } else { false }
        while let id = pending.popLast() {
            guard visited.insert(id).inserted, let bytes = try structured(id, isHistory) else {
                continue
            }
            if !isTree {
                pending += (try? TableNode.links(of: bytes, id: id)) ?? []
                continue
            }
            for entry in (try? Tree(decoding: bytes, id: id))?.entries ?? [] {
                if entry.mode == .directory {
                    pending.append(entry.id)
                } else if visited.insert(entry.id).inserted {
                    try bringFile(entry.id, isHistory)
                }
            }
        }
    }

    /// Reads an object that refers to others, and copies it unless a kept pack has it.
    private mutating func structured(
        _ id: ObjectID, _ isHistory: Bool
    ) throws(ObjectError) -> [UInt8]? {
        if isKept(id), let bytes = try? kept.read(id, limit: structuredObjectLimit) {
            return bytes
        }
        for source in sources {
            guard let bytes = try? source.read(id, limit: structuredObjectLimit) else { continue }
            let hint: StorageHint =
                bytes.starts(with: TableLeaf.magic)
                ? (try? TableLeaf(bytes, id: id))?.hint ?? .bulk : .structured
            try writer.write(bytes, hint: hint, predecessor: nil)
            return bytes
        }
        give(up: id, isHistory)
        return nil
    }

    private mutating func bringFile(_ id: ObjectID, _ isHistory: Bool) throws(ObjectError) {
        guard !isKept(id) else { return }
        for source in sources where try copy(id, from: source) { return }
        give(up: id, isHistory)
    }

    private mutating func copy(
        _ id: ObjectID, from source: PackStore
    ) throws(ObjectError) -> Bool {
        guard let location = try? source.locateObject(id) else { return false }
        guard case .recipe(let pack, let index) = location else {
            guard let bytes = try? source.read(id, limit: .max) else { return false }
            try writer.write(bytes, hint: .bulk, predecessor: nil)
            return true
        }
        guard let recipe = try? pack.recipe(at: index) else { return false }
        var hasher = ObjectHasher()
        for reference in recipe.pieces {
            guard let (bytes, hint) = self.reference(reference, of: source) else { return false }
            hasher.update(bytes.span)
            _ = try writer.writePiece(reference.id, bytes.span, hint: hint)
        }
        guard hasher.finalize() == id else { return false }
        try writer.writeRecipe(id, recipe)
        return true
    }

    /// Reads a piece of a large object, from its own source or any other.
    private func reference(
        _ reference: PackFooter.PieceReference, of source: PackStore
    ) -> (bytes: [UInt8], hint: StorageHint)? {
        for store in [source, kept] + sources {
            guard let bytes = try? store.pieceBytes(reference.id, size: reference.size) else {
                continue
            }
            let place = try? store.packHoldingPiece(reference.id)
            let piece = place.flatMap { try? $0.pack.piece(at: $0.index) }
            return (bytes, piece?.codec == .planes ? .numbers : .bulk)
        }
        return nil
    }

    /// Whether the kept packs have all of an object.
    private func isKept(_ id: ObjectID) -> Bool {
        guard let location = try? kept.locateObject(id),
            (try? kept.packsNeeded(for: location)) != nil
        else { return false }
        return true
    }

    /// Records an object as lost, unless it belongs to history and may have been collected.
    private mutating func give(up id: ObjectID, _ isHistory: Bool) {
        if isHistory, let own = sources.first {
            // A pack that cannot be opened may hold it.
            do throws(ObjectError) { if try own.locateObject(id) == nil { return } } catch {}
        }
        lost.insert(id)
    }
}
