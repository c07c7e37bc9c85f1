internal import Documents
internal import Objects
internal import Storage

/// Reads listed files in batches, so that memory does not grow with their number.
struct DocumentReader {
    /// The bytes of a document before processing.
    struct PendingDocument: Sendable {
        /// The path of its file.
        let file: String
        /// The index of its source.
        let source: Int
        /// The path of its file below the source's folder, as the file system spells it.
        let relative: String
        /// The file's modification time; nil where the calendar cannot represent it.
        let modified: Timestamp?
        /// The line that holds it, from 1; nil when it is the whole file.
        let line: Int?
        let format: DocumentFormat
        /// The encoding that its source declares; nil to detect it.
        let encoding: String?
        let bytes: [UInt8]
    }

    private let files: [SourceListing.File]
    private var next = 0
    private var records: (lines: RecordLines, file: SourceListing.File, modified: Timestamp?)?
    /// Documents that could not be read; their previous rows stay.
    private(set) var skipped: [Remark] = []
    /// The number of bytes read so far.
    private(set) var bytes = 0

    /// A wave (batch) ends at this many bytes: enough to keep all processors busy without using much memory.
    private static let waveBytes = 32 << 20
    private static let waveCount = 1024

    init(_ files: [SourceListing.File]) { self.files = files }

    /// How many files have been opened or skipped so far.
    var filesDone: Int { next }

    /// The next documents; empty at the end.
    mutating func nextWave() -> [PendingDocument] {
        var wave: [PendingDocument] = []
        var size = 0
        while size < Self.waveBytes, wave.count < Self.waveCount, let document = nextDocument() {
            size += document.bytes.count
            wave.append(document)
        }
        bytes += size
        return wave
    }

    private mutating func nextDocument() -> PendingDocument? {
        while true {
            if let document = nextRecord() { return document }
            guard next < files.count else { return nil }
            let file = files[next]
            next += 1
            do throws(StorageError) {
                let source = try InputFile(opening: file.location, followLink: false)
                let modified = Timestamp(milliseconds: source.modifiedMilliseconds)
                if file.format == .records {
                    records = (RecordLines(source, path: file.path), file, modified)
                    continue
                }
                guard source.size <= RawDocument.sizeLimit else {
                    skipped.append(
                        Remark(
                            file.path,
                            "has \(source.size) bytes, more than the \(RawDocument.sizeLimit) allowed"
                        ))
                    continue
                }
                let bytes = try source.read(at: 0, count: source.size)
                return PendingDocument(
                    file: file.path, source: file.source, relative: file.relative,
                    modified: modified, line: nil, format: file.format, encoding: file.encoding,
                    bytes: bytes)
            } catch {
                skipped.append(Remark(file.path, error.message))
            }
        }
    }

    private mutating func nextRecord() -> PendingDocument? {
        guard let (_, file, modified) = records else { return nil }
        let path = file.path
        do throws(StorageError) {
            while let (number, line) = try records?.lines.next() {
                guard let line else {
                    skipped.append(Remark(path, "has a line that is too long: \(number)"))
                    continue
                }
                return PendingDocument(
                    file: path, source: file.source, relative: file.relative, modified: modified,
                    line: number, format: .record, encoding: nil, bytes: line)
            }
        } catch {
            skipped.append(Remark(path, error.message))
        }
        records = nil
        return nil
    }
}
