import Storage
import Synchronization

/// A bucket in which something happens once, just before the first call about a folder.
final class InterruptedBucket: Bucket {
    private let base: MemoryBucket
    private let plan = Mutex<(folder: BucketFolder, body: @Sendable () -> Void)?>(nil)

    init(_ base: MemoryBucket) { self.base = base }

    /// Does something before the next call about a folder.
    func before(_ folder: BucketFolder, _ body: @escaping @Sendable () -> Void) {
        plan.withLock { $0 = (folder, body) }
    }

    /// Whether what was planned has happened.
    var hasHappened: Bool { plan.withLock { $0 == nil } }

    private func pass(_ folder: BucketFolder) {
        let body = plan.withLock { plan -> (@Sendable () -> Void)? in
            guard let planned = plan, planned.folder == folder else { return nil }
            plan = nil
            return planned.body
        }
        body?()
    }

    var location: String { base.location }

    func create(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) -> Creation {
        pass(name.folder)
        return try base.create(name, bytes)
    }

    func read(_ name: BlobName, limit: Int) throws(StorageError) -> [UInt8]? {
        pass(name.folder)
        return try base.read(name, limit: limit)
    }

    func open(_ name: BlobName) throws(StorageError) -> (any Blob)? {
        pass(name.folder)
        return try base.open(name)
    }

    func replace(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) {
        pass(name.folder)
        try base.replace(name, bytes)
    }

    func list(_ folder: BucketFolder) throws(StorageError) -> [BlobEntry] {
        pass(folder)
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
