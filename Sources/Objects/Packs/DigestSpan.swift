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

/// What one thread reads in order to verify it, run by run.
package protocol SpanReader {
    /// A run, with what the reader needs to know to read it.
    associatedtype Run

    /// The next run of those that no thread has taken; nil when there is none, however often it is asked for.
    mutating func next() -> Run?

    /// What is verified of a run.
    func digest(of run: Run) -> DigestSpan

    /// The bytes of a piece of a run; nil when they cannot be read, and then the run is given up.
    mutating func read(_ piece: Int, of run: inout Run) -> SpanPiece?

    /// Takes the identity of a piece for which it was wanted.
    mutating func take(_ id: ObjectID, ofPiece piece: Int, in run: Run)

    /// Takes notice that all of a run was read: whether it arrived where it must.
    mutating func finish(_ run: Run, isReached: Bool)
}

/// The bytes of a piece, not yet verified.
package struct SpanPiece {
    let bytes: [UInt8]
    /// Whether the piece's own identity is wanted, beside its part in the digest of the whole.
    let wantsID: Bool

    package init(bytes: [UInt8], wantsID: Bool) {
        self.bytes = bytes
        self.wantsID = wantsID
    }
}

extension SpanReader {
    /// Reads and verifies runs until there are none.
    ///
    /// Two digests are always under way, because they cost little more together than one: those of two runs, or
    /// that of a run and that of the piece at hand.
    package mutating func verifyAll() {
        var first = RunLane<Self>()
        var second = RunLane<Self>()
        while true {
            switch (first.advance(&self), second.advance(&self)) {
            case (false, false): return
            case (true, false): first.digest(&self)
            case (false, true): second.digest(&self)
            case (true, true):
                if first.wantsID {
                    first.digest(&self)
                } else if second.wantsID {
                    second.digest(&self)
                } else {
                    RunLane.digest(&first, &second)
                }
            }
        }
    }
}

/// One of the digests that a thread has under way.
private struct RunLane<Reader: SpanReader> {
    private var run: Reader.Run?
    private var goal = DigestSpan.none
    private var hasher = ObjectHasher()
    private var nextPiece = 0
    private var bytes: [UInt8] = []
    private var offset = 0
    private(set) var wantsID = false

    /// Goes on until there are bytes to digest; false when there is no run left.
    mutating func advance(_ reader: inout Reader) -> Bool {
        while offset == bytes.count {
            guard var run else {
                guard let next = reader.next() else { return false }
                run = next
                goal = reader.digest(of: next)
                hasher = goal.start
                nextPiece = goal.pieces.lowerBound
                continue
            }
            guard nextPiece < goal.pieces.upperBound else {
                reader.finish(run, isReached: goal.isReached(by: hasher))
                self.run = nil
                continue
            }
            guard let piece = reader.read(nextPiece, of: &run) else {
                self.run = nil
                continue
            }
            self.run = run
            (bytes, offset, wantsID) = (piece.bytes, 0, piece.wantsID)
            nextPiece += 1
        }
        return true
    }

    /// Digests the bytes at hand, and the piece that they are when its identity is wanted.
    mutating func digest(_ reader: inout Reader) {
        let bytes = bytes
        if wantsID, let run {
            var own = ObjectHasher()
            ObjectHasher.update(&hasher, bytes.span, &own, bytes.span)
            reader.take(own.finalize(), ofPiece: nextPiece - 1, in: run)
            wantsID = false
        } else {
            hasher.update(bytes.span.extracting(offset..<bytes.count))
        }
        offset = bytes.count
    }

    /// Digests as many of the bytes at hand as both have.
    static func digest(_ first: inout RunLane, _ second: inout RunLane) {
        let (left, right) = (first.bytes, second.bytes)
        let count = min(left.count - first.offset, right.count - second.offset)
        ObjectHasher.update(
            &first.hasher, left.span.extracting(first.offset..<first.offset + count),
            &second.hasher, right.span.extracting(second.offset..<second.offset + count))
        first.offset += count
        second.offset += count
    }
}
