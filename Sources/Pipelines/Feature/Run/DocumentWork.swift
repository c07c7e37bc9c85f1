internal import Artifacts
internal import Documents
internal import Objects
internal import Storage
internal import TextAnalysis

/// Reads, cleans and chunks one document, and gives its chunks the vectors that already exist.
///
/// The result depends only on the document, its source's rules and the baseline, so documents can be processed in any
/// order and in parallel.
struct DocumentWork: Sendable {
    /// The result for a document.
    enum Outcome: Sendable {
        /// The rows stay as they are.
        case unchanged(CursorEntry)
        /// The rows were rebuilt.
        case rebuilt(PreparedDocument)
        /// The document is unreadable; its previous rows stay.
        case skipped(reason: String)
    }

    /// A document with rebuilt rows.
    struct PreparedDocument: Sendable {
        let entry: CursorEntry
        let unembedded: [UnembeddedRow]
        /// The rows that the document had before.
        let previous: [TableRow]
        /// The parts of the document that the rows omit or change.
        let findings: [Finding]
    }

    let splitter: RecursiveSplitter
    let space: ObjectID
    let baseline: Baseline
    /// The reading rules of the sources.
    let sources: [SourceRules]

    /// Identifies the rules for reading and cutting text.
    var chunker: String { "clean-\(CleanDocument.version) \(splitter.identity)" }

    /// Processes a document, and returns its path and the result.
    func process(
        _ pending: DocumentReader.PendingDocument
    ) throws(ObjectError) -> (path: String, outcome: Outcome) {
        var path = pending.file
        let rules = sources[pending.source]
        let chunker = chunker + rules.identity(modified: pending.modified)
        var name: String?
        let clean: CleanDocument
        do throws(UnreadableDocument) {
            if pending.line != nil {
                let record = try Record(parsing: pending.bytes, fields: rules.fields)
                name = record.name
                path = try recordPath(pending, record)
            }
            let raw = RawDocument(
                path: path, format: pending.format, encoding: pending.encoding,
                fields: rules.fields, bytes: pending.bytes)
            let origin = CursorEntry(digest: raw.digest, chunker: chunker, space: space, chunks: 0)
            if let known = baseline.documents[Array(path.utf8)], known.hasSameOrigin(as: origin) {
                return (path, .unchanged(known))
            }
            clean = try CleanDocument.clean(raw)
        } catch {
            let line = pending.line.map { "line \($0) " } ?? ""
            return (path, .skipped(reason: line + error.reason))
        }
        let place = DocumentPlace(
            file: TextForm.composed(pending.relative), record: name.map { TextForm.composed($0) })
        var known = rules.attributes.resolve(
            clean.metadata, at: place, modified: pending.modified)
        if let language = rules.language?.language(of: clean) {
            known.members[FeatureRow.languageMember] = .string(language.code)
        }
        return (path, .rebuilt(try prepare(clean, known, chunker: chunker)))
    }

    private func recordPath(
        _ pending: DocumentReader.PendingDocument, _ record: Record
    ) throws(UnreadableDocument) -> String {
        guard let name = record.name, !name.isEmpty else {
            throw UnreadableDocument(
                "has no name: it needs \(sources[pending.source].fields.idPhrase)")
        }
        guard let encoded = DocumentPath.encode(name),
            let path = Optional("\(pending.file)/\(encoded)"),
            path.utf8.count <= DocumentPath.byteLimit
        else { throw UnreadableDocument("has a name that is too long") }
        return path
    }

    private func prepare(
        _ document: CleanDocument, _ known: SourceAttributes.ResolvedValues, chunker: String
    ) throws(ObjectError) -> PreparedDocument {
        let (previous, pool) = try earlierRows(of: document.path, digest: document.digest)
        let unembedded = splitter.chunks(of: document).map { chunk in
            var row = FeatureRow(chunk, of: document)
            row.metadata = known.members
            let text = row.embeddingText
            return UnembeddedRow(row: row, text: text, vector: pool.vector(of: text))
        }
        return PreparedDocument(
            entry: CursorEntry(
                digest: document.digest, chunker: chunker, space: space, chunks: unembedded.count),
            unembedded: unembedded, previous: previous, findings: document.findings + known.findings
        )
    }

    /// The rows that a document has in the baseline, and vectors of their texts; without rows, those of a document with
    /// the same digest.
    func earlierRows(
        of path: String, digest: ObjectID
    ) throws(ObjectError) -> (previous: [TableRow], pool: VectorPool) {
        // Vectors of another space are useless. So are the old rows, because the run replaces their table.
        guard baseline.space == space else { return ([], VectorPool([])) }
        let previous = try baseline.rows(of: path)
        if previous.isEmpty, let twin = baseline.documentsByDigest[digest] {
            return ([], VectorPool(try baseline.rows(of: twin)))
        }
        return (previous, VectorPool(previous))
    }
}
