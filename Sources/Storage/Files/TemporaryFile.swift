internal import Glibc
internal import Synchronization

/// A file that is being written and that nobody reads yet.
///
/// Unless ``publish(as:)``, ``place(as:)`` or ``replace(_:)`` names it, it leaves nothing behind: where the file system
/// supports that, it has no name; elsewhere, dropping it removes it.
final class TemporaryFile: Sendable {
    /// The prefix of unfinished files, which listings skip.
    static let prefix = Array("tmp-".utf8)

    let descriptor: FileDescriptor
    private let directory: Directory
    // Nil for a nameless file.
    private let name: [UInt8]?
    private let ownsName: Atomic<Bool>

    /// Creates a file in a directory.
    ///
    /// - Parameters:
    ///   - permissions: The permissions while it is written, which the umask restricts.
    ///   - mayBeNameless: False gives it a name from the start, as some file systems require.
    init(
        in directory: Directory, permissions: mode_t = 0o600, mayBeNameless: Bool = true
    ) throws(StorageError) {
        self.directory = directory
        if mayBeNameless, let file = try directory.nameless(permissions: permissions) {
            descriptor = file
            name = nil
            ownsName = Atomic(false)
            return
        }
        while true {
            let name = try Self.randomName()
            let file = try directory.open(
                name, O_RDWR | O_CREAT | O_EXCL, permissions: permissions, operation: "create")
            // The lock tells collectors that the file is in use. A collector may have removed the file before it was
            // locked; on a file system without locks, no collector removes anything.
            _ = interruptible { flock(file.number, LOCK_EX) }
            guard (try? file.status().links) != 0 else { continue }
            descriptor = file
            self.name = name
            ownsName = Atomic(true)
            return
        }
    }

    deinit {
        if let name, ownsName.load(ordering: .relaxed) { try? directory.remove(name) }
    }

    /// Returns a new name for an unfinished file or directory.
    static func randomName() throws(StorageError) -> [UInt8] {
        var name = prefix
        for byte in try randomBytes(16) {
            for digit in [byte >> 4, byte & 15] {
                name.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            }
        }
        return name
    }

    /// Makes the content durable and read-only, and gives the file a new name.
    ///
    /// - Returns: True when the file has the name, durably; false when another file has it.
    /// - Throws: `durabilityUnknown` when the file has its name but syncing the directory failed.
    func publish(as target: [UInt8]) throws(StorageError) -> Bool {
        try descriptor.setPermissions(0o444)
        try descriptor.synchronize()
        let code = link(as: target)
        if code != 0 {
            // A network file system may lose the reply to a call that succeeded: the name decides, not the reply.
            guard let found = try directory.status(of: target) else {
                throw .system(operation: "create", path: directory.path(of: target), errno: code)
            }
            guard try found.identity == descriptor.status().identity else {
                guard code == EEXIST else {
                    throw .system(
                        operation: "create", path: directory.path(of: target), errno: code)
                }
                return false
            }
        }
        try makeDurable(target)
        // The temporary name is no longer needed.
        if let name, (try? directory.remove(name)) != nil {
            ownsName.store(false, ordering: .relaxed)
        }
        return true
    }

    /// Makes the content durable, and durably replaces the file of a name.
    ///
    /// - Throws: `durabilityUnknown`, like ``publish(as:)``.
    func publish(replacing target: [UInt8]) throws(StorageError) {
        try descriptor.synchronize()
        try replace(target)
        try makeDurable(target)
    }

    private func makeDurable(_ target: [UInt8]) throws(StorageError) {
        do throws(StorageError) {
            try directory.synchronize()
        } catch .system(_, _, let code) {
            throw .durabilityUnknown(path: directory.path(of: target), errno: code)
        }
    }

    /// Gives the file a new name without waiting for the disk.
    ///
    /// - Returns: False when the name is taken.
    func place(as target: [UInt8]) throws(StorageError) -> Bool {
        switch link(as: target) {
        case 0: break
        case EEXIST: return false
        case let code:
            throw .system(operation: "create", path: directory.path(of: target), errno: code)
        }
        if let name {
            try directory.remove(name)
            ownsName.store(false, ordering: .relaxed)
        }
        return true
    }

    /// Replaces the file of a name without waiting for the disk.
    func replace(_ target: [UInt8]) throws(StorageError) {
        if let name {
            try directory.rename(name, to: target)
            ownsName.store(false, ordering: .relaxed)
            return
        }
        // Only a file with a name can be renamed. The lock tells collectors that the temporary name is in use.
        _ = interruptible { flock(descriptor.number, LOCK_EX) }
        let name = try Self.randomName()
        let code = directory.link(descriptor, as: name)
        guard code == 0 else {
            throw .system(operation: "create", path: directory.path(of: target), errno: code)
        }
        do {
            try directory.rename(name, to: target)
        } catch {
            try? directory.remove(name)
            throw error
        }
    }

    /// Removes a file that its writer did not finish, unless the writer still runs.
    ///
    /// - Returns: Whether it was removed.
    static func removeAbandoned(
        _ name: [UInt8], in directory: Directory
    ) throws(StorageError) -> Bool {
        guard let status = try directory.status(of: name), status.kind == .regular,
            let file = try? directory.open(name, O_RDWR),
            interruptible({ flock(file.number, LOCK_EX | LOCK_NB) }).code == 0
        else { return false }
        try directory.remove(name)
        return true
    }

    /// Gives the file a new name; returns 0 or the error number.
    private func link(as target: [UInt8]) -> Int32 {
        guard let name else { return directory.link(descriptor, as: target) }
        let code = directory.link(name, as: target)
        guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(code) else { return code }
        // This file system has no hard links. Rename the file instead; removing the temporary name later then does
        // nothing.
        return directory.renameToNew(name, target)
    }
}
