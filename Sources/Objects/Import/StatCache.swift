public import Storage
internal import Synchronization

/// Which objects files were when they were last stored, so that what has not changed is not read again.
///
/// A cache and never a truth: without it, or with a wrong file in its place, everything is read. What it says counts
/// only while the repository holds the object whole; see ``ObjectWriter/importTree(_:cache:progress:)``. Safe to use
/// from several threads.
///
/// The stored form, all numbers little-endian: magic `ftistat1`, the number of entries u64, the identity of the
/// repository, the entries, the SHA-256 of all bytes before. An entry has 60 bytes, and entries ascend by their keys:
///
/// | field | bytes |
/// |---|---|
/// | key: FNV-1a of the absolute path | 8 |
/// | first half of the SHA-256 of the ``FileVersion`` (six u64) and the path | 16 |
/// | identity of the object | 32 |
/// | the day on which it was last of use, counted from 1970 | 4 |
public final class StatCache: Sendable {
    private struct Entry {
        let key: UInt64
        let state: (UInt64, UInt64)
        let id: ObjectID
        let day: Int
    }

    private static let magic = Array("ftistat1".utf8)
    private static let entrySize = 60

    /// The most entries that are kept: 2 million, in 126 MB. Those that were of use last stay.
    static let entryLimit = 2 << 20
    /// The most bytes that a stored cache has.
    public static let sizeLimit = entryLimit * entrySize + 4096
    /// An entry that was of no use for this many days is dropped.
    static let lifetime = 90
    /// The day of an entry is brought up to date when it is this many days back, not at each use: otherwise
    /// the whole cache would be written each time.
    static let refreshInterval = 7

    private let bytes: [UInt8]
    private let count: Int
    private let header: [UInt8]
    private let moment: Int
    private let added = Mutex<[UInt64: Entry]>([:])

    /// Reads a stored cache; one that is damaged, of another version or of another repository is as good as none.
    ///
    /// - Parameters:
    ///   - stored: What ``encoded()`` gave; nil when there is none.
    ///   - repository: The identity of the repository.
    ///   - moment: A time before any file is listed or read.
    public init(_ stored: [UInt8]?, repository: String, moment: Timestamp) {
        header = Array(repository.utf8)
        self.moment = moment.milliseconds
        let start = Self.magic.count + 8 + header.count
        guard let stored, stored.count >= start + ObjectID.byteCount,
            stored.starts(with: Self.magic),
            stored[16..<start].elementsEqual(header),
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

    // MARK: Asking and telling

    /// The object that a file was when it was stored in this state; nil when that is not known.
    public func id(of version: FileVersion, at path: [UInt8]) -> ObjectID? {
        let key = Self.key(path)
        guard let found = entry(key), found.state == Self.state(version, path) else { return nil }
        if today - found.day >= Self.refreshInterval {
            add(Entry(key: key, state: found.state, id: found.id, day: today))
        }
        return found.id
    }

    /// Remembers what object a file was in a state, unless a later change could go unnoticed.
    ///
    /// The system's clock has a resolution: a file that is changed twice within it has the same times after both
    /// changes. So a state counts only when its times are clearly older than the moment at which this cache was
    /// opened, before the file was read: by 40 ms where the file system keeps fractions of a millisecond (the
    /// coarsest clock ticks every 10 ms), by 2 s elsewhere, the resolution of FAT.
    public func add(_ id: ObjectID, of version: FileVersion, at path: [UInt8]) {
        let resolution = version.changed % 1_000_000 == 0 ? 2000 : 40
        let last = max(version.modified, version.changed) / 1_000_000
        guard last >= 0, last < moment - resolution else { return }
        add(
            Entry(
                key: Self.key(path), state: Self.state(version, path), id: id, day: today))
    }

    private func add(_ entry: Entry) { added.withLock { $0[entry.key] = entry } }

    private var today: Int { moment / 86_400_000 }

    /// FNV-1a (Fowler, Noll, Vo), 64 bits. Two paths with one key share an entry, so one of them is read each time.
    private static func key(_ path: [UInt8]) -> UInt64 {
        var key: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in path { key = (key ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return key
    }

    private static func state(_ version: FileVersion, _ path: [UInt8]) -> (UInt64, UInt64) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(48 + path.count)
        for number in [
            version.device, version.inode, UInt64(version.mode),
            UInt64(truncatingIfNeeded: version.size), UInt64(truncatingIfNeeded: version.modified),
            UInt64(truncatingIfNeeded: version.changed),
        ] { LittleEndian.append(number, to: &bytes) }
        bytes.append(contentsOf: path)
        let digest = ObjectID(of: bytes.span)
        return (digest.word0, digest.word1)
    }

    // MARK: Entries

    private var start: Int { Self.magic.count + 8 + header.count }

    private func entry(_ key: UInt64) -> Entry? {
        let bytes = bytes
        let span = bytes.span
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if LittleEndian.uint64(span, at: start + Self.entrySize * middle) < key {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low < count, case let entry = entry(at: low, span), entry.key == key else {
            return nil
        }
        return entry
    }

    private func entry(at index: Int, _ span: Span<UInt8>) -> Entry {
        let at = start + Self.entrySize * index
        return Entry(
            key: LittleEndian.uint64(span, at: at),
            state: (LittleEndian.uint64(span, at: at + 8), LittleEndian.uint64(span, at: at + 16)),
            id: ObjectID(bytes: span, at: at + 24),
            day: Int(LittleEndian.uint32(span, at: at + 56)))
    }

    // MARK: Storing

    /// The cache with what is new, to be stored in place of the old one; nil when nothing is new.
    public func encoded() -> [UInt8]? {
        let new = added.withLock { $0 }
        guard !new.isEmpty else { return nil }
        var entries = Array(new.values)
        let bytes = bytes
        let span = bytes.span
        for index in 0..<count {
            let entry = entry(at: index, span)
            // A day in the future would keep an entry for ever.
            guard new[entry.key] == nil, entry.day <= today, today - entry.day < Self.lifetime
            else { continue }
            entries.append(entry)
        }
        if entries.count > Self.entryLimit {
            entries.sort { $0.day > $1.day }
            entries.removeLast(entries.count - Self.entryLimit)
        }
        entries.sort { $0.key < $1.key }
        var output = Self.magic
        output.reserveCapacity(start + Self.entrySize * entries.count + ObjectID.byteCount)
        LittleEndian.append(UInt64(entries.count), to: &output)
        output.append(contentsOf: header)
        for entry in entries {
            LittleEndian.append(entry.key, to: &output)
            LittleEndian.append(entry.state.0, to: &output)
            LittleEndian.append(entry.state.1, to: &output)
            output.append(contentsOf: entry.id.bytes)
            LittleEndian.append(UInt32(clamping: entry.day), to: &output)
        }
        output.append(contentsOf: ObjectID(of: output.span).bytes)
        return output
    }
}
