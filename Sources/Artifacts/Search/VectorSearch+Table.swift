public import Objects

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
