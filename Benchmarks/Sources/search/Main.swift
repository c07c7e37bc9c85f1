import Artifacts
import Measuring
import Objects
import Refs
import Storage

/// `search REPOSITORY REF QUERIES [--count 10] [--rounds 1]`: times the search for the nearest rows of each query.
///
/// It runs one query at a time on the index that `fti-inference` uses: first the exact search, then the approximate
/// one, which compares the signs of vectors. QUERIES is a file of 32-bit floats, one query after another.
@main
enum Search {
    static func main() { Program.run(answer) }

    private static func answer(_ arguments: Arguments) throws {
        let (table, objects) = try Benchmark.table(
            try RefName(try arguments.position(1, "REF")),
            in: try arguments.position(0, "REPOSITORY"))
        let file = try InputFile(opening: try arguments.position(2, "QUERIES"))
        let numbers = Numbers.floats(try file.read(at: 0, count: file.size))
        let queries = stride(from: 0, to: numbers.count, by: table.dimension).map {
            Array(numbers[$0..<($0 + table.dimension)])
        }
        let count = arguments.count("count", or: 10)
        // The first open verifies every leaf and records keyed hashes; the second only checks those.
        let verified = try VerifiedLeaves()
        func open() throws -> FeatureIndex {
            try FeatureIndex.open(table, in: objects, verified: verified)
        }
        let (verifying, _) = try Measurement.seconds { try open() }
        let (loading, index) = try Measurement.seconds { try open() }
        let (signs, approximate) = Measurement.seconds { ApproximateSearch(index.vectors) }
        // Warm the page cache.
        if let query = queries.first { _ = try index.vectors.nearest(count, to: query) }
        for round in 0..<arguments.count("rounds", or: 1) {
            let (exact, rows) = try Measurement.seconds {
                try queries.map { try index.vectors.nearest(count, to: $0).map(\.row) }
            }
            let (fast, near) = try Measurement.seconds {
                try queries.map { try approximate.nearest(count, to: $0).map(\.row) }
            }
            Measurement.emit([
                "round": .integer(round), "verifying": .number(verifying),
                "loading": .number(loading), "signs": .number(signs),
                "queries": .integer(queries.count), "single": .number(exact),
                "approximate": .number(fast), "rows": list(rows), "near": list(near),
            ])
        }
    }

    private static func list(_ rows: [[Int]]) -> JSON {
        .array(rows.map { .array($0.map { .integer($0) }) })
    }
}
