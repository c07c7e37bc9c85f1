import Artifacts
import TestSupport
import Testing

@testable import Objects

@Suite("Rows that moved between tables")
struct RowMovesTests {
    private let store = MemoryStore()

    private func chunk(
        _ document: String, _ section: String, _ ordinal: Int, _ text: String,
        heading: String = "H", extra: JSONObject = JSONObject()
    ) -> TableRow {
        var attributes = extra
        attributes["document"] = .string(document)
        attributes["section"] = .string(section)
        attributes["ordinal"] = .integer(ordinal)
        attributes["headings"] = .array([.string(heading)])
        attributes["text"] = .string(text)
        let number = ordinal < 10 ? "0\(ordinal)" : "\(ordinal)"
        return TableRow(
            key: "\(document)#\(section)/\(number)", attributes: attributes,
            vector: [Float(text.utf8.count), Float(heading.utf8.count)])
    }

    /// A row that is not a chunk.
    private func plain(_ key: String, _ text: String, _ vector: [Float]) -> TableRow {
        TableRow(key: key, attributes: JSONObject([("text", .string(text))]), vector: vector)
    }

    /// The chunks of a section with these texts.
    private func section(
        _ document: String, _ section: String, _ texts: [String]
    ) -> [TableRow] {
        texts.enumerated().map { chunk(document, section, $0.offset, $0.element) }
    }

    private func compare(
        _ before: [TableRow], _ after: [TableRow]
    ) throws -> (changes: [RowChange], counts: RowChangeCounts) {
        let first = try Table.build(rows: before, dimension: 2, in: store)
        let second = try Table.build(rows: after, dimension: 2, in: store)
        let moves = try RowMoves(from: first, to: second, in: store)
        var diff = try RowDiff(from: first, to: second, moves: moves, in: store)
        var changes: [RowChange] = []
        while let change = try diff.next() { changes.append(change) }
        return (changes, moves.counts)
    }

    private func expect(
        _ counts: RowChangeCounts, added: Int = 0, removed: Int = 0, changed: Int = 0,
        moved: Int = 0, unchanged: Int = 0, _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(
            [counts.added, counts.removed, counts.changed, counts.moved, counts.unchanged]
                == [added, removed, changed, moved, unchanged], sourceLocation: location)
    }

    @Test("inserting a chunk before others adds one row")
    func insertion() throws {
        let texts = (0..<12).map { "text \($0)" }
        let result = try compare(
            section("a", "s", texts) + section("b", "s", ["x"]),
            section("a", "s", ["new"] + texts) + section("b", "s", ["x"]))
        expect(result.counts, added: 1, moved: 12, unchanged: 1)
        #expect(result.changes.first == .added(chunk("a", "s", 0, "new")))
        #expect(
            result.changes.last
                == .moved(from: chunk("a", "s", 11, "text 11"), to: chunk("a", "s", 12, "text 11")))
        let back = try compare(
            section("a", "s", ["new"] + texts), section("a", "s", texts))
        expect(back.counts, removed: 1, moved: 12)
        #expect(back.changes.contains(.removed(chunk("a", "s", 0, "new"))))
    }

    @Test("a chunk with other text or another vector has not moved")
    func changes() throws {
        let before = [chunk("a", "s", 0, "one"), chunk("a", "t", 0, "two")]
        var other = chunk("a", "u", 0, "two")
        other.vector = [1, 1]
        expect(
            try compare(before, [chunk("a", "s", 0, "uno"), chunk("a", "u", 0, "zwei")]).counts,
            added: 1, removed: 1, changed: 1)
        expect(
            try compare(before, [before[0], other]).counts, added: 1, removed: 1, unchanged: 1)
        expect(
            try compare(before, [before[0], chunk("a", "u", 0, "two", heading: "I")]).counts,
            added: 1, removed: 1, unchanged: 1)
    }

    @Test("a chunk with other attributes has moved if its key changed, and changed if not")
    func attributes() throws {
        let extra = (["page": 7] as JSON).object ?? JSONObject()
        let result = try compare(
            [chunk("a", "s", 0, "one"), chunk("a", "s", 1, "two")],
            [chunk("a", "s", 0, "one", extra: extra), chunk("a", "t", 1, "two", extra: extra)])
        expect(result.counts, changed: 1, moved: 1)
    }

    @Test("equal chunks are paired within the same document first")
    func duplicates() throws {
        let before = section("b", "s", ["same"]) + section("c", "s", ["same"])
        let after = section("a", "s", ["same"]) + section("c", "t", ["same"])
        let result = try compare(before, after)
        #expect(
            result.changes == [
                .moved(from: before[0], to: after[0]), .moved(from: before[1], to: after[1]),
            ])
    }

    @Test("only chunks move")
    func plain() throws {
        let result = try compare(
            [plain("a", "x", [1, 2])],
            [plain("b", "x", [1, 2])])
        expect(result.counts, added: 1, removed: 1)
    }

    @Test(
        "changes are counted as they are listed, and lead from one table to the other",
        arguments: 1...20)
    func laws(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func rows() -> [TableRow] {
            ["a", "b", "a#x"].flatMap { document in
                ["s", "t"].flatMap { name in
                    // Few texts, so that many rows are equal; some rows are not chunks.
                    section(
                        document, name,
                        (0..<Int.random(in: 0...30, using: &generator)).map { _ in
                            "text \(Int.random(in: 0..<25, using: &generator))"
                        })
                }
            } + [plain("a#~", "plain", [0, 0])]
        }
        let (before, after) = (rows(), rows())
        let (changes, counts) = try compare(before, after)
        var table = Dictionary(uniqueKeysWithValues: before.map { ($0.key, $0) })
        var left: Set<String> = []
        var put: [TableRow] = []
        var listed = RowChangeCounts()
        for change in changes {
            switch change {
            case .added(let row):
                listed.added += 1
                put.append(row)
            case .removed(let row):
                listed.removed += 1
                #expect(left.insert(row.key).inserted)
            case .changed(let old, let new):
                listed.changed += 1
                #expect(old.key == new.key && left.insert(old.key).inserted)
                put.append(new)
            case .moved(let old, let new):
                listed.moved += 1
                #expect(old.key != new.key && left.insert(old.key).inserted)
                #expect(old.attributes["text"] == new.attributes["text"])
                #expect(table[old.key] == old)
                put.append(new)
            }
        }
        for key in left { table[key] = nil }
        for row in put { #expect(table.updateValue(row, forKey: row.key) == nil) }
        #expect(table == Dictionary(uniqueKeysWithValues: after.map { ($0.key, $0) }))
        listed.unchanged = before.count - left.count
        #expect(listed == counts)
        // The same is found before the second table is written.
        let first = try Table.build(rows: before, dimension: 2, in: store)
        let gone = Set(before.map(\.key)).subtracting(after.map(\.key))
        let edits = gone.map { TableEdit.remove($0) } + after.map { TableEdit.put($0) }
        #expect(try RowMoves(applying: edits, to: first, in: store).counts == counts)
    }

    @Test("members are found in any bytes, and nothing is read past the end")
    func hostile() {
        var generator = SeededGenerator(seed: 9)
        let alphabet = Array(#"{}[],:"\ab1"#.utf8)
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...24, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            var members = CanonicalMembers()
            var end = 0
            while members.advance(in: text.span) {
                #expect(members.name.lowerBound > end && members.value.upperBound <= text.count)
                end = members.value.upperBound
            }
        }
        let text = Array(#"{"a":[1,{"b":"}"}],"c\"":"\\","text":""}"#.utf8)
        var members = CanonicalMembers()
        var found: [String] = []
        while members.advance(in: text.span) {
            found.append(String(decoding: text[members.value], as: UTF8.self))
        }
        #expect(found == [#"[1,{"b":"}"}]"#, #""\\""#, #""""#])
    }
}
