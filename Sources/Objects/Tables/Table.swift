public import Storage

/// An ordered map from keys to rows, held in a prolly tree (a B-tree whose nodes end where the content
/// says) of objects.
///
/// The same rows and dimension have the same root, however and by whomever they were put together, and
/// a part that two tables share is stored and compared once.
public struct Table: Hashable, Sendable {
    /// The node above all rows.
    public let root: ObjectID
    /// The number of rows.
    public let rows: Int
    /// The length of every row's vector; 0 for a table without vectors.
    public let dimension: Int

    /// Names a table that is known; reads compare the root with this and refuse another.
    public init(root: ObjectID, rows: Int, dimension: Int) {
        self.root = root
        self.rows = rows
        self.dimension = dimension
    }

    /// Opens the table with this root.
    ///
    /// - Throws: `missing`, or `malformed` when the object is no root of a table.
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

    /// The row with this key, or nil; reads one node a level.
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

    /// Reads and checks every node and every row's attributes.
    ///
    /// - Throws: the first thing that is missing or wrong.
    public func check(in source: some ObjectSource) throws(ObjectError) {
        var cursor = TableCursor(self, in: source)
        while let leaf = try cursor.nextLeaf() {
            for index in 0..<leaf.count { _ = try leaf.attributes(at: index) }
        }
    }
}

extension Table {
    /// Stores the rows of JSON Lines, which may come in any order, as a table.
    ///
    /// A caller that drops `store` when this throws has stored nothing. Memory is bounded: rows that are not in order
    /// and do not fit wait in scratch space.
    ///
    /// - Parameters:
    ///   - source: The rows.
    ///   - predecessor: A table that the new one is a change of. Only what differs is written then, as a
    ///     difference against it; the table is the same as one of the rows alone.
    ///   - store: Where nodes go, and where those of `predecessor` are.
    ///   - threads: How many threads parse and store; the table does not depend on it.
    ///   - makeScratch: Gives space for rows that do not fit into memory.
    /// - Returns: The table; its dimension is 0 when there are no rows.
    /// - Throws: `invalid` with the line, or both lines when a key appears twice.
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

/// What a table may hold.
public enum TableLimits {
    /// The most bytes of a key: a key stands in every node above its row, and an inner node must hold
    /// at least two before its minimum size.
    public static let keyBytes = 1024

    /// The most bytes of a row's attributes as canonical JSON: a document fits, a file belongs in a tree.
    public static let attributeBytes = 16 << 20

    /// The most numbers of a vector; the widest embeddings in use have a few thousand.
    public static let dimension = 65_536

    /// The most levels, leaves included; two children a node reach 2^63 rows within it.
    public static let height = 64

    /// The most bytes of one node: a leaf one byte short of a forced cut, and then the largest row.
    package static let nodeBytes =
        4 * TableBoundary.leafTarget + keyBytes + attributeBytes + 4 * dimension + 1024
}
