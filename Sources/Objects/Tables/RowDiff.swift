/// The rows in which two tables differ, in key order, where those that only moved are told from others.
public struct RowDiff<Source: ObjectSource>: Sendable {
    private let moves: RowMoves
    private var diff: TableDiff<Source>
    private var origins: RowFinder<Source>
    /// The second change of a key at which there are two.
    private var pending: RowChange?

    /// Compares two tables.
    ///
    /// - Parameter moves: What moved between them.
    public init(
        from first: Table, to second: Table, moves: RowMoves, in source: Source
    ) throws(ObjectError) {
        self.moves = moves
        diff = try TableDiff(from: first, to: second, in: source)
        origins = RowFinder(first, in: source)
    }

    /// The next row that differs, or nil at the end. What moved comes under the key that it has now.
    public mutating func next() throws(ObjectError) -> RowChange? {
        if let change = pending {
            pending = nil
            return change
        }
        while let change = try diff.next() {
            let key = Array(change.key.utf8)
            let hasLeft = moves.departed.contains(key)
            switch change {
            case .removed(let row):
                if !hasLeft { return .removed(row) }
            case .added(let row): return try movement(of: row, key) ?? .added(row)
            case .changed(let before, let after):
                if let moved = try movement(of: after, key) {
                    if !hasLeft { pending = .removed(before) }
                    return moved
                }
                return hasLeft ? .added(after) : .changed(from: before, to: after)
            }
        }
        return nil
    }

    /// How a row came to its key; nil when it did not move.
    private mutating func movement(
        of row: TableRow, _ key: [UInt8]
    ) throws(ObjectError) -> RowChange? {
        guard let origin = moves.origins[key], let before = try origins.row(for: origin) else {
            return nil
        }
        return .moved(from: before, to: row)
    }
}

/// Finds rows of a table by their keys; a leaf is read once for neighbours that are asked for one after another.
public struct RowFinder<Source: ObjectSource>: Sendable {
    private let table: Table
    private let source: Source
    private var leaf: TableLeaf?

    /// Looks into a table; reads nothing yet.
    public init(_ table: Table, in source: Source) {
        self.table = table
        self.source = source
    }

    /// The row with this key, or nil.
    public mutating func row(for key: [UInt8]) throws(ObjectError) -> TableRow? {
        guard let (leaf, index) = try place(notBelow: key),
            leaf.bytes[leaf.keyRange(index)] == key[...]
        else { return nil }
        return try leaf.row(at: index)
    }

    /// Whether the key of any row begins so.
    public mutating func hasRow(beginning prefix: [UInt8]) throws(ObjectError) -> Bool {
        guard let (leaf, index) = try place(notBelow: prefix) else { return false }
        return leaf.bytes[leaf.keyRange(index)].starts(with: prefix)
    }

    /// The first row whose key is not below another; nil at the end.
    private mutating func place(
        notBelow key: [UInt8]
    ) throws(ObjectError) -> (leaf: TableLeaf, index: Int)? {
        if let leaf {
            let index = leaf.firstIndex(notBelow: key.span)
            // Before the first row of a leaf there may be others, of the leaf before it.
            if index < leaf.count,
                index > 0 || leaf.bytes[leaf.keyRange(0)] == key[...]
            {
                return (leaf, index)
            }
        }
        var cursor = TableCursor(table, from: String(decoding: key, as: UTF8.self), in: source)
        leaf = try cursor.nextLeaf()
        guard let leaf else { return nil }
        let index = leaf.firstIndex(notBelow: key.span)
        return index < leaf.count ? (leaf, index) : nil
    }
}
