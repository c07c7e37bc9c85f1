internal import CPosix
internal import Glibc

/// An open directory. Calls reach everything below it through its descriptor, so nobody can swap it for another
/// directory between two calls.
///
/// Names are single path components; no call follows a symbolic link.
final class Directory: Sendable {
    /// The path of the directory, for messages.
    let path: String
    private let descriptor: FileDescriptor

    private init(_ descriptor: consuming FileDescriptor) {
        self.path = descriptor.path
        self.descriptor = descriptor
    }

    /// Opens the directory at a path.
    ///
    /// - Parameter followLink: Whether the last component may be a symbolic link; the components before
    ///   it always may.
    init(opening path: String, followLink: Bool) throws(StorageError) {
        self.path = path
        descriptor = try FileDescriptor(
            opening: path, O_RDONLY | O_DIRECTORY, followLink: followLink)
    }

    /// Opens the directory at an absolute path. Creates it, and up to `levels` - 1 missing directories above it, so
    /// that only the process's user can open them.
    convenience init(creating path: String, levels: Int) throws(StorageError) {
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw .unusable(path: path, reason: "it is not an absolute path")
        }
        var folder = ""
        let names = path.utf8.split(separator: UInt8(ascii: "/"))
        for (index, name) in names.enumerated() {
            folder += "/" + String(decoding: name, as: UTF8.self)
            // The limit keeps a home directory that does not exist from being created.
            if index >= names.count - levels { mkdir(folder, 0o700) }
        }
        try self.init(opening: path, followLink: true)
    }

    /// The path of an entry, for messages.
    func path(of name: [UInt8]) -> String {
        let text = String(decoding: name, as: UTF8.self)
        return path.utf8.last == UInt8(ascii: "/") ? path + text : "\(path)/\(text)"
    }

    /// Splits a path into its parent directory and its last component.
    ///
    /// - Throws: `unusable` when the path does not end in a name.
    static func split(_ path: String) throws(StorageError) -> (parent: String, [UInt8]) {
        var bytes = Array(path.utf8)
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
        let name = Array(bytes[(slash.map { $0 + 1 } ?? 0)...])
        guard !name.isEmpty, name != [0x2E], name != [0x2E, 0x2E], !bytes.contains(0) else {
            throw .unusable(path: path, reason: "it does not end in a name")
        }
        guard let slash else { return (".", name) }
        return (slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self), name)
    }

    /// The metadata of the directory itself.
    func status() throws(StorageError) -> FileStatus { try descriptor.status() }

    /// Sets the directory's own permissions; the umask does not apply.
    func setPermissions(_ mode: UInt32) throws(StorageError) {
        try descriptor.setPermissions(mode_t(mode))
    }

    /// The metadata of an entry; nil when it does not exist.
    func status(of name: [UInt8]) throws(StorageError) -> FileStatus? {
        var status = stat()
        let (result, code) = interruptible {
            withCString(name) { fstatat(descriptor.number, $0, &status, AT_SYMLINK_NOFOLLOW) }
        }
        if result >= 0 { return FileStatus(status) }
        guard code == ENOENT else {
            throw .system(operation: "examine", path: path(of: name), errno: code)
        }
        return nil
    }

    /// Opens an entry; throws `system` with the error of `openat(2)`.
    func open(
        _ name: [UInt8], _ flags: Int32, permissions: mode_t = 0, operation: String = "open"
    ) throws(StorageError) -> FileDescriptor {
        let number = try systemCall(operation, path(of: name)) {
            withCString(name) {
                fti_open_at(descriptor.number, $0, flags | O_NOFOLLOW | O_CLOEXEC, permissions)
            }
        }
        return FileDescriptor(owning: number, path: path(of: name))
    }

    /// Opens a subdirectory.
    func directory(_ name: [UInt8]) throws(StorageError) -> Directory {
        Directory(try open(name, O_RDONLY | O_DIRECTORY))
    }

    /// Creates a subdirectory; the umask restricts its permissions.
    func makeDirectory(_ name: [UInt8], permissions: mode_t = 0o777) throws(StorageError) {
        try systemCall("create", path(of: name)) {
            withCString(name) { mkdirat(descriptor.number, $0, permissions) }
        }
    }

    /// Creates a file without a name in this directory; nil where the file system does not support that.
    func nameless(permissions: mode_t) throws(StorageError) -> FileDescriptor? {
        // A nameless file gets its name through /proc, which a bare container may lack.
        guard fti_o_tmpfile() != 0, access("/proc/self/fd", X_OK) == 0 else { return nil }
        let (number, code) = interruptible {
            fti_open_at(descriptor.number, ".", O_RDWR | O_CLOEXEC | fti_o_tmpfile(), permissions)
        }
        if number >= 0 { return FileDescriptor(owning: number, path: "\(path)/(new file)") }
        switch code {
        case EOPNOTSUPP, EISDIR, EINVAL, ENOENT: return nil
        default: throw .system(operation: "create a file in", path: path, errno: code)
        }
    }

    /// Gives a nameless file a new name; returns 0 or the error number.
    func link(_ file: borrowing FileDescriptor, as name: [UInt8]) -> Int32 {
        let number = file.number
        return interruptible {
            withCString(name) { fti_link_descriptor(number, descriptor.number, $0) }
        }.code
    }

    /// Gives a file a second, new name; returns 0 or the error number.
    func link(_ old: [UInt8], as name: [UInt8]) -> Int32 {
        withNames(old, name) { linkat(descriptor.number, $0, descriptor.number, $1, 0) }
    }

    /// Renames an entry to a new name; returns 0 or the error number.
    func renameToNew(_ old: [UInt8], _ name: [UInt8]) -> Int32 {
        withNames(old, name) {
            fti_rename_no_replace(descriptor.number, $0, descriptor.number, $1)
        }
    }

    /// Renames an entry; replaces a file of the new name, or an empty directory when the entry is a directory.
    func rename(_ old: [UInt8], to name: [UInt8]) throws(StorageError) {
        let code = withNames(old, name) {
            renameat(descriptor.number, $0, descriptor.number, $1)
        }
        guard code == 0 else {
            throw .system(operation: "create", path: path(of: name), errno: code)
        }
    }

    /// Moves an entry to a new name in another directory; returns 0 or the error number.
    func move(_ old: [UInt8], to name: [UInt8], in other: Directory) -> Int32 {
        withNames(old, name) {
            fti_rename_no_replace(descriptor.number, $0, other.descriptor.number, $1)
        }
    }

    /// Gives the owner all permissions for an entry that is no symbolic link, as far as possible.
    func unlock(_ name: [UInt8]) {
        _ = withCString(name) { fchmodat(descriptor.number, $0, 0o700, 0) }
    }

    private func withNames(
        _ old: [UInt8], _ new: [UInt8],
        _ call: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
    ) -> Int32 {
        interruptible { withCString(old) { old in withCString(new) { call(old, $0) } } }.code
    }

    /// Removes a file, or an empty directory; does nothing when it does not exist.
    func remove(_ name: [UInt8], directory: Bool = false) throws(StorageError) {
        let (result, code) = interruptible {
            withCString(name) { unlinkat(descriptor.number, $0, directory ? AT_REMOVEDIR : 0) }
        }
        guard result >= 0 || code == ENOENT else {
            throw .system(operation: "remove", path: path(of: name), errno: code)
        }
    }

    /// Lists the names of all entries, in no particular order, without `.` and `..`.
    func names() throws(StorageError) -> [[UInt8]] {
        // A listing moves the descriptor's position, so each one uses its own descriptor.
        try reopened().takeNames()
    }

    private func reopened() throws(StorageError) -> Directory {
        let number = try systemCall("open", path) {
            fti_open_at(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        }
        return Directory(FileDescriptor(owning: number, path: path))
    }

    /// Lists the names from the descriptor's own position, so it works once per open directory.
    func takeNames() throws(StorageError) -> [[UInt8]] {
        var names: [[UInt8]] = []
        var buffer = [UInt8](repeating: 0, count: Self.listingSize)
        while true {
            let count = try systemCall("list", path) {
                buffer.withUnsafeMutableBytes {
                    fti_read_directory(descriptor.number, $0.baseAddress, $0.count)
                }
            }
            guard count > 0 else { return names }
            var start = 0
            // A record: inode and offset, 8 bytes each; its length, 2; a type, 1; the name; a zero byte.
            while start + 19 < count {
                let length = Int(buffer[start + 16]) | Int(buffer[start + 17]) << 8
                guard length > 19 else { break }
                let field = buffer[start + 19..<min(start + length, count)]
                let name = Array(field.prefix { $0 != 0 })
                if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
                start += length
            }
        }
    }

    /// The bytes read in one call: about a thousand names.
    private static let listingSize = 32 << 10

    /// Opens an entry several levels below with one system call, which follows no link; nil when that fails or the
    /// system lacks the call.
    func openBelow(_ names: [[UInt8]], _ flags: Int32) -> FileDescriptor? {
        let relative = Array(names.joined(separator: [UInt8(ascii: "/")]))
        let (number, _) = interruptible {
            withCString(relative) {
                fti_open_below(descriptor.number, $0, flags | O_NOFOLLOW | O_CLOEXEC)
            }
        }
        return number < 0 ? nil : FileDescriptor(owning: number, path: path(of: relative))
    }

    /// Reopens the directory with an advisory lock, which is released when the result goes away; nil while another
    /// process holds the lock. Where the file system has no such locks, the result is not locked.
    func locked() -> Directory? {
        guard let other = try? reopened() else { return self }
        let code = interruptible { flock(other.descriptor.number, LOCK_EX | LOCK_NB) }.code
        return code == EWOULDBLOCK ? nil : other
    }

    /// Waits until the names in the directory are durable.
    func synchronize() throws(StorageError) { try descriptor.synchronize() }
}
