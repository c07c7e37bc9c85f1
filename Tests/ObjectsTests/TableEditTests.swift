import TestSupport
import Testing

@testable import Objects

@Suite("Changing tables")
struct TableEditTests {
    /// Records the predecessors given for each new node.
    private final class RecordingStore: ObjectSource, ObjectSink {
        let base = MemoryStore()
        let written = MutexBox<[(id: ObjectID, predecessor: ObjectID?)]>([])

        func size(of id: ObjectID) throws(ObjectError) -> Int? { try base.size(of: id) }

        func read(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8] {
            try base.read(id, limit: limit)
        }

        func write(
            _ bytes: [UInt8], hint: StorageHint, predecessor: ObjectID?
        ) throws(ObjectError) -> ObjectID {
            let id = try base.write(bytes, hint: hint, predecessor: predecessor)
            written.update { $0.append((id, predecessor)) }
            return id
        }
    }

    @Test("rows in any order have the same root")
    func orderOfRows() throws {
        var generator = SeededGenerator(seed: 1)
        let store = MemoryStore()
        let rows = TableSamples.rows(0..<400)
        let table = try Table.build(rows: rows, dimension: 4, in: store)
        #expect(try TableSamples.height(of: table, in: store) >= 3)
        let other = try Table.build(
            rows: rows.shuffled(using: &generator), dimension: 4, in: store)
        #expect(other == table)
    }

    @Test("any sequence of edits ends at the root of the resulting rows", arguments: 1...8)
    func anyHistory(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let store = MemoryStore()
        var expected: [Int: TableRow] = [:]
        let first = Int.random(in: 0...300, using: &generator)
        for number in 0..<first { expected[number * 3] = TableSamples.row(number * 3) }
        var table = try Table.build(rows: expected.values, dimension: 4, in: store)
        for version in 1...6 {
            // Batches of every shape: a few rows, a long range, the whole end, nearly everything.
            let start = Int.random(in: 0...900, using: &generator)
            let length = [1, 5, 120, 1000].randomElement(using: &generator) ?? 1
            let step = [1, 3, 40].randomElement(using: &generator) ?? 1
            let removes = Int.random(in: 0...2, using: &generator)
            var edits: [TableEdit] = []
            for number in stride(from: start, to: min(start + length * step, 1000), by: step) {
                if removes == 2 || removes == 1 && number % 2 == 0 {
                    edits.append(.remove(TableSamples.key(number)))
                    expected[number] = nil
                } else {
                    let row = TableSamples.row(number, version: version)
                    edits.append(.put(row))
                    expected[number] = row
                }
            }
            table = try table.applying(edits.shuffled(using: &generator), in: store)
            let built = try Table.build(rows: expected.values, dimension: 4, in: MemoryStore())
            #expect(table == built, "seed \(seed), version \(version)")
        }
        try table.check(in: store)
    }

    @Test("edits one by one end at the same root as all at once")
    func oneByOne() throws {
        var generator = SeededGenerator(seed: 5)
        let store = MemoryStore()
        let rows = TableSamples.rows(0..<120)
        var table = try Table.build(rows: [], dimension: 4, in: store)
        for row in rows.shuffled(using: &generator) {
            table = try table.applying([.put(row)], in: store)
        }
        #expect(try Table.build(rows: rows, dimension: 4, in: store) == table)
        for row in rows.shuffled(using: &generator) {
            table = try table.applying([.remove(row.key)], in: store)
        }
        #expect(try Table.build(rows: [], dimension: 4, in: store) == table)
    }

    @Test("removing everything before a row leaves the table of the remaining rows")
    func shrinking() throws {
        let store = MemoryStore()
        let table = try Table.build(rows: TableSamples.rows(0..<400), dimension: 4, in: store)
        for kept in [1, 2, 10, 30, 60, 100, 399] {
            let edits = (0..<400 - kept).map { TableEdit.remove(TableSamples.key($0)) }
            let expected = try Table.build(
                rows: TableSamples.rows(400 - kept..<400), dimension: 4, in: MemoryStore())
            #expect(try table.applying(edits, in: store) == expected, "\(kept) rows kept")
        }
    }

    @Test("the last of several edits to one key wins")
    func lastCounts() throws {
        let store = MemoryStore()
        let table = try Table.build(rows: [TableRow("b")], dimension: 0, in: store)
        let edited = try table.applying(
            [
                .remove("a"), .put(TableRow("a", ["n": 1])), .put(TableRow("a", ["n": 2])),
                .put(TableRow("b", ["n": 3])), .remove("b"), .remove("c"),
            ], in: store)
        #expect(edited.rows == 1)
        #expect(try edited.row(for: "a", in: store)?.attributes["n"] == 2)
    }

    @Test("an edit rewrites one path, and new nodes name their predecessors")
    func cost() throws {
        let store = RecordingStore()
        let table = try Table.build(rows: TableSamples.rows(0..<800), dimension: 4, in: store)
        let nodes = store.base.count
        store.written.update { $0 = [] }
        let before = store.base.bytesRead
        // The same size, so that no boundary moves.
        var row = TableSamples.row(400)
        row.vector = [1, 2, 3, 4]
        let edited = try table.applying([.put(row)], in: store)
        let height = try TableSamples.height(of: edited, in: store)
        #expect(store.base.count == nodes + height)
        let written = store.written.value
        #expect(written.count == height)
        let read = store.base.bytesRead - before
        #expect(read < 200_000, "read \(read) bytes")
        for (id, predecessor) in written {
            let predecessor = try #require(predecessor)
            #expect(id != predecessor)
            let new = try TableNode(decoding: try store.read(id, limit: 1 << 26))
            let old = try TableNode(decoding: try store.read(predecessor, limit: 1 << 26))
            #expect(new.level == old.level)
            #expect(new.rows == old.rows)
        }
        #expect(written.last?.predecessor == table.root)
    }

    @Test("an empty edit writes nothing")
    func nothing() throws {
        let store = RecordingStore()
        let table = try Table.build(rows: TableSamples.rows(0..<50), dimension: 4, in: store)
        let count = store.base.count
        #expect(try table.applying([], in: store) == table)
        #expect(try table.applying([.put(TableSamples.row(7))], in: store) == table)
        #expect(try table.applying([.remove("zzz")], in: store) == table)
        #expect(store.base.count == count)
    }

    @Test("a row far beyond the size of a leaf is stored and found")
    func largeRow() throws {
        let store = MemoryStore()
        var rows = TableSamples.rows(0..<60)
        rows[30].attributes["text"] = .string(String(repeating: "z", count: 600_000))
        let table = try Table.build(rows: rows, dimension: 4, in: store)
        #expect(try table.row(for: rows[30].key, in: store) == rows[30])
        let small = try table.applying([.put(TableSamples.row(30))], in: store)
        #expect(try small.applying([.put(rows[30])], in: store) == table)
        try table.check(in: store)
    }

    @Test(
        "a row that does not fit is refused",
        arguments: [
            (TableRow("", vector: [1]), "is empty"),
            (TableRow("a\u{0}b", vector: [1]), "control character"),
            (TableRow("a\u{85}b", vector: [1]), "control character"),
            (TableRow(String(repeating: "k", count: 1025), vector: [1]), "1025 bytes"),
            (TableRow("a", vector: []), "0 numbers"),
            (TableRow("a", vector: [1, 2]), "2 numbers"),
            (TableRow("a", vector: [.nan]), "not finite"),
            (TableRow("a", vector: [-.infinity]), "not finite"),
            (TableRow("a", ["n": 1e17], vector: [1]), "beyond 2^53"),
            (TableRow("a", ["n": [.number(.infinity)]], vector: [1]), "beyond 2^53"),
        ])
    func refusedRows(row: TableRow, reason: String) throws {
        let store = MemoryStore()
        let table = try Table.build(rows: [TableRow("b", vector: [1])], dimension: 1, in: store)
        for attempt in 0..<2 {
            do throws(ObjectError) {
                _ =
                    attempt == 0
                    ? try Table.build(rows: [row], dimension: 1, in: store)
                    : try table.applying([.put(row)], in: store)
                Issue.record("accepted")
            } catch {
                #expect(error.message.contains(reason), "\(error.message)")
            }
        }
    }

    @Test("a number that is not finite is refused anywhere, and every finite one is kept")
    func finiteNumbers() throws {
        let store = MemoryStore()
        let extremes: [Float] = [
            .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0, 0, 1,
        ]
        let vector = (0..<19).map { extremes[$0 % extremes.count] }
        let row = TableRow("a", vector: vector)
        let table = try Table.build(rows: [row], dimension: 19, in: store)
        #expect(try table.row(for: "a", in: store) == row)
        for index in vector.indices {
            for number in [Float.nan, -.nan, .signalingNaN, .infinity, -.infinity] {
                var row = row
                row.vector[index] = number
                #expect(throws: ObjectError.self) {
                    try Table.build(rows: [row], dimension: 19, in: store)
                }
            }
        }
    }

    @Test("a builder refuses keys that do not ascend, by bytes")
    func ascending() throws {
        var builder = try TableBuilder(dimension: 0, in: MemoryStore())
        try builder.append(TableRow("e\u{301}"))
        do throws(ObjectError) {
            try builder.append(TableRow("e\u{301}"))
            Issue.record("accepted")
        } catch { #expect(error.message.contains("twice")) }
        // The same character, precomposed, is another key.
        try builder.append(TableRow("é"))
        do throws(ObjectError) {
            try builder.append(TableRow("z"))
            Issue.record("accepted")
        } catch { #expect(error.message.contains("not in order")) }
        #expect(try builder.finish().rows == 2)
        #expect(throws: ObjectError.self) {
            try Table.build(rows: [TableRow("a"), TableRow("a")], dimension: 0, in: MemoryStore())
        }
        #expect(throws: ObjectError.self) {
            try Table.build(rows: [], dimension: 65_537, in: MemoryStore())
        }
    }
}
