/// Reads a table's rows in key order, leaf by leaf; memory is one node a level.
public struct TableCursor<Source: ObjectSource>: Sendable {
    private let reader: TableReader<Source>
    /// The places still to visit, the nearest last.
    private var ahead: [TablePlace]
    private let start: [UInt8]
    private var leaf: TableLeaf?
    private var index = 0

    /// Begins at the first row whose key is not below `key`.
    public init(_ table: Table, from key: String = "", in source: Source) {
        reader = TableReader(table, in: source)
        ahead = [.root(of: table)]
        start = Array(key.utf8)
    }

    /// The next row, or nil at the end.
    public mutating func next() throws(ObjectError) -> TableRow? {
        while true {
            if let leaf, index < leaf.count {
                defer { index += 1 }
                return try leaf.row(at: index)
            }
            leaf = try nextLeaf()
            guard let leaf else { return nil }
            index = leaf.firstIndex(notBelow: start.span)
        }
    }

    /// The next leaf of which ``next()`` gave no row yet, or nil at the end; the fast way to read keys
    /// and vectors.
    ///
    /// The first leaf holds the start key's place, so it may begin with rows below it.
    public mutating func nextLeaf() throws(ObjectError) -> TableLeaf? {
        leaf = nil
        while let place = ahead.popLast() {
            switch try reader.node(at: place) {
            case .leaf(let leaf): return leaf
            case .inner(let inner):
                ahead += place.children(of: inner.node).filter { $0.reaches(start.span) }.reversed()
            }
        }
        return nil
    }
}
