import Measuring
import Objects
import Storage

/// `parse FILE --key id,chunk --vector emb [--rounds 1]`: times parsing a file into rows, without storing them.
@main
enum Parse {
    static func main() { Program.run(answer) }

    private static func answer(_ arguments: Arguments) throws {
        let path = try arguments.position(0, "FILE")
        let fields = (arguments.option("key") ?? "id").split(separator: ",").map(String.init)
        for _ in 0..<arguments.count("rounds", or: 1) {
            let (seconds, rows) = try Measurement.seconds {
                try count(path, fields, arguments.option("vector"))
            }
            Measurement.emit(["seconds": .number(seconds), "rows": .integer(rows)])
        }
    }

    private static func count(_ path: String, _ keys: [String], _ vector: String?) throws -> Int {
        try JSONLinesSource(
            try InputFile(opening: path), name: path, keyFields: keys, vectorField: vector
        ).countRows()
    }
}
