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
                let children = place.children(of: inner.node)
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
