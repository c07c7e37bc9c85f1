internal import Dispatch
public import Storage
internal import Synchronization

extension ObjectWriter {
    /// Stores a file; returns its identity, its size, and whether that is the size that the file system reports.
    func importFile(
        _ file: InputFile, progress: @escaping @Sendable (Int) -> Void
    ) throws(ObjectError) -> (id: ObjectID, size: Int, isAsListed: Bool) {
        let blob = try readable(file)
        do throws(ObjectError) {
            let id = try importBytes(of: blob, progress: progress)
            guard blob is InputFile else { return (id, blob.size, false) }
            try inStorage(file.checkUnchanged())
            return (id, blob.size, true)
        } catch .storage(.changed) where (try? file.checkUnchanged()) != nil {
            // A file of the kernel may report the size of a page and hold only a line.
            let copy = try copy(file)
            return (try importBytes(of: copy, progress: progress), copy.size, false)
        } catch { throw error }
    }

    /// A blob with the bytes of a file: the file itself, or a temporary copy if the file can only be read from
    /// beginning to end.
    public func readable(_ file: InputFile) throws(ObjectError) -> any Blob {
        try inStorage(file.isUnsized()) ? try copy(file) : file
    }

    private func copy(_ file: InputFile) throws(ObjectError) -> any Blob {
        let scratch = try makeScratch()
        var size = 0
        try file.forEachPart { (part) throws(ObjectError) in
            size += part.count
            try inStorage(scratch.append(part))
        } failing: {
            .storage($0)
        }
        return StagedBytes(staged: scratch, size: size)
    }

    /// Stores the bytes of a blob, such as a file.
    ///
    /// Memory does not grow with the size: at most ``Threads/available`` threads each read and process a few MiB.
    ///
    /// - Parameters:
    ///   - source: The bytes; they must not change during the call.
    ///   - progress: Called, from any thread, with the number of bytes just processed.
    /// - Returns: The identity of the whole.
    public func importBytes(
        of source: any Blob, progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ObjectError) -> ObjectID {
        if source.size <= CutParameters.content.average {
            let bytes = try source.bytes(at: 0, count: source.size)
            progress(bytes.count)
            return try write(bytes, hint: .bulk, predecessor: nil)
        }
        let task = try LargeImport(source, writer: self, progress: progress)
        // More threads than groups would have nothing to do.
        let threads = min(task.threads, max(1, source.size / LargeImport.groupSize))
        Threads.run(threads, task.work)
        return try task.finish()
    }
}

/// Stores one large object.
///
/// Every thread repeats the same steps. Under a lock, it takes the next group of bytes and cuts it. Then it hashes,
/// compresses and stores the pieces, while the digest of the whole is fed in order.
private final class LargeImport: Sendable {
    /// The bytes in a group: large enough that the lock is seldom taken, small enough that memory use stays flat.
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
        /// The number of bytes in the pieces; the bytes after them belong to the next group.
        let count: Int
        /// How many of the two uses of the bytes are done: storing the pieces, and digesting the whole.
        let done = Atomic<Int>(0)

        init(sequence: Int, bytes: [UInt8], cuts: [Int]) {
            self.sequence = sequence
            self.bytes = bytes
            self.cuts = cuts
            count = cuts.reduce(0, +)
        }
    }

    private let source: any Blob
    private let writer: ObjectWriter
    private let plan: CutPlan
    private let progress: @Sendable (Int) -> Void
    private let cursor = Mutex(Cursor())
    private let digest = OrderedDigest()
    private let pieces = Mutex<[Int: [PackFooter.PieceReference]]>([:])
    private let slots: DispatchSemaphore
    let threads: Int

    init(
        _ source: any Blob, writer: ObjectWriter, progress: @escaping @Sendable (Int) -> Void
    ) throws(ObjectError) {
        self.source = source
        self.writer = writer
        self.progress = progress
        plan = try CutPlan.choose(for: source)
        threads = Threads.available
        slots = DispatchSemaphore(value: 2 * threads + 2)
    }

    /// Stores groups until there are none left; each thread calls this once.
    func work() {
        while true {
            slots.wait()
            guard let group = nextGroup() else {
                slots.signal()
                return
            }
            digest.add(group.bytes, count: group.count, number: group.sequence) {
                self.complete(group)
            }
            store(group)
            complete(group)
            digest.feed()
        }
    }

    /// Reads and cuts the next group; returns nil at the end and after a failure.
    private func nextGroup() -> Group? {
        cursor.withLock { cursor in
            guard cursor.failure == nil, cursor.offset < source.size else { return nil }
            let count = min(Self.groupSize + plan.lookahead, source.size - cursor.offset)
            do throws(ObjectError) {
                let bytes = try source.bytes(at: cursor.offset, count: count)
                let cuts = plan.cuts(
                    of: bytes.span, at: cursor.offset, size: source.size, atLeast: Self.groupSize)
                let group = Group(sequence: cursor.sequence, bytes: bytes, cuts: cuts)
                cursor.offset += group.count
                cursor.sequence += 1
                return group
            } catch {
                cursor.failure = error
                return nil
            }
        }
    }

    private func store(_ group: Group) {
        do throws(ObjectError) {
            let stored = try writer.writePieces(
                of: group.bytes, cuts: group.cuts, hint: plan.hint)
            pieces.withLock { $0[group.sequence] = stored }
        } catch {
            cursor.withLock { $0.failure = $0.failure ?? error }
            return
        }
        progress(group.count)
    }

    private func complete(_ group: Group) {
        if group.done.add(1, ordering: .acquiringAndReleasing).newValue == 2 { slots.signal() }
    }

    /// The identity of the whole, once every call of ``work()`` has returned.
    func finish() throws(ObjectError) -> ObjectID {
        if let failure = cursor.withLock({ $0.failure }) { throw failure }
        var recipe = PackFooter.Recipe(size: source.size, pieces: [])
        var last = ObjectHasher()
        let groups = pieces.withLock { $0 }
        for (number, point) in digest.points.enumerated() {
            if number > 0, number < groups.count {
                recipe.points.append(PackFooter.DigestPoint(reference: recipe.pieces.count, point))
            }
            recipe.pieces += groups[number] ?? []
            last = point
        }
        let id = last.finalize()
        writer.count(objects: 1, rawBytes: source.size)
        try writer.writeRecipe(id, recipe)
        return id
    }
}

/// The digest of a large object whose parts arrive in any order, from any thread.
///
/// SHA-256 needs the parts in order, so whichever thread finds the digest idle feeds it.
private final class OrderedDigest: Sendable {
    private struct Part {
        let bytes: [UInt8]
        let count: Int
        let whenDone: @Sendable () -> Void
    }

    private struct Queue {
        var waiting: [Int: Part] = [:]
        /// The state of the digest before each part that was fed, and after the last.
        var points = [ObjectHasher()]
        var isBusy = false
    }

    private let queue = Mutex(Queue())

    /// Adds the first `count` bytes as part `number`; parts are numbered from 0 without gaps.
    ///
    /// - Parameter whenDone: Called, from any thread, when the bytes are no longer needed.
    func add(
        _ bytes: [UInt8], count: Int, number: Int, whenDone: @escaping @Sendable () -> Void
    ) {
        let part = Part(bytes: bytes, count: count, whenDone: whenDone)
        queue.withLock { $0.waiting[number] = part }
        feed()
    }

    /// Feeds the parts that are next in order, unless another thread is feeding.
    func feed() {
        let isMine = queue.withLock { queue in
            defer { queue.isBusy = true }
            return !queue.isBusy
        }
        guard isMine else { return }
        while true {
            let next: (Part, ObjectHasher)? = queue.withLock { queue in
                guard let part = queue.waiting.removeValue(forKey: queue.points.count - 1),
                    let hasher = queue.points.last
                else {
                    queue.isBusy = false
                    return nil
                }
                return (part, hasher)
            }
            guard let (part, before) = next else { return }
            var hasher = before
            let bytes = part.bytes
            hasher.update(bytes.span.extracting(0..<part.count))
            let point = hasher
            queue.withLock { $0.points.append(point) }
            part.whenDone()
        }
    }

    /// The state of the digest before each part and after the last, once every part has been fed.
    var points: [ObjectHasher] { queue.withLock { $0.points } }
}
