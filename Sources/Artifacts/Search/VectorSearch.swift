public import Objects

/// Searchable vectors of one space: their codes are copied into memory, and the vectors stay where they are.
public struct VectorSearch: Sendable {
    /// The number of components of a vector.
    public var dimension: Int { codes.dimension }
    /// The number of vectors.
    public var rows: Int { codes.rows }

    let codes: CodeTable
    let vectors: any VectorRows

    private init(codes: CodeTable, vectors: any VectorRows) {
        self.codes = codes
        self.vectors = vectors
    }

    /// Computes the codes of a row-major matrix, and keeps the matrix.
    public init(dimension: Int, values: [Float], threads: Int = Threads.available) {
        precondition(dimension > 0, "a vector has at least one number")
        precondition(values.count.isMultiple(of: dimension), "the values form complete rows")
        let codes = CodeTable(dimension: dimension, values: values, threads: threads)
        self.init(codes: codes, vectors: MatrixRows(dimension: dimension, values: values))
    }

    /// The `count` rows most similar to a query, best first.
    ///
    /// The result matches a comparison with all rows bit for bit: the greatest inner products as ``DotProduct``
    /// computes them, ties in row order, NaN last. It does not depend on the number of threads.
    ///
    /// - Parameter set: The rows to search; nil for all. Other rows do not affect the result.
    /// - Throws: Errors of reading vectors; none for vectors in memory.
    public func nearest(
        _ count: Int, to query: [Float], among set: RowSet? = nil, threads: Int = Threads.available
    ) throws(ObjectError) -> [VectorMatch] {
        try nearest(count, to: [query], among: set, threads: threads)[0]
    }

    /// Searches for several queries at once, with the same results as one search each.
    ///
    /// Faster than searching one by one: codes read once serve several queries.
    ///
    /// - Throws: Errors of reading vectors; none for vectors in memory.
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

    /// The number of queries to run together: their working data fits the L2 cache.
    private static let batch = 32

    /// Scores one row against a query.
    ///
    /// - Throws: Errors of reading the vector.
    public func match(_ row: Int, to query: [Float]) throws(ObjectError) -> VectorMatch {
        precondition(query.count == dimension, "the query has the vectors' dimension")
        return VectorMatch(row: row, similarity: try vectors.product(row, with: query))
    }

    /// Copies a vector.
    ///
    /// - Throws: Errors of reading it.
    public func vector(_ row: Int) throws(ObjectError) -> [Float] { try vectors.vector(row) }
}

/// A row and its inner product with a query; the greater of two matches ranks first.
public struct VectorMatch: Hashable, Comparable, Sendable {
    /// The index of the row.
    public let row: Int
    /// The inner product; the cosine where both vectors have length 1.
    public let similarity: Float

    /// Makes a match; NaN becomes minus infinity, which sorts last.
    public init(row: Int, similarity: Float) {
        self.row = row
        self.similarity = similarity.isNaN ? -.infinity : similarity
    }

    /// Whether this match ranks after another: it is less similar, or as similar and in a later row.
    public static func < (left: VectorMatch, right: VectorMatch) -> Bool {
        left.similarity != right.similarity
            ? left.similarity < right.similarity : left.row > right.row
    }
}

extension VectorSearch {
    /// Makes the vectors of a table searchable in place.
    ///
    /// Copies their codes, and reads a vector only when its codes do not exclude it. Verifies
    /// codes and vectors to the extent that `vectors` was opened with verification.
    ///
    /// - Throws: `corrupt` when codes do not match their vectors; rethrows read errors.
    public init(
        _ vectors: TableVectors, threads: Int = Threads.available
    ) throws(ObjectError) {
        try self.init(vectors, cache: RowCaches().vectors, sharing: nil, threads: threads)
    }

    /// Makes the vectors of a table searchable in place, with a cache of those that it compares.
    ///
    /// - Parameter earlier: An earlier version to share codes with.
    init(
        _ vectors: TableVectors, cache: SharedCache<LeafRow, [Float]>,
        sharing earlier: CodeTable.Earlier?, threads: Int
    ) throws(ObjectError) {
        self.init(
            codes: try CodeTable(vectors, sharing: earlier, threads: threads),
            vectors: TableVectorRows(vectors: vectors, cache: cache))
    }

    /// Opens the vectors of a table for search: reads its inner nodes and its codes.
    ///
    /// - Parameter verified: The record of leaves that were already verified.
    /// - Throws: `invalid` when the table has no vectors; `corrupt` when a leaf does not match its identity, or codes
    ///   do not match their vectors; rethrows read errors.
    public static func open(
        _ table: Table, in source: some ObjectSource, verified: VerifiedLeaves,
        threads: Int = Threads.available
    ) throws(ObjectError) -> VectorSearch {
        guard table.dimension > 0 else {
            throw .invalid(what: "the table", reason: "its rows have no vectors")
        }
        return try VectorSearch(
            try TableVectors(table, in: source, verified: verified, threads: threads),
            threads: threads)
    }
}

/// Vectors in the leaves of a table.
///
/// A leaf's vectors are verified whenever they are read, which takes longer than to compare one of them. So vectors
/// that were compared stay in a cache.
private struct TableVectorRows: VectorRows {
    let vectors: TableVectors
    let cache: SharedCache<LeafRow, [Float]>

    func product(_ row: Int, with query: [Float]) throws(ObjectError) -> Float {
        let vector = try vector(row)
        return DotProduct.of(query.span, row: 0, in: vector.span)
    }

    func vector(_ row: Int) throws(ObjectError) -> [Float] {
        let (block, place) = vectors.position(of: row)
        let key = LeafRow(leaf: vectors.blocks[block].leaf, place: place)
        if let known = cache[key] { return known }
        let dimension = vectors.table.dimension
        let vector = try vectors.blocks[block].withVectors { numbers in
            (place * dimension..<(place + 1) * dimension).map { numbers[$0] }
        }
        cache.insert(key, vector, bytes: 4 * dimension + 160)
        return vector
    }
}

/// Read access to stored vectors.
protocol VectorRows: Sendable {
    /// The inner product of a vector and a query, as ``DotProduct`` computes it.
    ///
    /// - Throws: Errors of reading the vector.
    func product(_ row: Int, with query: [Float]) throws(ObjectError) -> Float
    /// Copies a vector.
    func vector(_ row: Int) throws(ObjectError) -> [Float]
}

/// Vectors in one row-major array.
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
