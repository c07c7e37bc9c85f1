import Storage
import Synchronization

/// A bucket in which something happens just before one of the calls, counted from 0; whatever is called by then is
/// not counted.
final class HookedBucket: Bucket {
    private struct Plan {
        var calls = 0
        var hook: (call: Int, body: @Sendable () -> Void)?
        var failsFrom = Int.max
        var isRunning = false
    }

    private let base: MemoryBucket
    private let plan = Mutex(Plan())

    init(_ base: MemoryBucket) { self.base = base }

    /// How many calls there were.
    var calls: Int { plan.withLock { $0.calls } }

    /// Does something once, before a call.
    func before(_ call: Int, _ body: @escaping @Sendable () -> Void) {
        plan.withLock { $0.hook = (call, body) }
    }

    /// Lets every change from a call on fail, as if the process had been killed.
    func fail(from call: Int) { plan.withLock { $0.failsFrom = call } }

    fileprivate func pass(isChange: Bool = false) throws(StorageError) {
        let (body, fails) = plan.withLock { plan -> ((@Sendable () -> Void)?, Bool) in
            if plan.isRunning { return (nil, false) }
            defer { plan.calls += 1 }
            let fails = plan.calls >= plan.failsFrom
            guard let hook = plan.hook, hook.call <= plan.calls else { return (nil, fails) }
            plan.hook = nil
            plan.isRunning = true
            return (hook.body, fails)
        }
        body?()
        if body != nil { plan.withLock { $0.isRunning = false } }
        if fails, isChange { throw .system(operation: "write", path: location, errno: 5) }
    }

    var location: String { base.location }

    func create(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) -> Creation {
        try pass(isChange: true)
        return try base.create(name, bytes)
    }

    func read(_ name: BlobName, limit: Int) throws(StorageError) -> [UInt8]? {
        try pass()
        return try base.read(name, limit: limit)
    }

    func open(_ name: BlobName) throws(StorageError) -> (any Blob)? {
        try pass()
        return try base.open(name)
    }

    func replace(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) {
        try pass(isChange: true)
        try base.replace(name, bytes)
    }

    func list(_ folder: BucketFolder) throws(StorageError) -> [BlobEntry] {
        try pass()
        return try base.list(folder)
    }

    func delete(_ name: BlobName) throws(StorageError) {
        try pass(isChange: true)
        try base.delete(name)
    }

    func ages(of names: [BlobName]) throws(StorageError) -> [BlobName: Int] {
        try pass()
        return try base.ages(of: names)
    }

    func stage(in folder: BucketFolder) throws(StorageError) -> any StagedBlob {
        try pass(isChange: true)
        return HookedBlob(try base.stage(in: folder), of: self)
    }

    func synchronizeLog() throws(StorageError) {
        try pass()
        try base.synchronizeLog()
    }
}

private final class HookedBlob: StagedBlob {
    private let base: any StagedBlob
    private let bucket: HookedBucket

    init(_ base: any StagedBlob, of bucket: HookedBucket) {
        self.base = base
        self.bucket = bucket
    }

    func append(
        _ bytes: [UInt8], alignment: Int
    ) throws(StorageError) -> (offset: Int, gap: Int) {
        try bucket.pass(isChange: true)
        return try base.append(bytes, alignment: alignment)
    }

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        try base.read(at: offset, count: count)
    }

    func publish(as name: BlobName) throws(StorageError) {
        try bucket.pass(isChange: true)
        try base.publish(as: name)
    }

    func replace(_ name: BlobName) throws(StorageError) {
        try bucket.pass(isChange: true)
        try base.replace(name)
    }
}
