import Artifacts
import Objects
import TestSupport
import Testing

@Suite("Search of vectors")
struct VectorSearchTests {
    /// Compares every row, and sorts all results.
    private func byComparison(
        _ count: Int, _ query: [Float], _ values: [Float]
    ) -> [VectorMatch] {
        let dimension = query.count
        let all = (0..<values.count / dimension).map { row in
            VectorMatch(
                row: row,
                similarity: DotProduct.of(query.span, row: row * dimension, in: values.span))
        }
        return Array(all.sorted(by: >).prefix(count))
    }

    private func check(
        _ values: [Float], _ query: [Float], _ comment: Comment, counts: [Int] = [1, 10],
        threads: [Int] = [1, 2, 5]
    ) throws {
        let search = VectorSearch(dimension: query.count, values: values, threads: 2)
        for count in counts {
            let expected = byComparison(count, query, values)
            for threads in threads {
                let found = try search.nearest(count, to: query, threads: threads)
                #expect(found == expected, comment)
                // Numeric equality treats -0 as 0.
                let bits = { (matches: [VectorMatch]) in matches.map(\.similarity.bitPattern) }
                #expect(bits(found) == bits(expected), comment)
            }
        }
    }

    @Test("the nearest rows are those that a full comparison finds", arguments: VectorKind.allCases)
    func exact(kind: VectorKind) throws {
        for (dimension, rows) in [(1, 40), (5, 300), (24, 5000), (64, 700), (100, 900)] {
            var random = SeededGenerator(seed: UInt64(dimension))
            let values = kind.vectors(rows, dimension: dimension, &random)
            for _ in 0..<3 {
                let query = kind.vectors(1, dimension: dimension, &random)
                try check(values, query, "\(kind), \(dimension) numbers")
            }
            let row = rows / 3 * dimension
            try check(values, Array(values[row..<row + dimension]), "\(kind), a row as the query")
        }
    }

    @Test("any number of matches can be requested", arguments: [0, 1, 2, 4999, 5000, 9000])
    func counts(count: Int) throws {
        var random = SeededGenerator(seed: 8)
        let values = VectorKind.clustered.vectors(5000, dimension: 16, &random)
        let query = VectorKind.clustered.vectors(1, dimension: 16, &random)
        try check(values, query, "\(count) matches", counts: [count])
    }

    @Test("queries for which no bound helps find the same rows")
    func hardQueries() throws {
        var random = SeededGenerator(seed: 4)
        let values = VectorKind.mixed.vectors(2000, dimension: 16, &random)
        for number: Float in [
            0, -0.0, .nan, .infinity, .greatestFiniteMagnitude, 0x1p-149, 0x1p-120, 0x1p62, 0x1p63,
        ] {
            var query = VectorKind.random.vectors(1, dimension: 16, &random)
            try check(values, [Float](repeating: number, count: 16), "all numbers \(number)")
            query[3] = number
            try check(values, query, "one number \(number)")
        }
    }

    @Test("a batch of queries finds what each query finds alone", arguments: [1, 2, 5])
    func batches(threads: Int) throws {
        var random = SeededGenerator(seed: 6)
        let values = VectorKind.mixed.vectors(3000, dimension: 16, &random)
        let search = VectorSearch(dimension: 16, values: values)
        let queries = (0..<70).map {
            VectorKind.allCases[$0 % 8].vectors(1, dimension: 16, &random)
        }
        let found = try search.nearest(7, to: queries, threads: threads)
        #expect(found == queries.map { byComparison(7, $0, values) })
        #expect(try search.nearest(7, to: [[Float]](), threads: threads).isEmpty)
        #expect(try search.nearest(0, to: queries, threads: threads).allSatisfy(\.isEmpty))
    }

    @Test("equal rows are ordered by index, and NaN comes last")
    func ties() throws {
        var values: [Float] = []
        for value: Float in [1, .nan, 2, 2, 1, 2] {
            values += [Float](repeating: value, count: 8)
        }
        let search = VectorSearch(dimension: 8, values: values)
        let query = [Float](repeating: 1, count: 8)
        #expect(try search.nearest(9, to: query, threads: 2).map(\.row) == [2, 3, 5, 0, 4, 1])
        #expect(try search.nearest(2, to: query, threads: 2).map(\.row) == [2, 3])
        #expect(try search.nearest(0, to: query, threads: 2).isEmpty)
        #expect(
            try VectorSearch(dimension: 8, values: []).nearest(3, to: query, threads: 2).isEmpty)
    }
}

@Suite("Approximate search of vectors")
struct ApproximateSearchTests {
    @Test("results are ranked exactly with any number of threads", arguments: [1, 10, 300])
    func ranking(count: Int) throws {
        var random = SeededGenerator(seed: 21)
        let values = VectorKind.clustered.vectors(9000, dimension: 32, &random)
        let query = Array(values[320..<352])
        let search = VectorSearch(dimension: 32, values: values)
        let approximate = ApproximateSearch(search, ranked: 200)
        let found = try approximate.nearest(count, to: query, threads: 1)
        #expect(found.count == count)
        #expect(found[0] == (try search.nearest(1, to: query))[0])
        #expect(found == found.sorted(by: >))
        for match in found { #expect(match == (try search.match(match.row, to: query))) }
        #expect(try approximate.nearest(count, to: query, threads: 2) == found)
        #expect(try approximate.nearest(count, to: query, threads: 7) == found)
    }

    @Test("ranking every row finds what exact search finds", arguments: VectorKind.allCases)
    func everyRow(kind: VectorKind) throws {
        var random = SeededGenerator(seed: 22)
        let values = kind.vectors(500, dimension: 20, &random)
        let search = VectorSearch(dimension: 20, values: values)
        let approximate = ApproximateSearch(search, ranked: 500)
        let queries = try approximate.sample(5)
        #expect(queries[0].count == 20 && queries.count == 5)
        #expect(try approximate.recall(10, of: queries) == 1)
        #expect(
            try approximate.nearest(10, to: queries[1]) == search.nearest(10, to: queries[1]))
    }

    @Test("the measured recall is the fraction that is found")
    func recall() throws {
        // Rows of equal length in the plane: those of one quadrant have the same signs, so the lowest of them are
        // ranked, which are the worst.
        let values = (0..<100).flatMap { row -> [Float] in [1, 1 + Float(row)] }
        let search = VectorSearch(dimension: 2, values: values)
        let approximate = ApproximateSearch(search, ranked: 20)
        #expect(try approximate.recall(10, of: [[1, 1]]) == 0)
        #expect(try approximate.recall(25, of: [[1, 1]]) == 0)
        #expect(try approximate.recall(90, of: [[1, 1]]) == 80.0 / 90)
        #expect(try approximate.recall(10, of: []) == 1)
        #expect(try ApproximateSearch(VectorSearch(dimension: 2, values: [])).sample(3).isEmpty)
    }

    @Test(
        "a search widens until it finds enough of a sample, and gives up when widening gains nothing"
    )
    func widening() throws {
        // The best rows of the quadrant are ranked last, so only ranking all rows finds them.
        let quadrant = (0..<100).flatMap { row -> [Float] in [1, 1 + Float(row)] }
        let hopeless = ApproximateSearch(VectorSearch(dimension: 2, values: quadrant), ranked: 3)
        #expect(try hopeless.widened(for: 10, of: [[1, 1]]) == nil)
        var random = SeededGenerator(seed: 23)
        let values = VectorKind.random.vectors(4000, dimension: 128, &random)
        let narrow = ApproximateSearch(VectorSearch(dimension: 128, values: values), ranked: 5)
        let queries = try narrow.sample(8)
        #expect(try narrow.recall(5, of: queries) < ApproximateSearch.leastRecall)
        let (wide, recall) = try #require(try narrow.widened(for: 5, of: queries))
        #expect(recall >= ApproximateSearch.leastRecall && wide.ranked <= 1000)
        #expect(try wide.recall(5, of: queries) == recall)
        #expect(try wide.widened(for: 5, of: queries)?.search.ranked == wide.ranked)
        #expect(try narrow.widened(for: 5, of: [])?.recall == 1)
    }
}

/// Difficult rows of several kinds.
enum VectorKind: CaseIterable {
    case random, clustered, duplicated, ascending, zero, tiny, huge, mixed

    func vectors(_ rows: Int, dimension: Int, _ random: inout SeededGenerator) -> [Float] {
        func number() -> Float { Float(random.unit()) * 2 - 1 }
        func row() -> [Float] { (0..<dimension).map { _ in number() } }
        switch self {
        case .random: return (0..<rows).flatMap { _ in row() }
        case .clustered:
            // Unit vectors, like embeddings, many closer to each other than their codes can distinguish.
            let centres = (0..<20).map { _ in row() }
            return (0..<rows).flatMap { index in
                let spread = Float(index % 3) * 0.02
                let sum = zip(centres[index % 20], row()).map { $0 + spread * $1 }
                let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return sum.map { $0 / max(length, 0x1p-20) }
            }
        case .duplicated:
            let few = (0..<3).map { _ in row() }
            return (0..<rows).flatMap { _ in few[Int(random.next() % 3)] }
        case .ascending:
            let one = row()
            return (0..<rows).flatMap { index in one.map { $0 * Float(index + 1) } }
        case .zero: return [Float](repeating: 0, count: rows * dimension)
        case .tiny: return (0..<rows).flatMap { _ in row().map { $0 * 0x1p-135 } }
        case .huge: return (0..<rows).flatMap { _ in row().map { $0 * 0x1.8p127 } }
        case .mixed:
            return (0..<rows).flatMap { index in
                let factors: [Float] = [1, 1, 1, 0x1p-60, 0x1p-140, 0x1p60, 0x1p100, 0]
                var row = row().map { $0 * factors[index % 8] }
                if index % 37 == 0 { row[index % dimension] = .nan }
                if index % 53 == 0 { row[index % dimension] = -.infinity }
                return row
            }
        }
    }
}
