internal import Glibc

/// A file that only saves time: whatever is wrong with it, it counts as absent.
public struct CacheFile: Sendable {
    /// Where it is.
    public let path: String
    private let folders: Int

    /// The cache at a path, whether or not there is a file.
    ///
    /// - Parameter folders: How many of the folders above the file are made when there are none.
    public init(_ path: String, folders: Int = 2) {
        self.path = path
        self.folders = folders
    }

    /// The bytes of the file; nil when there is none, or it has more than `limit` bytes, or somebody else than the
    /// process's user may have written it.
    ///
    /// - Parameter isSecret: Whether it counts as absent too when somebody else may read it.
    public func read(limit: Int, isSecret: Bool = false) -> [UInt8]? {
        let forbidden = isSecret ? S_IRWXG | S_IRWXO : S_IWGRP | S_IWOTH
        guard
            let file = try? FileDescriptor(
                opening: path, O_RDONLY | O_NONBLOCK, followLink: false),
            let status = try? file.status(), status.kind == .regular, status.owner == geteuid(),
            status.mode & UInt32(forbidden) == 0, status.size <= limit,
            let bytes = try? file.read(at: 0, upTo: status.size), bytes.count == status.size
        else { return nil }
        return bytes
    }

    /// Puts new bytes in the place of the file, all at once for every reader. It does not wait for the disk: after a
    /// power cut the file may hold anything.
    ///
    /// The folders above it are made when there are none, as many as allowed, for the process's user alone.
    public func replace(_ bytes: [UInt8]) throws(StorageError) {
        let (directory, name) = try place()
        let file = try TemporaryFile(in: directory)
        try file.descriptor.write(bytes.span, at: 0)
        try file.replace(name)
        Self.clean(directory)
    }

    /// The folder of the file, made when there is none, and the file's name in it.
    func place() throws(StorageError) -> (directory: Directory, name: [UInt8]) {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"))
        guard let name = parts.last, path.utf8.first == UInt8(ascii: "/") else {
            throw .unusable(path: path, reason: "the path of a cache begins with a slash")
        }
        var folder = ""
        for (index, part) in parts.dropLast().enumerated() {
            folder += "/" + String(decoding: part, as: UTF8.self)
            // A home that does not exist is not made.
            if index >= parts.count - 1 - folders { mkdir(folder, 0o700) }
        }
        return (try Directory(opening: folder, followLink: true), Array(name))
    }

    /// One process in so many looks for what others left that were stopped between making a file and naming it.
    private static let cleaning: Int32 = 8

    /// Removes unfinished files. Whoever is about to name one just has no cache this time.
    private static func clean(_ directory: Directory) {
        guard getpid() % cleaning == 0, let names = try? directory.names() else { return }
        for name in names where name.starts(with: TemporaryFile.prefix) {
            _ = try? TemporaryFile.removeAbandoned(name, in: directory)
        }
    }
}
