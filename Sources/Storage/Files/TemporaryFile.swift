internal import Glibc
internal import Synchronization

/// A file that is being written and has no name that anyone reads yet.
///
/// Without ``publish(as:)``, ``place(as:)`` or ``replace(_:)`` it leaves nothing behind: it has no name at all where
/// the file system can do that, and is removed when it is dropped elsewhere.
final class TemporaryFile: Sendable {
    /// How names of unfinished files begin; listings leave them out.
    static let prefix = Array("tmp-".utf8)

    /// The file itself.
    let descriptor: FileDescriptor
    private let directory: Directory
    // Nil for a file without any name.
    private let name: [UInt8]?
    private let ownsName: Atomic<Bool>

    /// Begins a file in a directory.
    ///
    /// - Parameters:
    ///   - permissions: Those that it has while it is written, subject to the process's mask.
    ///   - mayBeNameless: False to have a name from the start, as where the file system demands one.
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
            // Tells collectors that the file is in use. One of them may have come in between; on a
            // file system without locks none of them removes anything.
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

    /// A new name for an unfinished file or directory.
    static func randomName() throws(StorageError) -> [UInt8] {
        var name = prefix
        for byte in try randomBytes(16) {
            for digit in [byte >> 4, byte & 15] {
                name.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            }
        }
        return name
    }

    /// Makes the content durable, read-only, and gives it a name that must be new.
    ///
    /// - Returns: Whether the name is this file's now, and durable; false when another file has it.
    /// - Throws: `durabilityUnknown` when the file has its name but the directory could not be synced.
    func publish(as target: [UInt8]) throws(StorageError) -> Bool {
        try descriptor.setPermissions(0o444)
        try descriptor.synchronize()
        let code = link(as: target)
        if code != 0 {
            // A network file system may have lost the answer to a call that succeeded: the name
            // decides, whatever the call said.
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
        // The second name is only clutter from here on.
        if let name, (try? directory.remove(name)) != nil {
            ownsName.store(false, ordering: .relaxed)
        }
        return true
    }

    /// Makes the content durable and gives it a name, in the place of the file that has it, durably as well.
    ///
    /// - Throws: `durabilityUnknown` as ``publish(as:)``.
    func publish(replacing target: [UInt8]) throws(StorageError) {
        try descriptor.synchronize()
        try replace(target)
        try makeDurable(target)
    }

    private func makeDurable(_ target: [UInt8]) throws(StorageError) {
        do {
            try directory.synchronize()
        } catch .system(_, _, let code) {
            throw .durabilityUnknown(path: directory.path(of: target), errno: code)
        } catch { throw error }
    }

    /// Gives the file a name that must be new, without waiting for the disk.
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

    /// Gives the file a name, replacing the file that has it, without waiting for the disk.
    func replace(_ target: [UInt8]) throws(StorageError) {
        if let name {
            try directory.rename(name, to: target)
            ownsName.store(false, ordering: .relaxed)
            return
        }
        // Only what has a name can be renamed. Tells collectors that it is in use, while it has this one.
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

    /// Removes a file that somebody began and did not finish, unless its writer is still there.
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

    /// Gives the file a name that must be new: 0, or the number of the error.
    private func link(as target: [UInt8]) -> Int32 {
        guard let name else { return directory.link(descriptor, as: target) }
        let code = directory.link(name, as: target)
        guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(code) else { return code }
        // No hard links here. The name then moves, which removing it later does not mind.
        return directory.renameToNew(name, target)
    }
}
