internal import Storage

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
