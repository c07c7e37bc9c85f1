internal import Artifacts
internal import Objects
internal import Refs

/// What the ref held before the run: its rows, and what they were made from.
struct Baseline: Sendable {
    /// The snapshot that the ref points at, or nil.
    let snapshot: ObjectID?
    /// The rows and the cursor, when a run made them.
    let tables: FeatureTables?
    /// The lexical index of the rows.
    let index: Content?
    /// The embedding space of the rows.
    let space: ObjectID?
    /// What that space is.
    let description: EmbeddingSpace?
    /// The documents by the bytes of their paths.
    let documents: [[UInt8]: CursorEntry]
    /// The first document, by path, with each digest.
    let documentsByDigest: [ObjectID: String]

    private let objects: ObjectWriter

    init(of ref: RefName, in transaction: Transaction) throws(ObjectError) {
        objects = transaction.objects
        snapshot = transaction.state.target(of: ref)
        guard let snapshot else {
            (tables, index, space, description) = (nil, nil, nil, nil)
            (documents, documentsByDigest) = ([:], [:])
            return
        }
        let previous = try Snapshot(snapshot, in: objects)
        (space, index) = (previous.space, previous.index)
        description = try previous.space.map { (id) throws(ObjectError) in
            try EmbeddingSpace(id, in: transaction.objects)
        }
        guard case .table(let rows, let count, let dimension) = previous.content,
            case .table(let cursor, let cursorCount, 0) = previous.cursor
        else {
            (tables, documents, documentsByDigest) = (nil, [:], [:])
            return
        }
        let cursorTable = Table(root: cursor, rows: cursorCount, dimension: 0)
        tables = FeatureTables(
            rows: Table(root: rows, rows: count, dimension: dimension), cursor: cursorTable)
        var documents: [[UInt8]: CursorEntry] = [:]
        var byDigest: [ObjectID: String] = [:]
        var reader = TableCursor(cursorTable, in: objects)
        while let row = try reader.next() {
            let entry = try CursorEntry(row)
            documents[Array(row.key.utf8)] = entry
            if byDigest[entry.digest] == nil { byDigest[entry.digest] = row.key }
        }
        self.documents = documents
        documentsByDigest = byDigest
    }

    /// What a lexical index of other rows can be made from.
    var lexicalPredecessor: LexicalTree.Predecessor? {
        guard let tables, let index else { return nil }
        return LexicalTree.Predecessor(table: tables.rows, index: index)
    }

    /// The rows of a document in key order; none when there is no such document.
    func rows(of document: String) throws(ObjectError) -> [TableRow] {
        guard let tables, documents[Array(document.utf8)] != nil else { return [] }
        let prefix = "\(document)#"
        var reader = TableCursor(tables.rows, from: prefix, in: objects)
        var result: [TableRow] = []
        while let row = try reader.next(), row.key.utf8.starts(with: prefix.utf8) {
            result.append(row)
        }
        return result
    }
}
