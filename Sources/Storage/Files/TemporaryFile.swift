internal import Glibc
internal import Synchronization

/// A file that is being written and has no name that anyone reads yet.
///
/// Without ``publish(as:)`` or ``replace(_:)`` it leaves nothing behind: it has no name at all where
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
    /// - Parameter named: Whether it needs a name from the start, as ``replace(_:)`` does.
    init(in directory: Directory, named: Bool = false) throws(StorageError) {
        self.directory = directory
        if !named, let file = try directory.nameless(permissions: 0o600) {
            descriptor = file
            name = nil
            ownsName = Atomic(false)
            return
        }
        let name = try Self.randomName()
        let file = try directory.open(
            name, O_RDWR | O_CREAT | O_EXCL, permissions: 0o600, operation: "create")
        // Tells a collector that the file is in use; a file system without locks does without.
        _ = interruptible { flock(file.number, LOCK_EX | LOCK_NB) }
        descriptor = file
        self.name = name
        ownsName = Atomic(true)
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
        var code: Int32
        if let name {
            code = directory.link(name, as: target)
            if [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(code) {
                code = directory.renameToNew(name, target)
            }
        } else {
            code = directory.link(descriptor, as: target)
        }
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
        do {
            try directory.synchronize()
        } catch {
            guard case .system(_, _, let code) = error else { throw error }
            throw .durabilityUnknown(path: directory.path(of: target), errno: code)
        }
        // The second name is only clutter from here on.
        if let name, (try? directory.remove(name)) != nil {
            ownsName.store(false, ordering: .relaxed)
        }
        return true
    }

    /// Gives the file a name, replacing the file that has it; not durable until somebody syncs.
    ///
    /// The file must have been made with a name.
    func replace(_ target: [UInt8], permissions: mode_t = 0o444) throws(StorageError) {
        guard let name else { preconditionFailure("only a named file can replace another") }
        try descriptor.setPermissions(permissions)
        try directory.rename(name, to: target)
        ownsName.store(false, ordering: .relaxed)
    }
}
