internal import Glibc

/// A folder of small files that are their owner's alone, such as keys.
public struct PrivateFolder: Sendable {
    /// What a file of the folder was found to be.
    public struct Content: Sendable {
        /// The bytes.
        public let bytes: [UInt8]
        /// Whether only the process's user can read the file.
        public let isPrivate: Bool
        /// Whether only the process's user can write it.
        public let isOwn: Bool
    }

    /// Where it is.
    public let path: String

    /// The folder at a path, whether or not there is one.
    public init(_ path: String) { self.path = path }

    /// The names of the files that end in `suffix`, in the order of their bytes; none when there is no folder.
    public func names(suffix: String) throws(StorageError) -> [String] {
        let names: [[UInt8]]
        do {
            names = try Directory(opening: path, followLink: true).names()
        } catch .system(_, _, ENOENT), .system(_, _, ENOTDIR) {
            return []
        } catch { throw error }
        let ending = Array(suffix.utf8)
        return names.filter { $0.count > ending.count && $0.suffix(ending.count) == ending[...] }
            .sorted { $0.lexicographicallyPrecedes($1) }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether only the process's user can read and write the folder itself; nil when there is none.
    public func isPrivate() throws(StorageError) -> Bool? {
        let status: FileStatus
        do {
            status = try Directory(opening: path, followLink: true).status()
        } catch .system(_, _, ENOENT), .system(_, _, ENOTDIR) {
            return nil
        } catch { throw error }
        return (status.owner == geteuid() || status.owner == 0)
            && status.mode & UInt32(S_IRWXG | S_IRWXO) == 0
    }

    /// A file of the folder; nil when there is none.
    ///
    /// - Throws: `tooLarge` when it has more than `limit` bytes; `unusable` when it is not a file.
    public func read(_ name: String, limit: Int) throws(StorageError) -> Content? {
        let place = "\(path)/\(name)"
        let file: FileDescriptor
        do {
            file = try FileDescriptor(opening: place, O_RDONLY | O_NONBLOCK, followLink: true)
        } catch .system(_, _, ENOENT), .system(_, _, ENOTDIR) {
            return nil
        } catch { throw error }
        let status = try file.status()
        guard status.kind == .regular else {
            throw .unusable(path: place, reason: "it is \(status.kind.description)")
        }
        guard status.size <= limit else {
            throw .tooLarge(path: place, size: status.size, limit: limit)
        }
        let isOwned = status.owner == geteuid() || status.owner == 0
        return Content(
            bytes: try file.read(at: 0, upTo: status.size),
            isPrivate: isOwned && status.mode & UInt32(S_IRWXG | S_IRWXO) == 0,
            isOwn: isOwned && status.mode & UInt32(S_IWGRP | S_IWOTH) == 0)
    }

    /// Makes a file that only the process's user can read, durably; the folder and those above it are made when
    /// there are none.
    ///
    /// - Returns: False when there is a file of this name already.
    public func create(_ name: String, _ bytes: [UInt8]) throws(StorageError) -> Bool {
        let directory = try made()
        let file = try TemporaryFile(in: directory)
        try file.descriptor.write(bytes.span, at: 0)
        try file.descriptor.synchronize()
        guard try file.place(as: Array(name.utf8)) else { return false }
        try directory.synchronize()
        return true
    }

    /// Puts new bytes in the place of a file, durably and all at once.
    public func replace(_ name: String, _ bytes: [UInt8]) throws(StorageError) {
        let file = try TemporaryFile(in: try made())
        try file.descriptor.write(bytes.span, at: 0)
        try file.publish(replacing: Array(name.utf8))
    }

    /// Removes a file, durably; does nothing when there is none.
    public func remove(_ name: String) throws(StorageError) {
        do throws(StorageError) {
            let directory = try Directory(opening: path, followLink: true)
            try directory.remove(Array(name.utf8))
            try directory.synchronize()
        } catch .system(_, _, ENOENT), .system(_, _, ENOTDIR) {
        } catch { throw error }
    }

    private func made() throws(StorageError) -> Directory {
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw .unusable(path: path, reason: "the path of a private folder begins with a slash")
        }
        var folder = ""
        let parts = path.utf8.split(separator: UInt8(ascii: "/"))
        for (index, part) in parts.enumerated() {
            folder += "/" + String(decoding: part, as: UTF8.self)
            // A home that does not exist is not made.
            if index >= parts.count - 3 { mkdir(folder, 0o700) }
        }
        return try Directory(opening: path, followLink: true)
    }
}
