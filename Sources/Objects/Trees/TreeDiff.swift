public import Storage

/// A file, or an empty directory, that two trees do not have in common.
public struct TreeChange: Hashable, Sendable {
    /// Where it is.
    public let path: RelativePath
    /// What was there, or nil.
    public let before: TreeEntry?
    /// What is there now, or nil.
    public let after: TreeEntry?
}

/// Finds what differs between two trees.
///
/// Equal subtrees are not read, so the work follows the change.
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

    /// Begins a comparison; nil stands for an empty tree.
    public init(
        from before: ObjectID?, to after: ObjectID?, in source: any ObjectSource
    ) throws(ObjectError) {
        reader = TreeReader(source)
        guard before != after else { return }
        var old: ArraySlice<TreeEntry> = []
        var new: ArraySlice<TreeEntry> = []
        if let before { old = try reader.tree(before).entries[...] }
        if let after { new = try reader.tree(after).entries[...] }
        pairs = [Pair(path: .root, before: old, after: new)]
    }

    /// The next change in the order of the paths, or nil at the end.
    ///
    /// A change between a file and a directory is given as a removal and additions.
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

    /// The entries with the lowest name that is left, on either side.
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
        var pair = Pair(path: path, before: [], after: [])
        if let old { pair.before = try reader.tree(of: old).entries[...] }
        if let new { pair.after = try reader.tree(of: new).entries[...] }
        // A directory that is empty on its only side has nothing else to tell of it.
        let isWhole = old == nil || new == nil
        if isWhole, pair.before.isEmpty, pair.after.isEmpty {
            return TreeChange(path: path, before: before, after: after)
        }
        pairs.append(pair)
        // What is a file on the other side goes or comes before the content.
        if let before, old == nil { return TreeChange(path: path, before: before, after: nil) }
        if let after, new == nil { return TreeChange(path: path, before: nil, after: after) }
        return nil
    }

    private mutating func path(
        of name: FileName, in parent: RelativePath
    ) throws(ObjectError) -> RelativePath {
        remaining -= 1
        guard remaining > 0 else {
            throw .malformed(nil, as: "tree", reason: "there are too many entries", offset: nil)
        }
        do {
            return try parent.appending(name)
        } catch {
            throw .malformed(nil, as: "tree", reason: error.reason, offset: nil)
        }
    }
}

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
