public import Objects

/// A features table, opened for retrieval: all keys and vectors in memory, texts read when they are needed.
public struct FeatureIndex: Sendable {
    /// The table.
    public let table: Table
    /// The keys, in order.
    public let keys: [String]
    /// The vectors, one row per key.
    public let vectors: VectorSearch

    /// Reads the keys and vectors of a table.
    ///
    /// - Throws: `invalid` when the table has no vectors; what reading nodes throws.
    public init(_ table: Table, in source: some ObjectSource) throws(ObjectError) {
        guard table.dimension > 0 else {
            throw .invalid(what: "the features", reason: "their rows have no vectors")
        }
        var keys: [String] = []
        var values: [Float] = []
        keys.reserveCapacity(table.rows)
        values.reserveCapacity(table.rows * table.dimension)
        var cursor = TableCursor(table, in: source)
        while let leaf = try cursor.nextLeaf() {
            keys.append(contentsOf: leaf.keys)
            leaf.appendVectors(to: &values)
        }
        self.table = table
        self.keys = keys
        vectors = VectorSearch(dimension: table.dimension, values: values)
    }

    /// The number of rows.
    public var count: Int { keys.count }

    /// The chunks of a section.
    public func rows(document: String, section: String) -> Range<Int> {
        let prefix = Array(FeatureRow.keyPrefix(document: document, section: section).utf8)
        let first = firstRow { !$0.lexicographicallyPrecedes(prefix) }
        let end = firstRow { !$0.lexicographicallyPrecedes(prefix) && !$0.starts(with: prefix) }
        return first..<end
    }

    /// The chunks of the section that a row belongs to: the row alone when its key has no section.
    public func section(of row: Int) -> [Int] {
        let key = Array(keys[row].utf8)
        guard let slash = key.lastIndex(of: 0x2F) else { return [row] }
        let prefix = key[...slash]
        var first = row
        while first > 0, keys[first - 1].utf8.starts(with: prefix) { first -= 1 }
        var end = row + 1
        while end < keys.count, keys[end].utf8.starts(with: prefix) { end += 1 }
        return Array(first..<end)
    }

    /// The first row from which on a condition holds.
    private func firstRow(where holds: (String.UTF8View) -> Bool) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if holds(keys[middle].utf8) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The attributes of some rows, in the order of `indices`.
    ///
    /// - Throws: `malformed` when a row is no features row; what reading nodes throws.
    public func rows(
        at indices: [Int], in source: some ObjectSource
    ) throws(ObjectError) -> [FeatureRow] {
        var rows: [FeatureRow] = []
        rows.reserveCapacity(indices.count)
        // Finding a row by its key reads a node a level: above an eighth of all rows, reading all is faster.
        if indices.count * 8 > count {
            let wanted = Set(indices)
            var found: [Int: FeatureRow] = [:]
            try forEachRow(of: wanted, in: source) { found[$0] = $1 }
            for index in indices {
                guard let row = found[index] else { throw misplaced(index) }
                rows.append(row)
            }
            return rows
        }
        for index in indices {
            guard let row = try table.row(for: keys[index], in: source) else {
                throw misplaced(index)
            }
            rows.append(try FeatureRow(attributes: row.attributes))
        }
        return rows
    }

    private func misplaced(_ index: Int) -> ObjectError {
        .malformed(
            table.root, as: "table", reason: "row \(index) is not where its key leads", offset: nil)
    }

    /// Reads every row once, in order.
    ///
    /// - Throws: `malformed` when a row is no features row; what reading nodes throws.
    public func forEachRow(
        in source: some ObjectSource, _ body: (Int, FeatureRow) -> Void
    ) throws(ObjectError) {
        try forEachRow(of: nil, in: source, body)
    }

    private func forEachRow(
        of wanted: Set<Int>?, in source: some ObjectSource, _ body: (Int, FeatureRow) -> Void
    ) throws(ObjectError) {
        var cursor = TableCursor(table, in: source)
        var index = 0
        while let leaf = try cursor.nextLeaf() {
            for position in 0..<leaf.count {
                if wanted?.contains(index) ?? true {
                    body(index, try FeatureRow(attributes: try leaf.attributes(at: position)))
                }
                index += 1
            }
        }
    }
}
