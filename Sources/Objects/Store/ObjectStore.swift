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
