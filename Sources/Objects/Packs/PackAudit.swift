internal import Dispatch
internal import Synchronization

/// Every chunk of a store's packs read and verified, and every large object put together, by several threads.
///
/// Each thread takes the next chunk, under a lock: first the pieces of recipe after recipe, then the copies of
/// chunks that no recipe reads. A piece is a copy like any other, so it is not read again for itself. Memory is
/// bounded by the chunks that are under way.
final class PackAudit: Sendable {
    /// A recipe whose object is being put together.
    private final class Whole: Sendable {
        let id: ObjectID
        let pack: ObjectID
        let digest = OrderedDigest()
        let isDamaged = Atomic<Bool>(false)
        /// Pieces that the digest has not seen.
        let remaining: Atomic<Int>

        init(_ id: ObjectID, in pack: ObjectID, pieces: Int) {
            self.id = id
            self.pack = pack
            remaining = Atomic(pieces)
        }
    }

    /// One chunk to read.
    private struct Item {
        let id: ObjectID
        let pack: OpenPack
        let chunk: PackFooter.Chunk
        let whole: Whole?
        /// The number of the piece in its object.
        let number: Int
    }

    private struct Cursor {
        /// The chunks of each pack that have been handed out.
        var isTaken: [[Bool]]
        var recipes: (pack: Int, index: Int) = (0, 0)
        var chunks: (pack: Int, index: Int) = (0, 0)
        var pending: [Item] = []
        var nextPending = 0
    }

    private let store: PackStore
    private let packs: [OpenPack]
    private let positions: [ObjectID: Int]
    private let progress: @Sendable (Int) -> Void
    private let cursor: Mutex<Cursor>
    private let found = Mutex<Set<PackDamage>>([])
    private let slots: DispatchSemaphore

    /// Prepares to check packs of a store.
    ///
    /// - Parameter threads: How many threads are going to call ``work()``.
    init(
        _ packs: [OpenPack], of store: PackStore, threads: Int,
        progress: @escaping @Sendable (Int) -> Void
    ) {
        self.store = store
        self.packs = packs
        self.progress = progress
        positions = Dictionary(
            packs.enumerated().map { ($1.reference.name, $0) },
            uniquingKeysWith: { first, _ in first })
        cursor = Mutex(
            Cursor(isTaken: packs.map { Array(repeating: false, count: $0.footer.chunkCount) }))
        // A thread that feeds a digest falls behind by what the others read meanwhile.
        slots = DispatchSemaphore(value: 8 * threads)
    }

    /// All damage that was found, once every thread has returned from ``work()``.
    var damage: Set<PackDamage> { found.withLock { $0 } }

    func work() {
        while true {
            slots.wait()
            guard let item = cursor.withLock({ next(&$0) }) else {
                slots.signal()
                return
            }
            let bytes = read(item)
            guard let whole = item.whole else {
                slots.signal()
                continue
            }
            // Of a damaged object the digest means nothing, but what waits behind this piece must go on.
            whole.digest.add(bytes ?? [], count: bytes?.count ?? 0, number: item.number) {
                self.complete(whole)
                self.slots.signal()
            }
        }
    }

    private func read(_ item: Item) -> [UInt8]? {
        do throws(ObjectError) {
            let bytes = try store.bytes(of: item.id, item.chunk, in: item.pack, fromDisk: true)
            progress(bytes.count)
            return bytes
        } catch {
            report(item.id, item.pack.reference.name, error)
            if let whole = item.whole { damage(whole, error) }
            return nil
        }
    }

    private func complete(_ whole: Whole) {
        let remaining = whole.remaining.subtract(1, ordering: .acquiringAndReleasing).newValue
        guard remaining == 0, !whole.isDamaged.load(ordering: .acquiring) else { return }
        if whole.digest.finalize() != whole.id {
            let place = "the recipe in pack \(whole.pack.short)"
            damage(whole, .corrupt(whole.id, where: place))
        }
    }

    private func damage(_ whole: Whole, _ error: ObjectError) {
        whole.isDamaged.store(true, ordering: .releasing)
        report(whole.id, whole.pack, error)
    }

    private func report(_ object: ObjectID, _ pack: ObjectID, _ error: ObjectError) {
        let damage = PackDamage(object: object, pack: pack, error: error)
        found.withLock { _ = $0.insert(damage) }
    }

    // MARK: What is next

    private func next(_ cursor: inout Cursor) -> Item? {
        while cursor.nextPending == cursor.pending.count {
            guard cursor.recipes.pack < packs.count else { return nextChunk(&cursor) }
            let pack = packs[cursor.recipes.pack]
            guard cursor.recipes.index < pack.footer.recipeCount else {
                cursor.recipes = (cursor.recipes.pack + 1, 0)
                continue
            }
            cursor.pending = items(ofRecipe: cursor.recipes.index, in: pack, &cursor.isTaken)
            cursor.nextPending = 0
            cursor.recipes.index += 1
        }
        defer { cursor.nextPending += 1 }
        return cursor.pending[cursor.nextPending]
    }

    private func nextChunk(_ cursor: inout Cursor) -> Item? {
        while cursor.chunks.pack < packs.count {
            let position = cursor.chunks.pack
            let index = cursor.chunks.index
            let pack = packs[position]
            guard index < pack.footer.chunkCount else {
                cursor.chunks = (position + 1, 0)
                continue
            }
            cursor.chunks.index += 1
            guard !cursor.isTaken[position][index] else { continue }
            let id = pack.footer.chunkID(at: index)
            do throws(ObjectError) {
                let chunk = try pack.chunk(at: index)
                return Item(id: id, pack: pack, chunk: chunk, whole: nil, number: 0)
            } catch { report(id, pack.reference.name, error) }
        }
        return nil
    }

    /// The pieces of a recipe; none, and damage, when not all of them are there.
    private func items(
        ofRecipe index: Int, in pack: OpenPack, _ isTaken: inout [[Bool]]
    ) -> [Item] {
        let id = pack.footer.recipeID(at: index)
        do throws(ObjectError) {
            let recipe = try pack.recipe(at: index)
            let whole = Whole(id, in: pack.reference.name, pieces: recipe.pieces.count)
            var items: [Item] = []
            var places: [(pack: Int, index: Int)] = []
            for piece in recipe.pieces {
                guard let (holder, at) = try store.packHoldingChunk(piece.id),
                    let position = positions[holder.reference.name]
                else { throw .missing(piece.id) }
                let chunk = try holder.chunk(at: at)
                guard chunk.size == piece.size else {
                    throw .corrupt(piece.id, where: "the recipe of \(id.short)")
                }
                places.append((position, at))
                items.append(
                    Item(
                        id: piece.id, pack: holder, chunk: chunk, whole: whole,
                        number: items.count))
            }
            for place in places { isTaken[place.pack][place.index] = true }
            // No piece completes an object of no bytes.
            guard !items.isEmpty || whole.digest.finalize() == id else {
                throw .corrupt(id, where: "the recipe in pack \(pack.reference.name.short)")
            }
            return items
        } catch {
            report(id, pack.reference.name, error)
            return []
        }
    }
}
