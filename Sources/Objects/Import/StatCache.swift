public import Storage

/// Which objects files were when they were last stored, so that what has not changed is not read again.
///
/// A cache and never a truth: without it, or with a wrong file in its place, everything is read. What it says counts
/// only while the repository holds the object whole; see ``ObjectWriter/importTree(_:cache:progress:)``. Safe to use
/// from several threads.
///
/// It is stored as a ``CacheTable`` with the magic `ftistat1` and the identity of the repository as its header:
///
/// | field | bytes |
/// |---|---|
/// | key: FNV-1a of the absolute path | 8 |
/// | first half of the SHA-256 of the ``FileVersion`` (six u64) and the path | 16 |
/// | identity of the object | 32 |
public final class StatCache: Sendable {
    private struct Value: CacheValue {
        static let byteCount = 16 + ObjectID.byteCount
        let state: (UInt64, UInt64)
        let id: ObjectID

        init(state: (UInt64, UInt64), id: ObjectID) {
            self.state = state
            self.id = id
        }

        init(_ bytes: Span<UInt8>, at offset: Int) {
            state = (
                LittleEndian.uint64(bytes, at: offset), LittleEndian.uint64(bytes, at: offset + 8)
            )
            id = ObjectID(bytes: bytes, at: offset + 16)
        }

        func append(to bytes: inout [UInt8]) {
            LittleEndian.append(state.0, to: &bytes)
            LittleEndian.append(state.1, to: &bytes)
            bytes.append(contentsOf: id.bytes)
        }
    }

    /// The most entries that are kept: 2 million, in 126 MB.
    private static let entryLimit = 2 << 20
    /// The most bytes that a stored cache has.
    public static let sizeLimit = CacheTable<Value>.byteLimit(entries: entryLimit)

    private let table: CacheTable<Value>
    private let moment: Int

    /// Reads a stored cache; one that is damaged, of another version or of another repository is as good as none.
    ///
    /// - Parameters:
    ///   - stored: What ``encoded()`` gave; nil when there is none.
    ///   - repository: The identity of the repository.
    ///   - moment: A time before any file is listed or read.
    public init(_ stored: [UInt8]?, repository: String, moment: Timestamp) {
        self.moment = moment.milliseconds
        table = CacheTable(
            stored, magic: "ftistat1", header: Array(repository.utf8), limit: Self.entryLimit,
            moment: moment.milliseconds)
    }

    /// The object that a file was when it was stored in this state; nil when that is not known.
    public func id(of version: FileVersion, at path: [UInt8]) -> ObjectID? {
        table.value(Self.key(path)) { $0.state == Self.state(version, path) }?.id
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
        table.set(Self.key(path), Value(state: Self.state(version, path), id: id))
    }

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

    /// The cache with what is new, to be stored in place of the old one; nil when nothing is new.
    public func encoded() -> [UInt8]? { table.encoded() }
}
