/// A folder of a bucket; each holds one sort of blob.
public enum BucketFolder: String, Sendable, CaseIterable {
    /// Pack files, named by the SHA-256 of their footer.
    case packs
    /// The entries of the log and its hint.
    case log
    /// Folded states, a cache.
    case checkpoints = "log/checkpoints"
    /// What running services and lock files need, for as long as they do.
    case leases

    /// The folders that every bucket has from the start; others are made when the first blob in them is written.
    package static let initial: [BucketFolder] = [.packs, .log, .checkpoints]
}

/// The name of a blob: a folder and a file name inside it.
public struct BlobName: Hashable, Sendable, CustomStringConvertible {
    /// The folder the blob is in.
    public let folder: BucketFolder
    /// The file name: ASCII letters, digits, `.` and `-` only.
    public let name: String

    /// Makes a name from parts that the program itself composed; foreign text never reaches here.
    public init(_ folder: BucketFolder, _ name: String) {
        precondition(
            !name.isEmpty && name.utf8.allSatisfy(Self.isAllowed) && name.utf8.first != 0x2E,
            "a blob is named by the program itself")
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

/// A listed blob: what it is called and how many bytes it has.
public struct BlobEntry: Hashable, Sendable {
    /// The file name, which may be one that no ``BlobName`` would allow.
    public let name: String
    /// The size in bytes.
    public let size: Int

    /// Makes an entry.
    public init(name: String, size: Int) {
        self.name = name
        self.size = size
    }
}

/// What became of an exclusive creation.
public enum Creation: Hashable, Sendable {
    /// The blob now exists, with the caller's bytes, and is durable.
    case created
    /// A blob of that name was there already and is unchanged.
    case exists
}

/// Where a repository lives: named immutable blobs in a few folders.
///
/// Calls block. Every conformer must be safe to use from several threads at once, and from several
/// processes on the same place.
public protocol Bucket: Sendable {
    /// Where the bucket is, for messages.
    var location: String { get }

    /// The whole blob, or nil when there is none.
    ///
    /// - Throws: `tooLarge` when it has more than `limit` bytes; must not have read them all then.
    func read(_ name: BlobName, limit: Int) throws(StorageError) -> [UInt8]?

    /// Random access to a blob, or nil when there is none.
    func open(_ name: BlobName) throws(StorageError) -> (any Blob)?

    /// Creates a blob if none has that name.
    ///
    /// Must be atomic: no reader ever sees part of it, and of any number of callers one wins. Must be
    /// durable when it returns `created`.
    func create(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) -> Creation

    /// Creates or replaces a blob: atomic, also in a crash, after which there is the old one or the new one, whole.
    ///
    /// A caller that returned may still have the old one after a crash, or none where there was none.
    func replace(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError)

    /// Creates a blob that is only a hint, or writes over it, as cheaply as the place allows: a hint that is
    /// renewed with every transaction must not cost as much as one.
    ///
    /// All hints of a name have the same number of bytes, at most 512, which no crash tears. Need not be atomic for
    /// readers, who must be able to tell a mixture of two hints from a hint, and may be the old one after a crash.
    func overwrite(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError)

    /// The blobs of a folder, in no particular order; empty when the folder is not there.
    func list(_ folder: BucketFolder) throws(StorageError) -> [BlobEntry]

    /// Removes a blob; does nothing when there is none.
    func delete(_ name: BlobName) throws(StorageError)

    /// How long ago blobs were written, in milliseconds by the clock of the place where they are, which is the
    /// same for everybody; those that are not there are left out.
    func ages(of names: [BlobName]) throws(StorageError) -> [BlobName: Int]

    /// Removes what writers that are gone left unfinished, and returns how many blobs that were; must not
    /// touch what a running writer has begun.
    func removeAbandonedFiles() throws(StorageError) -> Int

    /// Begins a blob whose name is known only once its bytes are written.
    func stage(in folder: BucketFolder) throws(StorageError) -> any StagedBlob

    /// Waits until what was deleted in a folder stays deleted after a power cut.
    func synchronize(_ folder: BucketFolder) throws(StorageError)

    /// Waits until everything that is visible in the log is durable.
    func synchronizeLog() throws(StorageError)

    /// Asks to be the only one that appends to the log for a moment; nil when somebody else is.
    ///
    /// A courtesy among those who ask, which saves lost races, and no lock: nothing may depend on it.
    func takeTurn() -> (any WriterTurn)?
}

/// A writer's turn, which ends when it is let go, or with the process.
public protocol WriterTurn: AnyObject, Sendable {}

/// The turn of a writer in a place that has no queue.
private final class FreeTurn: WriterTurn {}

extension Bucket {
    /// See ``Bucket``: everybody's turn.
    public func takeTurn() -> (any WriterTurn)? { FreeTurn() }

    /// See ``Bucket``; the same as replacing it.
    public func overwrite(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) {
        try replace(name, bytes)
    }

    /// See ``Bucket``; nothing, where what is deleted stays deleted.
    public func synchronize(_ folder: BucketFolder) throws(StorageError) {}

    /// See ``Bucket``; nothing, where unfinished blobs have no names.
    public func removeAbandonedFiles() throws(StorageError) -> Int { 0 }
}

/// An immutable blob opened for reading at any offset, from any number of threads.
public protocol Blob: Sendable {
    /// The size in bytes when it was opened.
    var size: Int { get }

    /// Reads exactly `count` bytes from `offset`.
    ///
    /// - Throws: `truncated` when the blob ends before that.
    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8]

    /// All bytes without reading them, the same object at every call; nil where the bucket cannot do that, and
    /// then they must be read.
    func map() -> MappedFile?
}

extension Blob {
    /// Nil: what is not a local file is read.
    public func map() -> MappedFile? { nil }
}

/// A blob that is being written. Dropping it before ``publish(as:)`` leaves nothing behind.
public protocol StagedBlob: Sendable {
    /// Appends bytes at the next offset that is a multiple of `alignment`, and returns that offset and the
    /// number of zero bytes before it that made it one; safe from several threads.
    ///
    /// The order of appends from several threads is not defined; each is contiguous.
    func append(
        _ bytes: [UInt8], alignment: Int
    ) throws(StorageError) -> (offset: Int, gap: Int)

    /// Reads exactly `count` bytes that were appended.
    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8]

    /// Makes the bytes durable and gives them their name, which must be new.
    func publish(as name: BlobName) throws(StorageError)

    /// Makes the bytes durable and puts them in the place of whatever has the name, all at once for every reader.
    ///
    /// Only for blobs that are not what their name says: the bytes must be those that belong there.
    func replace(_ name: BlobName) throws(StorageError)
}

extension StagedBlob {
    /// Appends bytes right after what is there and returns the offset they were given.
    public func append(_ bytes: [UInt8]) throws(StorageError) -> Int {
        try append(bytes, alignment: 1).offset
    }
}
