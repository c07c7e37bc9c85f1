internal import Dispatch
internal import Storage
internal import Synchronization

/// One large object on its way out of packs into a file.
///
/// Every thread does the same: it takes the next piece, reads and verifies it, and writes it where it belongs,
/// while the whole digest is fed in order. Memory is bounded by the pieces that are under way.
final class LargeExport: Sendable {
    private struct Piece {
        let piece: PackFooter.Piece
        let offset: Int
    }

    private let store: PackStore
    private let file: DestinationFile
    private let pieces: [Piece]
    private let progress: @Sendable (Int) -> Void
    private let next = Atomic<Int>(0)
    private let failures = Mutex<[Int: ObjectError]>([:])
    private let digest = OrderedDigest()
    private let slots: DispatchSemaphore

    /// Prepares to write the object that a recipe makes.
    ///
    /// - Parameter threads: How many threads are going to call ``work()``.
    init(
        _ recipe: PackFooter.Recipe, of store: PackStore, to file: DestinationFile, threads: Int,
        progress: @escaping @Sendable (Int) -> Void
    ) {
        self.store = store
        self.file = file
        self.progress = progress
        var pieces: [Piece] = []
        pieces.reserveCapacity(recipe.pieces.count)
        var offset = 0
        for piece in recipe.pieces {
            pieces.append(Piece(piece: piece, offset: offset))
            offset += piece.size
        }
        self.pieces = pieces
        // A thread that feeds the digest falls behind by what the others read meanwhile.
        slots = DispatchSemaphore(value: 8 * threads)
    }

    func work() {
        while true {
            slots.wait()
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < pieces.count, failures.withLock({ $0.isEmpty }) else {
                slots.signal()
                return
            }
            // After a failure the digest means nothing, but what waits behind this piece must go on.
            let bytes = write(pieces[index], index) ?? []
            digest.add(bytes, count: bytes.count, number: index) { self.slots.signal() }
        }
    }

    private func write(_ piece: Piece, _ index: Int) -> [UInt8]? {
        do throws(ObjectError) {
            let bytes = try store.chunkBytes(piece.piece.id, size: piece.piece.size)
            do throws(StorageError) { try file.write(bytes.span, at: piece.offset) } catch {
                throw .storage(error)
            }
            progress(bytes.count)
            return bytes
        } catch {
            failures.withLock { $0[index] = error }
            return nil
        }
    }

    /// The identity of what was written, once every thread has returned from ``work()``.
    ///
    /// - Throws: What went wrong first, in the order of the pieces.
    func finish() throws(ObjectError) -> ObjectID {
        if let first = failures.withLock({ $0.min { $0.key < $1.key } }) { throw first.value }
        return digest.finalize()
    }
}
