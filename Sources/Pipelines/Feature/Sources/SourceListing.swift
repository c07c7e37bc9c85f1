internal import Artifacts
internal import Storage

/// The files that the sources hold, and where it is not known whether there are more.
///
/// Links are not followed, and names that begin with a dot are passed over.
struct SourceListing {
    /// A file that holds a document, or several as records.
    struct File: Sendable {
        /// Where it is in the run, as it stands in rows.
        let path: String
        /// Where it is on this machine.
        let location: String
        let mediaType: MediaType
    }

    /// The files, in the order of their paths' bytes.
    private(set) var files: [File] = []
    /// What was passed over although it fits the patterns.
    private(set) var skipped: [Remark] = []
    /// What may hold documents that are not in the list: nothing at or below these paths is known to be
    /// gone.
    private(set) var gaps: [Remark] = []

    /// Lists the sources; what cannot be read becomes a gap.
    init(_ sources: [DocumentSource]) {
        for source in sources {
            let before = files.count
            do throws(StorageError) {
                switch try FolderEntry.sort(of: source.location, isLinkFollowed: true) {
                case .file: add(Self.lastName(source.location), at: source.location, of: source)
                case .folder: list(source)
                case nil:
                    gaps.append(Remark(source.path(of: ""), "\(source.location) is not there"))
                default:
                    gaps.append(
                        Remark(source.path(of: ""), "\(source.location) is no folder and no file"))
                }
            } catch {
                gaps.append(Remark(source.path(of: ""), error.message))
            }
            if files.count == before, !gaps.contains(where: { $0.path == source.path(of: "") }) {
                gaps.append(Remark(source.path(of: ""), "\(source.location) holds no documents"))
            }
        }
        files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private mutating func list(_ source: DocumentSource) {
        var pending = [""]
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
                if name.utf8.first == 0x2E { continue }
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                if source.exclude.contains(where: { $0.matches(path) }) { continue }
                if entry.sort == .folder {
                    pending.append(path)
                } else if source.include.contains(where: { $0.matches(path) }) {
                    switch entry.sort {
                    case .file: add(path, at: "\(location)/\(name)", of: source)
                    case .link: skip(path, of: source, "is a symbolic link")
                    default: skip(path, of: source, "is no file")
                    }
                }
            }
        }
    }

    private mutating func add(_ path: String, at location: String, of source: DocumentSource) {
        guard let encoded = DocumentPath.encode(source.path(of: path)) else {
            return skip(path, of: source, "has too long a path")
        }
        files.append(
            File(path: encoded, location: location, mediaType: MediaType(fileName: path)))
    }

    private mutating func skip(_ path: String, of source: DocumentSource, _ reason: String) {
        skipped.append(Remark(source.path(of: path), reason))
    }

    private static func lastName(_ path: String) -> String {
        path.utf8.split(separator: 0x2F).last.map { String(Substring($0)) } ?? path
    }
}
