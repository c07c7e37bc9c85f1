internal import Artifacts
public import Documents
internal import Objects
internal import Refs
internal import Storage
internal import TextAnalysis

/// The files of the sources, and the places where the listing is incomplete.
///
/// Skips names that begin with a dot, and symbolic links below a source; reports both.
struct SourceListing {
    /// A file that holds one document, or several as records.
    struct File: Sendable {
        /// The path within the run, as rows store it.
        let path: String
        /// The location on this machine.
        let location: String
        let format: DocumentFormat
        /// The index of its source.
        let source: Int
        /// The path below the source's folder, as the file system spells it.
        let relative: String
        /// The encoding that its source declares; nil to detect it.
        let encoding: String?
    }

    /// The files of documents, in byte order of their paths.
    private(set) var files: [File] = []
    /// The files of feedback, in the same order.
    private(set) var feedback: [File] = []
    /// Files that match the patterns but were skipped.
    private(set) var skipped: [Remark] = []
    /// Places that may hold unlisted documents: nothing at or below these paths counts as removed.
    private(set) var gaps: [Remark] = []
    /// The index of the source being listed.
    private var number = 0
    /// Counts of files below each source that are not documents, by reason.
    private(set) var leftOut: [Remark] = []
    /// Patterns that match nothing, and sources without a file.
    private(set) var unmatched: [Remark] = []
    /// The sources that do not exist.
    private(set) var missing: [DocumentSource] = []

    /// Lists the sources; anything unreadable becomes a gap.
    static func list(_ sources: [DocumentSource]) -> SourceListing {
        var listing = SourceListing()
        for (number, source) in sources.enumerated() {
            listing.number = number
            listing.add(source)
        }
        listing.files.sort { left, right in
            if left.path.utf8.elementsEqual(right.path.utf8) {
                return left.relative.utf8.lexicographicallyPrecedes(right.relative.utf8)
            }
            return left.path.utf8.lexicographicallyPrecedes(right.path.utf8)
        }
        listing.leaveOutTwins()
        listing.feedback = listing.files.filter { sources[$0.source].isFeedback }
        listing.files.removeAll { sources[$0.source].isFeedback }
        return listing
    }

    private mutating func add(_ source: DocumentSource) {
        let before = files.count
        let path = source.path(of: "")
        do throws(StorageError) {
            switch try FolderEntry.kind(of: source.location, isLinkFollowed: true) {
            case .file:
                add(source.lastName ?? source.location, at: source.location, of: source)
            case .folder: list(source)
            case nil:
                missing.append(source)
                gaps.append(Remark(path, "\(source.location) does not exist"))
            default:
                gaps.append(Remark(path, "\(source.location) is neither a folder nor a file"))
            }
        } catch {
            gaps.append(Remark(path, error.message))
        }
        guard files.count == before else { return }
        unmatched.append(Remark(path, "\(source.location) holds no documents"))
        if !gaps.contains(where: { $0.path == path }) {
            gaps.append(Remark(path, "\(source.location) holds no documents"))
        }
    }

    /// Keeps only the first of several files in a source whose paths differ only in Unicode normalization.
    private mutating func leaveOutTwins() {
        var distinct: [File] = []
        distinct.reserveCapacity(files.count)
        for file in files {
            if let last = distinct.last, last.source == file.source,
                last.path.utf8.elementsEqual(file.path.utf8)
            {
                skipped.append(
                    Remark(file.path, "has the same name as another file, in another Unicode form"))
            } else {
                distinct.append(file)
            }
        }
        files = distinct
    }

    private mutating func list(_ source: DocumentSource) {
        var selection = SourceSelection(source)
        var pending = [""]
        let gapsBefore = gaps.count
        while let folder = pending.popLast() {
            let location = folder.isEmpty ? source.location : "\(source.location)/\(folder)"
            let entries: [FolderEntry]
            do throws(StorageError) {
                entries = try FolderEntry.list(location)
            } catch {
                gaps.append(
                    Remark(source.path(of: DocumentPath.encode(folder) ?? ""), error.message))
                continue
            }
            for entry in entries {
                guard let name = entry.name else {
                    let path = source.path(of: folder.isEmpty ? "" : folder)
                    skipped.append(Remark(path, "holds a file whose name is not UTF-8"))
                    continue
                }
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                guard selection.judge(path, name: name, entry.kind) == .included else { continue }
                switch entry.kind {
                case .folder: pending.append(path)
                case .file: add(path, at: "\(location)/\(name)", of: source)
                case .link: skip(path, of: source, "is a symbolic link")
                case .other: skip(path, of: source, "is not a regular file")
                }
            }
        }
        let path = source.path(of: "")
        leftOut += selection.findings.map { Remark(path, $0) }
        // An unlisted file might match the pattern.
        guard gaps.count == gapsBefore else { return }
        unmatched += selection.unmatched.map { Remark(path, $0) }
    }

    private mutating func add(_ path: String, at location: String, of source: DocumentSource) {
        guard let encoded = DocumentPath.encode(source.path(of: path)) else {
            return skip(path, of: source, "has a path that is too long")
        }
        files.append(
            File(
                path: TextForm.composed(encoded), location: location,
                format: Self.format(of: path, source),
                source: number, relative: path, encoding: source.encoding))
    }

    /// The format to read a file as; a source's format does not apply to files of records.
    private static func format(of path: String, _ source: DocumentSource) -> DocumentFormat {
        let own = DocumentFormat(fileName: path)
        return own == .records ? .records : source.format ?? own ?? .text
    }

    private mutating func skip(_ path: String, of source: DocumentSource, _ reason: String) {
        skipped.append(Remark(source.path(of: path), reason))
    }
}

/// Decides which files of a source are documents, and counts the others by reason.
struct SourceSelection {
    /// The verdict on a file or folder.
    enum Verdict {
        case included
        case leftOut
    }

    private let source: DocumentSource
    private var hasMatched: (include: [Bool], exclude: [Bool])
    private var leftOut: [Reason: Int] = [:]

    /// The reason why an entry is not a document.
    private struct Reason: Hashable {
        let word: String
        var detail: String?
        let isFolder: Bool
    }

    init(_ source: DocumentSource) {
        self.source = source
        hasMatched = (
            source.include.map { _ in false }, source.exclude.map { _ in false }
        )
    }

    /// Judges an entry of the source.
    ///
    /// - Parameters:
    ///   - path: The path below the source.
    ///   - name: The last component of the path.
    ///   - kind: The kind of the entry.
    mutating func judge(_ path: String, name: String, _ kind: FolderEntry.Kind) -> Verdict {
        let isFolder = kind == .folder
        if name.utf8.first == UInt8(ascii: ".") {
            return leave(Reason(word: "hidden", isFolder: isFolder))
        }
        let names = GlobPattern.Path(path)
        if Self.note(source.exclude, names, &hasMatched.exclude) {
            return leave(Reason(word: "excluded", isFolder: isFolder))
        }
        if isFolder || Self.note(source.include, names, &hasMatched.include) { return .included }
        if kind == .link { return leave(Reason(word: "symbolic link", isFolder: false)) }
        let isKnown = DocumentFormat(fileName: name) != nil
        return leave(
            Reason(
                word: isKnown ? "not included" : "format", detail: Self.ending(of: name),
                isFolder: false))
    }

    private mutating func leave(_ reason: Reason) -> Verdict {
        leftOut[reason, default: 0] += 1
        return .leftOut
    }

    /// Whether any pattern matches; records the patterns that do.
    private static func note(
        _ patterns: [GlobPattern], _ path: GlobPattern.Path, _ hasMatched: inout [Bool]
    ) -> Bool {
        var fits = false
        for (index, pattern) in patterns.enumerated() where !fits || !hasMatched[index] {
            guard pattern.matches(path) else { continue }
            hasMatched[index] = true
            fits = true
        }
        return fits
    }

    /// The file extension for reports, in lower case; extensions that are too long count as none.
    private static func ending(of name: String) -> String {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return "no ending" }
        let ending = name[dot...].lowercased()
        return 2...16 ~= ending.utf8.count ? ending : "no ending"
    }

    /// The entries that were left out, most frequent first.
    var findings: [Finding] {
        leftOut.map { reason, count in
            Finding(
                .leftOut, reason.word, count, reason.isFolder ? "folders" : "files",
                detail: reason.detail)
        }.sorted {
            ($1.count, $0.reason, $0.unit, $0.detail ?? "")
                < ($0.count, $1.reason, $1.unit, $1.detail ?? "")
        }
    }

    /// The configured patterns that match nothing, each as the predicate of a sentence about the source.
    var unmatched: [String] {
        func unmatched(_ key: String, _ patterns: [GlobPattern], _ hasMatched: [Bool]) -> [String] {
            zip(patterns, hasMatched).filter { !$0.1 }.map {
                "has no file matching \(key) \"\($0.0.text)\""
            }
        }
        let isDefault =
            source.include == DocumentSource.defaultInclude
            || source.isFeedback && source.include == DocumentSource.feedbackInclude
        return (isDefault ? [] : unmatched("include", source.include, hasMatched.include))
            + unmatched("exclude", source.exclude, hasMatched.exclude)
    }
}

/// Requirements on the sources of a run.
public struct SourceChecks: Hashable, Sendable {
    /// Whether every source must have a file, every pattern must match one, and all files and records must be readable.
    public var isStrict = false
    /// Whether a source may be missing although the ref has rows of it; the rows then stay.
    public var allowsMissing = false

    /// Makes checks.
    public init(isStrict: Bool = false, allowsMissing: Bool = false) {
        self.isStrict = isStrict
        self.allowsMissing = allowsMissing
    }

    /// Checks a listing, before anything is read.
    ///
    /// - Throws: `sourceMissing`, `nothingMatches`.
    func check(
        _ listing: SourceListing, _ baseline: Baseline, of ref: RefName
    ) throws(FeatureError) {
        if !allowsMissing, let source = listing.missing.first(where: { hasRows($0, baseline) }) {
            throw .sourceMissing(location: source.location, ref)
        }
        let unmatched = required(listing.unmatched, listing)
        guard !isStrict || unmatched.isEmpty else {
            throw .nothingMatches(reasons: unmatched.map(\.sentence))
        }
    }

    /// Checks that all that was listed could be read.
    ///
    /// - Throws: `unreadable`.
    func check(_ scan: CorpusScan, of listing: SourceListing) throws(FeatureError) {
        let unread = required(scan.gaps, listing) + scan.skipped
        guard !isStrict || unread.isEmpty else {
            throw .unreadable(reasons: unread.map(\.sentence))
        }
    }

    /// The remarks that are not about a source that may be missing.
    private func required(_ remarks: [Remark], _ listing: SourceListing) -> [Remark] {
        let missing = allowsMissing ? listing.missing.map { $0.path(of: "") } : []
        return remarks.filter { !missing.contains($0.path) }
    }

    /// Whether the ref has documents of a source.
    private func hasRows(_ source: DocumentSource, _ baseline: Baseline) -> Bool {
        guard !source.prefix.isEmpty else { return !baseline.documents.isEmpty }
        let folder = Array((DocumentPath.encode(source.prefix) ?? source.prefix).utf8) + [0x2F]
        return baseline.documents.keys.contains { $0.starts(with: folder) }
    }
}

/// A remark about a document, file or folder for the user.
public struct Remark: Hashable, Sendable {
    /// The subject: a path below the sources, or a source.
    public let path: String
    /// The predicate of a sentence whose subject is the path.
    public let reason: String

    /// The finding that the remark reports, if it is about the text of a document.
    public let finding: Finding?

    /// Makes a remark.
    public init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
        finding = nil
    }

    /// The remark as `--json` prints it.
    var json: JSON {
        var object = JSONObject()
        object["path"] = .string(path)
        object["reason"] = .string(reason)
        if let finding {
            object["fate"] = .string(finding.fate.rawValue)
            object["kind"] = .string(finding.reason)
            object["count"] = .integer(finding.count)
            object["unit"] = .string(finding.unit)
            if let detail = finding.detail { object["detail"] = .string(detail) }
        }
        return .object(object)
    }

    /// The remark as a sentence.
    var sentence: String { "\(path.isEmpty ? "the source" : path) \(reason)" }

    /// Makes a remark about a finding in a document.
    public init(_ path: String, _ finding: Finding) {
        self.path = path
        self.finding = finding
        reason = finding.sentence
    }
}
