public import Objects
internal import Refs
internal import Storage

/// Copies what snapshots need and some packs do not have, from wherever it can be read undamaged.
public struct ObjectRescue {
    /// What must be found elsewhere, and was not found anywhere.
    public private(set) var lost: Set<ObjectID> = []
    /// Takes what was found.
    public let writer: ObjectWriter
    private let kept: PackStore
    private let sources: [PackStore]
    private var visited: Set<ObjectID> = []

    /// Begins with what need not be copied.
    ///
    /// - Parameters:
    ///   - kept: The packs that stay, all of them sound.
    ///   - sources: Where everything else is looked for, in this order.
    public init(kept: PackStore, sources: [PackStore]) {
        self.kept = kept
        self.sources = sources
        writer = ObjectWriter(bucket: kept.bucket, existing: kept)
    }

    /// Brings all that a snapshot needs, and that it was made from.
    ///
    /// - Parameter isHistory: Whether what is not there may have been collected.
    /// - Returns: The snapshots that it succeeds.
    /// - Throws: `storage` when nothing can be written.
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

    /// The bytes of an object that refers to others, which is copied when it must be.
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

    /// A piece of a large object, from its own source or any other.
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

    /// Whether the packs that stay have all of an object.
    private func isKept(_ id: ObjectID) -> Bool {
        guard let location = try? kept.locateObject(id),
            (try? kept.packsNeeded(for: location)) != nil
        else { return false }
        return true
    }

    /// What is known to have been there is lost; of history, the rest may have been collected.
    private mutating func give(up id: ObjectID, _ isHistory: Bool) {
        if isHistory, let own = sources.first {
            // A pack that cannot be opened may have had it.
            do throws(ObjectError) { if try own.locateObject(id) == nil { return } } catch {}
        }
        lost.insert(id)
    }
}
