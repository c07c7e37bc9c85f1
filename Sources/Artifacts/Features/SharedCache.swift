internal import Objects
internal import Synchronization

/// A key of a ``SharedCache``.
protocol CacheKey: Hashable, Sendable {
    /// A number that spreads keys over the parts of a cache.
    var spread: Int { get }
}

/// A row of any version of a table: versions that share leaves can share a cache.
struct LeafRow: CacheKey {
    let leaf: ObjectID
    /// The row's index in the leaf.
    let place: Int

    // Consecutive rows of a leaf are in different parts.
    var spread: Int { place }
}

/// Caches values for many threads, up to a number of bytes.
///
/// It is divided into parts with a lock each, so threads seldom wait for one another. A full part evicts entries that
/// were not used since its last sweep (the clock algorithm).
final class SharedCache<Key: CacheKey, Value: Sendable>: Sendable {
    private struct Entry {
        let key: Key
        let value: Value
        let bytes: Int
        var isUsed = false
    }

    private struct Contents {
        var entries: [Entry] = []
        var indices: [Key: Int] = [:]
        var bytes = 0
        /// The entry to consider next when the part is full.
        var hand = 0

        /// Drops the next entry that was not used since the hand last passed it.
        mutating func dropOne() {
            while true {
                if hand >= entries.count { hand = 0 }
                guard entries[hand].isUsed else { break }
                entries[hand].isUsed = false
                hand += 1
            }
            bytes -= entries[hand].bytes
            indices[entries[hand].key] = nil
            let last = entries.removeLast()
            guard hand < entries.count else { return }
            entries[hand] = last
            indices[last.key] = hand
        }
    }

    private final class Part: Sendable {
        let contents = Mutex(Contents())
    }

    private let parts: [Part]
    private let partLimit: Int

    private static var partCount: Int { 64 }

    /// Makes an empty cache that holds at most `byteLimit` bytes, as ``insert(_:_:bytes:)`` counts them.
    init(byteLimit: Int) {
        parts = (0..<Self.partCount).map { _ in Part() }
        partLimit = byteLimit / Self.partCount
    }

    /// The number of bytes in the cache.
    var byteCount: Int { parts.reduce(0) { $0 + $1.contents.withLock { $0.bytes } } }

    private func part(of key: Key) -> Part {
        parts[Int(UInt(bitPattern: key.spread) % UInt(Self.partCount))]
    }

    /// The value of a key, if it is in the cache.
    subscript(_ key: Key) -> Value? {
        part(of: key).contents.withLock { contents in
            guard let index = contents.indices[key] else { return nil }
            contents.entries[index].isUsed = true
            return contents.entries[index].value
        }
    }

    /// Adds the value of a key unless it is in the cache.
    ///
    /// - Parameter bytes: The memory that the value takes.
    func insert(_ key: Key, _ value: Value, bytes: Int) {
        part(of: key).contents.withLock { contents in
            guard contents.indices[key] == nil else { return }
            contents.indices[key] = contents.entries.count
            contents.entries.append(Entry(key: key, value: value, bytes: bytes))
            contents.bytes += bytes
            while contents.bytes > partLimit { contents.dropOne() }
        }
    }
}

/// The caches of a features table that is open for retrieval; later versions of the table go on with them.
///
/// They hold at most 96 MiB together: the vectors and the words of about 20,000 rows.
final class RowCaches: Sendable {
    /// Rows that were candidates of a question.
    let rows = SharedCache<LeafRow, AnalysedRow>(byteLimit: 64 << 20)
    /// Vectors that were compared with a question, after their leaf was verified.
    let vectors = SharedCache<LeafRow, [Float]>(byteLimit: 32 << 20)
}
