internal import Dispatch
internal import Glibc
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
        let threads = min(task.count, max(1, min(16, sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
        if threads > 1 {
            DispatchQueue.concurrentPerform(iterations: threads) { _ in task.work() }
        } else {
            task.work()
        }
        return try task.finish(root)
    }

    /// Writes one file below a destination.
    ///
    /// - Throws: As ``exportTree(_:to:progress:)``; `malformed` when it has not the size that its entry says.
    public func exportFile(
        _ entry: TreeEntry, as path: RelativePath, to destination: DestinationTree,
        progress: (Int) -> Void = { _ in }
    ) throws(ObjectError) {
        let file: DestinationFile
        do throws(StorageError) {
            file = try destination.file(path, isExecutable: entry.mode == .executable)
        } catch { throw .storage(error) }
        try stream(entry.id) { (bytes) throws(ObjectError) in
            do throws(StorageError) { try file.append(bytes) } catch { throw .storage(error) }
            progress(bytes.count)
        }
        guard file.size == entry.size else {
            throw .malformed(
                entry.id, as: "file",
                reason: "it has \(file.size) bytes, where its directory says \(entry.size)",
                offset: nil)
        }
        do throws(StorageError) { try file.finish() } catch { throw .storage(error) }
    }
}

/// Files on their way out of packs: each thread takes the next one until there is none.
private final class TreeExport: Sendable {
    private let store: PackStore
    private let destination: DestinationTree
    private let progress: @Sendable (Int) -> Void
    private let files: [TreeWalk.Element]
    private let next = Atomic<Int>(0)
    private let failure = Mutex<ObjectError?>(nil)

    var count: Int { files.count }

    /// Makes the directories and lists the files.
    init(
        _ root: ObjectID, of store: PackStore, to destination: DestinationTree,
        progress: @escaping @Sendable (Int) -> Void
    ) throws(ObjectError) {
        self.store = store
        self.destination = destination
        self.progress = progress
        var files: [TreeWalk.Element] = []
        var walk = try TreeWalk(root, in: store)
        while let element = try walk.next() {
            guard element.entry.mode == .directory else {
                files.append(element)
                continue
            }
            do throws(StorageError) { try destination.makeDirectory(element.path) } catch {
                throw .storage(error)
            }
        }
        self.files = files
    }

    func work() {
        while failure.withLock({ $0 == nil }) {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < files.count else { return }
            let element = files[index]
            do throws(ObjectError) {
                try store.exportFile(
                    element.entry, as: element.path, to: destination, progress: progress)
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
    }

    func finish(_ root: ObjectID) throws(ObjectError) -> TreeSummary {
        if let failure = failure.withLock({ $0 }) { throw failure }
        return TreeSummary(
            id: root, files: files.count, bytes: files.reduce(0) { $0 + $1.entry.size })
    }
}
