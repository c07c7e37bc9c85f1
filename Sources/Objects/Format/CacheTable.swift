internal import Synchronization

/// A value of a ``CacheTable``. All values have the same number of bytes.
protocol CacheValue: Sendable {
    /// The number of bytes in a value.
    static var byteCount: Int { get }
    /// Decodes the value at an offset.
    init(_ bytes: Span<UInt8>, at offset: Int)
    /// Appends the value as ``byteCount`` bytes.
    func append(to bytes: inout [UInt8])
}

/// A sorted table that a file keeps between runs of a program, for data that may be lost at any time.
///
/// The stored form, all numbers little-endian: a magic of eight bytes, the number of entries u64, a header, the
/// entries, and the SHA-256 of all bytes before it. An entry is its key u64, its value, and the day of its last use
/// u32, counted from 1970. Entries ascend by key. The table is safe to use from several threads.
final class CacheTable<Value: CacheValue>: Sendable {
    private struct Entry {
        let key: UInt64
        let value: Value
        let day: Int
    }

    /// An entry that was not used for this many days is dropped.
    private static var lifetime: Int { 90 }
    /// The day of an entry is updated only once it is this many days old. Updating it at each use would rewrite the
    /// whole table each time.
    private static var refreshInterval: Int { 7 }
    private static var entrySize: Int { 8 + Value.byteCount + 4 }

    private let magic: [UInt8]
    private let header: [UInt8]
    private let limit: Int
    private let today: Int
    private let bytes: [UInt8]
    private let count: Int
    private let added = Mutex<[UInt64: Entry]>([:])

    /// Decodes a stored table; starts empty when the stored table is damaged or has another magic or header.
    ///
    /// - Parameters:
    ///   - limit: The most entries to keep; the most recently used stay.
    ///   - moment: The present time, in milliseconds since 1970.
    init(
        _ stored: [UInt8]?, magic: String, header: [UInt8], limit: Int, moment: Int
    ) {
        self.magic = Array(magic.utf8)
        self.header = header
        self.limit = limit
        today = moment / 86_400_000
        let start = self.magic.count + 8 + header.count
        guard let stored, stored.count >= start + ObjectID.byteCount,
            stored.starts(with: self.magic),
            stored[(self.magic.count + 8)..<start].elementsEqual(header),
            case let span = stored.span, case let end = stored.count - ObjectID.byteCount,
            let count = Int(exactly: LittleEndian.uint64(span, at: 8)),
            (end - start) % Self.entrySize == 0, (end - start) / Self.entrySize == count,
            ObjectID(of: span.extracting(0..<end)) == ObjectID(bytes: span, at: end)
        else {
            bytes = []
            count = 0
            return
        }
        bytes = stored
        self.count = count
    }

    /// Whether the stored table was empty, missing or unusable.
    var isEmpty: Bool { count == 0 }

    /// The maximum number of bytes in a stored table of this many entries.
    static func byteLimit(entries: Int) -> Int { entries * entrySize + 4096 }

    /// The value of a key, if `isOfUse` accepts it; nil otherwise.
    func value(_ key: UInt64, where isOfUse: (Value) -> Bool) -> Value? {
        guard let found = added.withLock({ $0[key] }) ?? stored(key), isOfUse(found.value) else {
            return nil
        }
        if today - found.day >= Self.refreshInterval { set(key, found.value) }
        return found.value
    }

    /// Sets the value of a key.
    func set(_ key: UInt64, _ value: Value) {
        let entry = Entry(key: key, value: value, day: today)
        added.withLock { $0[key] = entry }
    }

    // MARK: Entries

    private var start: Int { magic.count + 8 + header.count }

    private func stored(_ key: UInt64) -> Entry? {
        let bytes = bytes
        let span = bytes.span
        let index = (0..<count).binarySearch {
            LittleEndian.uint64(span, at: start + Self.entrySize * $0) < key
        }
        guard index < count, case let entry = entry(at: index, span), entry.key == key else {
            return nil
        }
        return entry
    }

    private func entry(at index: Int, _ span: Span<UInt8>) -> Entry {
        let at = start + Self.entrySize * index
        return Entry(
            key: LittleEndian.uint64(span, at: at), value: Value(span, at: at + 8),
            day: Int(LittleEndian.uint32(span, at: at + 8 + Value.byteCount)))
    }

    // MARK: Storing

    /// The stored form to write in place of the old one; nil when nothing is new.
    func encoded() -> [UInt8]? {
        let new = added.withLock { $0 }
        guard !new.isEmpty else { return nil }
        var entries = Array(new.values)
        let bytes = bytes
        let span = bytes.span
        for index in 0..<count {
            let entry = entry(at: index, span)
            // An entry dated in the future would never expire.
            guard new[entry.key] == nil, entry.day <= today, today - entry.day < Self.lifetime
            else { continue }
            entries.append(entry)
        }
        if entries.count > limit {
            entries.sort { $0.day > $1.day }
            entries.removeLast(entries.count - limit)
        }
        entries.sort { $0.key < $1.key }
        var output = magic
        output.reserveCapacity(start + Self.entrySize * entries.count + ObjectID.byteCount)
        LittleEndian.append(UInt64(entries.count), to: &output)
        output.append(contentsOf: header)
        for entry in entries {
            LittleEndian.append(entry.key, to: &output)
            entry.value.append(to: &output)
            LittleEndian.append(UInt32(clamping: entry.day), to: &output)
        }
        output.append(contentsOf: ObjectID(of: output.span).bytes)
        return output
    }
}
