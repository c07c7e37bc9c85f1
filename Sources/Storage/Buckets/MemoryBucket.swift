internal import Glibc
internal import Synchronization

/// A bucket in memory, for tests and temporary data.
public final class MemoryBucket: Bucket {
    private struct File {
        let bytes: [UInt8]
        let written: Int
    }

    private let contents = Mutex<[BlobName: File]>([:])
    private let now: @Sendable () -> Int

    /// Makes an empty bucket.
    ///
    /// - Parameter now: Its clock, in milliseconds; by default every blob has age 0.
    public init(now: @escaping @Sendable () -> Int = { 0 }) { self.now = now }

    /// See ``Bucket``.
    public var location: String { "memory" }

    /// See ``Bucket``.
    public func read(_ name: BlobName, limit: Int) throws(StorageError) -> [UInt8]? {
        guard let bytes = contents.withLock({ $0[name]?.bytes }) else { return nil }
        guard bytes.count <= limit else {
            throw .tooLarge(path: name.description, size: bytes.count, limit: limit)
        }
        return bytes
    }

    /// See ``Bucket``.
    public func open(_ name: BlobName) throws(StorageError) -> (any Blob)? {
        contents.withLock { $0[name] }.map { MemoryBlob(name: name, bytes: $0.bytes) }
    }

    /// See ``Bucket``.
    public func create(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) -> Creation {
        contents.withLock { contents in
            guard contents[name] == nil else { return .exists }
            contents[name] = File(bytes: bytes, written: now())
            return .created
        }
    }

    /// See ``Bucket``.
    public func replace(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) {
        contents.withLock { $0[name] = File(bytes: bytes, written: now()) }
    }

    /// See ``Bucket``.
    public func list(_ folder: BucketFolder) throws(StorageError) -> [BlobEntry] {
        contents.withLock { contents in
            contents.filter { $0.key.folder == folder }
                .map { BlobEntry(name: $0.key.name, size: $0.value.bytes.count) }
        }
    }

    /// See ``Bucket``.
    public func delete(_ name: BlobName) throws(StorageError) {
        contents.withLock { $0[name] = nil }
    }

    /// See ``Bucket``.
    public func ages(of names: [BlobName]) throws(StorageError) -> [BlobName: Int] {
        let now = now()
        return contents.withLock { contents in
            var ages: [BlobName: Int] = [:]
            for name in names { ages[name] = contents[name].map { now - $0.written } }
            return ages
        }
    }

    /// See ``Bucket``.
    public func stage(in folder: BucketFolder) throws(StorageError) -> any StagedBlob {
        StagedMemory(in: folder, of: self)
    }

    /// See ``Bucket``.
    public func synchronizeLog() throws(StorageError) {}
}

/// A blob of a bucket in memory.
private struct MemoryBlob: Blob {
    let name: BlobName
    let bytes: [UInt8]

    var size: Int { bytes.count }

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        let end = try end(of: count, from: offset, path: name.description)
        return Array(bytes[offset..<end])
    }
}

/// A blob that is being written to a bucket in memory.
private final class StagedMemory: StagedBlob {
    private struct State {
        var bytes: [UInt8] = []
        var isPublished = false
    }

    private let folder: BucketFolder
    private let bucket: MemoryBucket
    private let state = Mutex(State())

    init(in folder: BucketFolder, of bucket: MemoryBucket) {
        self.folder = folder
        self.bucket = bucket
    }

    func append(
        _ bytes: [UInt8], alignment: Int
    ) throws(StorageError) -> (offset: Int, gap: Int) {
        state.withLock { state in
            let end = state.bytes.count
            let offset = (end + alignment - 1) / alignment * alignment
            state.bytes.append(contentsOf: repeatElement(0, count: offset - end))
            state.bytes += bytes
            return (offset, offset - end)
        }
    }

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        let bytes = state.withLock { $0.bytes }
        return try MemoryBlob(name: BlobName(folder, "staged"), bytes: bytes)
            .read(at: offset, count: count)
    }

    func publish(as name: BlobName) throws(StorageError) {
        guard try bucket.create(name, try finish(as: name)) == .created else {
            throw .system(operation: "create", path: name.description, errno: EEXIST)
        }
    }

    func replace(_ name: BlobName) throws(StorageError) {
        try bucket.replace(name, try finish(as: name))
    }

    private func finish(as name: BlobName) throws(StorageError) -> [UInt8] {
        let path = name.description
        guard name.folder == folder else {
            throw .unusable(path: path, reason: "the blob was begun in \(folder.rawValue)")
        }
        let (bytes, isFirst) = state.withLock { state in
            defer { state.isPublished = true }
            return (state.bytes, !state.isPublished)
        }
        guard isFirst else { throw .unusable(path: path, reason: "it was published already") }
        return bytes
    }
}
