/// A stretch of a large object that can be verified by itself: from one digest point, or the beginning, to the
/// next, or the end.
///
/// When every run of an object arrives where the next one starts, and the last at the identity, the bytes are
/// the object's: SHA-256 of the whole was computed, only not in order.
package struct DigestSpan: Sendable {
    /// Where a digest must have come after the last piece.
    private enum End {
        case point(ObjectHasher)
        case whole(ObjectID)
    }

    /// The places of the pieces in their recipe.
    package let pieces: Range<Int>
    /// The digest before the first piece.
    let start: ObjectHasher
    private let end: End

    private init(pieces: Range<Int>, start: ObjectHasher, end: End) {
        self.pieces = pieces
        self.start = start
        self.end = end
    }

    /// Nothing, which is reached by nothing.
    static let none = DigestSpan(
        pieces: 0..<0, start: ObjectHasher(), end: .point(ObjectHasher()))

    /// A piece that is the whole of what its identity says.
    package init(piece id: ObjectID) {
        self.init(pieces: 0..<1, start: ObjectHasher(), end: .whole(id))
    }

    /// Where in the object the first piece begins.
    var offset: Int { start.count }

    /// Whether a digest that began at ``start`` has come where it must after the last piece.
    func isReached(by hasher: ObjectHasher) -> Bool {
        switch end {
        case .point(let point): hasher == point
        case .whole(let id): hasher.finalize() == id
        }
    }

    /// The runs of an object, in order; one when its recipe has no points.
    package static func runs(of id: ObjectID, _ recipe: PackFooter.Recipe) -> [DigestSpan] {
        var runs: [DigestSpan] = []
        var first = 0
        var start = ObjectHasher()
        for point in recipe.points {
            let size = recipe.pieces[first..<point.reference].reduce(0) { $0 + $1.size }
            let next = ObjectHasher(
                words: point.words, rest: point.rest, count: start.count + size)
            runs.append(
                DigestSpan(pieces: first..<point.reference, start: start, end: .point(next)))
            (first, start) = (point.reference, next)
        }
        runs.append(
            DigestSpan(pieces: first..<recipe.pieces.count, start: start, end: .whole(id)))
        return runs
    }
}
