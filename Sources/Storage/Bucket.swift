/// A folder of a bucket; each holds one kind of blob.
public enum BucketFolder: String, Sendable, CaseIterable {
    /// Pack files, named by the SHA-256 of their footer.
    case packs
    /// The entries of the log, its hint, and a file that reserves room for an entry.
    case log
    /// Cached states of the log.
    case checkpoints = "log/checkpoints"
    /// Leases, which keep the objects of running services, lock files and drafts from collection.
    case leases

    /// The folders that every bucket has from the start; the first blob written to any other folder creates it.
    package static let initial: [BucketFolder] = [.packs, .log, .checkpoints]
}

/// The name of a blob: a folder and a file name inside it.
public struct BlobName: Hashable, Sendable, CustomStringConvertible {
    /// The folder that holds the blob.
    public let folder: BucketFolder
    /// The file name: ASCII letters, digits, `.` and `-` only, and no leading `.`.
    public let name: String

    /// Makes a name. The program composes every name itself, so an invalid one is a programming error and traps.
    public init(_ folder: BucketFolder, _ name: String) {
        precondition(
            !name.isEmpty && name.utf8.allSatisfy(Self.isAllowed) && name.utf8.first != 0x2E,
            "a blob name has only letters, digits, - and ., and no leading .")
        self.folder = folder
        self.name = name
    }

    /// `folder/name`, the path below the bucket.
    public var description: String { "\(folder.rawValue)/\(name)" }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E: true
        default: false
        }
    }
}

/// A blob in a listing.
public struct BlobEntry: Hashable, Sendable {
    /// The file name; a stray file may have one that ``BlobName`` does not allow.
    public let name: String
    /// The size in bytes.
    public let size: Int

    /// Describes a blob in a listing; checks nothing.
    public init(name: String, size: Int) {
        self.name = name
        self.size = size
    }
}

/// The outcome of an exclusive creation.
public enum Creation: Hashable, Sendable {
    /// The blob exists with the caller's bytes, durably.
    case created
    /// A blob of that name existed and is unchanged.
    case exists
}

/// The storage of a repository: named blobs in a few folders, all immutable except hints, caches and leases.
///
/// Calls block. Several threads may use a bucket at once, and several processes may use the same storage.
public protocol Bucket: Sendable {
    /// The path or the name of the bucket, for messages.
    var location: String { get }

    /// Reads a whole blob; nil when it does not exist.
    ///
    /// - Throws: `tooLarge` when it has more than `limit` bytes, without reading them.
    func read(_ name: BlobName, limit: Int) throws(StorageError) -> [UInt8]?

    /// Opens a blob for random access; nil when it does not exist.
    func open(_ name: BlobName) throws(StorageError) -> (any Blob)?

    /// Creates a blob unless the name is taken.
    ///
    /// Atomic: no reader ever sees a part of the blob, and of several concurrent callers exactly one wins. The blob is
    /// durable when the call returns `created`.
    func create(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) -> Creation

    /// Creates or replaces a blob atomically: a crash leaves either the old blob or the new one.
    ///
    /// Not durable: a crash after the call may undo it.
    func replace(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError)

    /// Creates or overwrites a hint as cheaply as the storage allows. Every transaction renews a hint, and the renewal
    /// must cost far less than the transaction.
    ///
    /// All hints written to one name have the same size, at most 512 bytes, so a crash cannot tear one. The write need
    /// not be atomic for readers, who must recognize a mixture of two hints, and a crash may bring back the old hint.
    func overwrite(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError)

    /// Lists the blobs of a folder in no particular order; none when the folder does not exist.
    func list(_ folder: BucketFolder) throws(StorageError) -> [BlobEntry]

    /// Deletes a blob; does nothing when it does not exist.
    func delete(_ name: BlobName) throws(StorageError)

    /// Returns how long ago blobs were written, in milliseconds by the clock of the storage, which all clients share.
    /// Omits blobs that do not exist.
    func ages(of names: [BlobName]) throws(StorageError) -> [BlobName: Int]

    /// Removes the unfinished blobs of crashed writers and returns their number. Blobs of running writers stay.
    func removeAbandonedFiles() throws(StorageError) -> Int

    /// Begins a blob whose name is known only after its bytes are written.
    func stage(in folder: BucketFolder) throws(StorageError) -> any StagedBlob

    /// Waits until the deletions in a folder are durable.
    func synchronize(_ folder: BucketFolder) throws(StorageError)

    /// Waits until every visible entry of the log is durable.
    func synchronizeLog() throws(StorageError)

    /// Takes the turn to append to the log; nil while another writer has it.
    ///
    /// Turns only spare the writers that take them from lost races. A writer may also append without a turn, so
    /// correctness must not depend on turns.
    func takeTurn() -> (any WriterTurn)?
}

/// A writer's turn to append to the log. The turn ends with the last reference to it, or with the process.
public protocol WriterTurn: AnyObject, Sendable {}

/// A turn in a bucket that does not limit its writers.
private final class UnlimitedTurn: WriterTurn {}

extension Bucket {
    /// Gives every writer a turn.
    public func takeTurn() -> (any WriterTurn)? { UnlimitedTurn() }

    /// Replaces the blob.
    public func overwrite(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) {
        try replace(name, bytes)
    }

    /// Does nothing: for buckets whose deletions are durable at once.
    public func synchronize(_ folder: BucketFolder) throws(StorageError) {}

    /// Returns 0: for buckets where an unfinished blob has no name.
    public func removeAbandonedFiles() throws(StorageError) -> Int { 0 }
}

/// An immutable blob opened for reading at any offset, from any number of threads.
public protocol Blob: Sendable {
    /// The size in bytes when the blob was opened.
    var size: Int { get }

    /// Reads exactly `count` bytes from `offset`.
    ///
    /// - Throws: `truncated` when the blob ends before that.
    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8]

    /// Maps all bytes into memory, the same mapping at every call; nil where the bucket cannot map.
    func map() -> MappedFile?

    /// Whether the mapping of the bytes is damaged, so that the blob must be opened again.
    var isDamaged: Bool { get }
}

extension Blob {
    /// Checks that a range lies inside a blob; throws `truncated` otherwise.
    ///
    /// - Returns: The end of the range.
    func end(of count: Int, from offset: Int, path: String) throws(StorageError) -> Int {
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard offset >= 0, count >= 0, !overflow, end <= size else {
            throw .truncated(path: path, expected: overflow ? .max : end, actual: size)
        }
        return end
    }

    /// Returns nil: only local files can be mapped.
    public func map() -> MappedFile? { nil }

    /// Returns false: what is not mapped is read with errors.
    public var isDamaged: Bool { false }
}

/// A blob that is being written. Dropping it before ``publish(as:)`` discards it.
public protocol StagedBlob: Sendable {
    /// Appends bytes at the next multiple of `alignment`; returns that offset and the number of zero bytes that pad up
    /// to it.
    ///
    /// Several threads may append: each append stays contiguous, but their order is not defined.
    func append(
        _ bytes: [UInt8], alignment: Int
    ) throws(StorageError) -> (offset: Int, gap: Int)

    /// Reads back exactly `count` bytes.
    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8]

    /// Makes the bytes durable and gives them their name, which must not be taken.
    func publish(as name: BlobName) throws(StorageError)

    /// Makes the bytes durable and atomically replaces the blob of that name.
    ///
    /// Only for repairing a damaged blob: the bytes must be those of the original blob.
    func replace(_ name: BlobName) throws(StorageError)
}

extension StagedBlob {
    /// Appends bytes without padding and returns their offset.
    public func append(_ bytes: [UInt8]) throws(StorageError) -> Int {
        try append(bytes, alignment: 1).offset
    }
}
