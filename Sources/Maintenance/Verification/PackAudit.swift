internal import Objects
internal import Storage
internal import Synchronization

/// Every piece of a store's packs read and verified, and every large object put together, by several threads.
///
/// Large objects come first, then the pieces that no recipe reads. Versions of one file share most pieces, so
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

    /// Reports a piece; where in the pack it is damaged follows from the error.
    private func report(piece index: Int, of pack: OpenPack, _ error: ObjectError) {
        let id = pack.footer.pieceID(at: index)
        var range: Range<Int>?
        if let piece = try? pack.piece(at: index) {
            switch error {
            case .corrupt(id, _): range = piece.offset..<piece.end
            case .damagedPack(pack.reference.name, _):
                range = piece.offset - piece.gap..<piece.offset
            default: break
            }
        }
        report(id, in: pack, at: range, error)
    }

    private func nextBundle() -> [AuditPlan.Run] {
        plan.withLock { plan in
            plan.nextBundle(holding: store.packHoldingPiece) { id, pack, error in
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

        mutating func read(_ reference: Int, of run: inout AuditPlan.Run) -> SpanPiece? {
            let place = run.place(ofPiece: reference)
            let pack = audit.packs[place.pack]
            do throws(ObjectError) {
                let bytes = try decode(place, in: pack, isShared: run.isShared)
                let wantsID = run.wantsID(ofPiece: reference)
                if wantsID || run.whole == nil { audit.progress(bytes.count) }
                return SpanPiece(bytes: bytes, wantsID: wantsID)
            } catch {
                audit.report(piece: place.piece, of: pack, error)
                if let whole = run.whole {
                    audit.report(whole.id, in: whole.pack, error)
                    checkRest(after: reference, of: run)
                }
                return nil
            }
        }

        /// Looks for damage in the pieces of a run that is given up: nobody else reads them.
        private mutating func checkRest(after reference: Int, of run: AuditPlan.Run) {
            for other in (reference + 1)..<max(reference + 1, run.digest.pieces.upperBound)
            where run.wantsID(ofPiece: other) {
                let place = run.place(ofPiece: other)
                let pack = audit.packs[place.pack]
                do throws(ObjectError) {
                    let bytes = try decode(place, in: pack, isShared: false)
                    audit.progress(bytes.count)
                    check(ObjectID(of: bytes.span), at: place)
                } catch { audit.report(piece: place.piece, of: pack, error) }
            }
        }

        private mutating func decode(
            _ place: AuditPlan.Place, in pack: OpenPack, isShared: Bool
        ) throws(ObjectError) -> [UInt8] {
            if isShared, let bytes = decoded[place] { return bytes }
            let piece = try pack.storedPiece(at: place.piece)
            try pack.checkGap(before: piece.entry)
            let (stored, bytes) = try audit.store.check(piece, .identityByCaller)
            if piece.entry.codec == .leaf {
                guard LeafCodec.hasRightCodes(stored.span, size: piece.entry.size) else {
                    throw .corrupt(piece.id, where: "the codes of \(piece.place)")
                }
            }
            guard isShared else { return bytes }
            decoded[place] = bytes
            order.append(place)
            size += bytes.count
            guard size > Self.capacity else { return bytes }
            // Half at a time, so that the order is not shifted for every piece.
            let dropped = order.prefix(order.count / 2)
            for old in dropped { size -= decoded.removeValue(forKey: old)?.count ?? 0 }
            order.removeFirst(dropped.count)
            return bytes
        }

        func take(_ id: ObjectID, ofPiece reference: Int, in run: AuditPlan.Run) {
            check(id, at: run.place(ofPiece: reference))
        }

        func finish(_ run: AuditPlan.Run, isReached: Bool) {
            guard !isReached else { return }
            guard let whole = run.whole else {
                let place = run.place(ofPiece: 0)
                let pack = audit.packs[place.pack]
                return audit.report(
                    piece: place.piece, of: pack, damage(at: place, in: pack))
            }
            audit.report(whole.id, in: whole.pack, damage(of: whole, in: run.digest))
        }

        private func check(_ id: ObjectID, at place: AuditPlan.Place) {
            let pack = audit.packs[place.pack]
            let expected = pack.footer.pieceID(at: place.piece)
            if id != expected {
                audit.report(piece: place.piece, of: pack, damage(at: place, in: pack))
            }
        }

        private func damage(at place: AuditPlan.Place, in pack: OpenPack) -> ObjectError {
            do throws(ObjectError) { return try pack.storedPiece(at: place.piece).corrupt } catch {
                return error
            }
        }

        /// The first piece that is damaged, or else the recipe.
        private func damage(of whole: AuditPlan.Whole, in run: DigestSpan) -> ObjectError {
            for place in whole.places[run.pieces] {
                do throws(ObjectError) {
                    let piece = try audit.packs[place.pack].storedPiece(at: place.piece)
                    _ = try audit.store.check(piece)
                } catch { return error }
            }
            return .corrupt(
                whole.id, where: "the recipe in pack \(whole.pack.reference.name.short)")
        }
    }
}
