internal import Glibc
internal import Synchronization

/// A bucket in a directory of a local or a network file system.
///
/// It opens each directory once, never through a symbolic link. Reading a blob writes nothing.
public final class DirectoryBucket: Bucket {
    /// See ``Bucket``.
    public let location: String
    private let root: Directory
    private let packs: Directory
    private let log: Directory
    /// Whether the directory's group may write to it, too.
    private let isShared: Bool
    // These folders may be missing; the first blob written to a folder creates it.
    private let checkpoints: Mutex<Directory?>
    private let leases: Mutex<Directory?>

    private static let packsName = Array("packs".utf8)
    private static let logName = Array("log".utf8)
    private static let checkpointsName = Array("checkpoints".utf8)
    private static let leasesName = Array("leases".utf8)

    /// Opens the bucket in a directory.
    ///
    /// - Parameter trusted: The places that may belong to another user.
    /// - Throws: `noRepository` when the path is not a directory with the folders of a bucket; `incomplete` when only
    ///   some of them are there; `damaged` when something else is in place of one; `refused` when it or a folder is a
    ///   symbolic link; `foreign` when another user owns it, shares it with none of this user's groups, and is not
    ///   trusted.
    public convenience init(
        opening path: String, trusting trusted: TrustedPlaces = .none
    ) throws(StorageError) {
        try self.init(
            opening: path, as: geteuid(), of: Self.ownGroups(), trusting: trusted)
    }

    /// Lists the groups of the process's user.
    private static func ownGroups() -> Set<UInt32> {
        let count = getgroups(0, nil)
        var groups = [gid_t](repeating: 0, count: Int(max(count, 0)))
        let found = getgroups(count, &groups)
        return Set(groups.prefix(Int(max(found, 0))) + [getegid()])
    }

    /// Opens the bucket in a directory on behalf of a user. The superuser may open every bucket; others may open their
    /// own, those that one of their groups shares, and those in trusted places.
    init(
        opening path: String, as user: UInt32, of groups: Set<UInt32> = [],
        trusting trusted: TrustedPlaces = .none
    ) throws(StorageError) {
        let root: Directory
        do throws(StorageError) {
            root = try Directory(opening: path, followLink: false)
        } catch .system(_, _, let code) where code == ENOENT || code == ENOTDIR {
            // O_DIRECTORY makes a symbolic link fail with ENOTDIR, too.
            guard (try? Directory(opening: path, followLink: true)) == nil else {
                throw .refused(path: path, reason: "it is a symbolic link")
            }
            throw .noRepository(path: path)
        } catch .system(_, _, ELOOP) {
            throw .refused(path: path, reason: "it is a symbolic link")
        }
        let packs = try Self.folder(Self.packsName, in: root)
        let log = try Self.folder(Self.logName, in: root)
        guard let packs, let log else {
            guard packs == nil, log == nil else {
                throw .incomplete(
                    path: path, folder: packs == nil ? "packs" : "log")
            }
            throw .noRepository(path: path)
        }
        for directory in [root, packs, log] {
            let status = try directory.status()
            let owner = status.owner
            guard
                user == 0 || owner == user || status.isShared && groups.contains(status.group)
                    || trusted.contains(path)
            else {
                let resolved = resolvedPath(Array(path.utf8)).path
                throw .foreign(
                    path: directory.path, owner: owner, user: user,
                    place: resolved.map { String(decoding: $0, as: UTF8.self) } ?? path,
                    list: trusted.path)
            }
        }
        location = path
        isShared = try root.status().isShared
        self.root = root
        self.packs = packs
        self.log = log
        // Checkpoints are only a cache: a wrong file in place of their folder must not make the repository unreadable.
        checkpoints = Mutex(try? Self.folder(Self.checkpointsName, in: log))
        leases = Mutex(nil)
    }

    private static func folder(
        _ name: [UInt8], in parent: Directory
    ) throws(StorageError) -> Directory? {
        let path = parent.path(of: name)
        guard let status = try parent.status(of: name) else { return nil }
        switch status.kind {
        case .directory: return try parent.directory(name)
        case .link: throw .refused(path: path, reason: "it is a symbolic link")
        default: throw .damaged(path: path, reason: "it is \(status.kind)")
        }
    }

    /// The directory of a folder; nil when it does not exist and `making` is false.
    private func directory(
        _ folder: BucketFolder, making: Bool = false
    ) throws(StorageError) -> Directory? {
        switch folder {
        case .packs: return packs
        case .log: return log
        case .checkpoints:
            return try optional(checkpoints, Self.checkpointsName, in: log, making: making)
        case .leases: return try optional(leases, Self.leasesName, in: root, making: making)
        }
    }

    private func optional(
        _ known: borrowing Mutex<Directory?>, _ name: [UInt8], in parent: Directory, making: Bool
    ) throws(StorageError) -> Directory? {
        if let directory = known.withLock({ $0 }) { return directory }
        var directory = try Self.folder(name, in: parent)
        if directory == nil, making {
            do throws(StorageError) {
                try Self.makeFolder(name, in: parent)
            } catch .system(_, _, EEXIST) {
                // Another process has just created it.
            }
            try parent.synchronize()
            directory = try parent.directory(name)
        }
        guard let directory else { return nil }
        known.withLock { $0 = directory }
        return directory
    }

    /// The directory of a folder for writing, created when it is missing.
    private func writable(_ folder: BucketFolder) throws(StorageError) -> Directory {
        guard let directory = try directory(folder, making: true) else {
            throw .missing(path: "\(location)/\(folder.rawValue)")
        }
        return directory
    }

    private func file(_ name: BlobName) throws(StorageError) -> FileBlob? {
        guard let directory = try directory(name.folder) else { return nil }
        return try FileBlob(opening: name.bytes, in: directory)
    }

    /// See ``Bucket``.
    public func read(_ name: BlobName, limit: Int) throws(StorageError) -> [UInt8]? {
        try file(name)?.readAll(limit: limit)
    }

    /// See ``Bucket``.
    public func open(_ name: BlobName) throws(StorageError) -> (any Blob)? {
        try file(name)
    }

    /// See ``Bucket``.
    public func create(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) -> Creation {
        let file = try TemporaryFile(in: try writable(name.folder))
        try file.descriptor.write(bytes.span, at: 0)
        return try file.publish(as: name.bytes) ? .created : .exists
    }

    /// See ``Bucket``.
    public func replace(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) {
        try replace(name, bytes, permissions: 0o444)
    }

    private func replace(
        _ name: BlobName, _ bytes: [UInt8], permissions: mode_t
    ) throws(StorageError) {
        let file = try TemporaryFile(in: try writable(name.folder))
        try file.descriptor.write(bytes.span, at: 0)
        try file.descriptor.setPermissions(permissions)
        // If the name became durable before its bytes, a crash would leave a damaged file.
        try file.descriptor.synchronize()
        try file.replace(name.bytes)
    }

    /// Overwrites the file in place, in one call: a rename over a file makes the file system flush its bytes at once,
    /// which doubled the cost of moving a ref.
    public func overwrite(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) {
        let directory = try writable(name.folder)
        if let file = try? directory.open(name.bytes, O_WRONLY | O_NONBLOCK),
            let status = try? file.status(), status.kind == .regular, status.size == bytes.count
        {
            return try file.write(bytes.span, at: 0)
        }
        // Group members must be able to overwrite it in place, too.
        try replace(name, bytes, permissions: isShared ? 0o664 : 0o644)
    }

    /// See ``Bucket``; an entry that is not a file has the size that the file system reports.
    public func list(_ folder: BucketFolder) throws(StorageError) -> [BlobEntry] {
        guard let directory = try directory(folder) else { return [] }
        var entries: [BlobEntry] = []
        for name in try directory.names() where !name.starts(with: TemporaryFile.prefix) {
            if folder == .log, name == Self.checkpointsName { continue }
            // Another process may delete the name during the listing.
            guard let status = try directory.status(of: name) else { continue }
            entries.append(
                BlobEntry(name: String(decoding: name, as: UTF8.self), size: status.size))
        }
        return entries
    }

    /// See ``Bucket``.
    public func delete(_ name: BlobName) throws(StorageError) {
        try directory(name.folder)?.remove(name.bytes)
    }

    /// See ``Bucket``.
    public func stage(in folder: BucketFolder) throws(StorageError) -> any StagedBlob {
        try StagedFile(in: try writable(folder), folder: folder)
    }

    /// See ``Bucket``.
    public func ages(of names: [BlobName]) throws(StorageError) -> [BlobName: Int] {
        let now = try time()
        var ages: [BlobName: Int] = [:]
        for name in names {
            guard let status = try directory(name.folder)?.status(of: name.bytes) else { continue }
            ages[name] = (now - status.modified) / 1_000_000
        }
        return ages
    }

    /// Returns the time in nanoseconds by the clock of the file system, which may be another machine's: the time of a
    /// new file. Where this process may not write, and so cannot remove anything, returns this machine's time.
    private func time() throws(StorageError) -> Int {
        do throws(StorageError) {
            return try TemporaryFile(in: packs).descriptor.status().modified
        } catch .system(_, _, let code) where [EROFS, EACCES, EPERM].contains(code) {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            return now.tv_sec * 1_000_000_000 + now.tv_nsec
        }
    }

    /// See ``Bucket``; on some file systems an unfinished file needs a name.
    @discardableResult
    public func removeAbandonedFiles() throws(StorageError) -> Int {
        var count = 0
        for folder in BucketFolder.allCases {
            // A wrong file in place of a folder holds no unfinished files.
            guard let directory = (try? directory(folder)) ?? nil else { continue }
            for name in try directory.names() where name.starts(with: TemporaryFile.prefix) {
                if try TemporaryFile.removeAbandoned(name, in: directory) { count += 1 }
            }
        }
        return count
    }

    /// See ``Bucket``.
    public func synchronize(_ folder: BucketFolder) throws(StorageError) {
        try directory(folder)?.synchronize()
    }

    /// See ``Bucket``.
    public func synchronizeLog() throws(StorageError) {
        do throws(StorageError) {
            try log.synchronize()
        } catch .system(_, _, let code) where code == EROFS || code == EINVAL {
            // A read-only medium has nothing to wait for.
        }
    }

    /// Locks the log folder, which nothing else locks.
    public func takeTurn() -> (any WriterTurn)? {
        log.locked().map { LogFolderLock(directory: $0) }
    }
}

/// A turn that ends when its locked directory is closed.
private final class LogFolderLock: WriterTurn {
    private let directory: Directory

    init(directory: Directory) { self.directory = directory }
}

extension BlobName {
    /// The file name in UTF-8.
    var bytes: [UInt8] { Array(name.utf8) }
}
