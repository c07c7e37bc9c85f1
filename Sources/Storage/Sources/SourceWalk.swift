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
                let directory = try Directory(opening: path, followLink: followLinks)
                guard try !holds(BucketFolder.initial, directory) else {
                    throw .unusable(path: path, reason: "it is a repository, not content for one")
                }
                let top = paths.count == 1 ? .root : try Self.lastName(of: path)
                let root = SourceRoot(
                    path, directory: directory, followLink: followLinks, depth: top.names.count)
                try list(directory, at: top, below: root)
            case .regular:
                let root = SourceRoot(path, directory: nil, followLink: followLinks, depth: 1)
                entries.append(
                    SourceEntry(
                        try Self.lastName(of: path), version: FileVersion(status), below: root))
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
        // One directory is listed in the order of the tree, and has no name twice.
        guard paths.count > 1 else { return }
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
        return try place(name, in: .root) { path }
    }

    private static func place(
        _ name: [UInt8], in parent: RelativePath, _ location: () -> String
    ) throws(StorageError) -> RelativePath {
        do {
            return try parent.appending(try FileName(name))
        } catch {
            throw .unusable(path: quote(location()), reason: error.reason)
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

    /// A directory on the way from the root to the one that is being listed.
    private struct Level {
        let path: RelativePath
        // Nil while it is far above: too many open directories would be refused by the system.
        var directory: Directory?
        let names: [[UInt8]]
        var next = 0
        var isEmpty = true

        init(_ path: RelativePath, _ directory: Directory) throws(StorageError) {
            self.path = path
            self.directory = directory
            var names = try directory.takeNames()
            names.sort { $0.lexicographicallyPrecedes($1) }
            self.names = names
        }
    }

    /// How many directories above the one that is being listed stay open.
    private static let openLevels = 64

    private mutating func list(
        _ top: Directory, at path: RelativePath, below root: SourceRoot
    ) throws(StorageError) {
        var levels = [try Level(path, top)]
        while let level = levels.last {
            guard level.next < level.names.count else {
                if level.isEmpty {
                    entries.append(SourceEntry(level.path, version: nil, below: root))
                }
                levels.removeLast()
                continue
            }
            let directory: Directory
            if let open = level.directory {
                directory = open
            } else {
                directory = try root.openDirectory(level.path.names[...])
                levels[levels.count - 1].directory = directory
            }
            let name = level.names[level.next]
            levels[levels.count - 1].next += 1
            guard let status = try directory.status(of: name) else {
                throw .changed(path: directory.path(of: name))
            }
            if status.sort == .directory, try isRepository(name, in: directory) {
                skipped.append(directory.path(of: name))
                continue
            }
            levels[levels.count - 1].isEmpty = false
            let place = try Self.place(name, in: level.path) { directory.path(of: name) }
            switch status.sort {
            case .directory:
                let inner = try Level(place, try directory.directory(name))
                if levels.count >= Self.openLevels {
                    levels[levels.count - Self.openLevels].directory = nil
                }
                levels.append(inner)
            case .regular:
                entries.append(SourceEntry(place, version: FileVersion(status), below: root))
            default: throw Self.refusal(of: status.sort, directory.path(of: name))
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
