internal import Glibc

extension DirectoryBucket {
    /// Creates a bucket with the given blobs at a path where nothing or an empty directory is, and opens it.
    ///
    /// The bucket is built beside the path and moved there once it is durable, so a crash leaves all of it or nothing
    /// under its name. Missing directories above it are created.
    ///
    /// - Parameters:
    ///   - blobs: The blobs, all of them in folders of ``BucketFolder/initial``.
    ///   - isShared: Whether the directory's group may read and write the bucket, whatever the umask.
    /// - Throws: `unusable` when the path is taken; `durabilityUnknown` when the bucket exists but a power cut may
    ///   still undo its creation.
    public static func create(
        at path: String, containing blobs: [BlobName: [UInt8]] = [:], isShared: Bool = false
    ) throws(StorageError) -> DirectoryBucket {
        let (parentPath, name) = try Directory.split(path)
        let parent = try madeDirectory(parentPath)
        if let status = try parent.status(of: name) {
            // An empty directory is replaced; the system refuses to remove any other.
            guard status.kind == .directory, (try? parent.remove(name, directory: true)) != nil
            else { throw exists(path) }
        }
        let temporary = try TemporaryFile.randomName()
        try parent.makeDirectory(temporary)
        do throws(StorageError) {
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

    /// Opens a directory; creates it, and the directories above it, when they are missing.
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
                // Another process has just created it.
            }
            return try Directory(opening: path, followLink: true)
        }
    }

    /// Lets the group of a directory change its entries; the permissions of others stay.
    private static func share(_ directory: Directory) throws(StorageError) {
        let others = try directory.status().permissions & UInt32(S_IROTH | S_IXOTH)
        try directory.setPermissions(FileStatus.sharedMode | others)
    }

    /// Creates a directory, shared the same way as its parent.
    static func makeFolder(_ name: [UInt8], in parent: Directory) throws(StorageError) {
        try parent.makeDirectory(name)
        let status = try parent.status()
        if status.isShared { try parent.directory(name).setPermissions(status.permissions) }
    }

    private static func exists(_ path: String) -> StorageError {
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
            // This file system has no rename that refuses to replace. A plain rename of a directory replaces only an
            // empty directory.
            return try parent.rename(temporary, to: name)
        }
        // A network file system may lose the reply to a call that succeeded: if the old name is gone, it succeeded.
        guard try parent.status(of: temporary) != nil else { return }
        guard code == EEXIST || code == ENOTEMPTY else {
            throw .system(operation: "create", path: path, errno: code)
        }
        throw exists(path)
    }

    /// Removes an unfinished bucket, or an entry of it, as far as possible.
    private static func discard(_ name: [UInt8], in parent: Directory) {
        guard let directory = try? parent.directory(name) else {
            try? parent.remove(name)
            return
        }
        for entry in (try? directory.names()) ?? [] { discard(entry, in: directory) }
        try? parent.remove(name, directory: true)
    }
}

extension Directory {
    /// Whether an entry is a repository's `.fti` directory.
    func hasRepository(_ name: [UInt8]) throws(StorageError) -> Bool {
        guard name == Array(".fti".utf8) else { return false }
        // The folder of checkpoints is only a cache, so it may be missing.
        return try directory(name).holds([.packs, .log])
    }

    /// Whether the directory has these folders of a bucket.
    func holds(_ folders: [BucketFolder]) throws(StorageError) -> Bool {
        for folder in folders {
            var inside = self
            for component in folder.rawValue.utf8.split(separator: UInt8(ascii: "/")) {
                let name = Array(component)
                guard try inside.status(of: name)?.kind == .directory else { return false }
                inside = try inside.directory(name)
            }
        }
        return true
    }
}
