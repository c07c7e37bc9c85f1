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

/// Counts what is below trees, reading each directory once, however many paths lead to it.
public struct TreeCensus {
    /// What is below a tree; more than 2^53 is counted as 2^53, the most that JSON holds.
    public struct Count: Hashable, Sendable {
        /// Files, at all paths.
        public internal(set) var files = 0
        /// Files and directories, at all paths.
        public internal(set) var entries = 0

        mutating func add(_ other: Count) {
            files = min(files + other.files, JSON.largestInteger)
            entries = min(entries + other.entries, JSON.largestInteger)
        }
    }

    private let reader: TreeReader
    private var known: [ObjectID: Count] = [:]
    /// More directories than this, one in the other, have no path that is short enough.
    private static let depthLimit = RelativePath.byteLimit / 2 + 1

    /// Counts trees of a source.
    public init(in source: any ObjectSource) { reader = TreeReader(source) }

    /// What is below a tree.
    ///
    /// - Throws: What reading a tree throws; `malformed` when directories are too deep for any path.
    public mutating func count(_ root: ObjectID) throws(ObjectError) -> Count {
        /// A tree that is being counted.
        struct Level {
            let id: ObjectID
            let entries: [TreeEntry]
            var next = 0
            var count = Count()
        }
        if let count = known[root] { return count }
        var levels = [Level(id: root, entries: try reader.tree(root).entries)]
        while var level = levels.popLast() {
            var below: TreeEntry?
            while level.next < level.entries.count {
                let entry = level.entries[level.next]
                if entry.mode != .directory {
                    level.count.add(Count(files: 1, entries: 1))
                } else if let count = known[entry.id] {
                    level.count.add(count)
                    level.count.add(Count(files: 0, entries: 1))
                } else {
                    below = entry
                    break
                }
                level.next += 1
            }
            guard let below else {
                known[level.id] = level.count
                continue
            }
            guard levels.count < Self.depthLimit else {
                throw .malformed(
                    below.id, as: "tree", reason: "it is in too many directories", offset: nil)
            }
            let tree = try reader.tree(of: below)
            levels.append(level)
            levels.append(Level(id: below.id, entries: tree.entries))
        }
        return known[root] ?? Count()
    }
}
