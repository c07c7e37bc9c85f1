internal import Glibc

/// A folder of small files that only their owner should read, such as keys.
public struct PrivateFolder: Sendable {
    /// A file of the folder: its bytes, and whether other users can read or write it.
    public struct Content: Sendable {
        /// The bytes.
        public let bytes: [UInt8]
        /// Whether only the process's user and the superuser can read and write the file.
        public let isPrivate: Bool
        /// Whether only the process's user and the superuser can write the file.
        public let isOwn: Bool
    }

    /// The path of the folder.
    public let path: String

    /// Names the folder at a path, which need not exist.
    public init(_ path: String) { self.path = path }

    /// Lists the names that end in `suffix`, in the order of their bytes; none when the folder does not exist.
    public func names(suffix: String) throws(StorageError) -> [String] {
        let names: [[UInt8]]
        do throws(StorageError) {
            names = try Directory(opening: path, followLink: true).names()
        } catch .system(_, _, ENOENT), .system(_, _, ENOTDIR) {
            return []
        }
        let ending = Array(suffix.utf8)
        return names.filter { $0.count > ending.count && $0.suffix(ending.count) == ending[...] }
            .sorted { $0.lexicographicallyPrecedes($1) }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Tells whether only the process's user and the superuser can read and write the folder itself; nil when it does
    /// not exist.
    public func isPrivate() throws(StorageError) -> Bool? {
        do throws(StorageError) {
            let status = try Directory(opening: path, followLink: true).status()
            return status.isTrusted && status.isPrivate
        } catch .system(_, _, ENOENT), .system(_, _, ENOTDIR) {
            return nil
        }
    }

    /// Reads a file; nil when it does not exist.
    ///
    /// - Throws: `tooLarge` when it has more than `limit` bytes; `unusable` when it is not a regular file.
    public func read(_ name: String, limit: Int) throws(StorageError) -> Content? {
        let place = "\(path)/\(name)"
        let file: FileDescriptor
        do throws(StorageError) {
            file = try FileDescriptor(opening: place, O_RDONLY | O_NONBLOCK, followLink: true)
        } catch .system(_, _, ENOENT), .system(_, _, ENOTDIR) {
            return nil
        }
        let status = try file.status()
        guard status.kind == .regular else {
            throw .unusable(path: place, reason: "it is \(status.kind)")
        }
        guard status.size <= limit else {
            throw .tooLarge(path: place, size: status.size, limit: limit)
        }
        return Content(
            bytes: try file.read(at: 0, upTo: status.size),
            isPrivate: status.isTrusted && status.isPrivate,
            isOwn: status.isTrusted && status.isOwnerWritten)
    }

    /// Creates a file, durably, that only the process's user can read; creates missing folders on the way.
    ///
    /// - Returns: False when a file of this name exists.
    public func create(_ name: String, _ bytes: [UInt8]) throws(StorageError) -> Bool {
        let directory = try created()
        let file = try TemporaryFile(in: directory)
        try file.descriptor.write(bytes.span, at: 0)
        try file.descriptor.synchronize()
        guard try file.place(as: Array(name.utf8)) else { return false }
        try directory.synchronize()
        return true
    }

    /// Replaces a file durably and atomically; creates missing folders on the way.
    public func replace(_ name: String, _ bytes: [UInt8]) throws(StorageError) {
        let file = try TemporaryFile(in: try created())
        try file.descriptor.write(bytes.span, at: 0)
        try file.publish(replacing: Array(name.utf8))
    }

    /// Removes a file, durably; does nothing when it does not exist.
    public func remove(_ name: String) throws(StorageError) {
        do throws(StorageError) {
            let directory = try Directory(opening: path, followLink: true)
            try directory.remove(Array(name.utf8))
            try directory.synchronize()
        } catch .system(_, _, ENOENT), .system(_, _, ENOTDIR) {}
    }

    private func created() throws(StorageError) -> Directory {
        try Directory(creating: path, levels: 3)
    }
}

/// A small file of the user's, outside any repository, that is read or written whole.
public enum LocalFile {
    /// Reads a text file and drops its byte-order mark.
    ///
    /// - Throws: `unusable` when it is not a file, or has more than `limit` bytes.
    public static func read(_ path: String, limit: Int) throws(StorageError) -> [UInt8] {
        let file = try InputFile(opening: path, followLink: true)
        guard file.size <= limit else {
            throw .unusable(
                path: path, reason: "it has \(file.size) bytes, more than \(limit)")
        }
        return ByteOrderMark.skipped(try file.read(at: 0, count: file.size))
    }

    /// Replaces a file durably and atomically.
    ///
    /// - Throws: `durabilityUnknown` when the new bytes are visible but a power cut may still undo the write.
    public static func write(_ path: String, _ bytes: [UInt8]) throws(StorageError) {
        let (parent, name) = try Directory.split(path)
        let directory = try Directory(opening: parent, followLink: true)
        let file = try TemporaryFile(in: directory, permissions: 0o666)
        try file.descriptor.write(bytes.span, at: 0)
        try file.publish(replacing: name)
    }
}

/// The places of other users that this user trusts, listed in a file: one absolute path per line, or `*` for all
/// places.
///
/// Empty lines and lines that begin with `#` are ignored.
public struct TrustedPlaces: Sendable {
    /// The path of the list, for messages; nil for a list that has no file.
    public let path: String?
    private let places: Set<[UInt8]>

    /// The maximum number of bytes in a list; a longer file counts as empty.
    private static let byteLimit = 64 << 10

    /// An empty list.
    public static let none = TrustedPlaces(path: nil, places: [])

    private init(path: String?, places: Set<[UInt8]>) {
        self.path = path
        self.places = places
    }

    /// Reads the list. A file that is missing, that others can write, or that belongs to neither the process's user nor
    /// the superuser, counts as empty.
    public init(reading path: String) {
        self.init(path: path, places: Self.places(in: path))
    }

    private static func places(in path: String) -> Set<[UInt8]> {
        let bytes = FileDescriptor.contents(of: path, limit: byteLimit, followLink: true) {
            $0.isTrusted && $0.isOwnerWritten
        }
        let lines = (bytes ?? []).split(separator: 0x0A).map { line in
            Array(line.last == 0x0D ? line.dropLast() : line)
        }
        return Set(lines.filter { $0.first != UInt8(ascii: "#") })
    }

    /// Whether the list holds a place; compares its path without symbolic links.
    func contains(_ place: String) -> Bool {
        guard !places.isEmpty else { return false }
        if places.contains([UInt8(ascii: "*")]) { return true }
        guard let resolved = resolvedPath(Array(place.utf8)).path else { return false }
        return places.contains(resolved)
    }
}
