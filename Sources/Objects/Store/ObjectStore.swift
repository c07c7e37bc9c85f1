internal import Synchronization

/// How an object's bytes are best stored. It is advice: it never changes an identity.
public enum StorageHint: Hashable, Sendable {
    /// Small and structured: stored with zlib, which every language reads.
    case structured
    /// Anything else: content decides.
    case bulk
    /// Numbers of a fixed width, such as weights: bytes of equal significance go together.
    case numbers
    /// A table leaf: text up to `vectorOffset`, then rows of `dimension` little-endian fp32 numbers.
    case leaf(vectorOffset: Int, dimension: Int)
}

extension StorageHint {
    /// How the bytes of an object are best stored of which nothing else is known.
    init(suiting bytes: [UInt8]) {
        if let leaf = try? TableLeaf(bytes, id: nil) {
            self =
                leaf.dimension == 0
                ? .bulk
                : .leaf(
                    vectorOffset: bytes.count - 4 * leaf.dimension * leaf.count,
                    dimension: leaf.dimension)
        } else if bytes.starts(with: TableInnerNode.magic) {
            self = .structured
        } else {
            self = .bulk
        }
    }
}

/// Where objects are read from.
///
/// Implementations verify what they return: bytes handed out for an identity hash to it.
public protocol ObjectSource: Sendable {
    /// The size of an object in bytes, or nil when there is no such object; must not read its bytes.
    func size(of id: ObjectID) throws(ObjectError) -> Int?

    /// All bytes of an object, verified.
    ///
    /// - Throws: `missing` when there is no such object; `tooLarge`, before reading it, when it has more
    ///   than `limit` bytes; `corrupt` when its bytes are not what its identity says.
    func read(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8]
}

/// Where objects are written to.
public protocol ObjectSink: Sendable {
    /// Stores an object, if it is not there yet, and returns its identity.
    ///
    /// - Parameters:
    ///   - bytes: The whole object.
    ///   - hint: How it is best stored.
    ///   - predecessor: An object that this one is a small change of; it may be stored as a difference
    ///     against it.
    @discardableResult
    func write(
        _ bytes: [UInt8], hint: StorageHint, predecessor: ObjectID?
    ) throws(ObjectError) -> ObjectID
}

extension ObjectSink {
    /// Stores an object that succeeds no other.
    @discardableResult
    public func write(_ bytes: [UInt8], hint: StorageHint) throws(ObjectError) -> ObjectID {
        try write(bytes, hint: hint, predecessor: nil)
    }
}

/// What both reads and writes objects.
public typealias ObjectStore = ObjectSource & ObjectSink

/// The most bytes that a structured object (snapshot, tree, table node) may have: far above any real
/// one, and small enough to hold in memory.
public let structuredObjectLimit = 64 << 20

/// Objects of which a part can be read without the rest.
public protocol ObjectRangeSource: ObjectSource {
    /// The `count` bytes of an object from `offset`, fewer at its end, verified.
    ///
    /// - Throws: `missing` when there is no such object.
    func read(_ id: ObjectID, offset: Int, count: Int) throws(ObjectError) -> [UInt8]

    /// What the bytes of a range are stored as, when the range begins and ends between two stored
    /// pieces: equal lists mean equal bytes. Nil where the store cannot say.
    func pieces(of id: ObjectID, in range: Range<Int>) throws(ObjectError) -> [ObjectID]?
}

extension ObjectRangeSource {
    /// No store has to know how it cuts.
    public func pieces(of id: ObjectID, in range: Range<Int>) throws(ObjectError) -> [ObjectID]? {
        nil
    }
}

extension MemoryStore: ObjectRangeSource {
    /// See ``ObjectRangeSource``.
    public func read(_ id: ObjectID, offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        let bytes = try read(id, limit: .max)
        precondition(offset >= 0 && count >= 0, "a range begins at 0 or later")
        return Array(bytes.dropFirst(offset).prefix(count))
    }
}

extension Safetensors {
    /// Reads the header of a stored file; nil and the reason when the file is not a safetensors.
    ///
    /// - Throws: `ObjectError` when the object cannot be read.
    public static func read(
        _ id: ObjectID, in source: some ObjectRangeSource
    ) throws(ObjectError) -> Result<Safetensors, SafetensorsError> {
        guard let size = try source.size(of: id) else { throw .missing(id) }
        let prefix = try source.read(id, offset: 0, count: min(size, prefixCount))
        let length: Int
        do {
            length = try headerLength(prefix: prefix.span, fileSize: size)
        } catch {
            return .failure(error)
        }
        let header = try source.read(id, offset: prefixCount, count: length)
        return Result { () throws(SafetensorsError) in
            try Safetensors(header: header.span, fileSize: size)
        }
    }
}

/// A source that knows the checksums of what it stores, so that damage is found without recomputing identities.
protocol ChecksummedSource: ObjectSource {
    /// All bytes of an object as ``ObjectSource/read(_:limit:)`` gives them, except that what is stored was
    /// compared with its checksum, and its bytes not with the identity.
    ///
    /// For comparisons and counts: such bytes must not be handed out as the object's.
    func readChecksummed(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8]
}

extension PackStore: ChecksummedSource {
    package func readChecksummed(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8] {
        guard case .piece(let pack, let piece)? = try locateObject(id) else {
            return try read(id, limit: limit)
        }
        guard piece.size <= limit else { throw .tooLarge(id, size: piece.size, limit: limit) }
        return try bytes(of: id, piece, in: pack, verifying: .checksum)
    }
}

/// Objects kept in memory, verified on the way in.
public final class MemoryStore: ObjectSource, ObjectSink {
    private let objects = Mutex<[ObjectID: [UInt8]]>([:])
    private let readBytes = Atomic<Int>(0)

    /// Makes an empty store.
    public init() {}

    /// The number of distinct objects.
    public var count: Int { objects.withLock { $0.count } }

    /// The bytes that reads have returned so far: tests count work by it.
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
