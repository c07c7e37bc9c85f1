/// How many rows differ between two tables.
public struct TableDiffCounts: Hashable, Sendable {
    /// Rows that only the second table has.
    public var added = 0
    /// Rows that only the first table has.
    public var removed = 0
    /// Rows that both have, with other attributes or another vector.
    public var changed = 0
    /// Rows that are the same in both.
    public var unchanged = 0

    /// Counts nothing.
    public init() {}

    /// Gives the four counts.
    public init(added: Int, removed: Int, changed: Int, unchanged: Int) {
        self.added = added
        self.removed = removed
        self.changed = changed
        self.unchanged = unchanged
    }

    /// The rows of the first table.
    public var rowsBefore: Int { removed + changed + unchanged }
    /// The rows of the second table.
    public var rowsAfter: Int { added + changed + unchanged }
}
