public import Storage
internal import Synchronization

extension ObjectWriter {
    /// Stores the files that a walk found, and the trees that hold them.
    ///
    /// Files are read by as many threads as there are processors; memory does not grow with their sizes.
    ///
    /// - Parameters:
    ///   - cache: Which objects files were before. A file that it knows, and whose object is in the repository with
    ///     all its pieces, is not opened; what is read is added to it.
    ///   - progress: Called, from any thread, with the number of bytes that were just worked on.
    /// - Throws: `storage` when a file cannot be read, or changed while it was; `invalid` when the files do
    ///   not make a tree.
    public func importTree(
        _ walk: InputListing, cache: StatCache? = nil,
        progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ObjectError) -> TreeSummary {
        var known = [ObjectID?](repeating: nil, count: walk.entries.count)
        if let cache {
            let search = KnownFiles(walk.entries, cache, writer: self, progress: progress)
            Threads.run(search.threads, search.work)
            known = try search.finish()
        }
        let task = TreeImport(
            walk.entries, known: known, writer: self, cache: cache, progress: progress)
        Threads.run(min(task.count, Threads.available), task.work)
        return try task.finish()
    }
}

/// Files on their way into a pack: each thread takes the next one until there is none.
private final class TreeImport: Sendable {
    private struct Stored {
        let index: Int
        let isExecutable: Bool
        let size: Int
        let id: ObjectID
    }

    private let entries: [InputEntry]
    private let known: [ObjectID?]
    /// The numbers of the entries that are files and not known.
    private let unknown: [Int]
    private let writer: ObjectWriter
    private let cache: StatCache?
    private let progress: @Sendable (Int) -> Void
    private let next = Atomic<Int>(0)
    private let stored = Mutex<[Stored]>([])
    private let failure = Mutex<ObjectError?>(nil)

    /// How many files must be read.
    var count: Int { unknown.count }

    init(
        _ entries: [InputEntry], known: [ObjectID?], writer: ObjectWriter, cache: StatCache?,
        progress: @escaping @Sendable (Int) -> Void
    ) {
        self.entries = entries
        self.known = known
        unknown = entries.indices.filter { known[$0] == nil && !entries[$0].isDirectory }
        self.writer = writer
        self.cache = cache
        self.progress = progress
    }

    func work() {
        while failure.withLock({ $0 == nil }) {
            let number = next.add(1, ordering: .relaxed).oldValue
            guard number < unknown.count else { return }
            do throws(ObjectError) {
                let file = try store(unknown[number])
                stored.withLock { $0.append(file) }
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
    }

    private func store(_ index: Int) throws(ObjectError) -> Stored {
        let file: InputFile
        do throws(StorageError) { file = try entries[index].open() } catch {
            throw .storage(error)
        }
        let (id, size, isAsListed) = try writer.importFile(file, progress: progress)
        if isAsListed { cache?.add(id, of: file.version, at: entries[index].absolutePath) }
        return Stored(index: index, isExecutable: file.isExecutable, size: size, id: id)
    }

    func finish() throws(ObjectError) -> TreeSummary {
        if let failure = failure.withLock({ $0 }) { throw failure }
        var files = [Stored?](repeating: nil, count: entries.count)
        for (index, id) in known.enumerated() {
            guard let id, let version = entries[index].version else { continue }
            files[index] = Stored(
                index: index, isExecutable: version.isExecutable, size: version.size, id: id)
        }
        for file in stored.withLock({ $0 }) { files[file.index] = file }
        var builder = TreeBuilder()
        for (entry, file) in zip(entries, files) {
            guard let file else {
                builder.addDirectory(entry.path)
                continue
            }
            builder.add(
                entry.path, isExecutable: file.isExecutable, size: file.size, id: file.id)
        }
        return try builder.write(into: writer)
    }
}

/// Finds the files that are stored already, without opening them: a cache says which objects they were, and the
/// repository that it has those with all their pieces.
///
/// Every thread does the same: it takes the next run of files.
final class KnownFiles: Sendable {
    private struct Found {
        var ids: [ObjectID?]
        var bytes = 0
        var objects = 0
        var packs: Set<ObjectID> = []
    }

    /// Long enough that threads seldom meet.
    private static let runLength = 512

    private let entries: [InputEntry]
    private let cache: StatCache
    private let writer: ObjectWriter
    private let progress: @Sendable (Int) -> Void
    private let next = Atomic<Int>(0)
    private let runs = Mutex<[Int: [ObjectID?]]>([:])
    private let failure = Mutex<ObjectError?>(nil)

    /// How many threads have something to do.
    var threads: Int {
        min(Threads.available, (entries.count + Self.runLength - 1) / Self.runLength)
    }

    init(
        _ entries: [InputEntry], _ cache: StatCache, writer: ObjectWriter,
        progress: @escaping @Sendable (Int) -> Void
    ) {
        self.entries = entries
        self.cache = cache
        self.writer = writer
        self.progress = progress
    }

    func work() {
        while failure.withLock({ $0 == nil }) {
            let start = next.add(Self.runLength, ordering: .relaxed).oldValue
            guard start < entries.count else { return }
            do throws(ObjectError) {
                let found = try find(start..<min(start + Self.runLength, entries.count))
                writer.count(objects: found.objects, rawBytes: found.bytes)
                writer.rely(on: found.packs)
                progress(found.bytes)
                runs.withLock { $0[start] = found.ids }
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
    }

    private func find(_ range: Range<Int>) throws(ObjectError) -> Found {
        var found = Found(ids: [])
        found.ids.reserveCapacity(range.count)
        for entry in entries[range] {
            // What claims to be empty is looked at: files of the kernel are not.
            guard let version = entry.version, version.size > 0,
                let id = cache.id(of: version, at: entry.absolutePath),
                try writer.existing.holds(id, size: version.size, packs: &found.packs)
            else {
                found.ids.append(nil)
                continue
            }
            found.ids.append(id)
            found.objects += 1
            found.bytes += version.size
        }
        return found
    }

    /// The objects of the files that are stored already, by their numbers among the entries, once every thread has
    /// returned from ``work()``.
    func finish() throws(ObjectError) -> [ObjectID?] {
        if let failure = failure.withLock({ $0 }) { throw failure }
        return runs.withLock { runs in runs.keys.sorted().flatMap { runs[$0] ?? [] } }
    }
}

extension PackStore {
    /// Whether an object of this size is there with all its pieces; the packs that it needs are added to `packs`.
    fileprivate func holds(
        _ id: ObjectID, size: Int, packs: inout Set<ObjectID>
    ) throws(ObjectError) -> Bool {
        guard let location = try locateObject(id), try self.size(at: location) == size else {
            return false
        }
        // The most frequent case by far, without a set of its own.
        if case .piece(let pack, let piece) = location, piece.codec != .delta {
            packs.insert(pack.reference.name)
            return true
        }
        guard let needed = try packsNeeded(for: location) else { return false }
        packs.formUnion(needed)
        return true
    }
}
