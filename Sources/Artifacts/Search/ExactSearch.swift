internal import Objects
internal import Synchronization

/// One exact search: codes exclude rows that cannot be among the best, the vectors of the others decide.
///
/// A row is excluded when the greatest product that its codes allow is not above the least products that
/// the codes of as many other rows prove, so nothing is ever lost; see ``ProductBound``.
struct ExactSearch: Sendable {
    /// A row that may be among the best, and what its product cannot exceed.
    struct Survivor: Sendable {
        let row: Int
        let upper: Double
    }

    let search: VectorSearch
    let query: [Float]
    let count: Int
    /// The query's codes.
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

    func run(threads: Int) throws(ObjectError) -> [VectorMatch] {
        try best(of: survivors(threads: threads), threads: threads)
    }
}

extension ExactSearch {
    /// Rows that a thread takes at a time.
    private static let part = 4096
    /// Rows whose products are computed together: they and their bounds stay in the nearest cache.
    private static let group = 256

    /// The rows that no bound excludes, in no order.
    func survivors(threads: Int) -> [Survivor] {
        let codes = search.codes
        let parts = (codes.rows + Self.part - 1) / Self.part
        // What one thread has proven excludes rows in the others too.
        let proven = Atomic(Self.key(-.infinity))
        let next = Atomic(0)
        let workers = min(max(threads, 1), parts)
        let found = Threads.map(workers, threads: workers) { _ in
            var scan = CodeScan(codes, by: coded, bound: bound, count: count)
            while true {
                let part = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard part < parts else { return scan.finish() }
                var first = part * Self.part
                let end = min(first + Self.part, codes.rows)
                while first < end {
                    let known = Self.value(proven.load(ordering: .relaxed))
                    scan.add(first..<min(first + Self.group, end), proven: known)
                    first += Self.group
                }
                proven.max(Self.key(scan.least), ordering: .relaxed)
            }
        }
        var bounds = GreatestBounds(count: count)
        for part in found { for value in part.bounds.values { bounds.add(value) } }
        let least = bounds.least
        return found.flatMap { part in part.survivors.filter { !($0.upper < least) } }
    }

    /// Those of some rows, ascending, that no bound excludes.
    func survivors(among rows: [Int]) -> [Survivor] {
        var scan = CodeScan(search.codes, by: coded, bound: bound, count: count)
        for row in rows { scan.add(row..<row + 1, proven: -.infinity) }
        return scan.finish().survivors
    }

    /// Integers in the order of numbers.
    private static func key(_ value: Double) -> UInt64 {
        let bits = value.bitPattern
        return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
    }

    private static func value(_ key: UInt64) -> Double {
        Double(bitPattern: key >> 63 == 1 ? key & ~(1 << 63) : ~key)
    }
}

extension ExactSearch {
    /// Survivors whose products are computed together.
    private static let batch = 512

    /// The best of the survivors, by their vectors.
    func best(
        of survivors: [Survivor], threads: Int
    ) throws(ObjectError) -> [VectorMatch] {
        // The most promising first: most of the others then need not be read.
        let sorted = survivors.sorted {
            $0.upper != $1.upper ? $0.upper > $1.upper : $0.row < $1.row
        }
        var best = BestMatches(count: count)
        let first = min(sorted.count, count + Self.batch)
        try add(sorted[..<first], to: &best)
        best.cut()
        let floor = Double(best.floor)
        let rest = sorted[first...].filter { !($0.upper < floor) }
        let batches = (rest.count + Self.batch - 1) / Self.batch
        let found = Threads.map(batches, threads: threads) { index in
            Result { () throws(ObjectError) in
                var best = BestMatches(count: count)
                let end = min((index + 1) * Self.batch, rest.count)
                try add(rest[index * Self.batch..<end], to: &best)
                return best.finish()
            }
        }
        for matches in found {
            for match in try matches.get() { best.add(match) }
        }
        return best.finish()
    }

    private func add(
        _ survivors: ArraySlice<Survivor>, to best: inout BestMatches
    ) throws(ObjectError) {
        for survivor in survivors where !(survivor.upper < Double(best.floor)) {
            best.add(try search.match(survivor.row, to: query))
        }
    }
}
