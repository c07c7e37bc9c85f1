public import Storage

/// Goes through everything below a tree, a directory before its content, in the order of the paths.
///
/// One tree of each level is in memory. A small repository can describe an endless directory, by naming
/// one tree many times, so the number of entries is bounded.
public struct TreeWalk {
    /// An entry and where it is.
    public struct Element: Hashable, Sendable {
        /// The path below the root of the walk.
        public let path: RelativePath
        /// What is there.
        public let entry: TreeEntry
    }

    /// The most entries that a walk gives.
    public static let entryLimit = 100_000_000

    private struct Level {
        let path: RelativePath
        let tree: Tree
        let id: ObjectID
        var next = 0
    }

    private let reader: TreeReader
    private var levels: [Level]
    private var remaining: Int

    /// Begins at a tree.
    ///
    /// - Parameters:
    ///   - path: What the paths of the entries begin with.
    ///   - limit: The most entries that may follow before the walk fails.
    public init(
        _ root: ObjectID, in source: any ObjectSource, below path: RelativePath = .root,
        limit: Int = entryLimit
    ) throws(ObjectError) {
        reader = TreeReader(source)
        levels = [Level(path: path, tree: try reader.tree(root), id: root)]
        remaining = limit
    }

    /// The next entry, or nil at the end.
    ///
    /// - Throws: What reading a tree throws; `malformed` when a path is too long or there are too many
    ///   entries.
    public mutating func next() throws(ObjectError) -> Element? {
        while let level = levels.last {
            guard level.next < level.tree.entries.count else {
                levels.removeLast()
                continue
            }
            levels[levels.count - 1].next += 1
            let entry = level.tree.entries[level.next]
            guard remaining > 0 else {
                throw .malformed(
                    level.id, as: "tree", reason: "there are too many entries below it", offset: nil
                )
            }
            remaining -= 1
            let path: RelativePath
            do {
                path = try level.path.appending(entry.name)
            } catch {
                throw .malformed(level.id, as: "tree", reason: error.reason, offset: nil)
            }
            if entry.mode == .directory {
                levels.append(
                    Level(path: path, tree: try reader.tree(of: entry), id: entry.id))
            }
            return Element(path: path, entry: entry)
        }
        return nil
    }

    /// Passes over the content of the directory that ``next()`` gave last.
    public mutating func skipContent() {
        if levels.last?.next == 0, levels.count > 1 { levels.removeLast() }
    }
}
