@testable import Maintenance
import Storage
import TestSupport
import Testing

@testable import Objects

@Suite("Spans between digest points")
struct DigestSpanTests {
    private struct Sample {
        let id: ObjectID
        var recipe: PackFooter.Recipe
        let pieces: [[UInt8]]
    }

    private static func sample(_ sizes: [Int], points: [Int]) -> Sample {
        var generator = SeededGenerator(seed: 5)
        var hasher = ObjectHasher()
        var recipe = PackFooter.Recipe(size: 0, pieces: [])
        var pieces: [[UInt8]] = []
        for (index, size) in sizes.enumerated() {
            if points.contains(index) { recipe.points.append(.init(reference: index, hasher)) }
            let bytes = generator.bytes(size)
            hasher.update(bytes.span)
            recipe.pieces.append(.init(id: ObjectID(of: bytes.span), size: size))
            recipe.size += size
            pieces.append(bytes)
        }
        return Sample(id: hasher.finalize(), recipe: recipe, pieces: pieces)
    }

    /// Reads pieces from memory and records its calls.
    private struct Reader: SpanReader {
        let runs: [DigestSpan]
        let pieces: [[UInt8]]
        var wanted: Set<Int> = []
        var unreadable: Set<Int> = []
        var taken: [Int: ObjectID] = [:]
        var reached: [Int: Bool] = [:]
        var position = 0

        mutating func next() -> Int? {
            guard position < runs.count else { return nil }
            defer { position += 1 }
            return position
        }

        func digest(of run: Int) -> DigestSpan { runs[run] }

        func read(_ piece: Int, of run: inout Int) -> SpanPiece? {
            unreadable.contains(piece)
                ? nil : SpanPiece(bytes: pieces[piece], wantsID: wanted.contains(piece))
        }

        mutating func take(_ id: ObjectID, ofPiece piece: Int, in run: Int) { taken[piece] = id }

        mutating func finish(_ run: Int, isReached: Bool) { reached[run] = isReached }
    }

    private static let sizes = [1, 63, 64, 65, 1000, 127, 128, 4096, 3, 700]

    @Test(
        "every span of a sound object is reached, wherever its points are",
        arguments: [[], [1], [9], [1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 8], [5, 6, 7]])
    func sound(points: [Int]) {
        let sample = Self.sample(Self.sizes, points: points)
        let runs = DigestSpan.spans(of: sample.id, sample.recipe)
        #expect(runs.count == points.count + 1)
        for wanted in [[], [0, 4, 9], Set(0..<10)] as [Set<Int>] {
            var reader = Reader(runs: runs, pieces: sample.pieces, wanted: wanted)
            reader.verifyAll()
            #expect(reader.reached.count == runs.count && reader.reached.values.allSatisfy(\.self))
            #expect(Set(reader.taken.keys) == wanted)
            #expect(reader.taken.allSatisfy { sample.recipe.pieces[$0].id == $1 })
        }
    }

    @Test("a changed byte makes exactly its own span unreachable")
    func damaged() {
        let sample = Self.sample(Self.sizes, points: [2, 4, 5, 8])
        let runs = DigestSpan.spans(of: sample.id, sample.recipe)
        for piece in Self.sizes.indices {
            for offset in [0, Self.sizes[piece] / 2, Self.sizes[piece] - 1] {
                var pieces = sample.pieces
                pieces[piece][offset] ^= 0x10
                var reader = Reader(runs: runs, pieces: pieces)
                reader.verifyAll()
                for (number, run) in runs.enumerated() {
                    #expect(reader.reached[number] == !run.pieces.contains(piece))
                }
            }
        }
    }

    @Test("a changed point is never reached, and nothing is concluded from it")
    func changedPoint() {
        var sample = Self.sample(Self.sizes, points: [2, 4, 5, 8])
        let changes: [(inout PackFooter.DigestPoint) -> Void] = [
            { $0.words[7] ^= 1 }, { $0.rest[0] ^= 1 }, { $0.rest[63] ^= 1 },
        ]
        for change in changes {
            let point = sample.recipe.points[1]
            change(&sample.recipe.points[1])
            let runs = DigestSpan.spans(of: sample.id, sample.recipe)
            var reader = Reader(runs: runs, pieces: sample.pieces)
            reader.verifyAll()
            #expect(reader.reached[1] == false)
            #expect(reader.reached[0] == true && reader.reached[3] == true)
            sample.recipe.points[1] = point
        }
    }

    @Test("only spans with unreadable pieces are given up")
    func unreadable() {
        let sample = Self.sample(Self.sizes, points: [2, 4, 5, 8])
        let runs = DigestSpan.spans(of: sample.id, sample.recipe)
        var reader = Reader(runs: runs, pieces: sample.pieces, unreadable: [0, 5])
        reader.verifyAll()
        #expect(reader.reached == [1: true, 2: true, 4: true])
    }

    @Test("imported objects have points, each with the right digest")
    func imported() throws {
        var repository = TestRepository()
        var generator = SeededGenerator(seed: 6)
        let bytes = generator.bytes(13 << 20)
        let id = ObjectID(of: bytes.span)
        _ = try repository.commit { try $0.importBytes(of: BytesBlob(bytes)) }
        let store = repository.store
        guard case .recipe(let pack, let index)? = try store.locateObject(id) else {
            Issue.record("a large object has a recipe")
            return
        }
        let recipe = try pack.recipe(at: index)
        #expect(recipe.points.count == 3)
        for run in DigestSpan.spans(of: id, recipe) {
            var hasher = ObjectHasher()
            hasher.update(bytes.span.extracting(0..<run.offset))
            #expect(hasher == run.start)
        }
        #expect(store.audit(full: true).isEmpty)
    }
}
