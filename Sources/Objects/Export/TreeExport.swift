public import Storage
internal import Synchronization

extension PackStore {
    /// Writes the files and directories of a tree below a destination.
    ///
    /// Every file is verified while it is written, and gets its name when it is whole. As many threads
    /// work as there are processors; memory does not grow with the sizes of the files.
    ///
    /// - Parameter progress: Called, from any thread, with the number of bytes that were just written.
    /// - Returns: The number of files and the sum of their sizes.
    /// - Throws: `corrupt` or `malformed` when the tree or a file is damaged; `storage` when a file cannot be
    ///   written. Files that were finished before that stay.
    public func exportTree(
        _ root: ObjectID, to destination: DestinationTree,
        progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ObjectError) -> TreeSummary {
        let task = try TreeExport(root, of: self, to: destination, progress: progress)
        try task.writeLarge()
        Threads.run(min(task.count, Threads.available), task.work)
        return try task.finish(root)
    }

    /// Writes one file below a destination, a large one by as many threads as there are processors.
    ///
    /// - Parameter progress: Called, from any thread, with the number of bytes that were just written.
    /// - Throws: As ``exportTree(_:to:progress:)``; `malformed` when it has not the size that its entry says.
    public func exportFile(
        _ entry: TreeEntry, as path: RelativePath, to destination: DestinationTree,
        progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ObjectError) {
        try exportFile(
            entry, as: path, to: destination, threads: Threads.available, progress: progress)
    }

    func exportFile(
        _ entry: TreeEntry, as path: RelativePath, to destination: DestinationTree, threads: Int,
        progress: @escaping @Sendable (Int) -> Void
    ) throws(ObjectError) {
        guard let location = try locateObject(entry.id) else { throw absence(of: entry.id) }
        guard try size(at: location) == entry.size else {
            throw .malformed(
                entry.id, as: "file",
                reason: "its size is not the \(entry.size) bytes that its directory says",
                offset: nil)
        }
        let file: DestinationFile
        do throws(StorageError) {
            file = try destination.file(path, isExecutable: entry.mode == .executable)
        } catch { throw .storage(error) }
        switch location {
        case .piece(let pack, let piece):
            let bytes = try bytes(of: entry.id, piece, in: pack)
            do throws(StorageError) { try file.write(bytes.span, at: 0) } catch {
                throw .storage(error)
            }
            progress(bytes.count)
        case .recipe(let pack, let index):
            let export = LargeExport(
                entry.id, try pack.recipe(at: index), in: pack.reference.name, of: self, to: file,
                progress: progress)
            try export.run(threads: threads)
        }
        do throws(StorageError) { try file.finish() } catch { throw .storage(error) }
    }
}

/// Files on their way out of packs: all threads work on each large one in turn, and then each thread takes
/// the next of the others until there is none.
private final class TreeExport: Sendable {
    private let store: PackStore
    private let destination: DestinationTree
    private let progress: @Sendable (Int) -> Void
    private let large: [TreeWalk.Element]
    private let files: [TreeWalk.Element]
    private let next = Atomic<Int>(0)
    private let failure = Mutex<ObjectError?>(nil)

    /// Files of this many bytes are worth several threads each.
    private static let largeSize = 8 << 20

    /// How many files are not large.
    var count: Int { files.count }

    /// Makes the directories and lists the files.
    init(
        _ root: ObjectID, of store: PackStore, to destination: DestinationTree,
        progress: @escaping @Sendable (Int) -> Void
    ) throws(ObjectError) {
        self.store = store
        self.destination = destination
        self.progress = progress
        var large: [TreeWalk.Element] = []
        var files: [TreeWalk.Element] = []
        var walk = try TreeWalk(root, in: store)
        while let element = try walk.next() {
            guard element.entry.mode == .directory else {
                if element.entry.size >= Self.largeSize {
                    large.append(element)
                } else {
                    files.append(element)
                }
                continue
            }
            do throws(StorageError) { try destination.makeDirectory(element.path) } catch {
                throw .storage(error)
            }
        }
        self.large = large
        self.files = files
    }

    func writeLarge() throws(ObjectError) {
        for element in large {
            try store.exportFile(
                element.entry, as: element.path, to: destination, progress: progress)
        }
    }

    func work() {
        while failure.withLock({ $0 == nil }) {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < files.count else { return }
            let element = files[index]
            do throws(ObjectError) {
                try store.exportFile(
                    element.entry, as: element.path, to: destination, threads: 1,
                    progress: progress)
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
    }

    func finish(_ root: ObjectID) throws(ObjectError) -> TreeSummary {
        if let failure = failure.withLock({ $0 }) { throw failure }
        let all = large + files
        return TreeSummary(
            id: root, files: all.count, bytes: all.reduce(0) { $0 + $1.entry.size })
    }
}

/// One large object on its way out of packs into a file.
///
/// Every thread takes the next runs of pieces, decodes them, writes them where they belong and verifies them;
/// together they prove the whole. Memory is bounded by a few pieces a thread.
final class LargeExport: Sendable {
    private let id: ObjectID
    private let pack: ObjectID
    private let recipe: PackFooter.Recipe
    private let store: PackStore
    private let file: DestinationFile
    private let runs: [DigestSpan]
    private let progress: @Sendable (Int) -> Void
    private let next = Atomic<Int>(0)
    /// What went wrong, by the number of the run.
    private let failures = Mutex<[Int: ObjectError]>([:])

    /// Prepares to write the object that a recipe makes.
    ///
    /// - Parameter pack: The name of the pack that holds the recipe.
    init(
        _ id: ObjectID, _ recipe: PackFooter.Recipe, in pack: ObjectID, of store: PackStore,
        to file: DestinationFile, progress: @escaping @Sendable (Int) -> Void
    ) {
        self.id = id
        self.pack = pack
        self.recipe = recipe
        self.store = store
        self.file = file
        self.progress = progress
        runs = DigestSpan.runs(of: id, recipe)
    }

    /// Writes the object by at most this many threads.
    ///
    /// - Throws: What went wrong first, in the order of the pieces; the file is worth nothing then.
    func run(threads: Int) throws(ObjectError) {
        Threads.run(min(threads, runs.count)) {
            var reader = Reader(export: self)
            reader.verifyAll()
        }
        if let first = failures.withLock({ $0.min { $0.key < $1.key } }) { throw first.value }
    }

    /// What one of the threads reads.
    private struct Reader: SpanReader {
        struct Run {
            let number: Int
            var offset: Int
        }

        let export: LargeExport

        func next() -> Run? {
            guard export.failures.withLock({ $0.isEmpty }) else { return nil }
            let number = export.next.add(1, ordering: .relaxed).oldValue
            guard number < export.runs.count else { return nil }
            return Run(number: number, offset: export.runs[number].offset)
        }

        func digest(of run: Run) -> DigestSpan { export.runs[run.number] }

        func read(_ reference: Int, of run: inout Run) -> SpanPiece? {
            let (id, size) = (
                export.recipe.pieces[reference].id, export.recipe.pieces[reference].size
            )
            do throws(ObjectError) {
                let bytes = try export.store.decodedPiece(id, size: size)
                do throws(StorageError) {
                    try export.file.write(bytes.span, at: run.offset)
                } catch { throw .storage(error) }
                run.offset += size
                export.progress(size)
                return SpanPiece(bytes: bytes, wantsID: false)
            } catch {
                export.failures.withLock { $0[run.number] = error }
                return nil
            }
        }

        func take(_ id: ObjectID, ofPiece reference: Int, in run: Run) {}

        func finish(_ run: Run, isReached: Bool) {
            guard !isReached else { return }
            let pieces = export.recipe.pieces[export.runs[run.number].pieces]
            let error = export.store.damage(in: pieces, of: export.id, in: export.pack)
            export.failures.withLock { $0[run.number] = error }
        }
    }
}
