import Objects
import Refs
import Storage
import TestSupport
import Testing

@Suite("Collections of tables, whose leaves are stored as differences")
struct TableCollectionTests {
    /// Rows of a table with a few levels; some of them differ from version to version.
    private static func rows(_ numbers: Range<Int>, salt: UInt64) -> [TableRow] {
        numbers.map { number in
            var generator = SeededGenerator(seed: UInt64(number) * 1000 + salt)
            let digits = String(10_000 + number)
            let text = (0..<60).map { _ in
                String(UInt8.random(in: 0...99, using: &generator))
            }
            var attributes = JSONObject()
            attributes["text"] = .string(text.joined(separator: " "))
            return TableRow(key: digits, attributes: attributes, vector: [])
        }
    }

    private func put(
        _ ref: String, _ edits: [TableRow], after table: Table?, in repository: Repository,
        seed: UInt64
    ) throws -> Table {
        let name = try RefName(ref)
        let transaction = try repository.begin(writer: testWriter(seed: seed))
        let new: Table
        if let table {
            new = try table.applying(
                edits.map { TableEdit.put($0) }, in: transaction.objects)
        } else {
            new = try Table.build(rows: edits, dimension: 0, in: transaction.objects)
        }
        let snapshot = Snapshot(
            kind: .features, content: .table(new),
            parents: transaction.state.target(of: name).map { [$0] } ?? [],
            producer: .init(pipeline: "test", version: "1"), created: epoch)
        let id = try transaction.objects.write(snapshot.encoded, hint: .structured)
        _ = try transaction.commit([RefUpdate(name, new: id)])
        return new
    }

    @Test("every needed version is readable after any sequence of changes", arguments: 1...4)
    func model(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let bucket = MemoryBucket()
        _ = try Repository.create(in: bucket, writer: testWriter())
        let first = try put(
            "features/a", Self.rows(0..<900, salt: 0), after: nil, in: Repository(in: bucket),
            seed: 1)
        #expect(first.rows == 900)
        for step in 2..<24 {
            let repository = Repository(in: bucket)
            let ref = ["features/a", "features/b", "features/c"][
                Int.random(in: 0..<3, using: &generator)]
            if Int.random(in: 0..<3, using: &generator) > 0 {
                let start = Int.random(in: 0..<880, using: &generator)
                let edits = Self.rows(start..<start + 10, salt: UInt64(step))
                // The previous version may have been collected: only a ref's target is sure to exist.
                let state = try repository.state()
                let target = try state.target(of: RefName(ref)) ?? state.refs.values.first?.target
                let objects = try repository.objects(in: state)
                let content = try Snapshot(try #require(target), in: objects).content
                let table = try #require(content.table, "seed \(seed), step \(step)")
                _ = try put(ref, edits, after: table, in: repository, seed: UInt64(step))
            } else {
                _ = try collectAll(
                    repository, seed: UInt64(step + 100), isPurge: step.isMultiple(of: 2))
            }
            try expectWhole(bucket, "seed \(seed), step \(step)")
            let fresh = Repository(in: bucket)
            let objects = try fresh.objects(in: fresh.state())
            for ref in try fresh.state().refs.values {
                let content = try Snapshot(ref.target, in: objects).content
                let table = try #require(content.table, "seed \(seed), step \(step)")
                try table.check(in: objects)
            }
        }
    }
}
