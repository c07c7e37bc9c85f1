public import Objects
internal import Synchronization

/// Approximate search: it skips rows whose signs differ much from the query's, and so may miss some of the best.
///
/// It reads one bit of each component, and ranks the remaining rows exactly. How many of the best rows it misses
/// depends on the data, so measure ``recall(_:of:threads:)``.
public struct ApproximateSearch: Sendable {
    /// The vectors to search.
    public let vectors: VectorSearch
    /// The number of rows to rank: more rows give a higher recall.
    public private(set) var ranked: Int

    private static let part = 4096
    /// The signs of the codes, in blocks of ``part`` rows.
    private let signs: [[UInt64]]

    /// Derives the signs of all vectors from their codes.
    public init(_ vectors: VectorSearch, ranked: Int = 2000, threads: Int = Threads.available) {
        precondition(ranked > 0, "at least one row is ranked")
        self.vectors = vectors
        self.ranked = ranked
        let codes = vectors.codes
        let parts = (codes.rows + Self.part - 1) / Self.part
        signs = Threads.map(parts, threads: threads) { index in
            codes.signs(index * Self.part..<min((index + 1) * Self.part, codes.rows))
        }
    }

    /// The least recall at which an approximate search may replace an exact one.
    public static let leastRecall = 0.95

    /// The search, widened until it reaches ``leastRecall`` on some queries; nil when a search that wide would cost
    /// more than an exact one.
    ///
    /// - Parameter set: The rows to search; nil for all.
    /// - Throws: Errors of reading vectors.
    public func widened(
        for count: Int, of queries: [[Float]], among set: RowSet? = nil,
        threads: Int = Threads.available
    ) throws(ObjectError) -> (search: ApproximateSearch, recall: Double)? {
        let best = try vectors.nearest(count, to: queries, among: set, threads: threads)
        var search = self
        while true {
            let recall = try search.recall(of: best, queries, among: set, threads: threads)
            if recall >= Self.leastRecall { return (search, recall) }
            search.ranked *= 2
            // Reading a row's vector costs as much as reading the codes of many rows.
            guard search.ranked <= (set?.count ?? vectors.rows) / 4 else { return nil }
        }
    }

    /// Rows that are very similar to a query, best first.
    ///
    /// Ranks the rows whose signs differ least from the query's: ``ranked`` of them, or `count` if that is more. The
    /// result does not depend on the number of threads.
    ///
    /// - Parameter set: The rows to search; nil for all.
    /// - Throws: Errors of reading vectors.
    public func nearest(
        _ count: Int, to query: [Float], among set: RowSet? = nil, threads: Int = Threads.available
    ) throws(ObjectError) -> [VectorMatch] {
        precondition(query.count == vectors.dimension, "the query has the vectors' dimension")
        if let set, set.count <= max(ranked, count) {
            // An approximate search would rank all of them anyway.
            return try vectors.nearest(count, to: query, among: set, threads: threads)
        }
        let count = min(count, vectors.rows)
        guard count > 0 else { return [] }
        let search = ExactSearch(of: vectors, query: query, count: count)
        let rows = candidates(max(ranked, count), search.coded, among: set, threads: threads)
        return try search.best(of: search.survivors(among: rows), threads: threads)
    }

    /// The rows whose signs differ least, in ascending order.
    private func candidates(
        _ count: Int, _ query: CodeBlock, among set: RowSet?, threads: Int
    ) -> [Int] {
        let querySigns = query.signs(0..<1)
        let next = Atomic(0)
        let workers = min(max(threads, 1), signs.count)
        let found = Threads.map(workers, threads: workers) { _ in
            var nearest = NearestSigns(count: count, greatest: query.stride)
            var distances = [UInt32](repeating: 0, count: Self.part)
            var selected = distances
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < signs.count else { return nearest.candidates }
                let rows = min(Self.part, vectors.rows - index * Self.part)
                let bounds = index * Self.part..<index * Self.part + rows
                var sought = set.map { RowWalk($0.ranges(within: bounds)) }
                if sought?.isAtEnd ?? false { continue }
                let kept = SignKernels.select(
                    signs[index], rows: rows, query: querySigns, limit: nearest.limit,
                    distances: &distances, into: &selected)
                for place in 0..<kept {
                    let offset = Int(selected[place])
                    let distance = distances[offset]
                    let row = index * Self.part + offset
                    guard Int(distance) <= nearest.limit, sought?.reaches(row) ?? true else {
                        continue
                    }
                    nearest.add(.init(distance: distance, row: row))
                }
            }
        }
        return NearestSigns.rows(Array(found.joined()), count: count)
    }
}

extension ApproximateSearch {
    /// The mean share of some queries' best rows that this search finds.
    ///
    /// - Throws: Errors of reading vectors.
    public func recall(
        _ count: Int, of queries: [[Float]], threads: Int = Threads.available
    ) throws(ObjectError) -> Double {
        try recall(
            of: try vectors.nearest(count, to: queries, threads: threads), queries,
            threads: threads)
    }

    /// The share of some queries' best rows that this search finds.
    private func recall(
        of best: [[VectorMatch]], _ queries: [[Float]], among set: RowSet? = nil, threads: Int
    ) throws(ObjectError) -> Double {
        var sought = 0
        var found = 0
        for (query, best) in zip(queries, best) {
            let rows = Set(
                try nearest(best.count, to: query, among: set, threads: threads).map(\.row))
            sought += best.count
            found += best.count { rows.contains($0.row) }
        }
        return sought == 0 ? 1 : Double(found) / Double(sought)
    }

    /// Evenly spaced vectors of the table, for measuring ``recall(_:of:threads:)``.
    ///
    /// - Throws: Errors of reading vectors.
    public func sample(_ count: Int) throws(ObjectError) -> [[Float]] {
        let rows = vectors.rows
        let count = min(count, rows)
        return try (0..<count).map { (index) throws(ObjectError) in
            try vectors.vector((2 * index + 1) * rows / (2 * count))
        }
    }
}

/// Collects the rows whose signs differ least from a query's.
struct NearestSigns: Sendable {
    /// A row, and the number of its signs that differ from the query's.
    struct Candidate: Sendable {
        let distance: UInt32
        let row: Int
    }

    private let count: Int
    private(set) var candidates: [Candidate] = []
    /// The number of candidates at each distance, and the number of candidates within the limit.
    private var histogram: [Int]
    private var within = 0
    /// The greatest sign distance that can still be among the nearest.
    private(set) var limit: Int

    init(count: Int, greatest: Int) {
        self.count = count
        limit = greatest
        histogram = [Int](repeating: 0, count: greatest + 1)
    }

    /// Adds a row whose distance is within the limit.
    mutating func add(_ candidate: Candidate) {
        candidates.append(candidate)
        histogram[Int(candidate.distance)] += 1
        within += 1
        // Lowers the limit as long as enough rows lie strictly below it.
        while limit > 0, within - histogram[limit] >= count {
            within -= histogram[limit]
            limit -= 1
        }
        if candidates.count > 4 * count + 1024 {
            candidates.removeAll { Int($0.distance) > limit }
        }
    }

    /// The nearest rows in ascending order; on equal distances, lower rows win.
    static func rows(_ candidates: [Candidate], count: Int) -> [Int] {
        let nearest = candidates.sorted {
            $0.distance != $1.distance ? $0.distance < $1.distance : $0.row < $1.row
        }
        return nearest.prefix(count).map(\.row).sorted()
    }
}
