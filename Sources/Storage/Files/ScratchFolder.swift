internal import Glibc

/// A private folder for the files of one run, removed with everything in it when the run is done.
///
/// The folders of all runs of a user lie in one folder, which no other user can enter. A run holds a lock on its own
/// folder, so the folder of a run that died is known by its missing lock, and the next run removes it.
public final class ScratchFolder: Sendable {
    /// The absolute path, without symbolic links.
    public let path: String
    private let all: Directory
    private let name: [UInt8]
    /// Holds the lock.
    private let own: Directory

    /// Creates a folder for a run, and removes those of runs that died.
    ///
    /// - Parameters:
    ///   - parent: An existing folder for temporary files, which other users may share.
    ///   - name: The name of the folder of all runs; the user's number is added to it.
    /// - Throws: `refused` if a folder of this name belongs to somebody else, or others can enter it.
    public init(in parent: String, for name: String) throws(StorageError) {
        guard let parent = resolvedPath(Array(parent.utf8)).path else {
            throw .system(operation: "open", path: parent, errno: errno)
        }
        let folder = "\(String(decoding: parent, as: UTF8.self))/\(name)-\(geteuid())"
        all = try Self.open(folder)
        Self.removeAbandoned(in: all)
        while true {
            let name = Array("run-".utf8) + (try TemporaryFile.randomName()).suffix(16)
            try all.makeDirectory(name, permissions: 0o700)
            // Another run may take the new folder for an abandoned one until it is locked.
            guard let own = try? all.directory(name).locked(), try all.status(of: name) != nil
            else { continue }
            self.own = own
            self.name = name
            path = "\(folder)/\(String(decoding: name, as: UTF8.self))"
            return
        }
    }

    deinit { Self.remove(name, in: all) }

    private static func open(_ path: String) throws(StorageError) -> Directory {
        mkdir(path, 0o700)
        let directory = try Directory(opening: path, followLink: false)
        let status = try directory.status()
        guard status.owner == geteuid(), status.isPrivate else {
            throw .refused(
                path: path, reason: "it belongs to another user, or other users can enter it")
        }
        return directory
    }

    /// The path of an entry.
    public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Creates an empty folder that only the user can enter; returns its path.
    public func makeFolder(_ name: String) throws(StorageError) -> String {
        try own.makeDirectory(Array(name.utf8), permissions: 0o700)
        return self(name)
    }

    /// Takes all permissions to write from the files and folders below a folder, and from itself.
    ///
    /// - Parameter name: A folder without symbolic links, no deeper than a tree can be.
    public func protect(_ name: String) throws(StorageError) {
        try Self.protect(try own.directory(Array(name.utf8)))
    }

    private static func protect(_ directory: Directory) throws(StorageError) {
        for name in try directory.names() {
            if try directory.status(of: name)?.kind == .directory {
                try protect(try directory.directory(name))
            } else {
                let file = try directory.open(name, O_RDONLY | O_NONBLOCK)
                try file.setPermissions(try file.status().isExecutable ? 0o500 : 0o400)
            }
        }
        try directory.setPermissions(0o500)
    }

    // MARK: Removal

    private static func removeAbandoned(in all: Directory) {
        for name in (try? all.names()) ?? [] {
            // The lock is held until the folder is gone, so that only one run removes it.
            guard let folder = try? all.directory(name), let locked = folder.locked() else {
                continue
            }
            remove(name, in: all)
            withExtendedLifetime(locked) {}
        }
    }

    /// Removes a folder and everything in it, as far as possible.
    ///
    /// Programs may have left folders nested to any depth, or without permissions. So the folders in a folder are first
    /// moved up, and at no time are more than two open.
    private static func remove(_ name: [UInt8], in all: Directory) {
        var waiting = [name]
        while let name = waiting.popLast() {
            all.unlock(name)
            guard let folder = try? all.directory(name) else { continue }
            for entry in (try? folder.names()) ?? [] {
                let isFolder = (try? folder.status(of: entry))??.kind == .directory
                guard isFolder, let new = try? TemporaryFile.randomName() else {
                    try? folder.remove(entry)
                    continue
                }
                folder.unlock(entry)
                if folder.move(entry, to: new, in: all) == 0 { waiting.append(new) }
            }
            try? all.remove(name, directory: true)
        }
    }
}
