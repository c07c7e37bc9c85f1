public import Storage

/// Visits everything below a tree in the order of the paths, a directory before its content.
///
/// Keeps one tree per level in memory. A small repository can describe an enormous directory by naming one tree many
/// times. So a walk with more than ``entryLimit`` entries is refused before it begins, unless it visits each directory
/// only once.
public struct TreeWalk {
    /// Which directories a walk enters.
    public enum Visits: Sendable {
        /// All directories.
        case everyPath
        /// Only the first of several directories with equal content; the paths below the others are skipped.
        case eachDirectoryOnce
    }

    /// An entry and its path.
    public struct Element: Hashable, Sendable {
        /// The path below the root of the walk.
        public let path: RelativePath
        /// The entry at the path.
        public let entry: TreeEntry
    }

    /// The maximum number of entries in a walk, unless its caller sets another limit.
    public static let entryLimit = 10_000_000

    private struct Level {
        let path: RelativePath
        let tree: Tree
        let id: ObjectID
        var next = 0
    }

    private let reader: TreeReader
    private var levels: [Level]
    /// The directories entered so far; nil for ``Visits/everyPath``.
    private var visited: Set<ObjectID>?

    /// Begins at a tree.
    ///
    /// - Parameters:
    ///   - path: The prefix of all paths.
    ///   - limit: The most entries below the tree, for a walk of every path. They are counted first, which reads each
    ///     directory once.
    /// - Throws: The errors of reading a tree; `malformed` when there are too many entries.
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
                    reason: "it has more than \(limit) entries", offset: nil)
            }
        }
    }

    /// The next entry, or nil at the end.
    ///
    /// - Throws: The errors of reading a tree; `malformed` when a path is too long.
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

/// Counts the entries below trees; reads each directory once, however many paths lead to it.
public struct TreeCensus {
    /// The counts below a tree, each at most ``JSON/largestInteger``.
    public struct Count: Hashable, Sendable {
        /// The number of files, counting every path.
        public internal(set) var files = 0
        /// The number of files and directories, counting every path.
        public internal(set) var entries = 0

        mutating func add(_ other: Count) {
            files = min(files + other.files, JSON.largestInteger)
            entries = min(entries + other.entries, JSON.largestInteger)
        }
    }

    private let reader: TreeReader
    private var known: [ObjectID: Count] = [:]
    /// The deepest nesting of directories: a deeper one would exceed the longest path.
    static let depthLimit = RelativePath.byteLimit / 2 + 1

    /// Prepares to count trees of a source.
    public init(in source: any ObjectSource) { reader = TreeReader(source) }

    /// Counts the entries below a tree.
    ///
    /// - Throws: The errors of reading a tree; `malformed` when directories are too deep for any path.
    public mutating func count(_ root: ObjectID) throws(ObjectError) -> Count {
        try count(root, size: nil, depth: 0)
    }

    private mutating func count(
        _ id: ObjectID, size: Int?, depth: Int
    ) throws(ObjectError) -> Count {
        if let count = known[id] { return count }
        guard depth <= Self.depthLimit else {
            throw .malformed(id, as: "tree", reason: "it is nested too deeply", offset: nil)
        }
        var count = Count()
        for entry in try reader.tree(id, size: size).entries {
            guard entry.mode == .directory else {
                count.add(Count(files: 1, entries: 1))
                continue
            }
            count.add(Count(files: 0, entries: 1))
            count.add(try self.count(entry.id, size: entry.size, depth: depth + 1))
        }
        known[id] = count
        return count
    }
}
