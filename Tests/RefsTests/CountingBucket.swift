import Storage
import Synchronization

/// A bucket that counts what is asked of it.
final class CountingBucket: Bucket {
    private let base: MemoryBucket
    private let counts = Mutex((reads: 0, opens: 0, lists: 0))

    init(_ base: MemoryBucket) { self.base = base }

    var reads: Int { counts.withLock { $0.reads } }
    var opens: Int { counts.withLock { $0.opens } }
    var lists: Int { counts.withLock { $0.lists } }
    var location: String { base.location }

    func read(_ name: BlobName, limit: Int) throws(StorageError) -> [UInt8]? {
        counts.withLock { $0.reads += 1 }
        return try base.read(name, limit: limit)
    }

    func open(_ name: BlobName) throws(StorageError) -> (any Blob)? {
        counts.withLock { $0.opens += 1 }
        return try base.open(name)
    }

    func create(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) -> Creation {
        try base.create(name, bytes)
    }

    func replace(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) {
        try base.replace(name, bytes)
    }

    func list(_ folder: BucketFolder) throws(StorageError) -> [BlobEntry] {
        counts.withLock { $0.lists += 1 }
        return try base.list(folder)
    }

    func delete(_ name: BlobName) throws(StorageError) { try base.delete(name) }

    func ages(of names: [BlobName]) throws(StorageError) -> [BlobName: Int] {
        try base.ages(of: names)
    }

    func stage(in folder: BucketFolder) throws(StorageError) -> any StagedBlob {
        try base.stage(in: folder)
    }

    func synchronizeLog() throws(StorageError) { try base.synchronizeLog() }
}
