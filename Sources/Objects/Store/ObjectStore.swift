internal import Synchronization

/// Advice on how to store the bytes of an object; it never affects the identity.
public enum StorageHint: Hashable, Sendable {
    /// Small and structured: stored with zlib, if that saves space. Most languages can read it without a library.
    case structured
    /// Anything else: the codec depends on the content.
    case bulk
    /// Numbers of a fixed width, such as weights; today stored like ``bulk``.
    case numbers
    /// A table leaf: text up to `vectorOffset`, then rows of `dimension` little-endian fp32 numbers each.
    case leaf(vectorOffset: Int, dimension: Int)
}

extension StorageHint {
    /// The hint for an object of unknown kind, derived from its bytes.
    init(suiting bytes: [UInt8]) {
        if let leaf = try? TableLeaf(bytes, id: nil) {
            self = leaf.hint
        } else if bytes.starts(with: TableInnerNode.magic) {
            self = .structured
        } else {
            self = .bulk
        }
    }
}

/// A source of objects.
///
/// Conforming types verify objects: the bytes returned for an identity hash to it.
public protocol ObjectSource: Sendable {
    /// The size of an object in bytes; nil when there is no such object. Does not read the object.
    func size(of id: ObjectID) throws(ObjectError) -> Int?

    /// Reads and verifies all bytes of an object.
    ///
    /// - Throws: `missing` when there is no such object; `tooLarge`, before reading it, when it has more
    ///   than `limit` bytes; `corrupt` when its bytes do not hash to its identity.
    func read(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8]
}

/// A destination of objects.
public protocol ObjectSink: Sendable {
    /// Stores an object, unless it is stored already, and returns its identity.
    ///
    /// - Parameters:
    ///   - bytes: The whole object.
    ///   - hint: How to store it.
    ///   - predecessor: A similar older object; the new object may be stored as a delta against it.
    @discardableResult
    func write(
        _ bytes: [UInt8], hint: StorageHint, predecessor: ObjectID?
    ) throws(ObjectError) -> ObjectID
}

extension ObjectSink {
    /// Stores an object that has no predecessor.
    @discardableResult
    public func write(_ bytes: [UInt8], hint: StorageHint) throws(ObjectError) -> ObjectID {
        try write(bytes, hint: hint, predecessor: nil)
    }
}

/// A type that both reads and writes objects.
public typealias ObjectStore = ObjectSource & ObjectSink

/// The most bytes in a structured object (snapshot, tree, table node): far more than any real one has, and few enough
/// to hold in memory.
public let structuredObjectLimit = 64 << 20

/// A source that can read a part of an object without the rest.
public protocol ObjectRangeSource: ObjectSource {
    /// Reads and verifies the `count` bytes of an object from `offset`; fewer at its end.
    ///
    /// - Throws: `missing` when there is no such object.
    func read(_ id: ObjectID, offset: Int, count: Int) throws(ObjectError) -> [UInt8]

    /// The pieces that hold a range of an object: equal lists mean equal bytes. Nil when the range begins or ends
    /// inside a piece, or when the source does not know the pieces.
    func pieces(of id: ObjectID, in range: Range<Int>) throws(ObjectError) -> [ObjectID]?
}

extension ObjectRangeSource {
    /// Returns nil: the source does not know the pieces.
    public func pieces(of id: ObjectID, in range: Range<Int>) throws(ObjectError) -> [ObjectID]? {
        nil
    }
}

/// A source that stores checksums, so that it can detect damage without computing identities.
protocol ChecksummedSource: ObjectSource {
    /// Reads an object like ``ObjectSource/read(_:limit:)``, but verifies only the checksum of the stored bytes, not
    /// the identity.
    ///
    /// For comparisons and counts only: do not return such bytes to a caller as the object.
    func readChecksummed(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8]
}

/// Objects in memory.
public final class MemoryStore: ObjectRangeSource, ObjectSink {
    private let objects = Mutex<[ObjectID: [UInt8]]>([:])
    private let readBytes = Atomic<Int>(0)

    /// Begins without objects.
    public init() {}

    /// The number of distinct objects.
    public var count: Int { objects.withLock { $0.count } }

    /// The sizes of all objects read so far, added up, with which tests measure work; reading a range counts as reading
    /// the whole object.
    public var bytesRead: Int { readBytes.load(ordering: .relaxed) }

    /// See ``ObjectSource``.
    public func size(of id: ObjectID) throws(ObjectError) -> Int? {
        objects.withLock { $0[id]?.count }
    }

    /// See ``ObjectSource``.
    public func read(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8] {
        guard let bytes = objects.withLock({ $0[id] }) else { throw .missing(id) }
        guard bytes.count <= limit else { throw .tooLarge(id, size: bytes.count, limit: limit) }
        readBytes.add(bytes.count, ordering: .relaxed)
        return bytes
    }

    /// See ``ObjectRangeSource``.
    public func read(_ id: ObjectID, offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        precondition(offset >= 0 && count >= 0, "a range begins at 0 or later")
        return Array(try read(id, limit: .max).dropFirst(offset).prefix(count))
    }

    /// See ``ObjectSink``.
    @discardableResult
    public func write(
        _ bytes: [UInt8], hint: StorageHint, predecessor: ObjectID?
    ) throws(ObjectError) -> ObjectID {
        let id = ObjectID(of: bytes.span)
        objects.withLock { $0[id] = bytes }
        return id
    }
}
