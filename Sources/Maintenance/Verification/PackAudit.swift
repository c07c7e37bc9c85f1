internal import Objects
internal import Storage
internal import Synchronization

/// Every chunk of a store's packs read and verified, and every large object put together, by several threads.
///
/// Large objects come first, then the chunks that no recipe reads. Versions of one file share most pieces, so
/// objects of like size are gone through side by side: a piece is decoded once for all of them. Memory is
/// bounded by the indexes and by what the threads keep at hand.
final class PackAudit: Sendable {
    private let store: PackStore
    private let packs: [OpenPack]
    private let progress: @Sendable (Int) -> Void
    private let plan: Mutex<AuditPlan>
    private let found = Mutex<Set<PackDamage>>([])

    /// Prepares to check packs of a store.
    init(
        _ packs: [OpenPack], of store: PackStore, progress: @escaping @Sendable (Int) -> Void
    ) {
        self.store = store
        self.packs = packs
        self.progress = progress
        plan = Mutex(AuditPlan(packs))
    }

    /// Checks everything and gives all damage that was found.
    func run(threads: Int) -> Set<PackDamage> {
        Threads.run(threads) {
            var reader = Reader(audit: self)
            reader.verifyAll()
        }
        return found.withLock { $0 }
    }

    private func report(
        _ object: ObjectID, in pack: OpenPack, at range: Range<Int>? = nil, _ error: ObjectError
    ) {
        let damage = PackDamage(
            object: object, pack: pack.reference.name, range: range, error: error)
        found.withLock { _ = $0.insert(damage) }
    }

    /// Reports a chunk; where in the pack it is damaged follows from the error.
    private func report(chunk index: Int, of pack: OpenPack, _ error: ObjectError) {
        let id = pack.footer.chunkID(at: index)
        var range: Range<Int>?
        if let chunk = try? pack.chunk(at: index) {
            switch error {
            case .corrupt(id, _): range = chunk.offset..<chunk.offset + chunk.storedSize
            case .damagedPack(pack.reference.name.hex, _):
                range = chunk.offset - chunk.gap..<chunk.offset
            default: break
            }
        }
        report(id, in: pack, at: range, error)
    }

    private func nextBundle() -> [AuditPlan.Run] {
        plan.withLock { plan in
            plan.nextBundle(holding: store.packHoldingChunk) { id, pack, error in
                report(id, in: pack, error)
            }
        }
    }

    /// What one of the threads reads.
    private struct Reader: SpanReader {
        /// Enough for one run of an object while those of others that share its pieces go by.
        private static let capacity = 16 << 20

        let audit: PackAudit
        private var bundle: [AuditPlan.Run] = []
        private var decoded: [AuditPlan.Place: [UInt8]] = [:]
        private var order: [AuditPlan.Place] = []
        private var size = 0

        init(audit: PackAudit) { self.audit = audit }

        mutating func next() -> AuditPlan.Run? {
            if bundle.isEmpty { bundle = audit.nextBundle().reversed() }
            return bundle.popLast()
        }

        func digest(of run: AuditPlan.Run) -> DigestSpan { run.digest }

        mutating func read(_ piece: Int, of run: inout AuditPlan.Run) -> SpanPiece? {
            let place = run.place(ofPiece: piece)
            let pack = audit.packs[place.pack]
            do throws(ObjectError) {
                let bytes = try decode(place, in: pack, isShared: run.isShared)
                let wantsID = run.wantsID(ofPiece: piece)
                if wantsID || run.whole == nil { audit.progress(bytes.count) }
                return SpanPiece(bytes: bytes, wantsID: wantsID)
            } catch {
                audit.report(chunk: place.chunk, of: pack, error)
                if let whole = run.whole {
                    audit.report(whole.id, in: whole.pack, error)
                    checkRest(after: piece, of: run)
                }
                return nil
            }
        }

        /// Looks for damage in the pieces of a run that is given up: nobody else reads them.
        private mutating func checkRest(after piece: Int, of run: AuditPlan.Run) {
            for other in (piece + 1)..<max(piece + 1, run.digest.pieces.upperBound)
            where run.wantsID(ofPiece: other) {
                let place = run.place(ofPiece: other)
                let pack = audit.packs[place.pack]
                do throws(ObjectError) {
                    let bytes = try decode(place, in: pack, isShared: false)
                    audit.progress(bytes.count)
                    check(ObjectID(of: bytes.span), at: place)
                } catch { audit.report(chunk: place.chunk, of: pack, error) }
            }
        }

        private mutating func decode(
            _ place: AuditPlan.Place, in pack: OpenPack, isShared: Bool
        ) throws(ObjectError) -> [UInt8] {
            if isShared, let bytes = decoded[place] { return bytes }
            let id = pack.footer.chunkID(at: place.chunk)
            let chunk = try pack.chunk(at: place.chunk)
            try pack.checkGap(before: chunk)
            let stored = try pack.storedBytes(of: id, chunk)
            let bytes = try audit.store.decoded(id, chunk, in: pack, stored: stored)
            if chunk.codec == .leaf {
                guard LeafCodec.hasRightCodes(stored.span, size: chunk.size) else {
                    throw .corrupt(id, where: "the codes of \(pack.place(of: chunk))")
                }
            }
            guard isShared else { return bytes }
            decoded[place] = bytes
            order.append(place)
            size += bytes.count
            guard size > Self.capacity else { return bytes }
            // Half at a time, so that the order is not shifted for every chunk.
            let dropped = order.prefix(order.count / 2)
            for old in dropped { size -= decoded.removeValue(forKey: old)?.count ?? 0 }
            order.removeFirst(dropped.count)
            return bytes
        }

        func take(_ id: ObjectID, ofPiece piece: Int, in run: AuditPlan.Run) {
            check(id, at: run.place(ofPiece: piece))
        }

        func finish(_ run: AuditPlan.Run, isReached: Bool) {
            guard !isReached else { return }
            guard let whole = run.whole else {
                let place = run.place(ofPiece: 0)
                let pack = audit.packs[place.pack]
                return audit.report(
                    chunk: place.chunk, of: pack, damage(at: place, in: pack))
            }
            audit.report(whole.id, in: whole.pack, damage(of: whole, in: run.digest))
        }

        private func check(_ id: ObjectID, at place: AuditPlan.Place) {
            let pack = audit.packs[place.pack]
            let expected = pack.footer.chunkID(at: place.chunk)
            if id != expected {
                audit.report(chunk: place.chunk, of: pack, damage(at: place, in: pack))
            }
        }

        private func damage(at place: AuditPlan.Place, in pack: OpenPack) -> ObjectError {
            let id = pack.footer.chunkID(at: place.chunk)
            do throws(ObjectError) {
                return .corrupt(id, where: pack.place(of: try pack.chunk(at: place.chunk)))
            } catch { return error }
        }

        /// The first piece that is damaged, or else the recipe.
        private func damage(of whole: AuditPlan.Whole, in run: DigestSpan) -> ObjectError {
            for place in whole.places[run.pieces] {
                let pack = audit.packs[place.pack]
                let id = pack.footer.chunkID(at: place.chunk)
                do throws(ObjectError) {
                    let chunk = try pack.chunk(at: place.chunk)
                    let bytes = try audit.store.decoded(id, chunk, in: pack)
                    guard ObjectID(of: bytes.span) == id else { return damage(at: place, in: pack) }
                } catch { return error }
            }
            return .corrupt(
                whole.id, where: "the recipe in pack \(whole.pack.reference.name.short)")
        }
    }
}
