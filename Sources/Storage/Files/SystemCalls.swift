internal import CPosix
internal import Glibc

/// An open file or directory, closed when it goes out of scope.
///
/// Reads and writes take an offset, except ``readNext(upTo:)``, so several threads may share a descriptor.
struct FileDescriptor: ~Copyable, Sendable {
    /// The number of the descriptor in this process.
    let number: Int32
    /// The path that was opened, for messages.
    let path: String

    /// Takes ownership of a descriptor that a system call returned.
    init(owning number: Int32, path: String) {
        self.number = number
        self.path = path
    }

    /// Opens the file at a path.
    ///
    /// - Parameter followLink: Whether the last component may be a symbolic link; the components before
    ///   it always may.
    init(opening path: String, _ flags: Int32, followLink: Bool) throws(StorageError) {
        try checkPath(path)
        let flags = flags | O_CLOEXEC | (followLink ? 0 : O_NOFOLLOW)
        number = try systemCall("open", path) { Glibc.open(path, flags) }
        self.path = path
    }

    deinit { Glibc.close(number) }

    /// Reads a whole regular file; nil when it cannot be opened, has more than `limit` bytes, shrinks during the read,
    /// or is not trusted.
    static func contents(
        of path: String, limit: Int, followLink: Bool, ifTrusted isTrusted: (FileStatus) -> Bool
    ) -> [UInt8]? {
        guard
            let file = try? FileDescriptor(
                opening: path, O_RDONLY | O_NONBLOCK, followLink: followLink),
            let status = try? file.status(), status.kind == .regular, isTrusted(status),
            status.size <= limit, let bytes = try? file.read(at: 0, upTo: status.size),
            bytes.count == status.size
        else { return nil }
        return bytes
    }

    /// The file's metadata.
    func status() throws(StorageError) -> FileStatus {
        var status = stat()
        try systemCall("examine", path) { fstat(number, &status) }
        return FileStatus(status)
    }

    /// Reads up to `count` bytes from `offset`: fewer only where the file ends.
    func read(at offset: Int, upTo count: Int) throws(StorageError) -> [UInt8] {
        try bytes(upTo: count) { fill($0, from: offset) }
    }

    /// Reads up to `count` bytes from the descriptor's own position; none at the end.
    func readNext(upTo count: Int) throws(StorageError) -> [UInt8] {
        try bytes(upTo: count) { buffer in
            let (result, code) = interruptible { Glibc.read(number, buffer.baseAddress, count) }
            return (max(0, result), code)
        }
    }

    private func bytes(
        upTo count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> (filled: Int, code: Int32)
    ) throws(StorageError) -> [UInt8] {
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            (filled, code) = fill(UnsafeMutableRawBufferPointer(buffer))
        }
        guard code == 0 else { throw .system(operation: "read", path: path, errno: code) }
        return bytes
    }

    /// Fills `bytes` with the file's bytes from `offset`, and returns how many were read: fewer than `bytes` holds only
    /// where the file ends.
    func read(at offset: Int, into bytes: inout [UInt8]) throws(StorageError) -> Int {
        let (filled, code) = bytes.withUnsafeMutableBytes { fill($0, from: offset) }
        guard code == 0 else { throw .system(operation: "read", path: path, errno: code) }
        return filled
    }

    private func fill(
        _ buffer: UnsafeMutableRawBufferPointer, from offset: Int
    ) -> (filled: Int, code: Int32) {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let (count, code) = interruptible {
                pread(number, rest.baseAddress, rest.count, off_t(offset + filled))
            }
            guard count >= 0 else { return (filled, code) }
            if count == 0 { break }
            filled += count
        }
        return (filled, 0)
    }

    /// Writes all of `bytes` at `offset`.
    func write(_ bytes: Span<UInt8>, at offset: Int) throws(StorageError) {
        let code = bytes.withUnsafeBytes { buffer -> Int32 in
            var written = 0
            while written < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
                let (count, code) = interruptible {
                    pwrite(number, rest.baseAddress, rest.count, off_t(offset + written))
                }
                guard count >= 0 else { return code }
                written += count
            }
            return 0
        }
        guard code == 0 else { throw .system(operation: "write", path: path, errno: code) }
    }

    /// Cuts the file off after `count` bytes.
    func shorten(to count: Int) throws(StorageError) {
        try systemCall("shorten", path) { ftruncate(number, off_t(count)) }
    }

    func setPermissions(_ mode: mode_t) throws(StorageError) {
        try systemCall("set the permissions of", path) { fchmod(number, mode) }
    }

    /// Asks the system to start writing a range to the disk, so that a later sync has less to wait for; only a hint.
    func beginSynchronizing(at offset: Int, count: Int) {
        fti_begin_synchronizing(number, off_t(offset), off_t(count))
    }

    /// Waits until everything written is durable.
    ///
    /// A failed call is never repeated: the kernel has dropped the unwritten pages by then, and a second call would
    /// report success.
    func synchronize() throws(StorageError) {
        guard fsync(number) == 0 else {
            throw .system(operation: "make durable", path: path, errno: errno)
        }
    }
}

/// The metadata of a file, as `stat(2)` returns it.
struct FileStatus: Sendable, Hashable {
    /// The type of a directory entry.
    enum Kind: String, Sendable, CustomStringConvertible {
        case regular = "a file"
        case directory = "a directory"
        case link = "a symbolic link"
        case pipe = "a pipe"
        case socket = "a socket"
        case device = "a device"

        var description: String { rawValue }
    }

    /// The device and the inode: two names with equal identities are one file.
    struct Identity: Sendable, Hashable {
        let device: UInt64
        let inode: UInt64
    }

    let kind: Kind
    let size: Int
    let identity: Identity
    let owner: UInt32
    let group: UInt32
    let links: Int
    /// The type and the permissions.
    let mode: UInt32
    /// The time of the last change to the content, in nanoseconds since 1970.
    let modified: Int
    /// The time of the last change to the content or the attributes, in nanoseconds since 1970.
    let changed: Int

    /// The permissions of a directory that its group shares: the group may change its entries, and new entries
    /// inherit the group.
    static let sharedMode = UInt32(S_ISGID | S_IRWXU | S_IRWXG)

    /// Whether it is a directory that its group shares and others cannot write.
    var isShared: Bool { mode & Self.sharedMode == Self.sharedMode && mode & UInt32(S_IWOTH) == 0 }

    /// The permissions without the type.
    var permissions: UInt32 { mode & 0o7777 }

    /// Whether its owner may execute it.
    var isExecutable: Bool { mode & UInt32(S_IXUSR) != 0 }

    /// Whether it belongs to the process's user or the superuser.
    var isTrusted: Bool { owner == geteuid() || owner == 0 }

    /// Whether neither its group nor others may read, write or execute it.
    var isPrivate: Bool { mode & UInt32(S_IRWXG | S_IRWXO) == 0 }

    /// Whether only its owner may write it.
    var isOwnerWritten: Bool { mode & UInt32(S_IWGRP | S_IWOTH) == 0 }

    /// Examines the file at a path.
    ///
    /// - Parameter followLink: Whether a symbolic link stands for its target.
    init(of path: String, followLink: Bool) throws(StorageError) {
        try checkPath(path)
        var status = stat()
        try systemCall("open", path) {
            fstatat(AT_FDCWD, path, &status, followLink ? 0 : AT_SYMLINK_NOFOLLOW)
        }
        self.init(status)
    }

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .link
            case S_IFIFO: .pipe
            case S_IFSOCK: .socket
            default: .device
            }
        size = Int(status.st_size)
        identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        owner = status.st_uid
        group = status.st_gid
        links = Int(status.st_nlink)
        mode = UInt32(status.st_mode)
        modified = Self.nanoseconds(status.st_mtim)
        changed = Self.nanoseconds(status.st_ctim)
    }

    // Wraps only for years that no clock reaches.
    private static func nanoseconds(_ time: timespec) -> Int {
        Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
    }
}

// MARK: System calls

/// Makes a system call, repeats it when a signal interrupts it, and throws when it fails.
///
/// - Parameters:
///   - operation: A verb phrase that completes "cannot".
///   - path: The path in the message.
///   - call: Returns -1 and sets `errno` when it fails.
@discardableResult
func systemCall<Result: FixedWidthInteger & SignedInteger>(
    _ operation: String, _ path: @autoclosure () -> String, _ call: () -> Result
) throws(StorageError) -> Result {
    let (result, code) = interruptible(call)
    guard result >= 0 else {
        throw .system(operation: operation, path: path(), errno: code)
    }
    return result
}

/// Repeats a system call while a signal interrupts it; returns its result, and `errno` when that is negative.
func interruptible<Result: FixedWidthInteger & SignedInteger>(
    _ call: () -> Result
) -> (result: Result, code: Int32) {
    while true {
        let result = call()
        if result >= 0 { return (result, 0) }
        let code = errno
        if code != EINTR { return (result, code) }
    }
}

/// Lends a name to a system call as a C string.
///
/// The name must hold no zero byte: the system would ignore everything after it.
func withCString<Result>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    precondition(!name.contains(0), "a file name holds no zero byte")
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: name.count + 1) { buffer in
        for (index, byte) in name.enumerated() {
            buffer.initializeElement(at: index, to: CChar(bitPattern: byte))
        }
        buffer.initializeElement(at: name.count, to: 0)
        // The buffer holds at least the terminator, so it has an address.
        guard let address = buffer.baseAddress else { preconditionFailure("an empty C string") }
        return body(address)
    }
}

/// Resolves all symbolic links of a path; nil and the error number on failure, such as where nothing is there.
func resolvedPath(_ path: [UInt8]) -> (path: [UInt8]?, code: Int32) {
    guard let resolved = withCString(path, { realpath($0, nil) }) else { return (nil, errno) }
    defer { free(resolved) }
    return ((0..<strlen(resolved)).map { UInt8(bitPattern: resolved[$0]) }, 0)
}

private func checkPath(_ path: String) throws(StorageError) {
    guard !path.utf8.isEmpty, !path.utf8.contains(0) else {
        throw .unusable(path: path, reason: "a path has at least one byte and no zero byte")
    }
}

/// Returns random bytes from the kernel's generator, fit for names that nobody can guess.
public func randomBytes(_ count: Int) throws(StorageError) -> [UInt8] {
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        if fti_random(buffer.baseAddress, count) == 0 {
            filled = count
        } else {
            code = errno
        }
    }
    guard code == 0 else {
        throw .system(operation: "get random bytes from", path: "the kernel", errno: code)
    }
    return bytes
}

/// Settings of the process that a program changes when it starts.
public enum ProcessLimits {
    /// Raises the limit on open files as far as the system allows, because each pack in use takes one.
    public static func raiseOpenFiles() {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(files, &limit)
    }

    /// Keeps up to 64 MiB of freed memory for later allocations.
    ///
    /// Every piece needs buffers of a few hundred KiB. Returning them to the system and faulting them in again took
    /// 0.25 s of the 0.7 s for verifying 265 MB.
    public static func keepFreedMemory() { fti_keep_freed_memory(64 << 20) }
}
