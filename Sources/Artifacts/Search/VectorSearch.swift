public import Objects

/// Vectors of one space, ready to be searched: their codes in one piece of memory, the vectors themselves
/// where they lie.
public struct VectorSearch: Sendable {
    /// The count of numbers in a vector.
    public var dimension: Int { codes.dimension }
    /// The number of vectors.
    public var rows: Int { codes.rows }

    let codes: CodeBlock
    let vectors: any VectorRows

    init(codes: CodeBlock, vectors: any VectorRows) {
        self.codes = codes
        self.vectors = vectors
    }

    /// Codes the vectors of a row-major matrix, and keeps the matrix.
    public init(dimension: Int, values: [Float], threads: Int = Threads.available) {
        precondition(dimension > 0, "a vector has at least one number")
        precondition(values.count.isMultiple(of: dimension), "rows are whole")
        let rows = values.count / dimension
        let codes = CodeBlock(rows: rows, dimension: dimension)
        let part = 4096
        _ = Threads.map((rows + part - 1) / part, threads: threads) { index in
            let end = min((index + 1) * part, rows)
            let range = index * part * dimension..<end * dimension
            codes.set(at: index * part, vectors: values.span.extracting(range).bytes)
        }
        self.init(codes: codes, vectors: MatrixRows(dimension: dimension, values: values))
    }

    /// The `count` rows that are most similar to a query, best first.
    ///
    /// The result is that of a comparison with all rows, bit for bit: the greatest inner products as
    /// ``DotProduct`` computes them, equal ones by row, what is no number last. It is the same for any number
    /// of threads.
    ///
    /// - Parameter set: The rows to look among; nil for all. What is found is what a table of these rows alone would give.
    /// - Throws: What reading vectors throws: nothing where they are in memory.
    public func nearest(
        _ count: Int, to query: [Float], among set: RowSet? = nil, threads: Int = Threads.available
    ) throws(ObjectError) -> [VectorMatch] {
        try nearest(count, to: [query], among: set, threads: threads)[0]
    }

    /// What the search for one query finds, for each of some queries.
    ///
    /// Faster than one query after another: what is read of the codes serves several of them.
    ///
    /// - Throws: What reading vectors throws: nothing where they are in memory.
    public func nearest(
        _ count: Int, to queries: [[Float]], among set: RowSet? = nil,
        threads: Int = Threads.available
    ) throws(ObjectError) -> [[VectorMatch]] {
        precondition(
            queries.allSatisfy { $0.count == dimension }, "queries have the vectors' dimension")
        let set = set ?? RowSet(all: rows)
        let count = min(count, set.count)
        guard count > 0 else { return queries.map { _ in [] } }
        var found: [[VectorMatch]] = []
        found.reserveCapacity(queries.count)
        while found.count < queries.count {
            let next = queries[found.count..<min(found.count + Self.batch, queries.count)]
            let searches = next.map { ExactSearch(of: self, query: $0, count: count) }
            found += try ExactSearch.run(searches, among: set, threads: threads)
        }
        return found
    }

    /// Queries at a time: what each of them needs stays in the second cache too.
    private static let batch = 32

    /// A row as a match of a query.
    ///
    /// - Throws: What reading the vector throws.
    public func match(_ row: Int, to query: [Float]) throws(ObjectError) -> VectorMatch {
        precondition(query.count == dimension, "the query has the vectors' dimension")
        return VectorMatch(row: row, similarity: try vectors.product(row, with: query))
    }

    /// A copy of a vector.
    ///
    /// - Throws: What reading it throws.
    public func vector(_ row: Int) throws(ObjectError) -> [Float] { try vectors.vector(row) }
}

/// A row and its inner product with a query.
public struct VectorMatch: Hashable, Sendable {
    /// The index of the row.
    public let row: Int
    /// The inner product; the cosine where vectors have length 1.
    public let similarity: Float

    /// Makes a match; what is no number gets a place in the order: the last.
    public init(row: Int, similarity: Float) {
        self.row = row
        self.similarity = similarity.isNaN ? -.infinity : similarity
    }

    /// Whether this match comes before another: the greater similarity, then the lower row.
    public func precedes(_ other: VectorMatch) -> Bool {
        similarity != other.similarity ? similarity > other.similarity : row < other.row
    }
}

extension VectorSearch {
    /// Searches the vectors of a table where they lie: their codes are copied to one piece of memory, a vector is
    /// read when its codes do not exclude it; both are verified as far as the vectors were opened for that.
    ///
    /// - Throws: `corrupt` when codes are not those of their vectors.
    public init(
        _ vectors: TableVectors, threads: Int = Threads.available
    ) throws(ObjectError) {
        let codes = CodeBlock(rows: vectors.table.rows, dimension: vectors.table.dimension)
        let blocks = vectors.blocks
        // Handing out work costs more than copying one leaf's codes.
        let group = 32
        let groups = Array(0..<(blocks.count + group - 1) / group)
        _ = try Threads.map(groups, threads: threads) { (index) throws(ObjectError) in
            for block in index * group..<min((index + 1) * group, blocks.count) {
                let stored = try blocks[block].codes()
                codes.set(
                    at: vectors.firstRows[block], count: blocks[block].rows,
                    stored: stored.span.bytes)
            }
        }
        self.init(codes: codes, vectors: TableVectorRows(vectors: vectors))
    }

    /// Opens the vectors of a table for search: reads its inner nodes and its codes.
    ///
    /// - Parameter verified: What verified leaves are.
    /// - Throws: `invalid` when the table has no vectors; what reading nodes throws; `corrupt` when a leaf is not what its
    ///   identity says, or codes are not those of their vectors.
    public init(
        _ table: Table, in source: some ObjectSource, verified: VerifiedLeaves,
        threads: Int = Threads.available
    ) throws(ObjectError) {
        guard table.dimension > 0 else {
            throw .invalid(what: "the table", reason: "its rows have no vectors")
        }
        try self.init(
            try TableVectors(table, in: source, verified: verified, threads: threads),
            threads: threads)
    }
}

/// Vectors in the leaves of a table.
private struct TableVectorRows: VectorRows {
    let vectors: TableVectors

    func product(_ row: Int, with query: [Float]) throws(ObjectError) -> Float {
        let (block, place) = vectors.position(of: row)
        return try vectors.blocks[block].withVectors { numbers in
            DotProduct.of(query.span, row: place * query.count, in: numbers)
        }
    }

    func vector(_ row: Int) throws(ObjectError) -> [Float] {
        let (block, place) = vectors.position(of: row)
        let dimension = vectors.table.dimension
        return try vectors.blocks[block].withVectors { numbers in
            (place * dimension..<(place + 1) * dimension).map { numbers[$0] }
        }
    }
}

/// Vectors where they lie.
protocol VectorRows: Sendable {
    /// The inner product of a vector and a query, as ``DotProduct`` computes it.
    ///
    /// - Throws: What reading it throws.
    func product(_ row: Int, with query: [Float]) throws(ObjectError) -> Float
    /// A copy of a vector.
    func vector(_ row: Int) throws(ObjectError) -> [Float]
}

/// Vectors in one array, row by row.
struct MatrixRows: VectorRows {
    let dimension: Int
    let values: [Float]

    func product(_ row: Int, with query: [Float]) -> Float {
        DotProduct.of(query.span, row: row * dimension, in: values.span)
    }

    func vector(_ row: Int) -> [Float] {
        Array(values[row * dimension..<(row + 1) * dimension])
    }
}
