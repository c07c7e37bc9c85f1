/// One change to a table.
public enum TableEdit: Sendable, Equatable {
    /// Adds the row, or replaces the row with its key.
    case put(TableRow)
    /// Removes the row with this key; nothing happens when there is none.
    case remove(String)
}

extension TableEdit {
    /// The key of the row that is changed.
    public var key: String {
        switch self {
        case .put(let row): row.key
        case .remove(let key): key
        }
    }
}

/// A change with its key as bytes; without a row it removes.
struct EncodedTableEdit: Sendable {
    let key: [UInt8]
    let row: EncodedTableRow?

    /// Checks and encodes changes and puts them in key order; of several with one key the last counts.
    static func ordered(
        _ edits: some Sequence<TableEdit>, dimension: Int
    ) throws(ObjectError) -> [EncodedTableEdit] {
        var encoded: [EncodedTableEdit] = []
        for edit in edits {
            switch edit {
            case .put(let row):
                let row = try EncodedTableRow(row, dimension: dimension)
                encoded.append(EncodedTableEdit(key: row.key, row: row))
            case .remove(let key):
                encoded.append(
                    EncodedTableEdit(key: try EncodedTableRow.checkedKey(key), row: nil))
            }
        }
        let order = encoded.indices.sorted { left, right in
            let order = encoded[left].compare(to: encoded[right])
            return order == 0 ? left < right : order < 0
        }
        var result: [EncodedTableEdit] = []
        result.reserveCapacity(encoded.count)
        for index in order {
            if let last = result.last, last.key == encoded[index].key { result.removeLast() }
            result.append(encoded[index])
        }
        return result
    }

    private func compare(to other: EncodedTableEdit) -> Int {
        TableBytes.compare(key.span, other.key.span)
    }
}
