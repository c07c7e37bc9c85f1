import Conditions
import CommandSupport
import Objects
import Storage

/// The rows of a table whose keys have a given prefix.
struct KeyedRows {
    let table: Table
    let prefix: String
    /// The snapshot that contains the table.
    let snapshot: ObjectID

    func cursor(in objects: PackStore) -> TableCursor<PackStore> {
        TableCursor(table, from: prefix, in: objects)
    }

    /// The next row; nil after the last row whose key has the prefix.
    func next(_ cursor: inout TableCursor<PackStore>) throws(ObjectError) -> TableRow? {
        guard let row = try cursor.next(), row.key.utf8.starts(with: prefix.utf8) else {
            return nil
        }
        return row
    }

    /// The record that a condition tests: the attributes of a row, and its key.
    static func record(_ row: TableRow) -> ConditionRecord {
        ConditionRecord(key: row.key, attributes: row.attributes)
    }

    /// Checks the names and values of a condition against the schema of the snapshot and, for undeclared names, against
    /// the first rows that have them. Accepts any condition if there are no rows.
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

/// Imports the rows of a JSONL file into a table.
struct RowSource {
    let keyFields: [String]
    let vectorField: String?
    /// The table that the new one succeeds.
    let predecessor: Table?

    /// Stores the rows of a file.
    ///
    /// - Throws: `invalid`, with the line number, for a line that is not a row; nothing is stored then.
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
        return .table(table)
    }
}

/// A blob that shows as progress how far it has been read.
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
    /// The row as `cat` and `get` write it: its attributes, plus its vector as `vector`.
    var exported: JSONObject {
        var object = attributes
        if !vector.isEmpty { object["vector"] = .array(vector.map { .real(Double($0)) }) }
        return object
    }
}
