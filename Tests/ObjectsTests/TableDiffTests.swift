import TestSupport
import Testing

@testable import Objects

@Suite("Differences of tables")
struct TableDiffTests {
    private let store = MemoryStore()

    /// The change that turns the first table into the second.
    private static func edit(_ change: RowChange) -> TableEdit {
        if case .removed(let row) = change { .remove(row.key) } else { .put(change.row) }
    }

    private func changes(_ first: Table, _ second: Table) throws -> [RowChange] {
        var diff = try TableDiff(from: first, to: second, in: store)
        var changes: [RowChange] = []
        while let change = try diff.next() { changes.append(change) }
        return changes
    }

    /// The changes, found by comparing every row.
    private func expected(_ first: [Int: TableRow], _ second: [Int: TableRow]) -> [RowChange] {
        Set(first.keys).union(second.keys).sorted().compactMap { number in
            switch (first[number], second[number]) {
            case (let old?, let new?): old == new ? nil : .changed(from: old, to: new)
            case (let old?, nil): .removed(old)
            case (nil, let new?): .added(new)
            case (nil, nil): nil
            }
        }
    }

    @Test(
        "a difference is complete, ordered, and turns one table into the other",
        arguments: 1...10)
    func complete(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var first: [Int: TableRow] = [:]
        var second: [Int: TableRow] = [:]
        // Includes tables of very different heights.
        let sizes = [0, 3, 40, 500]
        let size = sizes[Int(seed) % 4]
        for number in 0..<size { first[number] = TableSamples.row(number) }
        if seed % 3 == 0 {
            for number in 0..<sizes[Int(seed / 2) % 4] { second[number] = TableSamples.row(number) }
        } else {
            second = first
            for _ in 0..<Int.random(in: 0...20, using: &generator) {
                let number = Int.random(in: 0...size + 20, using: &generator)
                second[number] =
                    Bool.random(using: &generator) ? TableSamples.row(number, version: 1) : nil
            }
        }
        let from = try Table.build(rows: first.values, dimension: 4, in: store)
        let to = try Table.build(rows: second.values, dimension: 4, in: store)
        let found = try changes(from, to)
        #expect(found == expected(first, second))
        #expect(try changes(to, from).count == found.count)
        #expect(try from.applying(found.map(Self.edit), in: store) == to)
        let counts = try TableDiff.counts(from: from, to: to, in: store)
        #expect(counts.added + counts.removed + counts.changed == found.count)
        #expect(counts.removed + counts.changed + counts.unchanged == from.rows)
        #expect(counts.added + counts.changed + counts.unchanged == to.rows)
    }

    @Test("equal tables are compared without a read")
    func equal() throws {
        let table = try Table.build(rows: TableSamples.rows(0..<200), dimension: 4, in: store)
        let before = store.bytesRead
        #expect(try changes(table, table).isEmpty)
        #expect(try TableDiff.counts(from: table, to: table, in: store).unchanged == 200)
        #expect(store.bytesRead == before)
    }

    @Test("a difference reads the nodes that differ and no others")
    func cost() throws {
        let table = try Table.build(rows: TableSamples.rows(0..<1000), dimension: 4, in: store)
        let stored = store.count
        let edited = try table.applying(
            [.put(TableSamples.row(300, version: 1)), .remove(TableSamples.key(301))], in: store)
        let new = store.count - stored
        let read = ReadCounter(store)
        let counts = try TableDiff.counts(from: table, to: edited, in: read)
        #expect(
            counts
                == RowChangeCounts(added: 0, removed: 1, changed: 1, unchanged: 998))
        // Each side's differing nodes, which may be one or two more where a boundary moved.
        #expect(read.reads <= 2 * new + 2, "\(read.reads) reads, \(new) new nodes")
    }

    @Test("tables of different dimensions differ in every row")
    func dimensions() throws {
        let with = try Table.build(
            rows: [TableRow("a", vector: [1]), TableRow("b", vector: [2])], dimension: 1, in: store)
        let without = try Table.build(
            rows: [TableRow("a"), TableRow("b")], dimension: 0, in: store)
        #expect(try TableDiff.counts(from: with, to: without, in: store).changed == 2)
    }
}

/// Counts the objects that are read.
private final class ReadCounter: ObjectSource {
    private let base: MemoryStore
    private let counter = MutexBox(0)

    init(_ base: MemoryStore) { self.base = base }

    var reads: Int { counter.value }

    func size(of id: ObjectID) throws(ObjectError) -> Int? { try base.size(of: id) }

    func read(_ id: ObjectID, limit: Int) throws(ObjectError) -> [UInt8] {
        counter.update { $0 += 1 }
        return try base.read(id, limit: limit)
    }
}
