internal import Objects
internal import Synchronization

/// An exact search for one query: codes exclude rows that cannot be among the best, and the vectors rank the rest.
///
/// A row is excluded only when the upper bound on its product does not exceed the lower bounds of `count` other rows,
/// so no result is ever lost; see ``ProductBound``.
struct ExactSearch: Sendable {
    /// A row that may be among the best, and an upper bound on its product.
    struct Survivor: Sendable {
        let row: Int
        let upper: Double
    }

    let search: VectorSearch
    let query: [Float]
    let count: Int
    /// The codes of the query.
    let coded: CodeBlock
    private let bound: ProductBound

    init(of search: VectorSearch, query: [Float], count: Int) {
        self.search = search
        self.query = query
        self.count = count
        coded = CodeBlock(rows: 1, dimension: query.count)
        coded.set(at: 0, vectors: query.span.bytes)
        bound = ProductBound(
            dimension: query.count, scale: coded.scale(0), residual: coded.residual(0),
            norm: coded.norm(0))
    }

    /// The best rows for each of some queries on the same vectors.
    static func run(
        _ searches: [ExactSearch], among rows: RowSet, threads: Int
    ) throws(ObjectError) -> [[VectorMatch]] {
        let survivors = survivors(of: searches, among: rows, threads: threads)
        if searches.count == 1 { return [try searches[0].best(of: survivors[0], threads: threads)] }
        return try Threads.mapAll(searches.count, threads: threads) {
            (index) throws(ObjectError) in
            try searches[index].best(of: survivors[index], threads: 1)
        }
    }
}

extension ExactSearch {
    /// The number of rows that a thread takes at a time.
    private static let part = 4096
    /// The rows that no bound excludes, unordered, for each of some queries on the same vectors.
    private static func survivors(
        of searches: [ExactSearch], among set: RowSet, threads: Int
    ) -> [[Survivor]] {
        let rows = searches.first?.search.rows ?? 0
        let parts = (rows + part - 1) / part
        // A bound that one thread proves excludes rows in the others, too.
        let proven = Mutex([Double](repeating: -.infinity, count: searches.count))
        let next = Atomic(0)
        let workers = min(max(threads, 1), parts)
        let found = Threads.map(workers, threads: workers) { _ in
            var scans = searches.map { $0.scan() }
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < parts else { return scans.map { $0.finish() } }
                let known = proven.withLock { $0 }
                let end = min((index + 1) * part, rows)
                for rows in set.ranges(within: index * part..<end) {
                    // The codes of a piece stay in the L2 cache for the next query.
                    for piece in searches[0].search.codes.pieces(of: rows) {
                        for query in scans.indices { scans[query].add(piece, proven: known[query]) }
                    }
                }
                proven.withLock { proven in
                    for query in scans.indices {
                        proven[query] = max(proven[query], scans[query].least)
                    }
                }
            }
        }
        return searches.indices.map { query in
            var bounds = Greatest<Double>(count: searches[query].count)
            for part in found { for bound in part[query].bounds.elements { bounds.add(bound) } }
            let least = bounds.least ?? -.infinity
            return found.flatMap { part in part[query].survivors.filter { !($0.upper < least) } }
        }
    }

    private func scan() -> CodeScan {
        CodeScan(by: coded, bound: bound, count: count)
    }

    /// The rows of an ascending list that no bound excludes.
    func survivors(among rows: [Int]) -> [Survivor] {
        var scan = scan()
        for row in rows {
            for piece in search.codes.pieces(of: row..<row + 1) {
                scan.add(piece, proven: -.infinity)
            }
        }
        return scan.finish().survivors
    }
}

extension ExactSearch {
    /// The number of survivors whose products are computed together.
    private static let batch = 512

    /// The best of the survivors, ranked by the exact products of their vectors.
    func best(
        of survivors: [Survivor], threads: Int
    ) throws(ObjectError) -> [VectorMatch] {
        // Few rows are compared in any order. Of many, the most promising come first, so that most of the others need
        // not be read.
        let sorted =
            survivors.count <= 2 * count
            ? survivors
            : survivors.sorted {
                $0.upper != $1.upper ? $0.upper > $1.upper : $0.row < $1.row
            }
        var best = Greatest<VectorMatch>(count: count)
        let first = min(sorted.count, count + Self.batch)
        try add(sorted[..<first], to: &best)
        let floor = best.floor
        let rest = sorted[first...].filter { !($0.upper < floor) }
        let batches = (rest.count + Self.batch - 1) / Self.batch
        let found = try Threads.mapAll(batches, threads: threads) { (index) throws(ObjectError) in
            var best = Greatest<VectorMatch>(count: count)
            let end = min((index + 1) * Self.batch, rest.count)
            try add(rest[index * Self.batch..<end], to: &best)
            return best.elements
        }
        for match in found.joined() { best.add(match) }
        return best.sorted()
    }

    private func add(
        _ survivors: ArraySlice<Survivor>, to best: inout Greatest<VectorMatch>
    ) throws(ObjectError) {
        for survivor in survivors where !(survivor.upper < best.floor) {
            best.add(try search.match(survivor.row, to: query))
        }
    }
}

extension Greatest<VectorMatch> {
    /// A match below this cannot be among the best; a match equal to it may be, depending on its row.
    fileprivate var floor: Double { least.map { Double($0.similarity) } ?? -.infinity }
}

/// Bounds how far the inner product of a query and a vector can be from the product of their codes.
///
/// With q = s_q c_q + e_q and v = s_v c_v + e_v,
///
///     q.v - s_q s_v (c_q.c_v) = e_q.v + (s_q c_q).e_v,
///
/// and by Cauchy-Schwarz its absolute value is at most |e_q| |v| + |s_q c_q| |e_v|, where |s_q c_q| <= |q| + |e_q|.
/// ``DotProduct`` rounds each product and passes it through at most n/8 + 11 rounded additions, so with u = 2^-24 and m
/// = n/8 + 12 its result is within m u / (1 - m u) |q| |v| of q.v, plus 2^-150 for each product that is subnormal
/// (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1). Codes exclude vectors so large that a
/// sum could overflow. A margin of 2^-48 covers the fp64 arithmetic of the bound itself.
struct ProductBound: Hashable, Sendable {
    /// The factor of a vector's scale times the product of the codes.
    let scale: Double
    /// The factor of a vector's norm.
    let norm: Double
    /// The factor of a vector's residual.
    let residual: Double
    /// A constant added to the bound.
    let rest: Double

    /// The bound for a query, from true bounds of the query's own codes.
    init(dimension: Int, scale: Double, residual: Double, norm: Double) {
        let steps = Double(dimension / 8 + 12) * 0x1p-24
        let length = norm + residual
        self.scale = scale
        self.norm = residual + steps / (1 - steps) * norm + length * 0x1p-48
        self.residual = length * (1 + 0x1p-48)
        rest = Double(dimension) * 0x1p-149
    }

    /// The scaled product of the codes.
    func centre(_ product: Int32, scale: Double) -> Double {
        Double(product) * (scale * self.scale)
    }

    /// The greatest distance of the rounded product from the centre.
    func radius(norm: Double, residual: Double) -> Double {
        (norm * self.norm + residual * self.residual) + rest
    }
}
