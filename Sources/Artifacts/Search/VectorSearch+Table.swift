public import Objects

extension VectorSearch {
    /// Searches the vectors of a table where they lie: their codes are copied to one piece of memory, a vector is
    /// read, and verified, when its codes do not exclude it.
    ///
    /// - Parameter vectors: Must have been opened with codes.
    public init(_ vectors: TableVectors, threads: Int = Threads.available) {
        let codes = CodeBlock(rows: vectors.table.rows, dimension: vectors.table.dimension)
        let blocks = vectors.blocks
        // Handing out work costs more than copying one leaf's codes.
        let group = 32
        _ = Threads.map((blocks.count + group - 1) / group, threads: threads) { index in
            for block in index * group..<min((index + 1) * group, blocks.count) {
                blocks[block].withCodes { stored in
                    codes.set(
                        at: vectors.firstRows[block], count: blocks[block].rows,
                        stored: stored.bytes)
                }
            }
        }
        self.init(codes: codes, vectors: TableVectorRows(vectors: vectors))
    }

    /// Opens the vectors of a table for search: reads its inner nodes and its codes.
    ///
    /// - Throws: `invalid` when the table has no vectors; what reading nodes throws; `corrupt` when codes are
    ///   damaged.
    public init(
        _ table: Table, in source: some ObjectSource, threads: Int = Threads.available
    ) throws(ObjectError) {
        guard table.dimension > 0 else {
            throw .invalid(what: "the table", reason: "its rows have no vectors")
        }
        self.init(
            try TableVectors(table, in: source, codes: true, threads: threads), threads: threads)
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
