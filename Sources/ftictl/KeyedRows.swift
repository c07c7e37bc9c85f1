import CommandSupport
import Objects
import Storage

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

/// Rows of a JSONL file on their way into a table.
struct RowSource {
    let keyFields: [String]
    let vectorField: String?
    /// The table that the new one succeeds.
    let predecessor: Table?

    /// Stores the rows of a file.
    ///
    /// - Throws: `invalid` with the number of a line that is no row; nothing is stored then.
    func store(
        _ path: String, follow: Bool, into objects: ObjectWriter, _ progress: Progress
    ) throws -> Content {
        let file = try InputFile(openingInput: path, followLink: follow)
        let source = try JSONLinesSource(
            ObservedBlob(blob: try objects.readable(file), progress: progress), name: path,
            keyFields: keyFields,
            vectorField: vectorField)
        let table = try Table.importing(
            source, succeeding: predecessor, in: objects,
            makeScratch: { () throws(ObjectError) in try objects.makeScratch() })
        try file.checkUnchanged()
        progress.finish()
        return .table(table.root, rows: table.rows, dimension: table.dimension)
    }
}

/// A blob that shows how far it was read.
private struct ObservedBlob: Blob {
    let blob: any Blob
    let progress: Progress

    var size: Int { blob.size }

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        let bytes = try blob.read(at: offset, count: count)
        progress.update("reading", bytes: offset + count, of: size)
        return bytes
    }
}

extension TableRow {
    /// The row as `cat` and `get` write it: its attributes, and its vector as `vector`.
    var exported: JSONObject {
        var object = attributes
        if !vector.isEmpty { object["vector"] = .array(vector.map { .real(Double($0)) }) }
        return object
    }
}
