internal import Glibc
internal import Synchronization

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

    /// See ``StagedBlob``.
    ///
    /// What is never written before an offset is a hole, which reads as zeros.
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
        // When the exchange succeeds, `end` is what it was before.
        do {
            try file.descriptor.write(bytes.span, at: offset)
        } catch {
            // The blob has a hole now.
            stage.store(.failed, ordering: .sequentiallyConsistent)
            throw error
        }
        file.descriptor.beginSynchronizing(at: offset, count: bytes.count)
        return (offset, offset - end)
    }

    /// See ``StagedBlob``.
    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        let bytes = try file.descriptor.read(at: offset, upTo: count)
        guard bytes.count == count else {
            throw .truncated(
                path: folder.rawValue, expected: offset + count, actual: offset + bytes.count)
        }
        return bytes
    }

    /// See ``StagedBlob``.
    func publish(as name: BlobName) throws(StorageError) {
        let path = try finish(as: name)
        guard try file.publish(as: Array(name.name.utf8)) else {
            throw .system(operation: "create", path: path, errno: EEXIST)
        }
    }

    /// See ``StagedBlob``.
    func replace(_ name: BlobName) throws(StorageError) {
        _ = try finish(as: name)
        try file.descriptor.setPermissions(0o444)
        try file.publish(replacing: Array(name.name.utf8))
    }

    /// Allows no more writing; gives the path for messages.
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
                    ? "a part of it could not be written" : "it was published already")
        }
        return path
    }
}
