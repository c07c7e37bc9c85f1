import Measuring
import Objects
import Refs
import Storage

/// `delta REPOSITORY REF UPSERTS.jsonl REMOVED.txt --key id,chunk --vector emb`: times the next durable snapshot of a
/// table from a known list of changes, which is in memory before the clock starts.
@main
enum Delta {
    static func main() { Program.run(answer) }

    private static func answer(_ arguments: Arguments) throws {
        let path = try arguments.position(0, "REPOSITORY")
        let name = try RefName(try arguments.position(1, "REF"))
        let edits = try edits(arguments)
        let (seconds, commit) = try Measurement.seconds {
            let repository = try Repository(opening: path)
            let transaction = try repository.begin(writer: Benchmark.writer)
            guard let parent = transaction.state.target(of: name) else {
                throw Arguments.Refusal("no such ref: \(name)")
            }
            let before = try Snapshot(parent, in: transaction.objects)
            guard case .table(let table) = before.content else {
                throw Arguments.Refusal("\(name) has no rows")
            }
            let edited = try table.applying(edits, in: transaction.objects)
            let id = try Benchmark.store(edited, parents: [parent], in: transaction.objects)
            return try transaction.commit([RefUpdate(name, expected: .exactly(parent), new: id)])
        }
        Measurement.emit([
            "seconds": .number(seconds), "edits": .integer(edits.count),
            "transaction": .integer(commit.number ?? -1),
        ])
    }

    private static func edits(_ arguments: Arguments) throws -> [TableEdit] {
        let path = try arguments.position(2, "UPSERTS")
        let fields = (arguments.option("key") ?? "id").split(separator: ",").map(String.init)
        let upserts = try JSONLinesSource(
            try InputFile(opening: path), name: path, keyFields: fields,
            vectorField: arguments.option("vector"))
        let edits: [TableEdit] = try upserts.rows().map { .put($0) }
        let removed = String(
            decoding: try bytes(try arguments.position(3, "REMOVED")), as: UTF8.self)
        return edits + removed.split(separator: "\n").map { .remove(String($0)) }
    }

    private static func bytes(_ path: String) throws -> [UInt8] {
        let file = try InputFile(opening: path)
        return try file.read(at: 0, count: file.size)
    }
}
