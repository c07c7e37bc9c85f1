public import Storage

/// Collects files and makes the trees that hold them.
public struct TreeBuilder: Sendable {
    private struct Item {
        let path: RelativePath
        // Nil for a directory that may be empty.
        let file: (mode: TreeEntry.Mode, size: Int, id: ObjectID)?
    }

    private var items: [Item] = []

    /// Begins without any files.
    public init() {}

    /// Adds a file that is stored already. Paths may come in any order.
    public mutating func add(
        _ path: RelativePath, isExecutable: Bool = false, size: Int, id: ObjectID
    ) {
        items.append(Item(path: path, file: (isExecutable ? .executable : .file, size, id)))
    }

    /// Adds a directory, which stays empty if nothing else is added below it.
    public mutating func addDirectory(_ path: RelativePath) {
        items.append(Item(path: path, file: nil))
    }

    /// Writes the trees from the bottom up.
    ///
    /// - Parameter predecessor: A tree that the new one is a small change of; large directories may be stored as
    ///   differences against its. What of it cannot be read costs what it would have saved.
    /// - Returns: The root, and what is below it.
    /// - Throws: `invalid` when two files have the same path or one has another's directory as its path,
    ///   when names differ only in case, or when a directory has too many entries.
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

/// What a tree holds, with everything below it.
public struct TreeSummary: Hashable, Sendable {
    /// The tree.
    public let id: ObjectID
    /// The number of files, directories not counted.
    public let files: Int
    /// The sum of the sizes of the files in bytes.
    public let bytes: Int

    /// The same as the content of a snapshot.
    public var content: Content { .tree(id, files: files, bytes: bytes) }
}

/// The directories from the root to the one that is being filled.
private struct OpenDirectories<Sink: ObjectSink> {
    private struct Level {
        let name: FileName
        /// The directory in the place of this one before, and its entries.
        let earlier: (id: ObjectID, tree: Tree)?
        var entries: [TreeEntry] = []
    }

    private let sink: Sink
    private let reader: TreeReader?
    private let earlierRoot: (id: ObjectID, tree: Tree)?
    private var root: [TreeEntry] = []
    private var levels: [Level] = []
    private var files = 0
    private var bytes = 0

    init(sink: Sink, succeeding predecessor: (tree: ObjectID, source: any ObjectSource)?) {
        self.sink = sink
        let reader = predecessor.map { TreeReader($0.source) }
        self.reader = reader
        earlierRoot = predecessor.flatMap { predecessor in
            (try? reader?.tree(predecessor.tree)).map { (predecessor.tree, $0) }
        }
    }

    /// The directory of a name in the directory that is open, as it was before.
    private func earlier(_ name: FileName) -> (id: ObjectID, tree: Tree)? {
        let parent = levels.isEmpty ? earlierRoot?.tree : levels.last?.earlier?.tree
        guard let entry = parent?[name], entry.mode == .directory else { return nil }
        return (try? reader?.tree(of: entry)).map { (entry.id, $0) }
    }

    /// Closes and opens directories until the path is the open one.
    mutating func enter(_ path: ArraySlice<FileName>) throws(ObjectError) {
        var common = 0
        for (level, name) in zip(levels, path) {
            guard level.name == name else { break }
            common += 1
        }
        while levels.count > common { try close() }
        for name in path.dropFirst(common) {
            levels.append(Level(name: name, earlier: earlier(name)))
        }
    }

    mutating func add(_ entry: TreeEntry) throws(ObjectError) {
        let (sum, overflow) = bytes.addingReportingOverflow(entry.size)
        guard !overflow, sum <= TreeEntry.sizeLimit else {
            throw .invalid(what: "the files", reason: "the sum of their sizes is out of range")
        }
        bytes = sum
        files += 1
        append(entry)
    }

    private mutating func append(_ entry: TreeEntry) {
        if levels.isEmpty {
            root.append(entry)
        } else {
            levels[levels.count - 1].entries.append(entry)
        }
    }

    private mutating func close() throws(ObjectError) {
        let path = levels.map(\.name.description).joined(separator: "/")
        let level = levels.removeLast()
        let (id, size) = try write(level.entries, path, succeeding: level.earlier?.id)
        append(TreeEntry(name: level.name, mode: .directory, size: size, id: id))
    }

    private func write(
        _ entries: [TreeEntry], _ path: String, succeeding predecessor: ObjectID?
    ) throws(ObjectError) -> (ObjectID, size: Int) {
        let tree: Tree
        do {
            tree = try Tree(entries)
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
        let id = try sink.write(bytes, hint: .structured, predecessor: predecessor)
        return (id, bytes.count)
    }

    mutating func finish() throws(ObjectError) -> TreeSummary {
        while !levels.isEmpty { try close() }
        let id = try write(root, "", succeeding: earlierRoot?.id).0
        return TreeSummary(id: id, files: files, bytes: bytes)
    }
}
