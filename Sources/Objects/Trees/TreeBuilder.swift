public import Storage

/// Collects files and writes the trees that list them.
public struct TreeBuilder: Sendable {
    private struct Item {
        let path: RelativePath
        /// Nil for a directory added by ``addDirectory(_:)``.
        let file: (mode: TreeEntry.Mode, size: Int, id: ObjectID)?
    }

    private var items: [Item] = []

    /// Begins without files.
    public init() {}

    /// Adds a stored file. Paths may come in any order.
    public mutating func add(
        _ path: RelativePath, isExecutable: Bool = false, size: Int, id: ObjectID
    ) {
        items.append(Item(path: path, file: (isExecutable ? .executable : .file, size, id)))
    }

    /// Adds a directory, so that it exists even if nothing is added below it.
    public mutating func addDirectory(_ path: RelativePath) {
        items.append(Item(path: path, file: nil))
    }

    /// Writes the trees from the bottom up.
    ///
    /// - Parameter predecessor: A similar older tree; directories may be stored as deltas against its directories.
    ///   If a part of it cannot be read, only the saving is lost.
    /// - Returns: The root, with the counts of everything below it.
    /// - Throws: `invalid` when two files have the same path, a file has the path of a directory, names differ only in
    ///   case, a directory has too many entries, or the sum of the sizes is out of range.
    public consuming func write(
        into sink: some ObjectSink,
        succeeding predecessor: (tree: ObjectID, source: any ObjectSource)? = nil
    ) throws(ObjectError) -> TreeSummary {
        var stack = OpenDirectories(sink: sink, succeeding: predecessor)
        var previous: Item?
        for item in items.sorted(by: { $0.path < $1.path }) {
            let names = item.path.names
            guard let file = item.file else {
                try stack.enter(names[...])
                continue
            }
            guard let name = names.last, previous?.file == nil || previous?.path != item.path else {
                throw .invalid(
                    what: names.isEmpty ? "a file" : item.path.description,
                    reason: names.isEmpty ? "it needs a name in the tree" : "it is named twice")
            }
            try stack.enter(names.dropLast())
            try stack.add(
                TreeEntry(name: name, mode: file.mode, size: file.size, id: file.id))
            previous = item
        }
        return try stack.finish()
    }
}

/// A tree, with the number of all files below it and the sum of their sizes.
public struct TreeSummary: Hashable, Sendable {
    /// The identity of the tree.
    public let id: ObjectID
    /// The number of files; directories are not counted.
    public let files: Int
    /// The sum of the sizes of the files in bytes.
    public let bytes: Int

    /// The tree as the content of a snapshot.
    public var content: Content { .tree(id, files: files, bytes: bytes) }
}

/// The directories on the path from the root to the current one.
private struct OpenDirectories<Sink: ObjectSink> {
    private struct Level {
        /// The directory at the same path in the predecessor.
        let earlier: (id: ObjectID, tree: Tree)?
        var entries: [TreeEntry] = []
    }

    private let sink: Sink
    private let reader: TreeReader?
    private var current: Level
    /// The path of the current directory.
    private var path: [FileName] = []
    /// The directories above the current one, the root first.
    private var parents: [Level] = []
    private var files = 0
    private var bytes = 0

    init(sink: Sink, succeeding predecessor: (tree: ObjectID, source: any ObjectSource)?) {
        self.sink = sink
        let reader = predecessor.map { TreeReader($0.source) }
        self.reader = reader
        let earlier = predecessor.flatMap { predecessor in
            (try? reader?.tree(predecessor.tree)).map { (predecessor.tree, $0) }
        }
        current = Level(earlier: earlier)
    }

    /// Closes and opens directories until the one at `path` is the current one.
    mutating func enter(_ path: ArraySlice<FileName>) throws(ObjectError) {
        let common = zip(self.path, path).prefix { $0 == $1 }.count
        while parents.count > common { try close() }
        for name in path.dropFirst(common) {
            var earlier: (id: ObjectID, tree: Tree)?
            if let entry = current.earlier?.tree[name], entry.mode == .directory {
                earlier = (try? reader?.tree(of: entry)).map { (entry.id, $0) }
            }
            parents.append(current)
            self.path.append(name)
            current = Level(earlier: earlier)
        }
    }

    mutating func add(_ entry: TreeEntry) throws(ObjectError) {
        let (sum, overflow) = bytes.addingReportingOverflow(entry.size)
        guard !overflow, sum <= TreeEntry.sizeLimit else {
            throw .invalid(what: "the files", reason: "the sum of their sizes is out of range")
        }
        bytes = sum
        files += 1
        current.entries.append(entry)
    }

    private mutating func close() throws(ObjectError) {
        let (id, size) = try writeCurrent()
        guard let name = path.popLast(), let parent = parents.popLast() else { return }
        current = parent
        current.entries.append(TreeEntry(name: name, mode: .directory, size: size, id: id))
    }

    private func writeCurrent() throws(ObjectError) -> (id: ObjectID, size: Int) {
        let path = path.map(\.description).joined(separator: "/")
        let tree: Tree
        do {
            tree = try Tree(current.entries)
        } catch .invalid(let name, let reason) {
            throw .invalid(what: path.isEmpty ? name : "\(path)/\(name)", reason: reason)
        } catch {
            throw error
        }
        let bytes = tree.encoded
        guard bytes.count <= structuredObjectLimit else {
            throw .invalid(
                what: path.isEmpty ? "the directory" : path, reason: "it has too many entries")
        }
        let id = try sink.write(bytes, hint: .structured, predecessor: current.earlier?.id)
        return (id, bytes.count)
    }

    mutating func finish() throws(ObjectError) -> TreeSummary {
        while !parents.isEmpty { try close() }
        return TreeSummary(id: try writeCurrent().id, files: files, bytes: bytes)
    }
}
