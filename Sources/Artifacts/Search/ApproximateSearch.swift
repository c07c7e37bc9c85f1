public import Objects
internal import Synchronization

/// Search that reads one bit of each number: rows whose signs differ much from the query's are left out, and so
/// some of the best may be missed.
///
/// What it finds is ranked exactly. How much it misses depends on the data, so it is measured:
/// ``recall(_:of:threads:)``.
public struct ApproximateSearch: Sendable {
    /// What is searched.
    public let vectors: VectorSearch
    /// How many rows are ranked: the more, the less is missed.
    public private(set) var ranked: Int

    private static let part = 4096
    /// The signs of the codes, ``part`` rows at a time.
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

    /// The recall below which an approximate search must not replace an exact one.
    public static let leastRecall = 0.95

    /// The same search, widened until it finds ``leastRecall`` of the best rows of some queries; nil when ranking as
    /// many rows as that takes would cost more than comparing all.
    ///
    /// - Parameter set: The rows to look among; nil for all.
    /// - Throws: What reading vectors throws.
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
            // A row whose vector is read costs as much as many whose codes are.
            guard search.ranked <= (set?.count ?? vectors.rows) / 4 else { return nil }
        }
    }

    /// Rows that are very similar to a query, best first: the best of the ``ranked`` whose signs differ
    /// least from the query's. The same for any number of threads.
    ///
    /// - Parameter set: The rows to look among; nil for all.
    /// - Throws: What reading vectors throws.
    public func nearest(
        _ count: Int, to query: [Float], among set: RowSet? = nil, threads: Int = Threads.available
    ) throws(ObjectError) -> [VectorMatch] {
        precondition(query.count == vectors.dimension, "the query has the vectors' dimension")
        if let set, set.count <= max(ranked, count) {
            // All of them would be ranked.
            return try vectors.nearest(count, to: query, among: set, threads: threads)
        }
        let count = min(count, vectors.rows)
        guard count > 0 else { return [] }
        let search = ExactSearch(of: vectors, query: query, count: count)
        let rows = candidates(max(ranked, count), search.coded, among: set, threads: threads)
        return try search.best(of: search.survivors(among: rows), threads: threads)
    }

    /// The rows whose signs differ least, ascending.
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
    /// The part of the best rows that this search finds, the mean over some queries.
    ///
    /// - Throws: What reading vectors throws.
    public func recall(
        _ count: Int, of queries: [[Float]], threads: Int = Threads.available
    ) throws(ObjectError) -> Double {
        try recall(
            of: try vectors.nearest(count, to: queries, threads: threads), queries,
            threads: threads)
    }

    /// The part of some queries' best rows that this search finds.
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

    /// Vectors of some rows, evenly spread, to measure ``recall(_:of:threads:)`` with.
    ///
    /// - Throws: What reading vectors throws.
    public func sample(_ count: Int) throws(ObjectError) -> [[Float]] {
        let rows = vectors.rows
        let count = min(count, rows)
        return try (0..<count).map { (index) throws(ObjectError) in
            try vectors.vector((2 * index + 1) * rows / (2 * count))
        }
    }
}

/// Gathers the rows whose signs differ least from a query's.
struct NearestSigns: Sendable {
    /// A row, and in how many signs it differs.
    struct Candidate: Sendable {
        let distance: UInt32
        let row: Int
    }

    private let count: Int
    private(set) var candidates: [Candidate] = []
    /// How many of the candidates have each distance, and how many have one that is not above the limit.
    private var histogram: [Int]
    private var within = 0
    /// Rows that differ in more signs are not among those sought.
    private(set) var limit: Int

    init(count: Int, greatest: Int) {
        self.count = count
        limit = greatest
        histogram = [Int](repeating: 0, count: greatest + 1)
    }

    /// Adds a row whose distance is not above the limit.
    mutating func add(_ candidate: Candidate) {
        candidates.append(candidate)
        histogram[Int(candidate.distance)] += 1
        within += 1
        // Without the rows at the limit there are still enough: the limit falls.
        while limit > 0, within - histogram[limit] >= count {
            within -= histogram[limit]
            limit -= 1
        }
        if candidates.count > 4 * count + 1024 {
            candidates.removeAll { Int($0.distance) > limit }
        }
    }

    /// The rows sought, ascending: of those that differ in equally many signs the lower ones.
    static func rows(_ candidates: [Candidate], count: Int) -> [Int] {
        let nearest = candidates.sorted {
            $0.distance != $1.distance ? $0.distance < $1.distance : $0.row < $1.row
        }
        return nearest.prefix(count).map(\.row).sorted()
    }
}
