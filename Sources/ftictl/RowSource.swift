import CommandSupport
import Objects
import Storage

/// Rows of a JSONL file on their way into a table.
struct RowSource {
    let keyFields: [String]
    let vectorField: String?
    /// The table that the new one succeeds.
    let predecessor: Table?

    /// Large enough to keep the reads few.
    private static let pieceSize = 1 << 20

    /// Stores the rows of a file.
    ///
    /// - Throws: `invalid` with the number of a line that is no row; nothing is stored then.
    func store(
        _ path: String, follow: Bool, into objects: ObjectWriter, _ progress: Progress
    ) throws -> Content {
        let file = try SourceFile(opening: path, followLink: follow)
        var offset = 0
        var reader = try JSONLinesReader(
            name: path, keyFields: keyFields, vectorField: vectorField
        ) { () throws(ObjectError) -> [UInt8]? in
            let count = min(Self.pieceSize, file.size - offset)
            guard count > 0 else { return nil }
            do throws(StorageError) {
                let bytes = try file.read(at: offset, count: count)
                offset += count
                progress.update("reading", bytes: offset, of: file.size)
                return bytes
            } catch { throw .storage(error) }
        }
        let table = try store(&reader, into: objects)
        try file.checkUnchanged()
        progress.finish()
        return .table(table.root, rows: table.rows, dimension: table.dimension)
    }
    /// Stores the rows as changes of the table before, so that what is written follows the change; the
    /// table is the same as one of the rows alone.
    private func store(
        _ reader: inout JSONLinesReader, into objects: ObjectWriter
    ) throws -> Table {
        guard let predecessor else { return try Table.importing(&reader, in: objects) }
        let memory = MemoryStore()
        let table = try Table.importing(&reader, in: memory)
        guard table.dimension == predecessor.dimension else {
            var cursor = TableCursor(table, in: memory)
            var builder = try TableBuilder(dimension: table.dimension, in: objects)
            while let row = try cursor.next() { try builder.append(row) }
            return try builder.finish()
        }
        var diff = try TableDiff(
            from: predecessor, to: table, in: LayeredSource(first: memory, second: objects))
        var edits: [TableEdit] = []
        while let change = try diff.next() { edits.append(change.edit) }
        return try predecessor.applying(edits, in: objects)
    }
}

/// Objects of one source, and where it has them not, of another.
private struct LayeredSource: ObjectSource {
    let first: MemoryStore
    let second: ObjectWriter

    func size(of id: ObjectID) throws(ObjectError) -> Int? {
        if let size = try first.size(of: id) { return size }
        return try second.size(of: id)
    }

    func read(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8] {
        guard try first.size(of: id) != nil else { return try second.read(id, limit: limit) }
        return try first.read(id, limit: limit)
    }
}
