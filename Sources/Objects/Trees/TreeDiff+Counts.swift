internal import Storage

/// How many files, and directories that are empty on their only side, two trees do not have in common.
public struct TreeDiffCounts: Hashable, Sendable {
    /// Only in the second tree.
    public internal(set) var added: Int
    /// Only in the first.
    public internal(set) var removed: Int
    /// In both, and different.
    public internal(set) var changed: Int

    init(added: Int = 0, removed: Int = 0, changed: Int = 0) {
        self.added = added
        self.removed = removed
        self.changed = changed
    }

    /// All of them.
    public var total: Int { min(added + removed + changed, JSON.largestInteger) }

    mutating func add(_ other: TreeDiffCounts) {
        added = min(added + other.added, JSON.largestInteger)
        removed = min(removed + other.removed, JSON.largestInteger)
        changed = min(changed + other.changed, JSON.largestInteger)
    }
}

extension TreeDiff {
    /// Counts what ``next()`` gives, without going to every path: two directories are compared once, however often they
    /// are at the same place. More than 2^53 is counted as 2^53.
    ///
    /// - Throws: What reading a tree throws; `malformed` when directories are too deep for any path.
    public static func counts(
        from before: ObjectID?, to after: ObjectID?, in source: any ObjectSource
    ) throws(ObjectError) -> TreeDiffCounts {
        guard before != after else { return TreeDiffCounts() }
        let reader = TreeReader(source)
        var count = DiffCount(reader: reader)
        return try count.counts(
            try before.map { (id) throws(ObjectError) in try reader.tree(id).entries } ?? [],
            try after.map { (id) throws(ObjectError) in try reader.tree(id).entries } ?? [],
            depth: 0)
    }
}

/// What is counted of two trees.
private struct DiffCount {
    /// Two directories at one path, at least one of which exists.
    private struct Pair: Hashable {
        let before: ObjectID?
        let after: ObjectID?
    }

    let reader: TreeReader
    private var known: [Pair: (counts: TreeDiffCounts, isEmpty: Bool)] = [:]
    /// More directories than this, one in the other, have no path that is short enough.
    private static let depthLimit = RelativePath.byteLimit / 2 + 1

    init(reader: TreeReader) { self.reader = reader }

    mutating func counts(
        _ before: [TreeEntry], _ after: [TreeEntry], depth: Int
    ) throws(ObjectError) -> TreeDiffCounts {
        var counts = TreeDiffCounts()
        var (left, right) = (before[...], after[...])
        while let name = [left.first?.name, right.first?.name].compactMap(\.self).min() {
            let old = left.first?.name == name ? left.removeFirst() : nil
            let new = right.first?.name == name ? right.removeFirst() : nil
            if old != new { counts.add(try compare(old, new, depth: depth)) }
        }
        return counts
    }

    private mutating func compare(
        _ before: TreeEntry?, _ after: TreeEntry?, depth: Int
    ) throws(ObjectError) -> TreeDiffCounts {
        let old = before?.mode == .directory ? before : nil
        let new = after?.mode == .directory ? after : nil
        var counts = TreeDiffCounts()
        if old != nil || new != nil {
            let below = try below(old, new, depth: depth)
            if !below.isEmpty || (old != nil && new != nil) {
                counts = below.counts
                if before != nil, old == nil { counts.add(TreeDiffCounts(removed: 1)) }
                if after != nil, new == nil { counts.add(TreeDiffCounts(added: 1)) }
                return counts
            }
        }
        if before == nil {
            counts.added = 1
        } else if after == nil {
            counts.removed = 1
        } else {
            counts.changed = 1
        }
        return counts
    }

    private mutating func below(
        _ old: TreeEntry?, _ new: TreeEntry?, depth: Int
    ) throws(ObjectError) -> (counts: TreeDiffCounts, isEmpty: Bool) {
        let pair = Pair(before: old?.id, after: new?.id)
        if let known = known[pair] { return known }
        guard depth < Self.depthLimit else {
            throw .malformed(
                old?.id ?? new?.id, as: "tree", reason: "it is in too many directories", offset: nil
            )
        }
        let before =
            try old.map { (entry) throws(ObjectError) in try reader.tree(of: entry).entries } ?? []
        let after =
            try new.map { (entry) throws(ObjectError) in try reader.tree(of: entry).entries } ?? []
        let result = (
            counts: try counts(before, after, depth: depth + 1),
            isEmpty: before.isEmpty && after.isEmpty
        )
        known[pair] = result
        return result
    }
}
