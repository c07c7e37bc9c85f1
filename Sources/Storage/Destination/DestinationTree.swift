internal import Glibc
internal import Synchronization

/// A directory that files are written out to, and nothing outside of it.
///
/// The destination itself may lie behind symbolic links, as it was named by the user; inside it none
/// is followed. Files appear under their names when they are whole. Nothing is ever removed. It may be
/// used from several threads.
public final class DestinationTree: Sendable {
    /// Where it is, for messages.
    public let path: String
    private let root: Directory
    private let replacesFiles: Bool
    // The directory that was used last: files come in the order of their paths.
    private let recent: Mutex<(path: RelativePath, directory: Directory)>

    /// Opens a directory, or makes it with those that it is in.
    ///
    /// - Parameter force: Whether it may hold something already, and files may be replaced.
    /// - Throws: `unusable` when it is not an empty directory.
    public init(at path: String, force: Bool = false) throws(StorageError) {
        self.path = path
        replacesFiles = force
        root = try Self.open(path)
        if !force, try !root.names().isEmpty {
            throw .unusable(path: path, reason: "it is not empty; --force writes into it")
        }
        recent = Mutex((.root, root))
    }

    private static func open(_ path: String) throws(StorageError) -> Directory {
        do {
            return try Directory(opening: path, followLink: true)
        } catch .system(_, _, let code) where code == ENOTDIR {
            throw .unusable(path: path, reason: "it is not a directory")
        } catch .system(_, _, let code) where code == ENOENT {
            try makeDirectories(path)
            return try Directory(opening: path, followLink: true)
        } catch {
            throw error
        }
    }

    private static func makeDirectories(_ path: String) throws(StorageError) {
        let bytes = Array(path.utf8)
        for end in bytes.indices.dropFirst() + [bytes.count]
        where end == bytes.count || bytes[end] == UInt8(ascii: "/") {
            let parent = Array(bytes[..<end])
            let (result, code) = interruptible { withCString(parent) { mkdir($0, 0o777) } }
            // Some systems say that the root is read-only before they say that it exists.
            guard result < 0, code != EEXIST, code != EROFS, code != EISDIR else { continue }
            throw .system(
                operation: "create", path: String(decoding: parent, as: UTF8.self), errno: code)
        }
    }

    /// Makes a directory, with those that it is in; does nothing when it is there.
    public func makeDirectory(_ path: RelativePath) throws(StorageError) {
        _ = try directory(path)
    }

    /// Begins a file; the directories that it is in are made as needed.
    ///
    /// - Throws: `unusable` when something other than a directory stands in the place of one.
    public func file(
        _ path: RelativePath, isExecutable: Bool = false
    ) throws(StorageError) -> DestinationFile {
        guard let name = path.names.last else {
            throw .unusable(path: self.path, reason: "a file needs a name")
        }
        let parent = try directory(try Self.parent(of: path))
        return DestinationFile(
            try TemporaryFile(in: parent, permissions: isExecutable ? 0o777 : 0o666),
            name: name, in: parent, replaces: replacesFiles)
    }

    private static func parent(of path: RelativePath) throws(StorageError) -> RelativePath {
        do {
            return try RelativePath(Array(path.names.dropLast()))
        } catch {
            throw .unusable(path: path.description, reason: error.reason)
        }
    }

    private func directory(_ path: RelativePath) throws(StorageError) -> Directory {
        let last = recent.withLock { $0 }
        if last.path == path { return last.directory }
        var directory = root
        for name in path.names { directory = try Self.step(into: name, of: directory) }
        let found = directory
        recent.withLock { $0 = (path, found) }
        return directory
    }

    private static func step(
        into name: FileName, of directory: Directory
    ) throws(StorageError) -> Directory {
        for isMade in [false, true] {
            do {
                return try directory.directory(name.bytes)
            } catch .system(_, _, ENOENT) where !isMade {
                do {
                    try directory.makeDirectory(name.bytes)
                } catch .system(_, _, EEXIST) {
                    // Another thread made it just now.
                } catch {
                    throw error
                }
            } catch .system(_, _, let code) where code == ELOOP || code == ENOTDIR {
                throw .unusable(
                    path: directory.path(of: name.bytes),
                    reason: "it is not a directory, and one must be there")
            } catch {
                throw error
            }
        }
        throw .changed(path: directory.path(of: name.bytes))
    }
}
