/// A span of a large object that one thread can verify: from one digest point to the next, where the beginning and the
/// end of the object count as points.
///
/// If the digest of every span ends in the state in which the next span starts, and the last at the identity, the bytes
/// are those of the object: the SHA-256 of the whole was computed, though not in order.
package struct DigestSpan: Sendable {
    /// The required state of the digest after the last piece.
    private enum End {
        case point(ObjectHasher)
        case whole(ObjectID)
    }

    /// The indexes of the pieces in their recipe.
    package let pieces: Range<Int>
    /// The digest before the first piece.
    let start: ObjectHasher
    private let end: End

    /// A span of one piece that is verified against its own identity.
    package static func piece(_ id: ObjectID) -> DigestSpan {
        DigestSpan(pieces: 0..<1, start: ObjectHasher(), end: .whole(id))
    }

    /// The offset of the first piece in the object.
    var offset: Int { start.count }

    /// Whether a digest that began in the state ``start`` is in the required state after the last piece.
    func isReached(by hasher: ObjectHasher) -> Bool {
        switch end {
        case .point(let point): hasher == point
        case .whole(let id): hasher.finalize() == id
        }
    }

    /// The spans of an object, in order; a single one when the recipe has no points.
    package static func spans(of id: ObjectID, _ recipe: PackFooter.Recipe) -> [DigestSpan] {
        var spans: [DigestSpan] = []
        var first = 0
        var start = ObjectHasher()
        for point in recipe.points {
            let size = recipe.pieces[first..<point.reference].reduce(0) { $0 + $1.size }
            let next = ObjectHasher(
                words: point.words, rest: point.rest, count: start.count + size)
            spans.append(
                DigestSpan(pieces: first..<point.reference, start: start, end: .point(next)))
            (first, start) = (point.reference, next)
        }
        spans.append(
            DigestSpan(pieces: first..<recipe.pieces.count, start: start, end: .whole(id)))
        return spans
    }
}

/// Reads the spans that one thread verifies.
package protocol SpanReader {
    /// A span, with the state of reading it.
    associatedtype Span

    /// The next span that no thread has taken; nil in this and every later call when none is left.
    mutating func next() -> Span?

    /// The pieces and digests of a span.
    func digest(of span: Span) -> DigestSpan

    /// Reads a piece of a span; returns nil when that fails, which abandons the span.
    mutating func read(_ piece: Int, of span: inout Span) -> SpanPiece?

    /// Receives the identity of a piece whose ``SpanPiece/wantsID`` is true.
    mutating func take(_ id: ObjectID, ofPiece piece: Int, in span: Span)

    /// Called when all of a span was read; `isReached` tells whether its digest is right.
    mutating func finish(_ span: Span, isReached: Bool)
}

/// The bytes of a piece, not yet verified.
package struct SpanPiece {
    let bytes: [UInt8]
    /// Whether to compute the identity of the piece too, besides the digest of the whole.
    let wantsID: Bool

    package init(bytes: [UInt8], wantsID: Bool) {
        self.bytes = bytes
        self.wantsID = wantsID
    }
}

extension SpanReader {
    /// Reads and verifies spans until there are none left.
    ///
    /// Computes two digests at a time, which costs little more than one: those of two spans, or those of a span and of
    /// its current piece.
    package mutating func verifyAll() {
        var first = DigestLane<Self>()
        var second = DigestLane<Self>()
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
                    DigestLane.digest(&first, &second)
                }
            }
        }
    }
}

/// One of the two digests that a thread computes.
private struct DigestLane<Reader: SpanReader> {
    private var span: Reader.Span?
    private var goal: DigestSpan?
    private var hasher = ObjectHasher()
    private var nextPiece = 0
    private var bytes: [UInt8] = []
    private var offset = 0
    private(set) var wantsID = false

    /// Reads until there are bytes to digest; returns false when there is no span left.
    mutating func advance(_ reader: inout Reader) -> Bool {
        while offset == bytes.count {
            guard var span, let goal else {
                guard let next = reader.next() else { return false }
                let goal = reader.digest(of: next)
                (self.span, self.goal) = (next, goal)
                (hasher, nextPiece) = (goal.start, goal.pieces.lowerBound)
                continue
            }
            guard nextPiece < goal.pieces.upperBound else {
                reader.finish(span, isReached: goal.isReached(by: hasher))
                self.span = nil
                continue
            }
            guard let piece = reader.read(nextPiece, of: &span) else {
                self.span = nil
                continue
            }
            self.span = span
            (bytes, offset, wantsID) = (piece.bytes, 0, piece.wantsID)
            nextPiece += 1
        }
        return true
    }

    /// Digests the current bytes, and computes the identity of the piece if it is wanted.
    mutating func digest(_ reader: inout Reader) {
        let bytes = bytes
        if wantsID, let span {
            var own = ObjectHasher()
            ObjectHasher.update(&hasher, bytes.span, &own, bytes.span)
            reader.take(own.finalize(), ofPiece: nextPiece - 1, in: span)
            wantsID = false
        } else {
            hasher.update(bytes.span.extracting(offset..<bytes.count))
        }
        offset = bytes.count
    }

    /// Digests as many of the current bytes as both lanes have.
    static func digest(_ first: inout DigestLane, _ second: inout DigestLane) {
        let (left, right) = (first.bytes, second.bytes)
        let count = min(left.count - first.offset, right.count - second.offset)
        ObjectHasher.update(
            &first.hasher, left.span.extracting(first.offset..<first.offset + count),
            &second.hasher, right.span.extracting(second.offset..<second.offset + count))
        first.offset += count
        second.offset += count
    }
}
