/// What happened to one row between two tables.
public enum TableChange: Sendable, Equatable {
    /// Only the second table has it.
    case added(TableRow)
    /// Only the first table has it.
    case removed(TableRow)
    /// Both have it, with other attributes or another vector.
    case changed(from: TableRow, to: TableRow)

    /// The key of the row.
    public var key: String {
        switch self {
        case .added(let row), .removed(let row), .changed(_, let row): row.key
        }
    }

    /// The change that makes the second table out of the first.
    public var edit: TableEdit {
        switch self {
        case .added(let row), .changed(_, let row): .put(row)
        case .removed(let row): .remove(row.key)
        }
    }
}
