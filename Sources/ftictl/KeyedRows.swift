import Objects

/// The rows of a table whose keys begin with some text.
struct KeyedRows {
    let table: Table
    let prefix: String
    /// The snapshot that the table belongs to.
    let snapshot: ObjectID

    func cursor(in objects: PackStore) -> TableCursor<PackStore> {
        TableCursor(table, from: prefix, in: objects)
    }

    /// The next of the rows; nil at the end.
    func next(_ cursor: inout TableCursor<PackStore>) throws(ObjectError) -> TableRow? {
        guard let row = try cursor.next(), row.key.utf8.starts(with: prefix.utf8) else {
            return nil
        }
        return row
    }

    /// What a condition is asked of: the members of a row, and its key.
    static func record(_ row: TableRow) -> ConditionRecord {
        var key = JSONObject()
        key["key"] = .string(row.key)
        return ConditionRecord(row.attributes, key)
    }

    /// A condition whose names and values fit the rows; without rows nothing is known of them, and any fits.
    func checked(_ condition: Condition, in objects: PackStore) throws -> Condition {
        var observed = ObservedSchema(for: condition)
        var cursor = cursor(in: objects)
        var isEmpty = true
        while !observed.isComplete, let row = try next(&cursor) {
            isEmpty = false
            observed.observe(Self.record(row))
        }
        return isEmpty ? condition : try observed.schema.checked(condition)
    }
}
