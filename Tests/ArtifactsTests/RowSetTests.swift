@testable import Conditions
import Objects
import Storage
import TestSupport
import Testing

@testable import Artifacts

@Suite("Search among some of the rows")
struct RowSetTests {
    /// Row sets of typical shapes: ranges, single rows, one end, none, all.
    private static func sets(of rows: Int, _ random: inout SeededGenerator) -> [RowSet] {
        var sets = [RowSet(), RowSet(all: rows)]
        for share: UInt64 in [1, 50, 500, 999] {
            var set = RowSet()
            for row in 0..<rows where random.next() % 1000 < share { set.append(row) }
            sets.append(set)
        }
        var runs = RowSet()
        for row in 0..<rows where row / 300 % 3 == 1 { runs.append(row) }
        var last = RowSet()
        if rows > 0 { last.append(rows - 1) }
        return sets + [runs, last]
    }

    private func members(_ set: RowSet) -> [Int] { set.ranges.flatMap { Array($0) } }

    @Test(
        "a search of a row set finds what a table of only those rows would",
        arguments: [5000, 9000])
    func exact(rows: Int) throws {
        let dimension = 24
        var random = SeededGenerator(seed: UInt64(rows))
        let values = VectorKind.clustered.vectors(rows, dimension: dimension, &random)
        let search = VectorSearch(dimension: dimension, values: values, threads: 2)
        for set in Self.sets(of: rows, &random) {
            let chosen = members(set)
            let alone = VectorSearch(
                dimension: dimension,
                values: chosen.flatMap { values[$0 * dimension..<($0 + 1) * dimension] })
            let query = VectorKind.clustered.vectors(1, dimension: dimension, &random)
            for (count, threads) in [(1, 1), (10, 2), (200, 3)] {
                let expected = try alone.nearest(count, to: query).map {
                    VectorMatch(row: chosen[$0.row], similarity: $0.similarity)
                }
                let found = try search.nearest(count, to: query, among: set, threads: threads)
                #expect(found == expected, "\(set.count) rows, \(count) matches")
                let approximate = ApproximateSearch(search, ranked: 400)
                let near = try approximate.nearest(count, to: query, among: set, threads: threads)
                #expect(near.allSatisfy { set.contains($0.row) })
                #expect(near.count == expected.count)
                if set.count <= 400 { #expect(near == expected) }
            }
        }
    }

    @Test("preselection in a row set equals preselection in a table of only those rows")
    func approximate() throws {
        let dimension = 32
        var random = SeededGenerator(seed: 77)
        let values = VectorKind.clustered.vectors(9000, dimension: dimension, &random)
        let search = ApproximateSearch(
            VectorSearch(dimension: dimension, values: values), ranked: 60)
        for set in Self.sets(of: 9000, &random) where set.count > 60 {
            let chosen = members(set)
            let alone = ApproximateSearch(
                VectorSearch(
                    dimension: dimension,
                    values: chosen.flatMap { values[$0 * dimension..<($0 + 1) * dimension] }),
                ranked: 60)
            for _ in 0..<5 {
                let query = VectorKind.clustered.vectors(1, dimension: dimension, &random)
                let expected = try alone.nearest(10, to: query).map { chosen[$0.row] }
                #expect(try search.nearest(10, to: query, among: set).map(\.row) == expected)
            }
            let queries = try search.sample(4)
            let widened = try search.widened(for: 5, of: queries, among: set)
            let sameAlone = try alone.widened(for: 5, of: queries)
            #expect(widened?.recall == sameAlone?.recall)
            #expect(widened?.search.ranked == sameAlone?.search.ranked)
        }
    }

    @Test("a row set knows its rows")
    func sets() {
        var random = SeededGenerator(seed: 5)
        for set in Self.sets(of: 2000, &random) {
            let rows = members(set)
            #expect(rows.count == set.count)
            #expect((0..<2000).filter(set.contains) == rows)
            #expect(rows.indices.map { set[$0] } == rows)
            #expect(
                set.ranges(within: 500..<900).flatMap { Array($0) }
                    == rows.filter((500..<900).contains))
            var walk = RowWalk(set.ranges)
            #expect(
                (0..<2000).filter { walk.reaches($0) } == rows
                    && (walk.isAtEnd || rows.last == 1999))
        }
    }

    @Test("a condition is checked against the declared attributes, not those of the first row")
    func conditions() throws {
        let store = MemoryStore()
        var rows: [TableRow] = []
        for number in 0..<3000 {
            var metadata = JSONObject()
            metadata["version"] = number == 0 ? .number(7) : .string("v\(number % 3)")
            metadata["tags"] = number % 2 == 0 ? ["even", "all"] : ["all"]
            metadata["updated"] = number < 1500 ? "2026-01-31" : "2026-02-01T10:00:00Z"
            let row = FeatureRow(
                document: "d\(1000 + number / 10)", title: "T", section: "s", headings: ["T", "H"],
                ordinal: number % 10, text: "Text \(number)", metadata: metadata)
            rows.append(
                TableRow(
                    key: row.key, attributes: row.attributes,
                    vector: [Float(number % 7), 1, 0, Float(number % 3)]))
        }
        let table = try Table.build(rows: rows, dimension: 4, in: store)
        let schema = AttributeSchema(["version": .string, "tags": .strings, "updated": .date])
        let index = try FeatureIndex.open(
            table, schema: schema, in: store, verified: VerifiedLeaves(), threads: 2)
        func count(_ text: String) throws -> Int {
            let condition = try index.checked(try Condition(text), in: store).get()
            return try index.rows(where: condition, in: store, threads: 2).count
        }
        #expect(try count("version = 'v1'") == 1000)
        #expect(try count("version is not null and tags = 'even'") == 1500)
        #expect(try count("updated >= 2026-02-01") == 1500)
        #expect(try count("updated = '2026-01-31' and ordinal = 0") == 150)
        #expect(try count("headings = 'H' and key >= 'd1299'") == 10)
        #expect(try count("links = 'x' or page > 3") == 0)
        for (wrong, part) in [
            ("autor = 'x'", "autor"), ("version = 7", "is text"), ("tags < 'x'", "no order"),
            ("updated = 'soon'", "a time"),
        ] {
            let error = #expect(throws: ConditionError.self) { try count(wrong) }
            #expect(error?.message.contains(part) == true, "\(wrong)")
        }
    }
}
