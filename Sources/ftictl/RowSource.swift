import CommandSupport
import Objects
import Storage

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
