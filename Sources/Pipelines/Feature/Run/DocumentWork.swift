internal import Artifacts
internal import Documents
internal import Objects
internal import TextAnalysis

/// Takes one document through the stages: reading, cleaning, and chunking with the vectors that already exist.
///
/// The result depends only on the document and the baseline, so documents can be processed in any order and in
/// parallel.
struct DocumentWork: Sendable {
    /// The result for a document.
    enum Outcome: Sendable {
        /// The rows stay as they are.
        case unchanged(CursorEntry)
        /// The rows were rebuilt.
        case made(PreparedDocument)
        /// The document is unreadable; its previous rows stay.
        case skipped(reason: String)
    }

    /// A document with rebuilt rows.
    struct PreparedDocument: Sendable {
        let entry: CursorEntry
        let drafts: [UnembeddedRow]
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
    func run(
        _ pending: DocumentReader.Pending
    ) -> Result<(path: String, outcome: Outcome), ObjectError> {
        do throws(ObjectError) {
            return .success(try process(pending))
        } catch {
            return .failure(error)
        }
    }

    private func process(
        _ pending: DocumentReader.Pending
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
        return (path, .made(try made(clean, known, chunker: chunker)))
    }

    private func recordPath(
        _ pending: DocumentReader.Pending, _ record: Record
    ) throws(UnreadableDocument) -> String {
        guard let name = record.name, !name.isEmpty else {
            throw UnreadableDocument(
                "has no name: \(sources[pending.source].fields.idPhrase) is needed")
        }
        guard let encoded = DocumentPath.encode(name),
            let path = Optional("\(pending.file)/\(encoded)"),
            path.utf8.count <= DocumentPath.byteLimit
        else { throw UnreadableDocument("has too long a name") }
        return path
    }

    private func made(
        _ document: CleanDocument, _ known: SourceAttributes.Resolved, chunker: String
    ) throws(ObjectError) -> PreparedDocument {
        // Vectors of another space are useless, and so are the old rows, whose table is replaced.
        let isComparable = baseline.space == space
        let previous = isComparable ? try baseline.rows(of: document.path) : []
        var pool = VectorPool(previous)
        if previous.isEmpty, isComparable, let twin = baseline.documentsByDigest[document.digest] {
            pool = VectorPool(try baseline.rows(of: twin))
        }
        let drafts = splitter.chunks(of: document).map { chunk in
            var row = FeatureRow(chunk, of: document)
            row.metadata = known.members
            let text = row.embeddingText
            return UnembeddedRow(row: row, text: text, vector: pool.vector(of: text))
        }
        return PreparedDocument(
            entry: CursorEntry(
                digest: document.digest, chunker: chunker, space: space, chunks: drafts.count),
            drafts: drafts, previous: previous, findings: document.findings + known.findings)
    }
}

/// Processes all documents of the sources, and compares them with the baseline.
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

    init(
        _ listing: SourceListing, _ baseline: Baseline, _ work: DocumentWork, _ stage: EmbedStage,
        past: PastVectors
    ) throws(FeatureError) {
        var reader = DocumentReader(listing.files)
        var changes = Reconciliation(baseline)
        var past = past
        while true {
            let wave = reader.nextWave()
            if wave.isEmpty { break }
            var documents: [(path: String, outcome: DocumentWork.Outcome)] = []
            for result in Threads.map(wave.count, { work.run(wave[$0]) }) {
                switch result {
                case .success(let document): documents.append(document)
                case .failure(let error): throw .objects(error)
                }
            }
            stage.meter.read(reader.filesDone, of: listing.files.count)
            let embedded: [EmbedStage.Embedded]
            do throws(EmbeddingError) { embedded = try stage.run(documents, past: &past) } catch {
                throw .embedding(error)
            }
            for document in embedded { try changes.add(document) }
        }
        let skipped = listing.skipped + reader.skipped + changes.skipped
        do throws(ObjectError) {
            // Skipped documents exist, so their rows stay.
            try changes.finish(gaps: listing.gaps + skipped)
        } catch { throw .objects(error) }
        self.changes = changes
        leftOut = listing.leftOut
        unmatched = listing.unmatched
        self.skipped = skipped
        gaps = listing.gaps
        bytes = reader.bytes
    }
}
