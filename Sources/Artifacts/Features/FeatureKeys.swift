public import Objects

/// The keys of all rows of a features table, in order, and so which rows are of one section.
public struct FeatureKeys: Sendable {
    /// The keys; a row's index is its key's.
    public let all: [String]

    /// Reads the keys of a table.
    ///
    /// - Throws: What reading nodes throws.
    public init(_ table: Table, in source: some ObjectSource) throws(ObjectError) {
        var keys: [String] = []
        keys.reserveCapacity(table.rows)
        var cursor = TableCursor(table, in: source)
        while let leaf = try cursor.nextLeaf() { keys.append(contentsOf: leaf.keys) }
        all = keys
    }

    /// The chunks of a section.
    public func rows(document: String, section: String) -> Range<Int> {
        let prefix = Array(FeatureRow.keyPrefix(document: document, section: section).utf8)
        let first = firstRow { !$0.lexicographicallyPrecedes(prefix) }
        let end = firstRow { !$0.lexicographicallyPrecedes(prefix) && !$0.starts(with: prefix) }
        return first..<end
    }

    /// The chunks of the section that a row belongs to: the row alone when its key has no section.
    public func section(of row: Int) -> [Int] {
        let key = Array(all[row].utf8)
        guard let slash = key.lastIndex(of: 0x2F) else { return [row] }
        let prefix = key[...slash]
        var first = row
        while first > 0, all[first - 1].utf8.starts(with: prefix) { first -= 1 }
        var end = row + 1
        while end < all.count, all[end].utf8.starts(with: prefix) { end += 1 }
        return Array(first..<end)
    }

    /// The first row from which on a condition holds.
    private func firstRow(where holds: (String.UTF8View) -> Bool) -> Int {
        var low = 0
        var high = all.count
        while low < high {
            let middle = (low + high) / 2
            if holds(all[middle].utf8) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
