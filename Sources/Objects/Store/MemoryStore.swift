internal import Synchronization

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
