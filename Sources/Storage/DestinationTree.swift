internal import Glibc
internal import Synchronization

/// A directory to write files into; nothing outside it is ever written.
///
/// The user named the directory, so its own path may go through symbolic links; no link inside it is followed. A file
/// appears under its name only when it is whole. Files are replaced only on request, and nothing is removed. Several
/// threads may use it.
public final class DestinationTree: Sendable {
    /// The path, for messages.
    public let path: String
    private let root: Directory
    private let replacesFiles: Bool
    // The last directory used: files come in the order of their paths.
    private let recent: Mutex<(names: ArraySlice<FileName>, directory: Directory)>

    /// Opens a directory; creates it, and the directories above it, when they are missing.
    ///
    /// - Parameter force: Whether the directory may hold files already. New files then replace those with the same
    ///   names.
    /// - Throws: `unusable` when the path is not a directory, or when the directory has entries and `force` is false.
    public init(at path: String, force: Bool = false) throws(StorageError) {
        self.path = path
        replacesFiles = force
        root = try Self.open(path)
        if !force, try !root.names().isEmpty {
            throw .unusable(path: path, reason: "it is not empty; --force writes into it")
        }
        recent = Mutex(([], root))
    }

    private static func open(_ path: String) throws(StorageError) -> Directory {
        do throws(StorageError) {
            return try Directory(opening: path, followLink: true)
        } catch .system(_, _, ENOTDIR) {
            throw .unusable(path: path, reason: "it is not a directory")
        } catch .system(_, _, ENOENT) {
            try makeDirectories(path)
            return try Directory(opening: path, followLink: true)
        }
    }

    private static func makeDirectories(_ path: String) throws(StorageError) {
        let bytes = Array(path.utf8)
        for end in bytes.indices.dropFirst() + [bytes.count]
        where end == bytes.count || bytes[end] == UInt8(ascii: "/") {
            let parent = Array(bytes[..<end])
            let (result, code) = interruptible { withCString(parent) { mkdir($0, 0o777) } }
            // For a directory that exists, some systems report a read-only root instead.
            guard result < 0, code != EEXIST, code != EROFS, code != EISDIR else { continue }
            throw .system(
                operation: "create", path: String(decoding: parent, as: UTF8.self), errno: code)
        }
    }

    /// Creates a directory and the directories above it; does nothing when it exists.
    public func makeDirectory(_ path: RelativePath) throws(StorageError) {
        _ = try directory(path.names[...])
    }

    /// Begins a file; creates the directories above it when they are missing.
    ///
    /// - Throws: `unusable` when something other than a directory has the name of one above the file.
    public func file(
        _ path: RelativePath, isExecutable: Bool = false
    ) throws(StorageError) -> DestinationFile {
        guard let name = path.names.last else {
            throw .unusable(path: self.path, reason: "a file needs a name")
        }
        let parent = try directory(path.names.dropLast())
        return DestinationFile(
            try TemporaryFile(in: parent, permissions: isExecutable ? 0o777 : 0o666),
            name: name, in: parent, replaces: replacesFiles)
    }

    private func directory(_ names: ArraySlice<FileName>) throws(StorageError) -> Directory {
        let last = recent.withLock { $0 }
        if last.names == names { return last.directory }
        var directory = root
        for name in names { directory = try Self.step(into: name, of: directory) }
        let found = directory
        recent.withLock { $0 = (names, found) }
        return directory
    }

    private static func step(
        into name: FileName, of directory: Directory
    ) throws(StorageError) -> Directory {
        for wasCreated in [false, true] {
            do throws(StorageError) {
                return try directory.directory(name.bytes)
            } catch .system(_, _, ENOENT) where !wasCreated {
                do throws(StorageError) {
                    try directory.makeDirectory(name.bytes)
                } catch .system(_, _, EEXIST) {
                    // Another thread has just created it.
                }
            } catch .system(_, _, let code) where code == ELOOP || code == ENOTDIR {
                throw .unusable(
                    path: directory.path(of: name.bytes),
                    reason: "it is not a directory, and one must be there")
            }
        }
        throw .changed(path: directory.path(of: name.bytes))
    }
}

/// A file that is being written to a destination. Dropping it before ``finish()`` leaves nothing behind.
public final class DestinationFile: Sendable {
    private let file: TemporaryFile
    private let name: FileName
    private let directory: Directory
    private let replaces: Bool
    private let end = Atomic<Int>(0)

    init(_ file: TemporaryFile, name: FileName, in directory: Directory, replaces: Bool) {
        self.file = file
        self.name = name
        self.directory = directory
        self.replaces = replaces
    }

    /// The path of the finished file, for messages.
    public var path: String { directory.path(of: name.bytes) }

    /// The number of bytes appended so far.
    public var size: Int { end.load(ordering: .relaxed) }

    /// Appends bytes; concurrent appends end up in no particular order.
    public func append(_ bytes: [UInt8]) throws(StorageError) {
        let offset = end.wrappingAdd(bytes.count, ordering: .relaxed).oldValue
        try write(bytes.span, at: offset)
    }

    /// Writes bytes at an offset, from any thread; unwritten ranges are zeros.
    public func write(_ bytes: Span<UInt8>, at offset: Int) throws(StorageError) {
        do throws(StorageError) {
            try file.descriptor.write(bytes, at: offset)
        } catch .system(let operation, _, let code) {
            throw .system(operation: operation, path: path, errno: code)
        }
    }

    /// Gives the file its name, without waiting for the disk.
    ///
    /// - Throws: `unusable` when the name is taken and files may not be replaced, or when a directory has it.
    public func finish() throws(StorageError) {
        if try file.place(as: name.bytes) { return }
        guard replaces else {
            throw .unusable(path: path, reason: "it exists already; --force replaces it")
        }
        do throws(StorageError) {
            try file.replace(name.bytes)
        } catch .system(_, _, EISDIR) {
            throw .unusable(path: path, reason: "it is a directory, and a file must be there")
        }
    }
}
