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
        ConditionRecord(key: row.key, attributes: row.attributes)
    }

    /// A condition whose names and values fit the rows, by the schema of their snapshot and, of names that it does not
    /// declare, by the first rows that have them; without rows nothing is known of those, and any fits.
    func checked(
        _ condition: Condition, declared: AttributeSchema, in objects: PackStore
    ) throws -> Condition {
        var observed = ObservedSchema(for: condition, declared: declared.conditionSchema)
        var cursor = cursor(in: objects)
        var isEmpty = true
        while !observed.isComplete || isEmpty, let row = try next(&cursor) {
            isEmpty = false
            observed.observe(Self.record(row))
        }
        return isEmpty ? condition : try observed.schema.checked(condition)
    }
}
