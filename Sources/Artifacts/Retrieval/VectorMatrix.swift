internal import Objects

/// Vectors of one space, one per row, in one piece of memory.
public struct VectorMatrix: Sendable {
    /// A row and its inner product with a query.
    public struct Match: Hashable, Sendable {
        /// The index of the row.
        public let row: Int
        /// The inner product; the cosine where vectors have length 1.
        public let similarity: Float

        /// Makes a match.
        public init(row: Int, similarity: Float) {
            self.row = row
            self.similarity = similarity
        }

        /// Whether this match comes before another: the greater similarity, then the lower row.
        public func precedes(_ other: Match) -> Bool {
            similarity != other.similarity ? similarity > other.similarity : row < other.row
        }
    }

    /// The count of numbers in a row.
    public let dimension: Int
    /// The numbers, row by row.
    public private(set) var values: [Float] = []

    // One lock and one short list of matches per block: large enough that neither shows in a profile.
    private static let blockRows = 4096

    /// Makes an empty matrix with room for `capacity` rows.
    public init(dimension: Int, capacity: Int = 0) {
        precondition(dimension > 0, "a vector has at least one number")
        self.dimension = dimension
        values.reserveCapacity(dimension * capacity)
    }

    /// Takes over the numbers of whole rows.
    public init(dimension: Int, values: [Float]) {
        precondition(dimension > 0, "a vector has at least one number")
        precondition(values.count.isMultiple(of: dimension), "rows are whole")
        self.dimension = dimension
        self.values = values
    }

    /// The number of rows.
    public var rows: Int { values.count / dimension }

    /// Adds a row of ``dimension`` numbers.
    public mutating func append(_ vector: [Float]) {
        precondition(vector.count == dimension, "every row has the matrix's dimension")
        values.append(contentsOf: vector)
    }

    /// The inner product of a row and a query.
    public func similarity(row: Int, to query: [Float]) -> Float {
        Self.ordered(DotProduct.of(query.span, row: row * dimension, in: values.span))
    }

    /// The `count` rows that are most similar to a query, best first, by exact comparison with all rows.
    ///
    /// The result is the same, bit for bit, for any number of threads.
    public func nearest(_ count: Int, to query: [Float], threads: Int) -> [Match] {
        precondition(query.count == dimension, "the query has the matrix's dimension")
        guard count > 0, rows > 0 else { return [] }
        let blocks = (rows + Self.blockRows - 1) / Self.blockRows
        let best = Threads.map(blocks, threads: threads) { block in
            let first = block * Self.blockRows
            return nearest(count, to: query, in: first..<min(first + Self.blockRows, rows))
        }
        return Array(best.joined().sorted { $0.precedes($1) }.prefix(count))
    }

    private func nearest(_ count: Int, to query: [Float], in range: Range<Int>) -> [Match] {
        let matrix = values.span
        let vector = query.span
        var matches: [Match] = []
        matches.reserveCapacity(count * 2)
        // Matches gather until there are twice as many as needed; then the worse half goes.
        var bound = -Float.infinity
        for row in range {
            let similarity = Self.ordered(
                DotProduct.of(vector, row: row * dimension, in: matrix))
            guard similarity >= bound else { continue }
            matches.append(Match(row: row, similarity: similarity))
            if matches.count >= count * 2 {
                matches.sort { $0.precedes($1) }
                matches.removeSubrange(count...)
                bound = matches[count - 1].similarity
            }
        }
        matches.sort { $0.precedes($1) }
        return Array(matches.prefix(count))
    }

    /// Gives what is no number a place in the order: the last.
    private static func ordered(_ similarity: Float) -> Float {
        similarity.isNaN ? -.infinity : similarity
    }
}
