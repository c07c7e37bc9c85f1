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
