public import Storage

extension ObjectWriter {
    /// Stores the files that a walk found, and the trees that list them.
    ///
    /// Reads files on ``Threads/available`` threads; memory does not grow with the sizes of the files.
    ///
    /// - Parameters:
    ///   - cache: Remembers the object of each file that was stored before. If the cache knows a file, and the
    ///     repository has its object with all pieces, the file is not opened. Files that are read are added to the
    ///     cache, except those that ``StatCache/add(_:of:at:)`` ignores.
    ///   - progress: Called, from any thread, with the number of bytes just processed.
    /// - Throws: `storage` when a file cannot be read, or changes while it is read; `invalid` when the files do
    ///   not form a tree.
    public func importTree(
        _ walk: InputListing, cache: StatCache? = nil,
        progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ObjectError) -> TreeSummary {
        let entries = walk.entries
        var files = [ImportedFile?](repeating: nil, count: entries.count)
        if let cache { files = try knownFiles(entries, cache, progress: progress) }
        let unknown = entries.indices.filter { files[$0] == nil && !entries[$0].isDirectory }
        let imported = try Threads.map(unknown, threads: Threads.available, group: 1) {
            (index) throws(ObjectError) in
            let entry = entries[index]
            let file = try inStorage(entry.open())
            let (id, size, isAsListed) = try self.importFile(file, progress: progress)
            if isAsListed { cache?.add(id, of: file.version, at: entry.absolutePath) }
            return ImportedFile(id: id, size: size, isExecutable: file.isExecutable)
        }
        for (index, file) in zip(unknown, imported) { files[index] = file }
        var builder = TreeBuilder()
        for (entry, file) in zip(entries, files) {
            guard let file else {
                builder.addDirectory(entry.path)
                continue
            }
            builder.add(entry.path, isExecutable: file.isExecutable, size: file.size, id: file.id)
        }
        return try builder.write(into: self)
    }

    /// Finds the files that are stored already, without opening them: the cache knows their objects, and the repository
    /// has all pieces of these objects. Nil for other entries.
    private func knownFiles(
        _ entries: [InputEntry], _ cache: StatCache, progress: @escaping @Sendable (Int) -> Void
    ) throws(ObjectError) -> [ImportedFile?] {
        // Long spans, so that threads seldom contend for the writer's lock.
        let spans = stride(from: 0, to: entries.count, by: 512).map {
            $0..<min($0 + 512, entries.count)
        }
        let found = try Threads.map(spans, threads: Threads.available, group: 1) {
            (span) throws(ObjectError) in
            var packs: Set<ObjectID> = []
            var files: [ImportedFile?] = []
            files.reserveCapacity(span.count)
            for entry in entries[span] {
                // A file that claims to be empty is read, because files of the kernel make that claim falsely.
                guard let version = entry.version, version.size > 0,
                    let id = cache.id(of: version, at: entry.absolutePath),
                    try self.holds(id, size: version.size, packs: &packs)
                else {
                    files.append(nil)
                    continue
                }
                files.append(
                    ImportedFile(id: id, size: version.size, isExecutable: version.isExecutable))
            }
            let known = files.compactMap(\.self)
            let bytes = known.reduce(0) { $0 + $1.size }
            self.count(objects: known.count, rawBytes: bytes)
            self.rely(on: packs)
            progress(bytes)
            return files
        }
        return Array(found.joined())
    }

    /// Whether the repository has an object of this size with all its pieces; if so, adds the packs with these pieces
    /// to `packs`.
    private func holds(
        _ id: ObjectID, size: Int, packs: inout Set<ObjectID>
    ) throws(ObjectError) -> Bool {
        guard let location = try existing.locateObject(id),
            try existing.size(at: location) == size
        else { return false }
        // By far the most frequent case; it needs no set of its own.
        if case .piece(let pack, let piece) = location, piece.codec != .delta {
            packs.insert(pack.reference.name)
            return true
        }
        guard let needed = try existing.packsNeeded(for: location) else { return false }
        packs.formUnion(needed)
        return true
    }
}

/// The object and the properties of a file that is stored.
private struct ImportedFile {
    let id: ObjectID
    let size: Int
    let isExecutable: Bool
}

/// Remembers the object of each file that was stored, so that unchanged files are not read again.
///
/// Only a cache: if it is missing or damaged, all files are read. An entry counts only while the repository has the
/// object with all its pieces; see ``ObjectWriter/importTree(_:cache:progress:)``. Safe to use from several threads.
///
/// Stored as a ``CacheTable`` with the magic `ftistat1` and the identity of the repository as its header:
///
/// | field | bytes |
/// |---|---|
/// | key: FNV-1a of the absolute path | 8 |
/// | first half of the SHA-256 of the ``FileVersion`` (six u64) and the path | 16 |
/// | identity of the object | 32 |
public final class StatCache: Sendable {
    fileprivate struct Value {
        let state: (UInt64, UInt64)
        let id: ObjectID
    }

    /// The maximum number of entries: 2 million, in 126 MB.
    private static let entryLimit = 2 << 20
    /// The maximum number of bytes in a stored cache.
    public static let sizeLimit = CacheTable<Value>.byteLimit(entries: entryLimit)

    private let table: CacheTable<Value>
    private let moment: Int

    /// Decodes a stored cache; ignores one that is damaged, of another version or of another repository.
    ///
    /// - Parameters:
    ///   - stored: The bytes from ``encoded()``; nil if there are none.
    ///   - repository: The identity of the repository.
    ///   - moment: A time before any file is listed or read.
    public init(_ stored: [UInt8]?, repository: String, moment: Timestamp) {
        self.moment = moment.milliseconds
        table = CacheTable(
            stored, magic: "ftistat1", header: Array(repository.utf8), limit: Self.entryLimit,
            moment: moment.milliseconds)
    }

    /// The object of a file of this version; nil if unknown.
    public func id(of version: FileVersion, at path: [UInt8]) -> ObjectID? {
        table.value(Self.key(path)) { $0.state == Self.state(version, path) }?.id
    }

    /// Remembers the object of a file of this version, unless a later change could go unnoticed.
    ///
    /// Clocks have a limited resolution: two changes within one tick leave a file with the same times. So a version
    /// counts only if its times are clearly older than `moment`, which is before the file was read. The margin is 40 ms
    /// if the file system stores fractions of a millisecond (the coarsest clock ticks every 10 ms), otherwise 2 s, the
    /// resolution of FAT.
    public func add(_ id: ObjectID, of version: FileVersion, at path: [UInt8]) {
        let resolution = version.changed % 1_000_000 == 0 ? 2000 : 40
        let last = max(version.modified, version.changed) / 1_000_000
        guard last >= 0, last < moment - resolution else { return }
        table.set(Self.key(path), Value(state: Self.state(version, path), id: id))
    }

    /// FNV-1a (Fowler, Noll, Vo), 64 bits. Two paths with equal keys share an entry, so one of them is always read.
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

    /// The cache with all new entries, to replace the stored one; nil if there are none.
    public func encoded() -> [UInt8]? { table.encoded() }
}

extension StatCache.Value: CacheValue {
    static let byteCount = 16 + ObjectID.byteCount

    init(_ bytes: Span<UInt8>, at offset: Int) {
        state = (LittleEndian.uint64(bytes, at: offset), LittleEndian.uint64(bytes, at: offset + 8))
        id = ObjectID(bytes: bytes, at: offset + 16)
    }

    func append(to bytes: inout [UInt8]) {
        LittleEndian.append(state.0, to: &bytes)
        LittleEndian.append(state.1, to: &bytes)
        id.append(to: &bytes)
    }
}
