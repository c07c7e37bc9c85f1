internal import Artifacts
internal import Documents
internal import Objects
internal import Storage
internal import TextAnalysis

/// The lines of feedback files that count, and why others do not.
///
/// Reads every file once, and keeps of a line only what decides whether it counts, so memory grows with the number of
/// lines but not with their length.
struct FeedbackLines {
    /// A line that counts.
    struct Line: Sendable {
        /// The index of its file.
        let file: Int
        /// Its number in the file, from 1.
        let number: Int
        /// Its bytes in the file.
        let range: Range<Int>
        /// The digest of its bytes.
        let digest: ObjectID
        /// The path of its document: the source's prefix and the feedback's id.
        let path: String
    }

    /// The files, in the order of the listing.
    let files: [SourceListing.File]
    /// The lines that count, in order of files and lines.
    private(set) var lines: [Line] = []
    /// The paths of documents that later feedback replaces.
    private(set) var replaced: [String] = []
    /// Files and lines that could not be read.
    private(set) var skipped: [Remark] = []
    /// Lines that were read but do not count.
    private(set) var notes: [Remark] = []
    /// The number of bytes read.
    private(set) var bytes = 0

    /// Reads the files of feedback sources.
    static func read(
        _ files: [SourceListing.File], of sources: [DocumentSource]
    ) throws(ObjectError) -> FeedbackLines {
        var result = FeedbackLines(files: files)
        var reader = RawLineReader(files)
        var read: [ReadLine] = []
        while true {
            let wave = reader.nextWave()
            if wave.isEmpty { break }
            let verdicts = try Threads.map(wave, threads: Threads.available) {
                (line) throws(ObjectError) in
                LineVerdict(line, in: sources[files[line.file].source])
            }
            for (line, verdict) in zip(wave, verdicts) {
                result.bytes += line.bytes.count
                let path = files[line.file].path
                switch verdict {
                case .read(let found): read.append(found)
                case .broken(let reason):
                    result.skipped.append(Remark(path, "line \(line.number) \(reason)"))
                case .unfinished: result.note("unfinished line", path, line.number)
                }
            }
        }
        result.skipped += reader.skipped
        result.select(from: read)
        return result
    }

    private init(files: [SourceListing.File]) { self.files = files }

    /// Of lines with one id, takes the first; then, of feedback on one answer from one name, the latest.
    ///
    /// Without a name the rule is the same: an answer's id is known only to those who saw the answer.
    private mutating func select(from read: [ReadLine]) {
        var ids: Set<String> = []
        var latest: [Author: Int] = [:]
        var isReplaced = [Bool](repeating: false, count: read.count)
        for (index, line) in read.enumerated() {
            let author = Author(answer: line.answerID, from: line.from)
            guard ids.insert(line.id).inserted else {
                note("repeated", files[line.line.file].path, line.line.number)
                isReplaced[index] = true
                continue
            }
            guard let other = latest[author] else {
                latest[author] = index
                continue
            }
            let isLater = read[other].time <= line.time
            if isLater { latest[author] = index }
            let earlier = read[isLater ? other : index].line
            isReplaced[isLater ? other : index] = true
            replaced.append(earlier.path)
            note("replaced by later feedback", files[earlier.file].path, earlier.number)
        }
        lines = read.indices.filter { !isReplaced[$0] }.map { read[$0].line }
    }

    private mutating func note(_ reason: String, _ path: String, _ number: Int) {
        notes.append(
            Remark(path, Finding(.leftOut, reason, 1, "documents", detail: "line \(number)")))
    }

    /// Who gave feedback on which answer.
    private struct Author: Hashable {
        let answer: String
        let from: String?
    }
}

/// What decides whether a line of feedback counts.
private struct ReadLine: Sendable {
    let line: FeedbackLines.Line
    let id: String
    let answerID: String
    let from: String?
    let time: Timestamp
}

/// Whether a line is feedback.
private enum LineVerdict: Sendable {
    case read(ReadLine)
    /// It is not; the reason is the end of a sentence about the line.
    case broken(reason: String)
    /// It is the beginning of a line that is still being written.
    case unfinished

    /// The most bytes of a line whose canonical form cannot pass the limit of a row: a number such as `1e20` becomes
    /// five times as long.
    private static let harmlessSize = Feedback.lineLimit / 8

    init(_ raw: RawLineReader.RawLine, in source: DocumentSource) {
        guard !raw.isTooLong else {
            self = .broken(reason: "has more than \(Feedback.lineLimit >> 20) MiB")
            return
        }
        let json: JSON
        do throws(JSONError) { json = try JSON(parsing: raw.bytes.span) } catch {
            self =
                raw.isFinished
                ? .broken(reason: "is not JSON: \(error.reason) (at byte \(error.offset))")
                : .unfinished
            return
        }
        guard let object = json.object else {
            self = .broken(reason: "is not a JSON object")
            return
        }
        guard
            raw.bytes.count <= Self.harmlessSize || json.canonicalBytes.count <= Feedback.lineLimit
        else {
            self = .broken(reason: "has numbers that need more than 8 MiB")
            return
        }
        guard json.depth < JSON.depthLimit else {
            self = .broken(reason: "is nested too deeply for a row")
            return
        }
        do throws(JSONSchemaError) {
            let feedback = try Feedback(object)
            let path = source.path(of: feedback.id)
            self = .read(
                ReadLine(
                    line: .init(
                        file: raw.file, number: raw.number, range: raw.range,
                        digest: ObjectID(of: raw.bytes.span),
                        path: TextForm.composed(DocumentPath.encode(path) ?? path)),
                    id: feedback.id, answerID: feedback.answerID, from: feedback.from,
                    time: feedback.time))
        } catch {
            self = .broken(reason: "is not feedback: \(error.path) \(error.reason)")
        }
    }
}

/// Reads the lines of many files in batches, so that memory does not grow with their number.
private struct RawLineReader {
    struct RawLine: Sendable {
        let file: Int
        let number: Int
        let range: Range<Int>
        let isFinished: Bool
        let isTooLong: Bool
        let bytes: [UInt8]
    }

    private static let waveBytes = 32 << 20
    private static let waveCount = 1 << 14

    private let files: [SourceListing.File]
    private var next = 0
    private var lines: RecordLines?
    /// Files that could not be read, at least not to their ends.
    private(set) var skipped: [Remark] = []

    init(_ files: [SourceListing.File]) { self.files = files }

    /// The next lines; empty at the end.
    mutating func nextWave() -> [RawLine] {
        var wave: [RawLine] = []
        var size = 0
        while size < Self.waveBytes, wave.count < Self.waveCount, let line = nextLine() {
            size += line.bytes.count
            wave.append(line)
        }
        return wave
    }

    private mutating func nextLine() -> RawLine? {
        while true {
            do throws(StorageError) {
                if let (number, line) = try lines?.next(), let lines {
                    return RawLine(
                        file: next - 1, number: number, range: lines.range,
                        isFinished: lines.isFinished, isTooLong: line == nil, bytes: line ?? [])
                }
                guard next < files.count else { return nil }
                next += 1
                lines = nil
                lines = RecordLines(
                    try InputFile(opening: files[next - 1].location, followLink: false),
                    path: files[next - 1].path, sizeLimit: Feedback.lineLimit)
            } catch {
                skipped.append(Remark(files[next - 1].path, error.message))
                lines = nil
            }
        }
    }
}

extension JSON {
    /// How deeply lists and objects are nested; 0 for any other value.
    fileprivate var depth: Int {
        switch self {
        case .array(let items): 1 + (items.lazy.map(\.depth).max() ?? 0)
        case .object(let object): 1 + (object.lazy.map(\.value.depth).max() ?? 0)
        default: 0
        }
    }
}
