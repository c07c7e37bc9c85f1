public import Storage

/// Goes through everything below a tree, a directory before its content, in the order of the paths.
///
/// One tree of each level is in memory. A small repository can describe a directory without end, by naming one tree many
/// times: a walk that would give more than ``entryLimit`` entries is refused before it begins, and one that need not
/// see equal directories twice visits each once.
public struct TreeWalk {
    /// Which directories are entered.
    public enum Visits: Sendable {
        /// All of them.
        case everyPath
        /// The first of those that have the same content; the paths of the others are left out.
        case eachDirectoryOnce
    }

    /// An entry and where it is.
    public struct Element: Hashable, Sendable {
        /// The path below the root of the walk.
        public let path: RelativePath
        /// What is there.
        public let entry: TreeEntry
    }

    /// The most entries that a walk gives.
    public static let entryLimit = 10_000_000

    private struct Level {
        let path: RelativePath
        let tree: Tree
        let id: ObjectID
        var next = 0
    }

    private let reader: TreeReader
    private var levels: [Level]
    /// The directories that were entered; nil where that does not matter.
    private var visited: Set<ObjectID>?

    /// Begins at a tree.
    ///
    /// - Parameters:
    ///   - path: What the paths of the entries begin with.
    ///   - limit: The most entries that there may be below it. They are counted first, which reads each directory once.
    /// - Throws: What reading a tree throws; `malformed` when there are too many entries.
    public init(
        _ root: ObjectID, in source: any ObjectSource, below path: RelativePath = .root,
        visiting visits: Visits = .everyPath, limit: Int = entryLimit
    ) throws(ObjectError) {
        reader = TreeReader(source)
        levels = [Level(path: path, tree: try reader.tree(root), id: root)]
        switch visits {
        case .eachDirectoryOnce: visited = [root]
        case .everyPath:
            var census = TreeCensus(in: source)
            let count = try census.count(root)
            guard count.entries <= limit else {
                throw .malformed(
                    root, as: "tree",
                    reason: "there are too many entries below it, more than \(limit)", offset: nil)
            }
        }
    }

    /// The next entry, or nil at the end.
    ///
    /// - Throws: What reading a tree throws; `malformed` when a path is too long.
    public mutating func next() throws(ObjectError) -> Element? {
        while let level = levels.last {
            guard level.next < level.tree.entries.count else {
                levels.removeLast()
                continue
            }
            levels[levels.count - 1].next += 1
            let entry = level.tree.entries[level.next]
            let path: RelativePath
            do {
                path = try level.path.appending(entry.name)
            } catch {
                throw .malformed(level.id, as: "tree", reason: error.reason, offset: nil)
            }
            if entry.mode == .directory, visited?.insert(entry.id).inserted ?? true {
                levels.append(
                    Level(path: path, tree: try reader.tree(of: entry), id: entry.id))
            }
            return Element(path: path, entry: entry)
        }
        return nil
    }
}
