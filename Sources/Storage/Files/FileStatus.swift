internal import Glibc

/// What `stat(2)` says about a file.
struct FileStatus: Sendable, Hashable {
    /// The sort of a directory entry.
    enum Kind: Sendable, Hashable {
        case regular, directory, link, pipe, socket, device

        /// The sort as a person calls it, with its article.
        var description: String {
            switch self {
            case .regular: "a file"
            case .directory: "a directory"
            case .link: "a symbolic link"
            case .pipe: "a pipe"
            case .socket: "a socket"
            case .device: "a device"
            }
        }
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
    /// The time of the last change of the content, in nanoseconds since 1970.
    let modified: Int
    /// The time of the last change of the content or of the attributes, in nanoseconds since 1970.
    let changed: Int

    /// The permissions that a directory shared by its group has: the group may change what is in it, and what is made
    /// there belongs to the group.
    static let sharedMode = UInt32(S_ISGID | S_IRWXU | S_IRWXG)

    /// Whether it is a directory shared by its group, and by nobody else.
    var isShared: Bool { mode & Self.sharedMode == Self.sharedMode && mode & UInt32(S_IWOTH) == 0 }

    /// The permissions without the type.
    var permissions: UInt32 { mode & 0o7777 }

    /// Whether its owner may execute it.
    var isExecutable: Bool { mode & UInt32(S_IXUSR) != 0 }

    /// What is at a path.
    ///
    /// - Parameter followLink: Whether a symbolic link stands for what it leads to.
    init(of path: String, followLink: Bool) throws(StorageError) {
        guard !path.utf8.isEmpty, !path.utf8.contains(0) else {
            throw .unusable(path: path, reason: "a path has at least one byte and no zero byte")
        }
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

    // Wraps for years that no clock reaches: the value is compared for equality only.
    private static func nanoseconds(_ time: timespec) -> Int {
        Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
    }
}
