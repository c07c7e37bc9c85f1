internal import Artifacts
internal import Documents
internal import Objects
internal import TextAnalysis

/// The way of one document through the stages: raw, clean, chunks with the vectors that exist already.
///
/// It depends on the document and the baseline only, so documents are worked on in any order, at once.
struct DocumentWork: Sendable {
    /// What became of a document.
    enum Outcome: Sendable {
        /// Its rows stay as they are.
        case unchanged(CursorEntry)
        /// Its rows were made anew.
        case made(PreparedDocument)
        /// It cannot be read; what is known of it stays.
        case skipped(reason: String)
    }

    /// Rows that were made.
    struct PreparedDocument: Sendable {
        let entry: CursorEntry
        let drafts: [UnembeddedRow]
        /// The rows that the document had.
        let previous: [TableRow]
        /// What is not in the rows as it stood in the document.
        let findings: [Finding]
    }

    let splitter: RecursiveSplitter
    let space: ObjectID
    let baseline: Baseline
    /// What the sources say of their documents.
    let sources: [SourceRules]

    /// The rules that text is read and cut by.
    var chunker: String { "clean-\(CleanDocument.version) \(splitter.identity)" }

    /// Works on a document: its path, and what became of it.
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
            clean = try CleanDocument(raw)
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
        // Vectors of another space are of no use, and neither are rows that go with their table.
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

/// All documents of the sources, worked on and compared with the baseline.
struct CorpusScan {
    /// What follows from them.
    let changes: Reconciliation
    /// What was passed over.
    let skipped: [Remark]
    /// Where documents may have been missed.
    let gaps: [Remark]
    /// How much below the sources is no document, and why.
    let leftOut: [Remark]
    /// Patterns that fit nothing, and sources without a file.
    let unmatched: [Remark]
    /// The bytes that were read.
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
            // What was passed over was there, so nothing of it is gone.
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
