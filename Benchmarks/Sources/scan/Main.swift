import Artifacts
import Measuring
import Objects
import Refs

/// `scan REPOSITORY REF [--rounds 5]`: how long it takes until all vectors of a table are in memory, verified and
/// in one piece, opening the repository included.
@main
enum Scan {
    static func main() { Program.run(answer) }

    private static func answer(_ arguments: Arguments) throws {
        let path = try arguments.position(0, "REPOSITORY")
        let name = try RefName(try arguments.position(1, "REF"))
        for round in 0..<arguments.count("rounds", or: 5) {
            let (seconds, matrix) = try Measurement.seconds {
                let (table, objects) = try Benchmark.table(name, in: path)
                return try TableVectors(table, in: objects, codes: false).matrix()
            }
            Measurement.emit([
                "round": .integer(round), "seconds": .number(seconds),
                "bytes": .integer(4 * matrix.count),
            ])
        }
    }
}
