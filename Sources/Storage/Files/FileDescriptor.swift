internal import CPosix
internal import Glibc

/// An open file or directory, closed when it goes out of scope.
///
/// Reading and writing name their offsets, so a descriptor may be used from several threads.
struct FileDescriptor: ~Copyable, Sendable {
    /// The number that the kernel knows it by.
    private(set) var number: Int32
    /// What was opened, for messages.
    let path: String

    /// Takes over a descriptor that a system call returned.
    init(owning number: Int32, path: String) {
        self.number = number
        self.path = path
    }

    /// Opens the file at a path.
    ///
    /// - Parameter followLink: Whether the last component may be a symbolic link; the components before
    ///   it always may.
    init(opening path: String, _ flags: Int32, followLink: Bool) throws(StorageError) {
        guard !path.utf8.isEmpty, !path.utf8.contains(0) else {
            throw .unusable(path: path, reason: "a path has at least one byte and no zero byte")
        }
        let flags = flags | O_CLOEXEC | (followLink ? 0 : O_NOFOLLOW)
        number = try systemCall("open", path) { Glibc.open(path, flags) }
        self.path = path
    }

    deinit {
        // Whoever needs to know whether bytes arrived calls `synchronize` or `close` before.
        if number >= 0 { Glibc.close(number) }
    }

    /// Closes the file and reports an error that the system kept until now.
    consuming func close() throws(StorageError) {
        let closed = Glibc.close(number)
        number = -1
        guard closed == 0 || errno == EINTR else {
            throw .system(operation: "finish writing", path: path, errno: errno)
        }
    }

    /// What the system knows about the file.
    func status() throws(StorageError) -> FileStatus {
        var status = stat()
        try systemCall("examine", path) { fstat(number, &status) }
        return FileStatus(status)
    }

    /// Reads up to `count` bytes from `offset`: fewer only where the file ends.
    func read(at offset: Int, upTo count: Int) throws(StorageError) -> [UInt8] {
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            (filled, code) = fill(UnsafeMutableRawBufferPointer(buffer), from: offset)
        }
        guard code == 0 else { throw .system(operation: "read", path: path, errno: code) }
        return bytes
    }

    /// Reads what comes next, up to `count` bytes; none at the end.
    func readNext(upTo count: Int) throws(StorageError) -> [UInt8] {
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let (result, error) = interruptible { Glibc.read(number, buffer.baseAddress, count) }
            (filled, code) = (max(0, result), error)
        }
        guard code == 0 else { throw .system(operation: "read", path: path, errno: code) }
        return bytes
    }

    /// Fills `bytes` from `offset` and returns how many bytes were read: fewer than it holds only
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

    /// Sets the permissions.
    func setPermissions(_ mode: mode_t) throws(StorageError) {
        try systemCall("set the permissions of", path) { fchmod(number, mode) }
    }

    /// Asks the system to begin writing a range to the disk, so that there is less to wait for later. It
    /// promises nothing.
    func beginSynchronizing(at offset: Int, count: Int) {
        fti_begin_synchronizing(number, off_t(offset), off_t(count))
    }

    /// Waits until what was written is durable.
    ///
    /// It is never repeated after a failure: the kernel has dropped the unwritten pages by then, and a
    /// second call would report success.
    func synchronize() throws(StorageError) {
        guard fsync(number) == 0 else {
            throw .system(operation: "make durable", path: path, errno: errno)
        }
    }
}
