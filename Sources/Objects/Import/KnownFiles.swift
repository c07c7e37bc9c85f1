internal import Storage
internal import Synchronization

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
