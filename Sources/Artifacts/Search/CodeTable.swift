internal import Objects

/// The codes of all vectors of a table, in blocks that versions of the table share.
///
/// A block has the codes of consecutive leaves, about ``blockRows`` rows. Where a later version of the table has the
/// same leaves in the same order, it uses the same block; around a changed leaf, it copies the codes of the other
/// leaves of the block into new ones. So a version costs the blocks with changes, and no block becomes small over time.
struct CodeTable: Sendable {
    fileprivate struct Part: Sendable {
        let codes: CodeBlock
        let firstRow: Int
        /// The leaves, by their indices in the table; empty for vectors that are not in a table.
        let leaves: Range<Int>
    }

    /// The codes of an earlier version of the table, and the leaves in common.
    struct Earlier: Sendable {
        let codes: CodeTable
        let leaves: SharedLeaves

        /// Copies the codes of an earlier leaf.
        func copy(_ leaf: Int, rows: Int, to block: CodeBlock, at row: Int) {
            let start = leaves.earlierFirstRows[leaf]
            for piece in codes.pieces(of: start..<start + rows) {
                block.set(at: row + piece.first - start, from: piece.codes, piece.rows)
            }
        }

        /// The part whose first leaf is a leaf of the new version and whose other leaves follow it there.
        fileprivate func part(at leaf: Int) -> Part? {
            guard let old = leaves.indices[leaf], let part = codes.part(beginningWith: old)
            else { return nil }
            let range = leaf..<leaf + part.leaves.count
            guard range.upperBound <= leaves.indices.count,
                leaves.are(range, equalTo: part.leaves)
            else { return nil }
            return part
        }
    }

    /// The leaves of a part to make, and its codes where an earlier version has them.
    private struct PlannedPart: Sendable {
        let leaves: Range<Int>
        let same: CodeBlock?

        func part(
            of vectors: TableVectors, sharing earlier: Earlier?
        ) throws(ObjectError) -> Part {
            let first = vectors.firstRows[leaves.lowerBound]
            if let same { return Part(codes: same, firstRow: first, leaves: leaves) }
            let count = leaves.reduce(0) { $0 + vectors.blocks[$1].rows }
            let codes = CodeBlock(rows: count, dimension: vectors.table.dimension)
            for leaf in leaves {
                let (block, row) = (vectors.blocks[leaf], vectors.firstRows[leaf] - first)
                if let earlier, let old = earlier.leaves.indices[leaf] {
                    earlier.copy(old, rows: block.rows, to: codes, at: row)
                } else {
                    let stored = try block.codes()
                    codes.set(at: row, count: block.rows, stored: stored.span.bytes)
                }
            }
            return Part(codes: codes, firstRow: first, leaves: leaves)
        }
    }

    /// Some rows of one block.
    struct Piece {
        let codes: CodeBlock
        /// The rows, by their indices in the block.
        let rows: Range<Int>
        /// The index in the table of the first of them.
        let first: Int
    }

    /// The number of vectors.
    let rows: Int
    /// The number of components of a vector.
    let dimension: Int
    private let parts: [Part]

    /// About the number of rows of a block: their codes fit the L2 cache, and most changes of a table leave most blocks
    /// as they were.
    private static let blockRows = 256

    /// Computes the codes of a row-major matrix.
    init(dimension: Int, values: [Float], threads: Int) {
        let rows = values.count / dimension
        (self.rows, self.dimension) = (rows, dimension)
        let size = 16 * Self.blockRows
        parts = Threads.map((rows + size - 1) / size, threads: threads) { index in
            let range = index * size..<min((index + 1) * size, rows)
            let codes = CodeBlock(rows: range.count, dimension: dimension)
            let numbers = range.lowerBound * dimension..<range.upperBound * dimension
            codes.set(at: 0, vectors: values.span.extracting(numbers).bytes)
            return Part(codes: codes, firstRow: range.lowerBound, leaves: 0..<0)
        }
    }

    /// Copies the codes of a table's leaves, or shares them with an earlier version.
    ///
    /// - Throws: `corrupt` when codes do not match their vectors; rethrows read errors.
    init(
        _ vectors: TableVectors, sharing earlier: Earlier?,
        threads: Int
    ) throws(ObjectError) {
        rows = vectors.table.rows
        dimension = vectors.table.dimension
        parts = try Threads.map(Self.plan(vectors, earlier), threads: threads) {
            (planned) throws(ObjectError) -> Part in
            try planned.part(of: vectors, sharing: earlier)
        }
    }

    /// The leaves of each block, and the earlier block where it is the same.
    private static func plan(
        _ vectors: TableVectors, _ earlier: Earlier?
    ) -> [PlannedPart] {
        var plan: [PlannedPart] = []
        var (start, index) = (0, 0)
        while index < vectors.blocks.count {
            if let part = earlier?.part(at: index) {
                plan += divided(start..<index, of: vectors).map {
                    PlannedPart(leaves: $0, same: nil)
                }
                plan.append(
                    PlannedPart(leaves: index..<index + part.leaves.count, same: part.codes))
                index += part.leaves.count
                start = index
            } else {
                index += 1
            }
        }
        return plan + divided(start..<index, of: vectors).map { PlannedPart(leaves: $0, same: nil) }
    }

    /// Divides leaves into blocks of about equal size.
    private static func divided(_ leaves: Range<Int>, of vectors: TableVectors) -> [Range<Int>] {
        let rows = leaves.reduce(0) { $0 + vectors.blocks[$1].rows }
        let size = rows / max(1, (rows + blockRows / 2) / blockRows)
        var blocks: [Range<Int>] = []
        var (start, count) = (leaves.lowerBound, 0)
        for leaf in leaves {
            count += vectors.blocks[leaf].rows
            guard count >= size || leaf + 1 == leaves.upperBound else { continue }
            blocks.append(start..<leaf + 1)
            (start, count) = (leaf + 1, 0)
        }
        return blocks
    }

    /// The part whose first leaf has an index in the table.
    fileprivate func part(beginningWith leaf: Int) -> Part? {
        let index = parts.binarySearch { $0.leaves.lowerBound < leaf }
        guard index < parts.count, parts[index].leaves.lowerBound == leaf else { return nil }
        return parts[index]
    }
}

extension CodeTable {
    /// The pieces that make up consecutive rows, in order; none has more than twice ``blockRows`` rows.
    func pieces(of rows: Range<Int>) -> [Piece] {
        var pieces: [Piece] = []
        var index = parts.binarySearch { $0.firstRow <= rows.lowerBound } - 1
        var row = rows.lowerBound
        while row < rows.upperBound {
            let part = parts[index]
            let end = min(rows.upperBound, part.firstRow + part.codes.rows)
            for start in stride(from: row, to: end, by: 2 * Self.blockRows) {
                let last = min(start + 2 * Self.blockRows, end)
                pieces.append(
                    Piece(
                        codes: part.codes, rows: start - part.firstRow..<last - part.firstRow,
                        first: start))
            }
            row = max(row, end)
            index += 1
        }
        return pieces
    }

    /// The signs of rows, as ``CodeBlock/signs(_:)`` returns them.
    func signs(_ rows: Range<Int>) -> [UInt64] {
        pieces(of: rows).flatMap { $0.codes.signs($0.rows) }
    }
}

/// One thread's share of a search; it scans the codes of rows group by group, in ascending order.
struct CodeScan {
    private let query: CodeBlock
    private let bound: ProductBound
    private var products: [Int32] = []
    private var selected: [UInt32] = []
    private var survivors: [ExactSearch.Survivor] = []
    private var bounds: Greatest<Double>
    private var limit = 4096

    init(by query: CodeBlock, bound: ProductBound, count: Int) {
        self.query = query
        self.bound = bound
        bounds = Greatest(count: count)
    }

    /// The product that `count` scanned rows are known to reach; minus infinity before that many are scanned.
    var least: Double { bounds.least ?? -.infinity }

    /// Adds rows above all rows so far.
    ///
    /// - Parameters:
    ///   - piece: The rows.
    ///   - proven: The product that `count` rows, anywhere in the table, are known to reach.
    mutating func add(_ piece: CodeTable.Piece, proven: Double) {
        let (codes, range) = (piece.codes, piece.rows)
        if products.count < range.count {
            products = [Int32](repeating: 0, count: range.count)
            selected = [UInt32](repeating: 0, count: range.count)
        }
        codes.multiply(range, by: query, into: &products)
        // A row that only equals an earlier row ranks after it, but the rows behind `proven` may come later than this
        // one.
        let threshold = max(least, proven.nextDown)
        let kept = codes.select(
            range, products, bound: bound, above: threshold, into: &selected)
        for place in 0..<kept {
            let offset = Int(selected[place])
            add(
                codes, range.lowerBound + offset, product: products[offset],
                of: piece.first + offset)
        }
        if survivors.count > limit {
            let threshold = max(least, proven).nextDown
            survivors.removeAll { $0.upper <= threshold }
            limit = max(limit, 2 * survivors.count)
        }
    }

    private mutating func add(_ codes: CodeBlock, _ place: Int, product: Int32, of row: Int) {
        let centre = bound.centre(product, scale: codes.scale(place))
        let radius = bound.radius(norm: codes.norm(place), residual: codes.residual(place))
        let upper = centre + radius
        survivors.append(
            ExactSearch.Survivor(row: row, upper: upper.isNaN ? .infinity : upper))
        bounds.add(centre - radius)
    }

    func finish() -> (survivors: [ExactSearch.Survivor], bounds: Greatest<Double>) {
        (survivors, bounds)
    }
}
