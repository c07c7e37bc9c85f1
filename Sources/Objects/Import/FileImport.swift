internal import Dispatch
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
        if source.size <= CutParameters.content.average {
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
        Threads.run(threads, task.work)
        return try task.finish()
    }
}

/// One large object on its way into a pack.
///
/// Every thread does the same: it takes the next group of bytes, under a lock, and cuts it; then it hashes,
/// compresses and stores the pieces, while the whole digest is fed in order.
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
        /// The number of bytes in the pieces; what follows them belongs to the next group.
        let count: Int
        /// The pieces are stored, the whole digest is fed: at two, the memory is free again.
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
        plan = try CutPlan(for: source)
        threads = Threads.available
        slots = DispatchSemaphore(value: 2 * threads + 2)
    }

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
                cursor.offset += group.count
                cursor.sequence += 1
                return group
            } catch {
                cursor.failure = .storage(error)
                return nil
            }
        }
    }

    private func store(_ group: Group) {
        var stored: [PackFooter.PieceReference] = []
        var offset = 0
        let bytes = group.bytes
        do throws(ObjectError) {
            let ids = ObjectID.ofPieces(of: bytes.span, lengths: group.cuts)
            for (id, length) in zip(ids, group.cuts) {
                let reference = bytes.span.extracting(offset..<offset + length)
                stored.append(try writer.writePiece(id, reference, hint: plan.hint))
                offset += length
            }
        } catch {
            cursor.withLock { $0.failure = $0.failure ?? error }
            return
        }
        pieces.withLock { $0[group.sequence] = stored }
        progress(offset)
    }

    private func complete(_ group: Group) {
        if group.done.add(1, ordering: .acquiringAndReleasing).newValue == 2 { slots.signal() }
    }

    /// The identity of the whole, once every thread has returned from ``work()``.
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

extension ObjectWriter {
    /// A file as bytes that can be read at any offset: itself, or a copy in scratch space of one that can only be read
    /// from its beginning to its end.
    public func readable(_ file: InputFile) throws(ObjectError) -> any Blob {
        do throws(StorageError) {
            guard try file.isUnsized() else { return file }
        } catch { throw .storage(error) }
        return try copy(file)
    }

    /// Stores a file; returns its identity and its size, and whether that is the size that it claims.
    func importFile(
        _ file: InputFile, progress: @escaping @Sendable (Int) -> Void
    ) throws(ObjectError) -> (id: ObjectID, size: Int, isAsListed: Bool) {
        let blob = try readable(file)
        do throws(ObjectError) {
            let id = try importBytes(of: blob, progress: progress)
            guard blob is InputFile else { return (id, blob.size, false) }
            do throws(StorageError) { try file.checkUnchanged() } catch { throw .storage(error) }
            return (id, blob.size, true)
        } catch .storage(.changed) where (try? file.checkUnchanged()) != nil {
            // Files of the kernel may claim a page and hold a line.
            let copy = try copy(file)
            return (try importBytes(of: copy, progress: progress), copy.size, false)
        } catch { throw error }
    }

    private func copy(_ file: InputFile) throws(ObjectError) -> any Blob {
        let scratch = try makeScratch()
        var size = 0
        try file.forEachPart { (part) throws(ObjectError) in
            size += part.count
            do throws(StorageError) { _ = try scratch.append(part) } catch {
                throw .storage(error)
            }
        } failing: {
            .storage($0)
        }
        return ScratchBlob(scratch: scratch, size: size)
    }
}

/// What was written to scratch space, to be read.
private struct ScratchBlob: Blob {
    let scratch: any StagedBlob
    let size: Int

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        try scratch.read(at: offset, count: count)
    }
}

/// The digest of a large object whose parts become known in any order, from any thread.
///
/// SHA-256 must see the parts in order, so it is fed by whichever thread finds it idle.
final class OrderedDigest: Sendable {
    private struct Part {
        let bytes: [UInt8]
        let count: Int
        let whenDone: @Sendable () -> Void
    }

    private struct Queue {
        var waiting: [Int: Part] = [:]
        /// How far the digest had come before each part that it was fed with, and after the last.
        var points = [ObjectHasher()]
        var isBusy = false
    }

    private let queue = Mutex(Queue())

    /// Adds the first `count` bytes as the part with a number; parts are numbered from 0 without gaps.
    ///
    /// - Parameter whenDone: Called, from any thread, when the bytes are needed no more.
    func add(
        _ bytes: [UInt8], count: Int, number: Int, whenDone: @escaping @Sendable () -> Void
    ) {
        let part = Part(bytes: bytes, count: count, whenDone: whenDone)
        queue.withLock { $0.waiting[number] = part }
        feed()
    }

    /// Feeds the digest with the parts that are next in order, unless another thread is at it.
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

    /// How far the digest had come before each part and after the last, once every part has been fed.
    var points: [ObjectHasher] { queue.withLock { $0.points } }
}
