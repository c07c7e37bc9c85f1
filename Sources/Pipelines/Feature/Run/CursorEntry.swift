internal import Objects

/// What a run remembers of a document: from what its rows were made, and how many there are.
///
/// When nothing of it differs, the document's rows are what they would become.
struct CursorEntry: Sendable, Equatable {
    /// The digest of the document's bytes.
    let digest: ObjectID
    /// The rules that its text was read and cut by.
    let chunker: String
    /// The embedding space of its vectors.
    let space: ObjectID
    /// The number of its rows.
    let chunks: Int

    init(digest: ObjectID, chunker: String, space: ObjectID, chunks: Int) {
        self.digest = digest
        self.chunker = chunker
        self.space = space
        self.chunks = chunks
    }

    /// Whether both were made from the same bytes by the same rules.
    func hasSameOrigin(as other: CursorEntry) -> Bool {
        digest == other.digest && space == other.space
            && chunker.utf8.elementsEqual(other.chunker.utf8)
    }

    /// The row of the cursor table.
    func row(for document: String) -> TableRow {
        var attributes = JSONObject()
        attributes["digest"] = .string(digest.hex)
        attributes["chunker"] = .string(chunker)
        attributes["space"] = .string(space.hex)
        attributes["chunks"] = .integer(chunks)
        return TableRow(key: document, attributes: attributes)
    }

    /// Reads a row of the cursor table.
    init(_ row: TableRow) throws(ObjectError) {
        do throws(JSONSchemaError) {
            var reader = JSONObjectReader(row.attributes)
            digest = try reader.objectID("digest")
            chunker = try reader.string("chunker")
            space = try reader.objectID("space")
            chunks = try reader.count("chunks")
        } catch {
            throw .malformed(
                nil, as: "cursor row", reason: "\(error.path) \(error.reason)", offset: nil)
        }
    }
}
