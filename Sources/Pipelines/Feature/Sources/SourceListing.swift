internal import Artifacts
internal import Documents
internal import Storage
internal import TextAnalysis

/// The files that the sources hold, and where it is not known whether there are more.
///
/// Links are not followed, and names that begin with a dot are passed over; both are counted.
struct SourceListing {
    /// A file that holds a document, or several as records.
    struct File: Sendable {
        /// Where it is in the run, as it stands in rows.
        let path: String
        /// Where it is on this machine.
        let location: String
        let format: DocumentFormat
        /// The number of its source.
        let source: Int
        /// Where it is below the source's folder, as the file system spells it.
        let relative: String
        /// The encoding that its source declares; nil to find out.
        let encoding: String?
    }

    /// The files, in the order of their paths' bytes.
    private(set) var files: [File] = []
    /// What was passed over although it fits the patterns.
    private(set) var skipped: [Remark] = []
    /// What may hold documents that are not in the list: nothing at or below these paths is known to be
    /// gone.
    private(set) var gaps: [Remark] = []
    /// The number of the source that is being listed.
    private var number = 0
    /// How much below each source is no document, and why.
    private(set) var leftOut: [Remark] = []
    /// Patterns that fit nothing, and sources without a file.
    private(set) var unmatched: [Remark] = []
    /// The sources that are not there.
    private(set) var missing: [DocumentSource] = []

    /// Lists the sources; what cannot be read becomes a gap.
    init(_ sources: [DocumentSource]) {
        for (number, source) in sources.enumerated() {
            self.number = number
            let before = files.count
            let path = source.path(of: "")
            do throws(StorageError) {
                switch try FolderEntry.kind(of: source.location, isLinkFollowed: true) {
                case .file: add(Self.lastName(source.location), at: source.location, of: source)
                case .folder: list(source)
                case nil:
                    missing.append(source)
                    gaps.append(Remark(path, "\(source.location) is not there"))
                default:
                    gaps.append(Remark(path, "\(source.location) is no folder and no file"))
                }
            } catch {
                gaps.append(Remark(path, error.message))
            }
            guard files.count == before else { continue }
            unmatched.append(Remark(path, "\(source.location) holds no documents"))
            if !gaps.contains(where: { $0.path == path }) {
                gaps.append(Remark(path, "\(source.location) holds no documents"))
            }
        }
        files.sort { left, right in
            if left.path.utf8.elementsEqual(right.path.utf8) {
                return left.relative.utf8.lexicographicallyPrecedes(right.relative.utf8)
            }
            return left.path.utf8.lexicographicallyPrecedes(right.path.utf8)
        }
        leaveOutTwins()
    }

    /// Leaves out all but the first of files of one source whose paths differ in their form of Unicode alone.
    private mutating func leaveOutTwins() {
        var distinct: [File] = []
        distinct.reserveCapacity(files.count)
        for file in files {
            if let last = distinct.last, last.source == file.source,
                last.path.utf8.elementsEqual(file.path.utf8)
            {
                skipped.append(
                    Remark(file.path, "has the name of another file, spelled in another way"))
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
                case .other: skip(path, of: source, "is no file")
                }
            }
        }
        let path = source.path(of: "")
        leftOut += selection.findings.map { Remark(path, $0) }
        // What was not listed may be what a pattern is for.
        guard gaps.count == gapsBefore else { return }
        unmatched += selection.unmatched.map { Remark(path, $0) }
    }

    private mutating func add(_ path: String, at location: String, of source: DocumentSource) {
        guard let encoded = DocumentPath.encode(source.path(of: path)) else {
            return skip(path, of: source, "has too long a path")
        }
        files.append(
            File(
                path: TextForm.composed(encoded), location: location,
                format: Self.format(of: path, source),
                source: number, relative: path, encoding: source.encoding))
    }

    /// What a file is read as. Lines of records stay what they are: a source's format is that of texts.
    private static func format(of path: String, _ source: DocumentSource) -> DocumentFormat {
        let own = DocumentFormat(fileName: path)
        return own == .records ? .records : source.format ?? own ?? .text
    }

    private mutating func skip(_ path: String, of source: DocumentSource, _ reason: String) {
        skipped.append(Remark(source.path(of: path), reason))
    }

    private static func lastName(_ path: String) -> String {
        path.utf8.split(separator: 0x2F).last.map { String(Substring($0)) } ?? path
    }
}
