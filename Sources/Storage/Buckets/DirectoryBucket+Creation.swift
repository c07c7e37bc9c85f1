internal import Glibc

extension DirectoryBucket {
    /// Makes a bucket at a path where nothing is, with the given blobs in it, and opens it.
    ///
    /// It is built beside the path and moved there when it is durable: a crash leaves either all of
    /// it or nothing under its name. Directories above it are made where they are missing.
    ///
    /// - Parameter isShared: Whether the members of the directory's group may use and write it, whatever the mask of
    ///   the process that makes it.
    /// - Throws: `unusable` when something is at the path already; `durabilityUnknown` when it is made and a power
    ///   cut may yet undo that.
    public static func create(
        at path: String, containing blobs: [BlobName: [UInt8]] = [:], isShared: Bool = false
    ) throws(StorageError) -> DirectoryBucket {
        let (parentPath, name) = try Directory.split(path)
        let parent = try madeDirectory(parentPath)
        if let status = try parent.status(of: name) {
            // An empty directory is as good as none; the system refuses to remove any other.
            guard status.kind == .directory, (try? parent.remove(name, directory: true)) != nil
            else { throw taken(path) }
        }
        let temporary = try TemporaryFile.randomName()
        try parent.makeDirectory(temporary)
        do {
            let root = try parent.directory(temporary)
            if isShared { try share(root) }
            try build(root, blobs)
            try place(temporary, as: name, in: parent, path)
        } catch {
            discard(temporary, in: parent)
            throw error
        }
        do throws(StorageError) {
            try parent.synchronize()
        } catch .system(_, _, let code) {
            throw .durabilityUnknown(path: path, errno: code)
        }
        return try DirectoryBucket(opening: path)
    }

    /// Opens a directory, after making it, and those above it, where they are missing.
    private static func madeDirectory(_ path: String) throws(StorageError) -> Directory {
        do throws(StorageError) {
            return try Directory(opening: path, followLink: true)
        } catch .system(_, _, ENOENT) {
            let (parentPath, name) = try Directory.split(path)
            let parent = try madeDirectory(parentPath)
            do throws(StorageError) {
                try parent.makeDirectory(name)
                try parent.synchronize()
            } catch .system(_, _, EEXIST) {
                // Somebody else made it at the same moment.
            }
            return try Directory(opening: path, followLink: true)
        }
    }

    /// Lets the group of a directory change what is in it; others may still do what the mask lets them do.
    private static func share(_ directory: Directory) throws(StorageError) {
        let others = try directory.status().permissions & UInt32(S_IROTH | S_IXOTH)
        try directory.setPermissions(FileStatus.sharedMode | others)
    }

    /// Makes a directory; in one that is shared it is shared the same way.
    static func makeFolder(_ name: [UInt8], in parent: Directory) throws(StorageError) {
        try parent.makeDirectory(name)
        let status = try parent.status()
        if status.isShared { try parent.directory(name).setPermissions(status.permissions) }
    }

    private static func taken(_ path: String) -> StorageError {
        .unusable(path: path, reason: "it exists already")
    }

    private static func build(
        _ root: Directory, _ blobs: [BlobName: [UInt8]]
    ) throws(StorageError) {
        for folder in BucketFolder.initial {
            var parent = root
            for component in folder.rawValue.utf8.split(separator: UInt8(ascii: "/")) {
                let name = Array(component)
                if try parent.status(of: name) == nil { try makeFolder(name, in: parent) }
                let directory = try parent.directory(name)
                try parent.synchronize()
                parent = directory
            }
            for (name, bytes) in blobs where name.folder == folder {
                let file = try TemporaryFile(in: parent)
                try file.descriptor.write(bytes.span, at: 0)
                _ = try file.publish(as: name.bytes)
            }
            try parent.synchronize()
        }
    }

    private static func place(
        _ temporary: [UInt8], as name: [UInt8], in parent: Directory, _ path: String
    ) throws(StorageError) {
        let code = parent.renameToNew(temporary, name)
        if code == 0 { return }
        if code == EINVAL || code == ENOSYS {
            // This file system cannot refuse to replace; a directory replaces an empty one at most.
            return try parent.rename(temporary, to: name)
        }
        // A network file system may have lost the answer to a call that succeeded: the name that is gone decides.
        guard try parent.status(of: temporary) != nil else { return }
        guard code == EEXIST || code == ENOTEMPTY else {
            throw .system(operation: "create", path: path, errno: code)
        }
        throw taken(path)
    }

    /// Removes a bucket that did not come to be, as far as it goes.
    private static func discard(_ name: [UInt8], in parent: Directory) {
        guard let root = try? parent.directory(name) else { return }
        for folder in BucketFolder.initial.reversed() {
            var directory: Directory? = root
            var components = folder.rawValue.utf8.split(separator: UInt8(ascii: "/")).map(
                Array.init)
            let last = components.removeLast()
            for component in components { directory = try? directory?.directory(component) }
            guard let directory, let emptied = try? directory.directory(last) else { continue }
            for entry in (try? emptied.names()) ?? [] { try? emptied.remove(entry) }
            try? directory.remove(last, directory: true)
        }
        try? parent.remove(name, directory: true)
    }
}
