internal import Glibc
internal import Synchronization

/// A blob in a file.
final class FileBlob: Blob {
    private let descriptor: FileDescriptor
    private let mapped = Mutex<MappedFile?>(nil)

    let size: Int

    /// Opens a blob; nil when it does not exist.
    ///
    /// - Throws: `damaged` when something other than a file has the name.
    init?(opening name: [UInt8], in directory: Directory) throws(StorageError) {
        let path = directory.path(of: name)
        do throws(StorageError) {
            // O_NONBLOCK keeps a pipe of that name from blocking the open.
            descriptor = try directory.open(name, O_RDONLY | O_NONBLOCK)
        } catch .system(_, _, ENOENT) {
            return nil
        } catch .system(_, _, ELOOP) {
            throw .damaged(path: path, reason: "it is a symbolic link, not a file")
        } catch .system(_, _, ENXIO) {
            throw .damaged(path: path, reason: "it is a socket or a device, not a file")
        }
        let status = try descriptor.status()
        guard status.kind == .regular else {
            throw .damaged(path: path, reason: "it is \(status.kind), not a file")
        }
        size = status.size
    }

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        let end = try self.end(of: count, from: offset, path: descriptor.path)
        let bytes = try descriptor.read(at: offset, upTo: count)
        guard bytes.count == count else {
            throw .truncated(path: descriptor.path, expected: end, actual: offset + bytes.count)
        }
        return bytes
    }

    func map() -> MappedFile? {
        mapped.withLock { mapped in
            if mapped == nil { mapped = MappedFile(descriptor, count: size) }
            return mapped
        }
    }

    var isDamaged: Bool { mapped.withLock { $0?.isDamaged ?? false } }

    /// Reads all bytes; throws `tooLarge` when there are more than `limit`.
    func readAll(limit: Int) throws(StorageError) -> [UInt8] {
        guard size <= limit else {
            throw .tooLarge(path: descriptor.path, size: size, limit: limit)
        }
        return try read(at: 0, count: size)
    }
}

/// A blob that is being written to a file.
final class StagedFile: StagedBlob {
    private enum Stage: Int, AtomicRepresentable {
        case writing, failed, published
    }

    private let file: TemporaryFile
    private let directory: Directory
    private let folder: BucketFolder
    private let end = Atomic<Int>(0)
    private let stage = Atomic<Stage>(.writing)

    /// Begins a blob in the directory of a folder.
    init(in directory: Directory, folder: BucketFolder) throws(StorageError) {
        self.directory = directory
        self.folder = folder
        file = try TemporaryFile(in: directory)
    }

    /// Padding is a hole in the file, which reads as zeros.
    func append(
        _ bytes: [UInt8], alignment: Int
    ) throws(StorageError) -> (offset: Int, gap: Int) {
        var end = self.end.load(ordering: .relaxed)
        var offset = end
        var isTaken = false
        while !isTaken {
            offset = (end + alignment - 1) / alignment * alignment
            (isTaken, end) = self.end.weakCompareExchange(
                expected: end, desired: offset + bytes.count, ordering: .relaxed)
        }
        // A successful exchange leaves the previous end in `end`.
        do {
            try file.descriptor.write(bytes.span, at: offset)
        } catch {
            // The failed write left a hole in the blob.
            stage.store(.failed, ordering: .sequentiallyConsistent)
            throw error
        }
        file.descriptor.beginSynchronizing(at: offset, count: bytes.count)
        return (offset, offset - end)
    }

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        let bytes = try file.descriptor.read(at: offset, upTo: count)
        guard bytes.count == count else {
            throw .truncated(
                path: folder.rawValue, expected: offset + count, actual: offset + bytes.count)
        }
        return bytes
    }

    func publish(as name: BlobName) throws(StorageError) {
        let path = try finish(as: name)
        guard try file.publish(as: Array(name.name.utf8)) else {
            throw .system(operation: "create", path: path, errno: EEXIST)
        }
    }

    func replace(_ name: BlobName) throws(StorageError) {
        _ = try finish(as: name)
        try file.descriptor.setPermissions(0o444)
        try file.publish(replacing: Array(name.name.utf8))
    }

    /// Ends the writing and returns the path for messages.
    private func finish(as name: BlobName) throws(StorageError) -> String {
        let path = directory.path(of: Array(name.name.utf8))
        guard name.folder == folder else {
            throw .unusable(path: path, reason: "the blob was begun in \(folder.rawValue)")
        }
        let (isFirst, stage) = stage.compareExchange(
            expected: .writing, desired: .published, ordering: .sequentiallyConsistent)
        guard isFirst else {
            throw .unusable(
                path: path,
                reason: stage == .failed
                    ? "a write to it failed" : "it was published already")
        }
        return path
    }
}
