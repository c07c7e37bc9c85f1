internal import Objects

/// In which order an audit reads what packs hold, so that every chunk is verified once by itself and every large
/// object as a whole.
struct AuditPlan: Sendable {
    /// Where a chunk is: the number of its pack, and its place in the index.
    struct Place: Hashable, Sendable {
        let pack: Int
        let chunk: Int
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

    /// A run of a large object, or a chunk.
    struct Run: Sendable {
        let digest: DigestSpan
        /// The object that it is a run of; nil for a chunk.
        let whole: Whole?
        /// Whether others are likely to read the same pieces soon.
        package let isShared: Bool
        private let chunk: Place
        private let wantsID: [Bool]

        package init(_ chunk: Place, id: ObjectID) {
            digest = DigestSpan(chunk: id)
            whole = nil
            isShared = false
            self.chunk = chunk
            wantsID = []
        }

        init(_ digest: DigestSpan, of whole: Whole, isShared: Bool, wantsID: [Bool]) {
            self.digest = digest
            self.whole = whole
            self.isShared = isShared
            chunk = Place(pack: 0, chunk: 0)
            self.wantsID = wantsID
        }

        func place(ofPiece piece: Int) -> Place { whole?.places[piece] ?? chunk }

        func wantsID(ofPiece piece: Int) -> Bool {
            whole != nil && wantsID[piece - digest.pieces.lowerBound]
        }
    }

    /// Objects of like size are most often versions of one file; of more than this many, little is gained.
    private static let groupSize = 8
    /// Chunks that a thread takes at a time.
    private static let chunkBundle = 64

    private let packs: [OpenPack]
    private let positions: [ObjectID: Int]
    /// The chunks of each pack that have been handed out.
    private var isTaken: [[Bool]]
    /// The recipes that are left, the next last.
    private var recipes: [Place]
    private var group: [Whole] = []
    private var step = 0
    private var nextChunk = Place(pack: 0, chunk: 0)

    init(_ packs: [OpenPack]) {
        self.packs = packs
        positions = Dictionary(
            packs.enumerated().map { ($1.reference.name, $0) },
            uniquingKeysWith: { first, _ in first })
        isTaken = packs.map { Array(repeating: false, count: $0.footer.chunkCount) }
        var sized: [(size: Int, place: Place)] = []
        for (number, pack) in packs.enumerated() {
            for index in 0..<pack.footer.recipeCount {
                // Of a recipe that cannot be read the error is reported when its turn comes.
                let size = (try? pack.recipeSize(at: index)) ?? 0
                sized.append((size, Place(pack: number, chunk: index)))
            }
        }
        recipes = sized.sorted { $0.size < $1.size }.map(\.place)
    }

    /// Runs for one thread; none at the end.
    ///
    /// - Parameters:
    ///   - holder: The pack that a chunk is read from, and its place in there.
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
            guard !recipes.isEmpty else { return nextChunks() }
            group = []
            step = 0
            while let recipe = recipes.last, group.count < Self.groupSize {
                recipes.removeLast()
                let pack = packs[recipe.pack]
                do throws(ObjectError) {
                    group.append(try whole(recipe.chunk, in: pack, holder))
                } catch { report(pack.footer.recipeID(at: recipe.chunk), pack, error) }
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
        for piece in recipe.pieces {
            guard let (holding, at) = try holder(piece.id),
                let position = positions[holding.reference.name]
            else { throw .missing(piece.id) }
            guard try holding.chunk(at: at).size == piece.size else {
                throw .corrupt(piece.id, where: "the recipe of \(id.short)")
            }
            places.append(Place(pack: position, chunk: at))
        }
        return Whole(id, in: pack, places: places, runs: DigestSpan.runs(of: id, recipe))
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

    private mutating func nextChunks() -> [Run] {
        var result: [Run] = []
        while nextChunk.pack < packs.count, result.count < Self.chunkBundle {
            let footer = packs[nextChunk.pack].footer
            guard nextChunk.chunk < footer.chunkCount else {
                nextChunk = Place(pack: nextChunk.pack + 1, chunk: 0)
                continue
            }
            if take(nextChunk) {
                result.append(Run(nextChunk, id: footer.chunkID(at: nextChunk.chunk)))
            }
            nextChunk = Place(pack: nextChunk.pack, chunk: nextChunk.chunk + 1)
        }
        return result
    }

    /// Whether a chunk was not handed out before.
    private mutating func take(_ place: Place) -> Bool {
        guard !isTaken[place.pack][place.chunk] else { return false }
        isTaken[place.pack][place.chunk] = true
        return true
    }
}
