internal import Glibc

/// What the paths of a `put` name: every file, and every empty directory, with its place in the tree.
///
/// The content of a directory that is named alone lies at the root of the tree. A file, and each of
/// several paths, lies there under its own last name.
public struct SourceWalk: Sendable {
    /// What was found, in the order of the paths in the tree.
    public private(set) var entries: [SourceEntry] = []
    /// The sum of the sizes of the files in bytes.
    public private(set) var size = 0
    /// The repositories that were passed over, as paths for messages.
    public private(set) var skipped: [String] = []

    private let followLinks: Bool

    /// Lists what the paths name.
    ///
    /// - Parameter followLinks: Whether a path itself may be a symbolic link. Links inside directories
    ///   are refused always.
    /// - Throws: `unusable` for links, pipes, sockets, devices and names that no tree may hold;
    ///   `system` for what cannot be read.
    public init(_ paths: [String], followLinks: Bool = false) throws(StorageError) {
        self.followLinks = followLinks
        for path in paths {
            let status = try status(of: path)
            switch status.sort {
            case .directory:
                let root = try Directory(opening: path, followLink: followLinks)
                guard try !holds(BucketFolder.allCases, root) else {
                    throw .unusable(path: path, reason: "it is a repository, not content for one")
                }
                try list(root, at: paths.count == 1 ? .root : try Self.lastName(of: path))
            case .regular:
                entries.append(
                    SourceEntry(
                        path: try Self.lastName(of: path), location: path, isDirectory: false,
                        size: status.size, root: nil, names: [], followLink: followLinks))
            default: throw Self.refusal(of: status.sort, path)
            }
        }
        for entry in entries {
            // Holes make sizes that no disk has.
            let (sum, overflow) = size.addingReportingOverflow(entry.size)
            guard !overflow else {
                throw .unusable(path: entry.location, reason: "the files are too large together")
            }
            size = sum
        }
        entries.sort { $0.path < $1.path }
        for (first, second) in zip(entries, entries.dropFirst()) where first.path == second.path {
            throw .unusable(
                path: second.location, reason: "\(first.location) has the same place in the tree")
        }
    }

    private func status(of path: String) throws(StorageError) -> FileStatus {
        let status: FileStatus
        do {
            status = try FileStatus(of: path, followLink: followLinks)
        } catch .system(_, _, ELOOP) {
            throw .unusable(path: path, reason: "its symbolic links lead in a circle")
        } catch {
            throw error
        }
        guard status.sort != .link else {
            throw .unusable(
                path: path, reason: "it is a symbolic link, which only --follow looks behind")
        }
        return status
    }

    private static func lastName(of path: String) throws(StorageError) -> RelativePath {
        let name = path.utf8.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? []
        return try place(name, in: .root, path)
    }

    private static func place(
        _ name: [UInt8], in parent: RelativePath, _ location: String
    ) throws(StorageError) -> RelativePath {
        do {
            return try parent.appending(try FileName(name))
        } catch {
            throw .unusable(path: quote(location), reason: error.reason)
        }
    }

    /// A location with everything that could disturb a line of text replaced.
    private static func quote(_ location: String) -> String {
        guard location.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return location }
        return FileNameError(name: Array(location.utf8), reason: "").quoted
    }

    private static func refusal(of sort: FileStatus.Sort, _ path: String) -> StorageError {
        .unusable(path: path, reason: "it is \(sort.description), not a file or a directory")
    }

    private mutating func list(_ root: Directory, at top: RelativePath) throws(StorageError) {
        var pending: [(path: RelativePath, names: [FileName])] = [(top, [])]
        while let (path, names) = pending.popLast() {
            // Reached from the root each time: open directories would pile up otherwise.
            var directory = root
            for name in names { directory = try directory.directory(name.bytes) }
            let found = try directory.names()
            var isEmpty = true
            for name in found {
                let location = directory.path(of: name)
                guard let status = try directory.status(of: name) else {
                    throw .changed(path: location)
                }
                if status.sort == .directory, try isRepository(name, in: directory) {
                    skipped.append(location)
                    continue
                }
                isEmpty = false
                let place = try Self.place(name, in: path, location)
                guard let name = place.names.last else { continue }
                switch status.sort {
                case .directory: pending.append((place, names + [name]))
                case .regular:
                    entries.append(
                        SourceEntry(
                            path: place, location: location, isDirectory: false,
                            size: status.size, root: root, names: names + [name],
                            followLink: false))
                default: throw Self.refusal(of: status.sort, location)
                }
            }
            if isEmpty {
                entries.append(
                    SourceEntry(
                        path: path, location: directory.path, isDirectory: true, size: 0,
                        root: root, names: names, followLink: false))
            }
        }
    }

    private func isRepository(
        _ name: [UInt8], in directory: Directory
    ) throws(StorageError) -> Bool {
        guard name == Array(".fti".utf8) else { return false }
        // The folder of checkpoints is a cache, and may be gone.
        return try holds([.packs, .log], try directory.directory(name))
    }

    /// Whether a directory has these folders of a bucket.
    private func holds(
        _ folders: [BucketFolder], _ directory: Directory
    ) throws(StorageError) -> Bool {
        for folder in folders {
            var inside = directory
            for component in folder.rawValue.utf8.split(separator: UInt8(ascii: "/")) {
                let name = Array(component)
                guard try inside.status(of: name)?.sort == .directory else { return false }
                inside = try inside.directory(name)
            }
        }
        return true
    }
}
