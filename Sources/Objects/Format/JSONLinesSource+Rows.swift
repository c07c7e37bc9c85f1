extension JSONLinesSource {
    /// What the blocks so far have in common.
    struct Progress {
        var lines = 0
        var dimension: Int?
    }

    /// Takes the next block: checks it against those before it, and gives its rows with their lines.
    func rows(
        of block: Block, after progress: inout Progress
    ) throws(ObjectError) -> RowBlock {
        if let dimension = block.dimension {
            if let before = progress.dimension, before != dimension {
                throw invalid(
                    mismatch(dimension, after: before), line: progress.lines + block.firstLine)
            }
            progress.dimension = dimension
        }
        if let failure = block.failure {
            throw invalid(failure.reason, line: progress.lines + failure.line)
        }
        var rows = block.rows
        rows.addToLines(progress.lines)
        progress.lines += block.lines
        return rows
    }

    /// Reads and checks every line and keeps none; that no key is repeated is not checked.
    ///
    /// - Returns: The number of rows.
    /// - Throws: `invalid` with the first line that is no row.
    public func countRows(threads: Int = Threads.available) throws(ObjectError) -> Int {
        var count = 0
        try forEachBlock(threads: threads) { count += $0.rows.count }
        return count
    }

    /// All rows, in any order; of a repeated key, in the order of their lines.
    ///
    /// - Throws: `invalid` with the first line that is no row.
    public func rows(threads: Int = Threads.available) throws(ObjectError) -> [TableRow] {
        var rows: [TableRow] = []
        try forEachBlock(threads: threads) { (block) throws(ObjectError) in
            for index in block.rows.indices { rows.append(try block.encoded(index).decoded()) }
        }
        return rows
    }

    private func forEachBlock(
        threads: Int, _ body: (RowBlock) throws(ObjectError) -> Void
    ) throws(ObjectError) {
        var progress = Progress()
        for start in stride(from: 0, to: blockCount, by: 8 * threads) {
            let count = min(8 * threads, blockCount - start)
            let results = Threads.map(count, threads: threads) { index in
                Result { () throws(ObjectError) in try block(start + index) }
            }
            for result in results { try body(try rows(of: try result.get(), after: &progress)) }
        }
    }
}
