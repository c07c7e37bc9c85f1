internal import Objects
internal import Storage
internal import Synchronization

/// Reads and verifies every piece of a store's packs and assembles every large object, by several threads.
///
/// Large objects come first, then the pieces outside any recipe. Versions of one file share most pieces, so the audit
/// reads objects of similar size in lockstep and decodes a piece once for all of them. The indexes and the threads'
/// buffers bound the memory.
final class PackAudit: Sendable {
    private let store: PackStore
    private let packs: [OpenPack]
    private let progress: @Sendable (Int) -> Void
    private let plan: Mutex<AuditPlan>
    private let found = Mutex<Set<PackDamage>>([])

    /// Prepares an audit of some packs of a store.
    init(
        _ packs: [OpenPack], of store: PackStore, progress: @escaping @Sendable (Int) -> Void
    ) {
        self.store = store
        self.packs = packs
        self.progress = progress
        plan = Mutex(AuditPlan(packs))
    }

    /// Verifies everything and returns all damage.
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

    /// Reports a piece; the error determines the damaged range.
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

    /// The reader of one thread.
    private struct Reader: SpanReader {
        /// The most bytes of decoded pieces that are cached: enough to hold one run of an object until the other
        /// objects of its group have read the same pieces.
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

        /// Verifies the remaining pieces of an abandoned run: no other run reads them.
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
            // Half at a time, so that the array does not shift for every piece.
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

        /// The error of the first damaged piece, or else of the recipe.
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

/// The order in which an audit reads packs, such that it verifies every piece once on its own, and every large object
/// as a whole.
struct AuditPlan: Sendable {
    /// The position of a piece: the number of its pack and its position in the index.
    struct Place: Hashable, Sendable {
        let pack: Int
        let piece: Int
    }

    /// A large object, with the place of each of its pieces.
    struct Whole: Sendable {
        let id: ObjectID
        let pack: OpenPack
        let places: [Place]
        let runs: [DigestSpan]
    }

    /// A run of a large object, or a piece.
    struct Run: Sendable {
        let digest: DigestSpan
        /// The object that the run belongs to; nil for a piece.
        let whole: Whole?
        /// Whether other runs are likely to read the same pieces soon.
        let isShared: Bool
        /// The pieces of the whole object, or the piece.
        let places: [Place]
        /// Which pieces of the run no earlier run has verified by identity.
        let newPieces: [Bool]

        func place(ofPiece reference: Int) -> Place { places[reference] }

        func wantsID(ofPiece reference: Int) -> Bool {
            whole != nil && newPieces[reference - digest.pieces.lowerBound]
        }
    }

    /// How many objects of similar size are read in lockstep: most are versions of one file; more would gain little.
    private static let groupSize = 8
    /// How many pieces a thread takes at a time.
    private static let pieceBundle = 64

    private let packs: [OpenPack]
    private let positions: [ObjectID: Int]
    /// Which pieces of each pack were handed out.
    private var isTaken: [[Bool]]
    /// The remaining recipes; the next one is last.
    private var recipes: [Place]
    private var group: [Whole] = []
    private var step = 0
    private var nextPiece = Place(pack: 0, piece: 0)

    init(_ packs: [OpenPack]) {
        self.packs = packs
        positions = Dictionary(
            packs.enumerated().map { ($1.reference.name, $0) },
            uniquingKeysWith: { first, _ in first })
        isTaken = packs.map { Array(repeating: false, count: $0.footer.pieceCount) }
        var sized: [(size: Int, place: Place)] = []
        for (number, pack) in packs.enumerated() {
            for index in 0..<pack.footer.recipeCount {
                // An unreadable recipe is reported later, when its object is read.
                let size = (try? pack.recipeSize(at: index)) ?? 0
                sized.append((size, Place(pack: number, piece: index)))
            }
        }
        recipes = sized.sorted { $0.size < $1.size }.map(\.place)
    }

    /// Returns runs for one thread; none at the end.
    ///
    /// - Parameters:
    ///   - holder: Returns the pack that a piece is read from and its position there.
    ///   - report: Called with an object that cannot be assembled, the pack of its recipe, and the error.
    mutating func nextBundle(
        holding holder: (ObjectID) throws(ObjectError) -> (pack: OpenPack, index: Int)?,
        report: (ObjectID, OpenPack, ObjectError) -> Void
    ) -> [Run] {
        while true {
            if let steps = group.map(\.runs.count).max(), step < steps {
                defer { step += 1 }
                return runs(at: step, of: steps)
            }
            guard !recipes.isEmpty else { return nextPieces() }
            group = []
            step = 0
            while let recipe = recipes.last, group.count < Self.groupSize {
                recipes.removeLast()
                let pack = packs[recipe.pack]
                do throws(ObjectError) {
                    group.append(try whole(recipe.piece, in: pack, holder))
                } catch { report(pack.footer.recipeID(at: recipe.piece), pack, error) }
            }
        }
    }

    private func whole(
        _ index: Int, in pack: OpenPack,
        _ holder: (ObjectID) throws(ObjectError) -> (pack: OpenPack, index: Int)?
    ) throws(ObjectError) -> Whole {
        let id = pack.footer.recipeID(at: index)
        let recipe = try pack.recipe(at: index)
        var places: [Place] = []
        places.reserveCapacity(recipe.pieces.count)
        for reference in recipe.pieces {
            guard let (holding, at) = try holder(reference.id),
                let position = positions[holding.reference.name]
            else { throw .missing(reference.id) }
            guard try holding.piece(at: at).size == reference.size else {
                throw .corrupt(reference.id, where: "the recipe of \(id.short)")
            }
            places.append(Place(pack: position, piece: at))
        }
        return Whole(id: id, pack: pack, places: places, runs: DigestSpan.spans(of: id, recipe))
    }

    /// Divides each object of the group into `steps` equal parts and returns the runs of one part.
    private mutating func runs(at step: Int, of steps: Int) -> [Run] {
        var result: [Run] = []
        for whole in group {
            let count = whole.runs.count
            for digest in whole.runs[step * count / steps..<(step + 1) * count / steps] {
                let new = whole.places[digest.pieces].map { take($0) }
                result.append(
                    Run(
                        digest: digest, whole: whole, isShared: group.count > 1,
                        places: whole.places, newPieces: new))
            }
        }
        return result
    }

    private mutating func nextPieces() -> [Run] {
        var result: [Run] = []
        while nextPiece.pack < packs.count, result.count < Self.pieceBundle {
            let footer = packs[nextPiece.pack].footer
            guard nextPiece.piece < footer.pieceCount else {
                nextPiece = Place(pack: nextPiece.pack + 1, piece: 0)
                continue
            }
            if take(nextPiece) {
                result.append(
                    Run(
                        digest: DigestSpan.piece(footer.pieceID(at: nextPiece.piece)), whole: nil,
                        isShared: false, places: [nextPiece], newPieces: []))
            }
            nextPiece = Place(pack: nextPiece.pack, piece: nextPiece.piece + 1)
        }
        return result
    }

    /// Hands out a piece; false when it was handed out before.
    private mutating func take(_ place: Place) -> Bool {
        guard !isTaken[place.pack][place.piece] else { return false }
        isTaken[place.pack][place.piece] = true
        return true
    }
}
