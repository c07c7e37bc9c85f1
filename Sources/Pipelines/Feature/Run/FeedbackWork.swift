internal import Artifacts
internal import Documents
internal import Objects
internal import Storage
internal import TextAnalysis

/// Makes the row of each line of feedback that is new or has changed.
///
/// The row's text is the question and the answer, cut to the size of a chunk, so that retrieval finds questions like
/// one that was asked. The member `record` has the whole line.
struct FeedbackWork: Sendable {
    private let work: DocumentWork
    /// The settings of each source; nil for sources of documents.
    private let settings: [FeedbackSource?]

    init(_ work: DocumentWork, of sources: [DocumentSource]) {
        self.work = work
        settings = sources.map { source in
            if case .feedback(let feedback) = source.kind { feedback } else { nil }
        }
    }

    /// A line, with its bytes if its row has to be made.
    struct PendingLine: Sendable {
        let line: FeedbackLines.Line
        let file: SourceListing.File
        /// What the cursor will record.
        let origin: CursorEntry
        /// The line; nil when its rows stay as they are.
        let bytes: [UInt8]?
    }

    /// Processes a line, and returns the path of its document and the result.
    func process(
        _ pending: PendingLine
    ) throws(ObjectError) -> (path: String, outcome: DocumentWork.Outcome) {
        let path = pending.line.path
        guard let bytes = pending.bytes else { return (path, .unchanged(pending.origin)) }
        let (source, origin) = (pending.file.source, pending.origin)
        let feedback: Feedback
        let reduced: JSONObject
        do {
            let json = try JSON(parsing: bytes.span)
            reduced = settings[source]?.reduced(json.object ?? JSONObject()) ?? JSONObject()
            feedback = try Feedback(reduced)
        } catch {
            return (pending.file.path, .skipped(reason: "line \(pending.line.number) has changed"))
        }
        let values = work.sources[source].attributes.resolve(
            reduced, at: DocumentPlace(file: pending.file.relative, record: feedback.id),
            modified: nil)
        var row = FeatureRow(
            document: path, title: feedback.id, section: "", headings: [], ordinal: 0,
            text: text(of: feedback))
        row.metadata = values.members
        row.metadata[Feedback.recordMember] = .object(reduced)
        let (previous, pool) = try work.earlierRows(of: path, digest: origin.digest)
        let text = row.embeddingText
        let entry = CursorEntry(
            digest: origin.digest, chunker: origin.chunker, space: origin.space, chunks: 1,
            file: origin.file)
        return (
            path,
            .rebuilt(
                DocumentWork.PreparedDocument(
                    entry: entry,
                    unembedded: [
                        UnembeddedRow(row: row, text: text, vector: pool.vector(of: text))
                    ],
                    previous: previous, findings: values.findings))
        )
    }

    /// The question and the answer; without the answer's record, what the person wrote, or at least the answer's id.
    private func text(of feedback: Feedback) -> String {
        let parts =
            if let answer = feedback.answer { [answer.searched, answer.answer] } else {
                [feedback.better ?? "", feedback.comment ?? ""]
            }
        let text = parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
        return text.isEmpty ? feedback.answerID : cut(TextForm.composed(text))
    }

    /// The text up to the size of a chunk.
    private func cut(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(work.splitter.size)))
    }
}

/// Reads again the lines whose rows have to be made, in batches.
struct FeedbackReader {
    private let lines: FeedbackLines
    private let work: DocumentWork
    private var next = 0
    private var open: (file: Int, input: InputFile)?
    /// Lines that could not be read again.
    private(set) var skipped: [Remark] = []

    private static let waveBytes = 32 << 20
    private static let waveCount = 4096

    init(_ lines: FeedbackLines, _ work: DocumentWork) {
        self.lines = lines
        self.work = work
    }

    /// The next lines; empty at the end.
    mutating func nextWave() -> [FeedbackWork.PendingLine] {
        var wave: [FeedbackWork.PendingLine] = []
        var size = 0
        while size < Self.waveBytes, wave.count < Self.waveCount, next < lines.lines.count {
            let line = lines.lines[next]
            next += 1
            let file = lines.files[line.file]
            let origin = CursorEntry(
                digest: line.digest, chunker: work.feedbackChunker(source: file.source),
                space: work.space, chunks: 0, file: file.path)
            if let known = work.baseline.documents[Array(line.path.utf8)],
                known.hasSameOrigin(as: origin)
            {
                wave.append(.init(line: line, file: file, origin: known, bytes: nil))
                continue
            }
            do throws(StorageError) {
                let bytes = try input(line.file).read(
                    at: line.range.lowerBound, count: line.range.count)
                guard ObjectID(of: bytes.span) == line.digest else {
                    skipped.append(Remark(file.path, "line \(line.number) has changed"))
                    continue
                }
                size += bytes.count
                wave.append(.init(line: line, file: file, origin: origin, bytes: bytes))
            } catch {
                skipped.append(Remark(file.path, error.message))
            }
        }
        return wave
    }

    private mutating func input(_ index: Int) throws(StorageError) -> InputFile {
        if let open, open.file == index { return open.input }
        let input = try InputFile(opening: lines.files[index].location, followLink: false)
        open = (index, input)
        return input
    }
}

extension DocumentWork {
    /// Identifies the rules for the rows of feedback.
    func feedbackChunker(source: Int) -> String {
        "feedback size-\(splitter.size)" + sources[source].identity
    }
}
