internal import Glibc
internal import Synchronization

/// A file that only saves time: when anything is wrong with it, it counts as absent.
public struct CacheFile: Sendable {
    /// The absolute path of the file.
    public let path: String
    private let folders: Int

    /// Names the cache at a path, which need not exist.
    ///
    /// - Parameter folders: The number of missing folders above the file that may be created.
    public init(_ path: String, folders: Int = 2) {
        self.path = path
        self.folders = folders
    }

    /// Reads the file; nil when it does not exist, has more than `limit` bytes, or could have been written by another
    /// user.
    ///
    /// - Parameter isSecret: Whether a file that other users can read counts as absent, too.
    public func read(limit: Int, isSecret: Bool = false) -> [UInt8]? {
        FileDescriptor.contents(of: path, limit: limit, followLink: false) { status in
            status.owner == geteuid() && (isSecret ? status.isPrivate : status.isOwnerWritten)
        }
    }

    /// Replaces the file atomically, without waiting for the disk: after a power cut it may hold anything.
    ///
    /// Creates missing folders above it, as many as allowed; only the process's user can open them.
    public func replace(_ bytes: [UInt8]) throws(StorageError) {
        let (directory, name) = try place()
        let file = try TemporaryFile(in: directory)
        try file.descriptor.write(bytes.span, at: 0)
        try file.replace(name)
        Self.clean(directory)
    }

    /// Opens the file for appending, and creates it when it does not exist; nil when that fails, another process has it
    /// open, or another user may read or write it.
    public func opened() -> AppendFile? {
        guard let (directory, name) = try? place(),
            let file = try? directory.open(
                name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, permissions: 0o600)
        else { return nil }
        return AppendFile(file, path: path)
    }

    /// Removes the files in the same folder whose names end in `suffix` and that were last written more than `days`
    /// ago.
    ///
    /// - Parameter now: The present time, in milliseconds since 1970.
    public func removeAged(suffix: String, days: Int, now: Int) {
        guard let (directory, _) = try? place(), let names = try? directory.names() else { return }
        for name in names where name.reversed().starts(with: suffix.utf8.reversed()) {
            guard let status = try? directory.status(of: name), status.kind == .regular,
                now / 86_400_000 - status.modified / 86_400_000_000_000 > days
            else { continue }
            try? directory.remove(name)
        }
    }

    /// Opens the file's folder, created when it is missing, and splits off the file's name.
    private func place() throws(StorageError) -> (directory: Directory, name: [UInt8]) {
        let (parent, name) = try Directory.split(path)
        return (try Directory(creating: parent, levels: folders), name)
    }

    /// One process in this many removes unfinished files that crashed processes left behind.
    private static let cleaning: Int32 = 8

    /// Removes the unfinished files that no running process has locked.
    private static func clean(_ directory: Directory) {
        guard getpid() % cleaning == 0, let names = try? directory.names() else { return }
        for name in names where name.starts(with: TemporaryFile.prefix) {
            _ = try? TemporaryFile.removeAbandoned(name, in: directory)
        }
    }
}

/// A private file that one process at a time holds and appends to. A process that is interrupted leaves its bytes to
/// the next one.
///
/// It never syncs: appended bytes survive the end of the process, but not a power cut. Several threads may use it.
public final class AppendFile: Sendable {
    private let file: FileDescriptor
    private let path: String
    private let end: Mutex<Int>

    /// Takes ownership of a file; nil when another process holds it, or another user may read or write it.
    fileprivate init?(_ file: consuming FileDescriptor, path: String) {
        guard interruptible({ flock(file.number, LOCK_EX | LOCK_NB) }).code == 0,
            let status = try? file.status(), status.kind == .regular, status.links > 0,
            status.owner == geteuid(), status.isPrivate
        else { return nil }
        end = Mutex(status.size)
        self.path = path
        self.file = file
    }

    /// The number of bytes.
    public var size: Int { end.withLock { $0 } }

    /// Reads up to `count` bytes from `offset`: fewer only where the file ends.
    public func read(at offset: Int, upTo count: Int) throws(StorageError) -> [UInt8] {
        try file.read(at: offset, upTo: count)
    }

    /// Appends bytes and returns the offset where they begin.
    @discardableResult
    public func append(_ bytes: [UInt8]) throws(StorageError) -> Int {
        try end.withLock { (end) throws(StorageError) in
            try file.write(bytes.span, at: end)
            defer { end += bytes.count }
            return end
        }
    }

    /// Truncates the file to its first `count` bytes.
    public func cut(to count: Int) throws(StorageError) {
        try end.withLock { (end) throws(StorageError) in
            try file.shorten(to: count)
            end = count
        }
    }

    /// Unlinks the file; the system frees it once it is closed everywhere.
    public func remove() { unlink(path) }
}
