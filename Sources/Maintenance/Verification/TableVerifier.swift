public import Objects

/// Verifies whole tables: every node is canonical and matches what its parent states.
///
/// It reads a node only once, even if several tables share it, and uses several threads. It compares bytes with the
/// checksums of packs and not with identities: the audit of the packs compares those, and names the damaged objects.
public struct TableVerifier {
    /// The result for a node and everything below it.
    private enum Known {
        case sound(Summary)
        /// A leaf that exists and was not read.
        case unread
        case damaged([ObjectError])
    }

    /// The facts about a node that its parent states, too.
    private struct Summary: Sendable {
        let level: Int
        let rows: Int
        let dimension: Int
        /// Empty for a table without rows, like the last key.
        var firstKey: [UInt8]
        let lastKey: [UInt8]
        /// Whether it ends at a boundary, and so does the last node of each level below.
        var endsAtBoundary: Bool
    }

    private enum Node: Sendable {
        case leaf(Summary)
        case inner(TableInnerNode)
        case unread
        case damaged(ObjectError)
    }

    private let store: PackStore
    private let damaged: [ObjectID: ObjectError]
    private let readsLeaves: Bool
    private let threads: Int
    private let progress: @Sendable (Int) -> Void
    private var known: [ObjectID: Known] = [:]

    /// The most problems that are listed for one table.
    private static let damageLimit = 1000

    /// Makes a verifier of tables in a store.
    ///
    /// - Parameters:
    ///   - damaged: Unreadable objects and their errors.
    ///   - readsLeaves: Whether to read leaves; otherwise they only have to exist.
    ///   - progress: Called, from any thread, with the number of bytes just read.
    public init(
        _ store: PackStore, damaged: [ObjectID: ObjectError], readsLeaves: Bool,
        threads: Int = Threads.available, progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.store = store
        self.damaged = damaged
        self.readsLeaves = readsLeaves
        self.threads = threads
        self.progress = progress
    }

    /// Lists the damage of a table, up to a limit; empty for a sound one.
    public mutating func check(_ table: Table) -> [ObjectError] {
        let nodes = read(below: table.root)
        switch result(of: table.root, nodes) {
        case .damaged(let errors): return errors
        case .unread: return []
        case .sound(let summary):
            guard summary.rows == table.rows, summary.dimension == table.dimension else {
                return [
                    malformed(
                        table.root, summary.level,
                        "it has \(summary.rows) rows of \(summary.dimension) numbers, but its "
                            + "snapshot states \(table.rows) of \(table.dimension)")
                ]
            }
            if case .inner(let node)? = nodes[table.root], node.entries.count == 1 {
                return [malformed(table.root, node.level, "it is a root with only one child")]
            }
            return []
        }
    }

    /// Reads the new nodes of a table, one level at a time.
    private mutating func read(below root: ObjectID) -> [ObjectID: Node] {
        var nodes: [ObjectID: Node] = [:]
        var level: Int?
        var pending = [root]
        while !pending.isEmpty {
            let wanted = Array(Set(pending.filter { known[$0] == nil && nodes[$0] == nil }))
                .sorted()
            let isLeaves = level == 0
            let (store, damaged, readsLeaves, progress) = (store, damaged, readsLeaves, progress)
            let read = Threads.map(wanted.count, threads: threads) { index in
                Self.node(
                    wanted[index], in: store, damaged, reads: readsLeaves || !isLeaves, progress)
            }
            for (id, node) in zip(wanted, read) { nodes[id] = node }
            pending = []
            level = nil
            for node in read {
                guard case .inner(let inner) = node else { continue }
                pending += inner.entries.map(\.id)
                level = min(level ?? .max, inner.level - 1)
            }
        }
        return nodes
    }

    private static func node(
        _ id: ObjectID, in store: PackStore, _ damaged: [ObjectID: ObjectError], reads: Bool,
        _ progress: @Sendable (Int) -> Void
    ) -> Node {
        if let error = damaged[id] { return .damaged(error) }
        do throws(ObjectError) {
            guard reads else {
                return try store.size(of: id) == nil ? .damaged(.missing(id)) : .unread
            }
            let bytes = try store.readChecksummed(id, limit: TableLimits.nodeBytes)
            progress(bytes.count)
            if bytes.starts(with: TableInnerNode.magic) {
                return .inner(try TableInnerNode(decoding: bytes, id: id))
            }
            let leaf = try TableLeaf(decoding: bytes, id: id)
            let last = leaf.count - 1
            return .leaf(
                Summary(
                    level: 0, rows: leaf.count, dimension: leaf.dimension,
                    firstKey: last < 0 ? [] : Array(bytes[leaf.keyRange(0)]),
                    lastKey: last < 0 ? [] : Array(bytes[leaf.keyRange(last)]),
                    endsAtBoundary: leaf.endsAtBoundary))
        } catch { return .damaged(error) }
    }

    /// Verifies a node and everything below it; its level bounds the recursion.
    private mutating func result(of id: ObjectID, _ nodes: [ObjectID: Node]) -> Known {
        if let known = known[id] { return known }
        let result: Known =
            switch nodes[id] {
            case .leaf(let summary)?: .sound(summary)
            case .unread?: .unread
            case .damaged(let error)?: .damaged([error])
            case .inner(let node)?: compare(node, id, nodes)
            case nil: .damaged([.missing(id)])
            }
        known[id] = result
        return result
    }

    private mutating func compare(
        _ node: TableInnerNode, _ id: ObjectID, _ nodes: [ObjectID: Node]
    ) -> Known {
        var errors: [ObjectError] = []
        var summary = Summary(
            level: node.level, rows: node.rows, dimension: node.dimension, firstKey: [],
            lastKey: node.entries.last?.lastKey ?? [], endsAtBoundary: node.endsAtBoundary)
        var before: [UInt8] = []
        for (index, entry) in node.entries.enumerated() {
            defer { before = entry.lastKey }
            guard errors.count < Self.damageLimit else { break }
            // A child must have a lower level, or the recursion would not end.
            if case .inner(let child)? = nodes[entry.id], child.level >= node.level {
                errors.append(
                    malformed(entry.id, child.level, "its level is not below its parent's"))
                continue
            }
            switch result(of: entry.id, nodes) {
            case .damaged(let found): errors += found
            case .unread:
                if node.level != 1 {
                    errors.append(malformed(entry.id, 0, "its parent states that it is not a leaf"))
                }
            case .sound(let child):
                let isLast = index == node.entries.count - 1
                if let reason = disagreement(
                    child, with: entry, of: node, after: before, isLast: isLast)
                {
                    errors.append(malformed(entry.id, child.level, reason))
                }
                if index == 0 { summary.firstKey = child.firstKey }
                if isLast, !child.endsAtBoundary { summary.endsAtBoundary = false }
            }
        }
        return errors.isEmpty ? .sound(summary) : .damaged(errors)
    }

    private func disagreement(
        _ child: Summary, with entry: TableEntry, of node: TableInnerNode, after: [UInt8],
        isLast: Bool
    ) -> String? {
        if child.level != node.level - 1 {
            return "its level is \(child.level), but its parent states \(node.level - 1)"
        }
        if child.rows != entry.rows {
            return "it has \(child.rows) rows, but its parent states \(entry.rows)"
        }
        if child.dimension != node.dimension {
            return
                "its vectors have \(child.dimension) numbers, but its parent's have \(node.dimension)"
        }
        if child.lastKey != entry.lastKey {
            return "its last key is not the one that its parent states"
        }
        if !after.isEmpty, !child.firstKey.isEmpty,
            TableBytes.compare(after.span, child.firstKey.span) >= 0
        {
            return "its first key is not above the last key before it"
        }
        return isLast || child.endsAtBoundary ? nil : "it does not end at a boundary"
    }

    private func malformed(_ id: ObjectID, _ level: Int, _ reason: String) -> ObjectError {
        .malformed(id, as: level == 0 ? "table leaf" : "table node", reason: reason, offset: nil)
    }
}
