public import Storage

/// An ordered map from keys to rows, stored as a prolly tree of objects: a B-tree whose content decides where nodes
/// end.
///
/// The same rows and dimension always give the same root, on every machine and in any order of building. Parts that two
/// tables share are stored once, and a comparison skips them.
public struct Table: Hashable, Sendable {
    /// The identity of the node above all rows.
    public let root: ObjectID
    /// The number of rows.
    public let rows: Int
    /// The length of every row's vector; 0 for a table without vectors.
    public let dimension: Int

    /// Describes a known table. Reads compare the root with this description and refuse a root that differs.
    public init(root: ObjectID, rows: Int, dimension: Int) {
        self.root = root
        self.rows = rows
        self.dimension = dimension
    }

    /// Opens the table with this root.
    ///
    /// - Throws: `missing`, or `malformed` when the object is not a table node.
    public init(root: ObjectID, in source: some ObjectSource) throws(ObjectError) {
        let bytes = try source.read(root, limit: TableLimits.nodeBytes)
        let node = try TableNode(bytes, id: root)
        self.init(root: root, rows: node.rows, dimension: node.dimension)
    }

    /// Stores rows in any order as a table.
    ///
    /// - Throws: `invalid` when a key appears twice, or a row does not fit (see ``TableBuilder/append(_:)``).
    public static func build(
        rows: some Sequence<TableRow>, dimension: Int, in sink: some ObjectSink
    ) throws(ObjectError) -> Table {
        let sorted = rows.sorted { TableRow.precedes($0.key, $1.key) }
        var builder = try TableBuilder(dimension: dimension, in: sink)
        for row in sorted { try builder.append(row) }
        return try builder.finish()
    }

    /// The row with this key, or nil; reads one node per level.
    public func row(
        for key: String, in source: some ObjectSource
    ) throws(ObjectError) -> TableRow? {
        let key = Array(key.utf8)
        let reader = TableReader(self, in: source)
        var place = TablePlace.root(of: self)
        while true {
            switch try reader.node(at: place) {
            case .leaf(let leaf):
                let index = leaf.firstIndex(notBelow: key.span)
                guard index < leaf.count, leaf.bytes[leaf.keyRange(index)] == key[...] else {
                    return nil
                }
                return try leaf.row(at: index)
            case .inner(let inner):
                let children = place.children(of: inner)
                guard let child = children.first(where: { $0.reaches(key.span) }) else {
                    return nil
                }
                place = child
            }
        }
    }

    /// Reads and checks every node and the attributes of every row.
    ///
    /// - Throws: The first problem.
    public func check(in source: some ObjectSource) throws(ObjectError) {
        var cursor = TableCursor(self, in: source)
        while let leaf = try cursor.nextLeaf() {
            for index in 0..<leaf.count { _ = try leaf.attributes(at: index) }
        }
    }
}

extension Table {
    /// Stores the rows of JSON Lines, in any order, as a table.
    ///
    /// When this throws, the caller must drop `store`; then nothing has been stored. Memory is bounded: unordered rows
    /// that do not fit in memory go to scratch space.
    ///
    /// - Parameters:
    ///   - source: The rows.
    ///   - predecessor: An older version of the table. Changed nodes may be stored as deltas against its nodes; the
    ///     resulting table is the same as without it.
    ///   - store: Receives nodes, and holds those of `predecessor`.
    ///   - threads: The number of threads that parse and store; the table does not depend on this number.
    ///   - makeScratch: Returns space for rows that do not fit in memory.
    /// - Returns: The table; its dimension is 0 when there are no rows.
    /// - Throws: `invalid` with the line, or with both lines when a key appears twice.
    public static func importing(
        _ source: JSONLinesSource, succeeding predecessor: Table? = nil,
        in store: some ObjectStore, threads: Int = Threads.available,
        makeScratch: @escaping () throws(ObjectError) -> any StagedBlob
    ) throws(ObjectError) -> Table {
        try TableImport(
            source: source, predecessor: predecessor, store: store, threads: threads
        ).run(makeScratch: makeScratch)
    }
}

/// The limits of a table.
public enum TableLimits {
    /// The most bytes in a key. Nodes above the leaves repeat some keys, and an inner node must hold at least two keys
    /// before it can end.
    public static let keyBytes = 1024

    /// The maximum number of bytes in a row's attributes, as canonical JSON. A document fits; a file belongs in a tree.
    public static let attributeBytes = 16 << 20

    /// The maximum number of numbers in a vector. The widest embeddings in use have a few thousand.
    public static let dimension = 65_536

    /// The maximum number of levels, counting the leaves. With two children per node, 64 levels hold 2^63 rows.
    public static let height = 64

    /// The maximum number of bytes in a node: a leaf one byte short of a forced cut, plus the largest row.
    package static let nodeBytes =
        4 * TableBoundary.leafTarget + keyBytes + attributeBytes + 4 * dimension + 1024
}
