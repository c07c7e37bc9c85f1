public import Storage

/// A file, or an empty directory, that differs between two trees.
public struct TreeChange: Hashable, Sendable {
    /// The path in both trees.
    public let path: RelativePath
    /// The entry in the first tree, or nil.
    public let before: TreeEntry?
    /// The entry in the second tree, or nil.
    public let after: TreeEntry?
}

/// Finds the differences between two trees.
///
/// Skips equal subtrees without reading them, so the work is proportional to the change.
public struct TreeDiff {
    /// Two directories at one path, at least one of which exists.
    private struct Pair {
        let path: RelativePath
        var before: ArraySlice<TreeEntry>
        var after: ArraySlice<TreeEntry>
    }

    private let reader: TreeReader
    private var pairs: [Pair] = []
    private var remaining = TreeWalk.entryLimit

    /// Prepares a comparison; nil stands for an empty tree.
    public init(
        from before: ObjectID?, to after: ObjectID?, in source: any ObjectSource
    ) throws(ObjectError) {
        reader = TreeReader(source)
        guard before != after else { return }
        pairs = [
            Pair(
                path: .root, before: try reader.entries(of: before)[...],
                after: try reader.entries(of: after)[...])
        ]
    }

    /// The next change in the order of the paths, or nil at the end.
    ///
    /// A file that becomes a directory, or the reverse, is reported as removals and additions; if the directory is
    /// empty, as one change.
    ///
    /// - Throws: The errors of reading a tree; `malformed` when there are too many entries or a path is too long.
    public mutating func next() throws(ObjectError) -> TreeChange? {
        while let pair = pairs.last {
            let (before, after) = Self.first(of: pair)
            if before != nil { pairs[pairs.count - 1].before.removeFirst() }
            if after != nil { pairs[pairs.count - 1].after.removeFirst() }
            guard let name = before?.name ?? after?.name else {
                pairs.removeLast()
                continue
            }
            guard before != after else { continue }
            let path = try path(of: name, in: pair.path)
            if let change = try compare(before, after, path) { return change }
        }
        return nil
    }

    /// The entries with the lowest remaining name on either side.
    private static func first(of pair: Pair) -> (TreeEntry?, TreeEntry?) {
        guard let before = pair.before.first else { return (nil, pair.after.first) }
        guard let after = pair.after.first else { return (before, nil) }
        if before.name < after.name { return (before, nil) }
        return after.name < before.name ? (nil, after) : (before, after)
    }

    private mutating func compare(
        _ before: TreeEntry?, _ after: TreeEntry?, _ path: RelativePath
    ) throws(ObjectError) -> TreeChange? {
        let old = before?.mode == .directory ? before : nil
        let new = after?.mode == .directory ? after : nil
        guard old != nil || new != nil else {
            return TreeChange(path: path, before: before, after: after)
        }
        let pair = Pair(
            path: path, before: try reader.entries(of: old)[...],
            after: try reader.entries(of: new)[...])
        // An empty directory on one side only is a change, because it has no files to report.
        let isWhole = old == nil || new == nil
        if isWhole, pair.before.isEmpty, pair.after.isEmpty {
            return TreeChange(path: path, before: before, after: after)
        }
        pairs.append(pair)
        // A file on the other side is reported before the content of the directory.
        if let before, old == nil { return TreeChange(path: path, before: before, after: nil) }
        if let after, new == nil { return TreeChange(path: path, before: nil, after: after) }
        return nil
    }

    private mutating func path(
        of name: FileName, in parent: RelativePath
    ) throws(ObjectError) -> RelativePath {
        remaining -= 1
        guard remaining > 0 else {
            throw .malformed(nil, as: "tree", reason: "it has too many entries", offset: nil)
        }
        do {
            return try parent.appending(name)
        } catch {
            throw .malformed(nil, as: "tree", reason: error.reason, offset: nil)
        }
    }
}

/// The number of files that differ between two trees; a directory that exists in one tree only, and is empty, counts
/// as a file.
public struct TreeDiffCounts: Hashable, Sendable {
    /// The number of files that only the second tree has.
    public internal(set) var added = 0
    /// The number of files that only the first tree has.
    public internal(set) var removed = 0
    /// The number of files that both trees have, with different content or mode.
    public internal(set) var changed = 0

    /// The number of all differences, at most 2^53.
    public var total: Int { min(added + removed + changed, JSON.largestInteger) }

    mutating func add(_ other: TreeDiffCounts) {
        added = min(added + other.added, JSON.largestInteger)
        removed = min(removed + other.removed, JSON.largestInteger)
        changed = min(changed + other.changed, JSON.largestInteger)
    }
}

extension TreeDiff {
    /// Counts the changes that ``next()`` reports, without visiting every path: two directories are compared once,
    /// however many paths lead to both. Each count is at most 2^53.
    ///
    /// - Throws: The errors of reading a tree; `malformed` when directories are too deep for any path.
    public static func counts(
        from before: ObjectID?, to after: ObjectID?, in source: any ObjectSource
    ) throws(ObjectError) -> TreeDiffCounts {
        guard before != after else { return TreeDiffCounts() }
        let reader = TreeReader(source)
        var count = DiffCount(reader: reader)
        return try count.counts(
            reader.entries(of: before), reader.entries(of: after), depth: 0)
    }
}

/// Counts the differences between two trees.
private struct DiffCount {
    /// Two directories at one path, at least one of which exists.
    private struct Pair: Hashable {
        let before: ObjectID?
        let after: ObjectID?
    }

    private let reader: TreeReader
    private var known: [Pair: (counts: TreeDiffCounts, isEmpty: Bool)] = [:]

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
        guard depth < TreeCensus.depthLimit else {
            throw .malformed(
                old?.id ?? new?.id, as: "tree", reason: "it is nested too deeply", offset: nil)
        }
        let before = try reader.entries(of: old)
        let after = try reader.entries(of: new)
        let result = (
            counts: try counts(before, after, depth: depth + 1),
            isEmpty: before.isEmpty && after.isEmpty
        )
        known[pair] = result
        return result
    }
}
