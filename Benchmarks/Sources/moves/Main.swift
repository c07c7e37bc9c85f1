import Measuring
import Objects
import Refs
import Storage

/// `moves REPOSITORY DIRECTORY [--count 200] [--rounds 5]`: times durable moves of a ref.
///
/// Each round also times the least that any durable store needs on this file system: create, sync, rename, directory
/// sync.
@main
enum Moves {
    static func main() { Program.run(answer) }

    private static func answer(_ arguments: Arguments) throws {
        let path = try arguments.position(0, "REPOSITORY")
        let directory = try arguments.position(1, "DIRECTORY")
        let count = arguments.count("count", or: 200)
        let repository = try Repository.create(at: path, writer: Benchmark.writer)
        let snapshots = try Benchmark.twoSnapshots(in: repository)
        let name = try RefName("models/moving")
        var state = try repository.state()
        for round in 0..<arguments.count("rounds", or: 5) {
            let (floor, _) = try Measurement.seconds {
                try DurableFiles.write(count, into: directory, from: round * count)
            }
            let (moves, _) = try Measurement.seconds {
                for index in 0..<count {
                    let transaction = try repository.begin(on: state, writer: Benchmark.writer)
                    let update = RefUpdate(name, new: snapshots[index % 2])
                    state = try transaction.commit([update]).state
                }
            }
            Measurement.emit([
                "round": .integer(round), "count": .integer(count), "floor": .number(floor),
                "moves": .number(moves),
            ])
        }
    }
}
