import Artifacts
import Measuring
import Objects
import Refs
import Storage

/// `search REPOSITORY REF QUERIES [--count 10] [--rounds 1]`: the nearest rows of each query, one query after
/// another, by the index that answers questions. QUERIES is a file of 32-bit numbers, row by row.
@main
enum Search {
    static func main() throws {
        let arguments = Arguments()
        let (table, objects) = try Benchmark.table(
            try RefName(try arguments.position(1, "REF")),
            in: try arguments.position(0, "REPOSITORY"))
        let file = try SourceFile(opening: try arguments.position(2, "QUERIES"))
        let numbers = Numbers.floats(try file.read(at: 0, count: file.size))
        let queries = stride(from: 0, to: numbers.count, by: table.dimension).map {
            Array(numbers[$0..<($0 + table.dimension)])
        }
        let count = arguments.count("count", or: 10)
        let (loading, index) = try Measurement.seconds { try FeatureIndex(table, in: objects) }
        for round in 0..<arguments.count("rounds", or: 1) {
            let (seconds, found) = try Measurement.seconds {
                try queries.map { query in
                    try index.vectors.nearest(count, to: query, threads: Threads.available).map(\.row)
                }
            }
            Measurement.emit([
                "round": .integer(round), "loading": .number(loading), "single": .number(seconds),
                "queries": .integer(queries.count),
                "rows": .array(found.map { .array($0.map { .integer($0) }) }),
            ])
        }
    }
}
