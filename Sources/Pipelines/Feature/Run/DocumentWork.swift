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
        // Vectors of another space are useless. So are the old rows, because the run replaces their table.
        let isComparable = baseline.space == space
        let previous = isComparable ? try baseline.rows(of: document.path) : []
        var pool = VectorPool(previous)
        if previous.isEmpty, isComparable, let twin = baseline.documentsByDigest[document.digest] {
            pool = VectorPool(try baseline.rows(of: twin))
        }
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
}

/// The documents of all sources, processed and compared with the baseline.
struct CorpusScan {
    /// The resulting changes.
    let changes: Reconciliation
    /// The files and records that were skipped.
    let skipped: [Remark]
    /// Places where documents may have been missed.
    let gaps: [Remark]
    /// Counts of files below the sources that are not documents, by reason.
    let leftOut: [Remark]
    /// Patterns that match nothing, and sources without a file.
    let unmatched: [Remark]
    /// The number of bytes read.
    let bytes: Int

    /// Processes all listed documents, wave by wave.
    static func run(
        _ listing: SourceListing, _ baseline: Baseline, _ work: DocumentWork, _ stage: EmbedStage,
        past: PastVectors
    ) throws(FeatureError) -> CorpusScan {
        var reader = DocumentReader(listing.files)
        var changes = Reconciliation(baseline)
        var past = past
        while true {
            let wave = reader.nextWave()
            if wave.isEmpty { break }
            let documents = try wrapping(as: FeatureError.objects) { () throws(ObjectError) in
                try Threads.map(wave, threads: Threads.available) {
                    (document) throws(ObjectError) in try work.process(document)
                }
            }
            stage.meter.read(reader.filesDone, of: listing.files.count)
            let embedded = try wrapping(as: FeatureError.embedding) {
                () throws(EmbeddingError) in try stage.run(documents, past: &past)
            }
            for document in embedded { try changes.add(document) }
        }
        let skipped = listing.skipped + reader.skipped + changes.skipped
        try wrapping(as: FeatureError.objects) { () throws(ObjectError) in
            // Skipped documents exist, so their rows stay.
            try changes.finish(gaps: listing.gaps + skipped)
        }
        return CorpusScan(
            changes: changes, skipped: skipped, gaps: listing.gaps, leftOut: listing.leftOut,
            unmatched: listing.unmatched, bytes: reader.bytes)
    }
}
