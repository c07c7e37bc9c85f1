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
        _ walk: SourceWalk, cache: StatCache? = nil,
        progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ObjectError) -> TreeSummary {
        let task = TreeImport(walk.entries, writer: self, cache: cache, progress: progress)
        Threads.run(min(walk.entries.count, Threads.available), task.work)
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

    private let entries: [SourceEntry]
    private let writer: ObjectWriter
    private let cache: StatCache?
    private let progress: @Sendable (Int) -> Void
    private let next = Atomic<Int>(0)
    private let stored = Mutex<[Stored]>([])
    private let failure = Mutex<ObjectError?>(nil)

    init(
        _ entries: [SourceEntry], writer: ObjectWriter, cache: StatCache?,
        progress: @escaping @Sendable (Int) -> Void
    ) {
        self.entries = entries
        self.writer = writer
        self.cache = cache
        self.progress = progress
    }

    func work() {
        while failure.withLock({ $0 == nil }) {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < entries.count else { return }
            guard !entries[index].isDirectory else { continue }
            do throws(ObjectError) {
                let file = try store(index)
                stored.withLock { $0.append(file) }
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
    }

    private func store(_ index: Int) throws(ObjectError) -> Stored {
        let path = cache == nil ? [] : entries[index].absolutePath
        if let cache, let version = entries[index].version,
            let id = cache.id(of: version, at: path),
            try writer.relyOnObject(id, size: version.size)
        {
            writer.count(objects: 1, rawBytes: version.size)
            progress(version.size)
            return Stored(
                index: index, isExecutable: version.isExecutable, size: version.size, id: id)
        }
        let file: SourceFile
        do throws(StorageError) { file = try entries[index].open() } catch {
            throw .storage(error)
        }
        let id = try writer.importBytes(of: file, progress: progress)
        do throws(StorageError) { try file.checkUnchanged() } catch { throw .storage(error) }
        cache?.add(id, of: file.version, at: path)
        return Stored(index: index, isExecutable: file.isExecutable, size: file.size, id: id)
    }

    func finish() throws(ObjectError) -> TreeSummary {
        if let failure = failure.withLock({ $0 }) { throw failure }
        var builder = TreeBuilder()
        for entry in entries where entry.isDirectory { builder.addDirectory(entry.path) }
        for file in stored.withLock({ $0 }) {
            builder.add(
                entries[file.index].path, isExecutable: file.isExecutable, size: file.size,
                id: file.id)
        }
        return try builder.write(into: writer)
    }
}
