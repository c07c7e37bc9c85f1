import Measuring
import Objects
import Refs

/// `scan REPOSITORY REF [--rounds 5]`: times reading and verifying all vectors of a table, including opening the
/// repository: into a newly allocated matrix, into a reused one, and in place, without a copy.
@main
enum Scan {
    static func main() { Program.run(answer) }

    private static func answer(_ arguments: Arguments) throws {
        let path = try arguments.position(0, "REPOSITORY")
        let name = try RefName(try arguments.position(1, "REF"))
        for round in 0..<arguments.count("rounds", or: 5) {
            let (fresh, made) = try Measurement.seconds { try open(name, path).matrix() }
            var matrix = consume made
            let (copied, _) = try Measurement.seconds {
                try open(name, path).read(into: &matrix)
            }
            let numbers = matrix.count
            let (inPlace, rows) = try Measurement.seconds { try verified(try open(name, path)) }
            Measurement.emit([
                "round": .integer(round), "seconds": .number(copied), "fresh": .number(fresh),
                "inPlace": .number(inPlace),
                "bytes": .integer(4 * numbers), "rows": .integer(rows),
            ])
        }
    }

    private static func open(_ name: RefName, _ path: String) throws -> TableVectors {
        let (table, objects) = try Benchmark.table(name, in: path)
        return try TableVectors(table, in: objects, verified: nil)
    }

    /// Returns the number of rows, after verifying their vectors in place.
    private static func verified(_ vectors: TableVectors) throws -> Int {
        let blocks = vectors.blocks
        let rows = Threads.map(blocks.count) { index in
            Result { try blocks[index].withVectors { $0.count } }
        }
        return try rows.reduce(0) { try $0 + $1.get() } / vectors.table.dimension
    }
}
