/// What happened to one row between two tables, where a row that has only moved is told from others.
public enum RowChange: Sendable, Equatable {
    /// Only the second table has it.
    case added(TableRow)
    /// Only the first table has it.
    case removed(TableRow)
    /// Both have it under one key, with other attributes or another vector.
    case changed(from: TableRow, to: TableRow)
    /// Both have what it says, under different keys.
    case moved(from: TableRow, to: TableRow)

    /// The key of the row: of one that moved, the key that it has now.
    public var key: String {
        switch self {
        case .added(let row), .removed(let row), .changed(_, let row), .moved(_, let row): row.key
        }
    }
}

/// How many rows differ between two tables, where those that only moved are told from others.
public struct RowChangeCounts: Hashable, Sendable {
    /// Rows whose content is new.
    public var added = 0
    /// Rows whose content is gone.
    public var removed = 0
    /// Rows that both tables have, with other content.
    public var changed = 0
    /// Rows whose content both tables have, under different keys.
    public var moved = 0
    /// Rows that are the same in both.
    public var unchanged = 0

    /// Counts nothing.
    public init() {}
}
