/// Checks that a source has everything a snapshot needs: its content, cursor and index down to files and leaves, its
/// inputs and its embedding space. Its parents are history, which may have been collected.
///
/// Files and leaves are located, not read: the live packs hold all pieces of the objects that they list. Parts that a
/// snapshot shares with a complete parent are not checked again, so the work is proportional to the change.
public struct SnapshotClosure<Source: ObjectSource> {
    private let source: Source
    private let complete: Set<ObjectID>
    private var visited: Set<ObjectID> = []

    /// Prepares to check snapshots of a source, given snapshots that are known to be complete.
    public init(in source: Source, complete: Set<ObjectID>) {
        self.source = source
        self.complete = complete
    }

    /// Finds the first missing object that a snapshot needs; nil when the snapshot is complete.
    ///
    /// - Throws: `malformed` when an object is not of the kind that its reference requires; what reading throws.
    public mutating func firstMissing(for root: ObjectID) throws(ObjectError) -> ObjectID? {
        do throws(ObjectError) {
            var pending = [root]
            while let id = pending.popLast() {
                guard !complete.contains(id), visited.insert(id).inserted else { continue }
                let snapshot = try Snapshot(id, in: source)
                let earlier = try predecessor(of: snapshot)
                try check(snapshot.content, against: earlier?.content)
                if let cursor = snapshot.cursor { try check(cursor, against: earlier?.cursor) }
                if let index = snapshot.index { try check(index, against: earlier?.index) }
                if let space = snapshot.space { try require(space) }
                pending += snapshot.inputs.values.sorted()
            }
            return nil
        } catch {
            switch error {
            case .missing(let id), .collected(let id, _): return id
            default: throw error
            }
        }
    }

    private func predecessor(of snapshot: Snapshot) throws(ObjectError) -> Snapshot? {
        guard let parent = snapshot.parents.first(where: { complete.contains($0) }) else {
            return nil
        }
        return try Snapshot(parent, in: source)
    }

    private func require(_ id: ObjectID) throws(ObjectError) {
        guard try source.size(of: id) != nil else { throw .missing(id) }
    }

    private mutating func check(
        _ content: Content, against earlier: Content?
    ) throws(ObjectError) {
        guard content.id != earlier?.id else { return }
        switch (content, earlier) {
        case (.tree(let root, _, _), .tree(let other, _, _)?):
            try checkTree(root, against: other)
        case (.tree(let root, _, _), _): try checkTree(root, against: nil)
        case (.table(let new), .table(let old)?):
            let leaves = try DifferingLeaves(
                from: old, TableReader(old, in: source), to: new, TableReader(new, in: source),
                threads: 1)
            for leaf in leaves.after { try require(leaf.id) }
        case (.table(let table), _): try checkTable(table.root)
        }
    }

    private mutating func checkTree(
        _ root: ObjectID, against other: ObjectID?
    ) throws(ObjectError) {
        let reader = TreeReader(source)
        var pending = [(root, other)]
        while let (id, earlier) = pending.popLast() {
            guard id != earlier, visited.insert(id).inserted else { continue }
            let tree = try reader.tree(id)
            let before = try earlier.map { (id) throws(ObjectError) in try reader.tree(id) }
            for entry in tree.entries {
                let old = before?[entry.name]
                guard old?.id != entry.id || old?.mode != entry.mode else { continue }
                if entry.mode == .directory {
                    pending.append((entry.id, old?.mode == .directory ? old?.id : nil))
                } else {
                    try require(entry.id)
                }
            }
        }
    }

    private mutating func checkTable(_ root: ObjectID) throws(ObjectError) {
        var pending = [root]
        while let id = pending.popLast() {
            guard visited.insert(id).inserted else { continue }
            let bytes = try source.read(id, limit: structuredObjectLimit)
            guard case .inner(let children) = try TableNode(bytes, id: id) else { continue }
            if children.level > 1 {
                pending += children.links
            } else {
                for leaf in children.links { try require(leaf) }
            }
        }
    }
}
