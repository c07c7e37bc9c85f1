internal import Objects

/// In which order an audit reads what packs hold, so that every piece is verified once by itself and every large
/// object as a whole.
struct AuditPlan: Sendable {
    /// Where a piece is: the number of its pack, and its place in the index.
    struct Place: Hashable, Sendable {
        let pack: Int
        let piece: Int
    }

    /// A large object.
    final class Whole: Sendable {
        let id: ObjectID
        let pack: OpenPack
        let places: [Place]
        let runs: [DigestSpan]

        init(_ id: ObjectID, in pack: OpenPack, places: [Place], runs: [DigestSpan]) {
            self.id = id
            self.pack = pack
            self.places = places
            self.runs = runs
        }
    }

    /// A run of a large object, or a piece.
    struct Run: Sendable {
        let digest: DigestSpan
        /// The object that it is a run of; nil for a piece.
        let whole: Whole?
        /// Whether others are likely to read the same pieces soon.
        package let isShared: Bool
        private let piece: Place
        private let wantsID: [Bool]

        package init(_ piece: Place, id: ObjectID) {
            digest = DigestSpan.piece(id)
            whole = nil
            isShared = false
            self.piece = piece
            wantsID = []
        }

        init(_ digest: DigestSpan, of whole: Whole, isShared: Bool, wantsID: [Bool]) {
            self.digest = digest
            self.whole = whole
            self.isShared = isShared
            piece = Place(pack: 0, piece: 0)
            self.wantsID = wantsID
        }

        func place(ofPiece reference: Int) -> Place { whole?.places[reference] ?? piece }

        func wantsID(ofPiece reference: Int) -> Bool {
            whole != nil && wantsID[reference - digest.pieces.lowerBound]
        }
    }

    /// Objects of like size are most often versions of one file; of more than this many, little is gained.
    private static let groupSize = 8
    /// Pieces that a thread takes at a time.
    private static let pieceBundle = 64

    private let packs: [OpenPack]
    private let positions: [ObjectID: Int]
    /// The pieces of each pack that have been handed out.
    private var isTaken: [[Bool]]
    /// The recipes that are left, the next last.
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
                // Of a recipe that cannot be read the error is reported when its turn comes.
                let size = (try? pack.recipeSize(at: index)) ?? 0
                sized.append((size, Place(pack: number, piece: index)))
            }
        }
        recipes = sized.sorted { $0.size < $1.size }.map(\.place)
    }

    /// Runs for one thread; none at the end.
    ///
    /// - Parameters:
    ///   - holder: The pack that a piece is read from, and its place in there.
    ///   - report: Called with an object that cannot be put together, the pack with its recipe, and why.
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
        return Whole(id, in: pack, places: places, runs: DigestSpan.spans(of: id, recipe))
    }

    /// The runs of the objects in the group that lie at one of `steps` equal parts of their way.
    private mutating func runs(at step: Int, of steps: Int) -> [Run] {
        var result: [Run] = []
        for whole in group {
            let count = whole.runs.count
            for digest in whole.runs[step * count / steps..<(step + 1) * count / steps] {
                let wanted = whole.places[digest.pieces].map { take($0) }
                result.append(
                    Run(digest, of: whole, isShared: group.count > 1, wantsID: wanted))
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
                result.append(Run(nextPiece, id: footer.pieceID(at: nextPiece.piece)))
            }
            nextPiece = Place(pack: nextPiece.pack, piece: nextPiece.piece + 1)
        }
        return result
    }

    /// Whether a piece was not handed out before.
    private mutating func take(_ place: Place) -> Bool {
        guard !isTaken[place.pack][place.piece] else { return false }
        isTaken[place.pack][place.piece] = true
        return true
    }
}
