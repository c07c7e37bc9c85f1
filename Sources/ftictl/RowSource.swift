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
        let table = try Table.importing(
            &reader, succeeding: predecessor, in: objects,
            makeScratch: { () throws(ObjectError) in try objects.makeScratch() })
        try file.checkUnchanged()
        progress.finish()
        return .table(table.root, rows: table.rows, dimension: table.dimension)
    }
}
