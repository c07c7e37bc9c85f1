package import Storage

/// One call of a bucket, or of a blob that is staged in it.
package enum BucketCall: Hashable, Sendable {
    case read(BlobName)
    case open(BlobName)
    case create(BlobName)
    case replace(BlobName)
    case overwrite(BlobName)
    case list(BucketFolder)
    case delete(BlobName)
    case ages([BlobName])
    case removeAbandonedFiles
    case stage(BucketFolder)
    case synchronize(BucketFolder)
    case synchronizeLog
    case takeTurn
    case stagedAppend(BucketFolder)
    case stagedRead(BucketFolder)
    case stagedPublish(BlobName)
    case stagedReplace(BlobName)

    /// The folder that the call is about; nil when it is about several or none.
    package var folder: BucketFolder? {
        switch self {
        case .read(let name), .open(let name), .create(let name), .replace(let name),
            .overwrite(let name), .delete(let name), .stagedPublish(let name),
            .stagedReplace(let name):
            name.folder
        case .list(let folder), .stage(let folder), .synchronize(let folder),
            .stagedAppend(let folder), .stagedRead(let folder):
            folder
        case .synchronizeLog: .log
        case .ages, .removeAbandonedFiles, .takeTurn: nil
        }
    }

    /// Whether the call writes.
    package var isChange: Bool {
        switch self {
        case .read, .open, .list, .ages, .takeTurn, .stagedRead: false
        case .create, .replace, .overwrite, .delete, .removeAbandonedFiles, .stage, .synchronize,
            .synchronizeLog, .stagedAppend, .stagedPublish, .stagedReplace:
            true
        }
    }
}

/// A bucket that forwards every call to another one.
///
/// A test bucket conforms and implements only what it changes: ``willCall(_:)`` to count, delay or fail calls, or
/// one of the calls themselves.
package protocol ForwardingBucket: Bucket {
    /// The bucket that receives the calls.
    var base: any Bucket { get }

    /// Runs before each call; an error fails the call, which then does not reach the base.
    func willCall(_ call: BucketCall) throws(StorageError)
}

// The compiler prefers these to the defaults of `Bucket`; a test checks that none is missing.
extension ForwardingBucket {
    package func willCall(_ call: BucketCall) throws(StorageError) {}

    package var location: String { base.location }

    package func read(_ name: BlobName, limit: Int) throws(StorageError) -> [UInt8]? {
        try willCall(.read(name))
        return try base.read(name, limit: limit)
    }

    package func open(_ name: BlobName) throws(StorageError) -> (any Blob)? {
        try willCall(.open(name))
        return try base.open(name)
    }

    package func create(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) -> Creation {
        try willCall(.create(name))
        return try base.create(name, bytes)
    }

    package func replace(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) {
        try willCall(.replace(name))
        try base.replace(name, bytes)
    }

    package func overwrite(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) {
        try willCall(.overwrite(name))
        try base.overwrite(name, bytes)
    }

    package func list(_ folder: BucketFolder) throws(StorageError) -> [BlobEntry] {
        try willCall(.list(folder))
        return try base.list(folder)
    }

    package func delete(_ name: BlobName) throws(StorageError) {
        try willCall(.delete(name))
        try base.delete(name)
    }

    package func ages(of names: [BlobName]) throws(StorageError) -> [BlobName: Int] {
        try willCall(.ages(names))
        return try base.ages(of: names)
    }

    package func removeAbandonedFiles() throws(StorageError) -> Int {
        try willCall(.removeAbandonedFiles)
        return try base.removeAbandonedFiles()
    }

    package func stage(in folder: BucketFolder) throws(StorageError) -> any StagedBlob {
        try willCall(.stage(folder))
        return ForwardingStagedBlob(
            base: try base.stage(in: folder), folder: folder, bucket: self)
    }

    package func synchronize(_ folder: BucketFolder) throws(StorageError) {
        try willCall(.synchronize(folder))
        try base.synchronize(folder)
    }

    package func synchronizeLog() throws(StorageError) {
        try willCall(.synchronizeLog)
        try base.synchronizeLog()
    }

    /// A failed call means that another writer has the turn.
    package func takeTurn() -> (any WriterTurn)? {
        do throws(StorageError) { try willCall(.takeTurn) } catch { return nil }
        return base.takeTurn()
    }
}

/// A staged blob that reports its calls to its bucket.
private struct ForwardingStagedBlob: StagedBlob {
    let base: any StagedBlob
    let folder: BucketFolder
    let bucket: any ForwardingBucket

    func append(
        _ bytes: [UInt8], alignment: Int
    ) throws(StorageError) -> (offset: Int, gap: Int) {
        try bucket.willCall(.stagedAppend(folder))
        return try base.append(bytes, alignment: alignment)
    }

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        try bucket.willCall(.stagedRead(folder))
        return try base.read(at: offset, count: count)
    }

    func publish(as name: BlobName) throws(StorageError) {
        try bucket.willCall(.stagedPublish(name))
        try base.publish(as: name)
    }

    func replace(_ name: BlobName) throws(StorageError) {
        try bucket.willCall(.stagedReplace(name))
        try base.replace(name)
    }
}
