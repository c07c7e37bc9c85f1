internal import Glibc
internal import Synchronization

/// A file of this user's alone that grows at its end, and that one process at a time has: what an interrupted program leaves
/// in it, the next one finds.
///
/// It waits for no disk: what was appended survives the end of the process and not a power cut. Safe to use from several
/// threads.
public final class AppendFile: Sendable {
    private let file: FileDescriptor
    private let path: String
    private let end: Mutex<Int>

    /// Takes a file over; nil when another process has it, or somebody else may read or write it.
    init?(_ file: consuming FileDescriptor, path: String) {
        guard interruptible({ flock(file.number, LOCK_EX | LOCK_NB) }).code == 0,
            let status = try? file.status(), status.kind == .regular, status.links > 0,
            status.owner == geteuid(), status.mode & UInt32(S_IRWXG | S_IRWXO) == 0
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

    /// Writes bytes behind the last ones.
    ///
    /// - Returns: Where they begin.
    @discardableResult
    public func append(_ bytes: [UInt8]) throws(StorageError) -> Int {
        try end.withLock { (end) throws(StorageError) in
            try file.write(bytes.span, at: end)
            defer { end += bytes.count }
            return end
        }
    }

    /// Forgets what lies behind the first `count` bytes.
    public func cut(to count: Int) throws(StorageError) {
        try end.withLock { (end) throws(StorageError) in
            try systemCall("shorten", path) { ftruncate(file.number, off_t(count)) }
            end = count
        }
    }

    /// Removes the file's name; the file is gone when nobody has it any more.
    public func remove() { unlink(path) }
}

extension CacheFile {
    /// The file, made when there is none, to be appended to; nil where that is not possible, or another process has it.
    public func opened() -> AppendFile? {
        guard let (directory, name) = try? place(),
            let file = try? directory.open(
                name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, permissions: 0o600)
        else { return nil }
        return AppendFile(file, path: path)
    }

    /// Removes the files beside this one whose names end in `suffix` and that nobody wrote to for so many days.
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
}
