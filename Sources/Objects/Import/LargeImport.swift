internal import Dispatch
internal import Glibc
public import Storage
internal import Synchronization

extension ObjectWriter {
    /// Stores the bytes of a file, or of anything else that can be read at any offset.
    ///
    /// Memory does not grow with the size: groups of a few MiB are read in turn, and worked on by as many
    /// threads as there are processors.
    ///
    /// - Parameters:
    ///   - source: The bytes; they must not change meanwhile.
    ///   - progress: Called, from any thread, with the number of bytes that were just worked on.
    /// - Returns: The identity of the whole.
    public func importBytes(
        of source: any Blob, progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ObjectError) -> ObjectID {
        if source.size <= ChunkParameters.content.average {
            let bytes: [UInt8]
            do throws(StorageError) { bytes = try source.read(at: 0, count: source.size) } catch {
                throw .storage(error)
            }
            progress(bytes.count)
            return try write(bytes, hint: .bulk, predecessor: nil)
        }
        let task = try LargeImport(source, writer: self, progress: progress)
        // A small file gains nothing from a second thread.
        let threads = min(task.threads, max(1, source.size / LargeImport.groupSize))
        if threads == 1 {
            task.work()
        } else {
            DispatchQueue.concurrentPerform(iterations: threads) { _ in task.work() }
        }
        return try task.finish()
    }
}

/// One large object on its way into a pack.
///
/// Every thread does the same: it takes the next group of bytes, under a lock, and cuts it; then it hashes,
/// compresses and stores the pieces. The whole digest must see the groups in order, so it is fed by whichever
/// thread finds it idle.
private final class LargeImport: Sendable {
    /// Bytes in a group: large enough that the lock is seldom taken, small enough that memory stays flat.
    static let groupSize = 4 << 20

    private struct Cursor {
        var offset = 0
        var sequence = 0
        var failure: ObjectError?
    }

    /// Bytes that were read together, with the lengths of the pieces they are cut into.
    private final class Group: Sendable {
        let sequence: Int
        let bytes: [UInt8]
        let cuts: [Int]
        /// The pieces are stored, the whole digest is fed: at two, the memory is free again.
        let done = Atomic<Int>(0)

        init(sequence: Int, bytes: [UInt8], cuts: [Int]) {
            self.sequence = sequence
            self.bytes = bytes
            self.cuts = cuts
        }
    }

    private struct DigestQueue {
        var waiting: [Int: Group] = [:]
        var next = 0
        var isBusy = false
    }

    /// The whole digest; touched only by the thread that set `isBusy` in the queue.
    private final class WholeDigest: @unchecked Sendable {
        private var hasher: ObjectHasher? = ObjectHasher()

        func update(_ bytes: Span<UInt8>) { hasher?.update(bytes) }

        func finalize() -> ObjectID? { hasher.take()?.finalize() }
    }

    private let source: any Blob
    private let writer: ObjectWriter
    private let plan: ChunkPlan
    private let progress: @Sendable (Int) -> Void
    private let cursor = Mutex(Cursor())
    private let queue = Mutex(DigestQueue())
    private let digest = WholeDigest()
    private let pieces = Mutex<[Int: [PackFooter.Piece]]>([:])
    private let slots: DispatchSemaphore
    let threads: Int

    init(
        _ source: any Blob, writer: ObjectWriter, progress: @escaping @Sendable (Int) -> Void
    ) throws(ObjectError) {
        self.source = source
        self.writer = writer
        self.progress = progress
        plan = try ChunkPlan(for: source)
        threads = max(1, min(16, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        slots = DispatchSemaphore(value: 2 * threads + 2)
    }

    func work() {
        while true {
            slots.wait()
            guard let group = nextGroup() else {
                slots.signal()
                return
            }
            queue.withLock { $0.waiting[group.sequence] = group }
            feedDigest()
            store(group)
            complete(group)
            feedDigest()
        }
    }

    /// Reads and cuts the next group; nil at the end and after a failure.
    private func nextGroup() -> Group? {
        cursor.withLock { cursor in
            guard cursor.failure == nil, cursor.offset < source.size else { return nil }
            let count = min(Self.groupSize + plan.lookahead, source.size - cursor.offset)
            do throws(StorageError) {
                let bytes = try source.read(at: cursor.offset, count: count)
                let cuts = plan.cuts(
                    of: bytes.span, at: cursor.offset, size: source.size, atLeast: Self.groupSize)
                let group = Group(sequence: cursor.sequence, bytes: bytes, cuts: cuts)
                cursor.offset += cuts.reduce(0, +)
                cursor.sequence += 1
                return group
            } catch {
                cursor.failure = .storage(error)
                return nil
            }
        }
    }

    private func store(_ group: Group) {
        var stored: [PackFooter.Piece] = []
        var offset = 0
        let bytes = group.bytes
        do throws(ObjectError) {
            for length in group.cuts {
                stored.append(
                    try writer.writePiece(
                        bytes.span.extracting(offset..<offset + length), hint: plan.hint))
                offset += length
            }
        } catch {
            cursor.withLock { $0.failure = $0.failure ?? error }
            return
        }
        pieces.withLock { $0[group.sequence] = stored }
        progress(offset)
    }

    /// Feeds the whole digest with the groups that are next in order, unless another thread is at it.
    private func feedDigest() {
        let isMine = queue.withLock { queue in
            defer { queue.isBusy = true }
            return !queue.isBusy
        }
        guard isMine else { return }
        while true {
            let next: Group? = queue.withLock { queue in
                guard let group = queue.waiting.removeValue(forKey: queue.next) else {
                    queue.isBusy = false
                    return nil
                }
                queue.next += 1
                return group
            }
            guard let group = next else { return }
            let bytes = group.bytes
            digest.update(bytes.span.extracting(0..<group.cuts.reduce(0, +)))
            complete(group)
        }
    }

    private func complete(_ group: Group) {
        if group.done.add(1, ordering: .acquiringAndReleasing).newValue == 2 { slots.signal() }
    }

    /// The identity of the whole, once every thread has returned from ``work()``.
    func finish() throws(ObjectError) -> ObjectID {
        if let failure = cursor.withLock({ $0.failure }) { throw failure }
        guard let id = digest.finalize() else {
            preconditionFailure("the digest is finished once, after all work has ended")
        }
        let all = pieces.withLock { groups in groups.keys.sorted().flatMap { groups[$0] ?? [] } }
        writer.count(objects: 1, rawBytes: source.size)
        try writer.writeRecipe(id, PackFooter.Recipe(size: source.size, pieces: all))
        return id
    }
}
