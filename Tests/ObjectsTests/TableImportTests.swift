import Storage
import Testing

@testable import Objects

@Suite("Tables from JSON Lines")
struct TableImportTests {
    private func reader(
        _ text: String, key: [String] = ["id"], vector: String? = nil, pieces: Int = 7
    ) throws(ObjectError) -> JSONLinesReader {
        var rest = Array(text.utf8)[...]
        return try JSONLinesReader(name: "rows.jsonl", keyFields: key, vectorField: vector) {
            defer { rest = rest.dropFirst(pieces) }
            return rest.isEmpty ? nil : Array(rest.prefix(pieces))
        }
    }

    private func rows(
        _ text: String, key: [String] = ["id"], vector: String? = nil, pieces: Int = 7
    ) throws(ObjectError) -> [TableRow] {
        var reader = try reader(text, key: key, vector: vector, pieces: pieces)
        var rows: [TableRow] = []
        while let row = try reader.next() { rows.append(row) }
        return rows
    }

    @Test(
        "CR LF, blank lines and a missing last line end are accepted", arguments: [1, 2, 7, 1000])
    func lineEnds(pieces: Int) throws {
        let text = "{\"id\":\"a\"}\r\n\n  \r\n{\"id\":\"b\", \"n\": 1}\n\r\n{\"id\":\"c\"}"
        #expect(
            try rows(text, pieces: pieces) == [
                TableRow("a", ["id": "a"]), TableRow("b", ["id": "b", "n": 1]),
                TableRow("c", ["id": "c"]),
            ])
        #expect(try rows("", pieces: pieces).isEmpty)
        #expect(try rows("\n\n", pieces: pieces).isEmpty)
    }

    @Test("key fields are joined and stay, the vector leaves the attributes")
    func fields() throws {
        let text = """
            {"id":"doc","chunk":3,"v":[0.5,-1e2,3],"t":"x"}
            {"v":[0.1, 1E-50 ,-0.0],"chunk":-1,"id":"doc"}
            """
        let rows = try rows(text, key: ["id", "chunk"], vector: "v")
        #expect(
            rows[0]
                == TableRow("doc#3", ["id": "doc", "chunk": 3, "t": "x"], vector: [0.5, -100, 3]))
        #expect(rows[1] == TableRow("doc#-1", ["id": "doc", "chunk": -1], vector: [0.1, 0, -0.0]))
    }

    private func scratch() throws(ObjectError) -> any StagedBlob {
        do throws(StorageError) { return try MemoryBucket().stage(in: .packs) } catch {
            throw .storage(error)
        }
    }

    @Test(
        "rows that do not fit into memory come back in key order, equal keys in line order",
        arguments: [0, 700, 5000, 1 << 20])
    func sorting(memoryLimit: Int) throws {
        var generator = SeededGenerator(seed: 11)
        let rows = (TableSamples.rows(0..<120) + TableSamples.rows(30..<40))
            .shuffled(using: &generator)
        var sorter = RowSorter(memoryLimit: memoryLimit, makeScratch: scratch)
        for (line, row) in rows.enumerated() {
            try sorter.append(
                try EncodedTableRow(row, dimension: row.vector.count), line: line)
        }
        let expected = rows.enumerated().sorted {
            ($0.element.key, $0.offset) < ($1.element.key, $1.offset)
        }
        for _ in 0..<2 {
            var sorted = try sorter.sorted()
            for (line, row) in expected {
                let entry = try #require(try sorted.next())
                #expect(entry.line == line)
                #expect(try entry.row.decoded() == row)
            }
            #expect(try sorted.next() == nil)
        }
    }

    @Test("lines that succeed a table give the table of the lines alone")
    func succeeding() throws {
        let old = TableSamples.rows(0..<200)
        var new = Array(old.dropFirst(7)) + TableSamples.rows(300..<310)
        new.remove(at: 50)
        new[20].attributes["changed"] = true
        new[21].vector[1] += 1
        let lines = new.map { row in
            var object = row.attributes
            object["id"] = .string(row.key)
            object["v"] = .array(row.vector.map { .number(Double($0)) })
            return JSON.object(object).canonicalText
        }.joined(separator: "\n")
        let store = MemoryStore()
        var alone = try reader(lines, vector: "v", pieces: 10_000)
        let expected = try Table.importing(&alone, in: MemoryStore(), makeScratch: scratch)
        let withIDs = old.map { row in
            var row = row
            row.attributes["id"] = .string(row.key)
            return row
        }
        let before = try Table.build(rows: withIDs, dimension: 4, in: store)
        var succeeding = try reader(lines, vector: "v", pieces: 10_000)
        let table = try Table.importing(
            &succeeding, succeeding: before, in: store, makeScratch: scratch)
        #expect(table == expected)
        let counts = try TableDiff.counts(from: before, to: table, in: store)
        #expect(counts.added == 10)
        #expect(counts.removed == 8)
        #expect(counts.changed == 2)
    }

    @Test("lines in any order give the table of their rows")
    func importing() throws {
        var generator = SeededGenerator(seed: 3)
        let rows = TableSamples.rows(0..<60).map { row in
            var row = row
            row.attributes["id"] = .string(row.key)
            return row
        }
        let lines = rows.shuffled(using: &generator).map { row in
            var object = row.attributes
            object["v"] = .array(row.vector.map { .number(Double($0)) })
            return JSON.object(object).canonicalText
        }
        let store = MemoryStore()
        var reader = try reader(lines.joined(separator: "\n"), vector: "v", pieces: 10_000)
        let table = try Table.importing(&reader, in: store, makeScratch: scratch)
        #expect(try TableSamples.contents(of: table, in: store) == rows)
        #expect(try Table.build(rows: rows, dimension: 4, in: MemoryStore()) == table)
    }

    @Test(
        "a line that is no row is named by its number",
        arguments: [
            ("{\"id\":\"a\"}\n{\"id\":\"b\"", "line 2"),
            ("{\"id\":\"a\"}\n\n[1]\n", "line 3: a row must be a JSON object"),
            ("{\"id\":\"a\"}\n\"x\"\n", "line 2: a row must be a JSON object"),
            ("null", "line 1: a row must be a JSON object"),
            ("{\"id\":\"a\"} x", "line 1: unexpected text"),
            ("{\"id\":\"a\"}{\"id\":\"b\"}", "line 1: unexpected text"),
            ("{\"id\":\"a\",}", "line 1: a key in quotes"),
            ("{\"id\":\"a\",\"x\":1,\"x\":2}", "line 1: a key is repeated"),
            ("{\"id\":\"a\",\"n\":NaN}", "line 1: not a value"),
            ("\u{FEFF}{\"id\":\"a\"}", "line 1"),
            ("{\"x\":1}", "line 1: the key field \"id\" is missing"),
            ("{\"id\":\"\"}", "line 1: the key field \"id\" is empty"),
            ("{\"id\":1.5}", "line 1: the key field \"id\" is not a whole number"),
            ("{\"id\":null}", "line 1: the key field \"id\" is neither"),
            ("{\"id\":\"a\\u0007\"}", "line 1: the key holds a control character"),
            (
                "{\"id\":\"a\"}\n{\"id\":\"b\"}\n\n{\"id\":\"a\"}",
                "line 4: the key \"a\" is already on line 1"
            ),
            ("{\"id\":\"a\",\"n\":1e17}", "line 1: row \"a\": a number"),
        ])
    func badLines(text: String, reason: String) throws {
        let store = MemoryStore()
        do throws(ObjectError) {
            var reader = try reader(text)
            _ = try Table.importing(&reader, in: store, makeScratch: scratch)
            Issue.record("accepted")
        } catch {
            #expect(error.fault == .usage)
            #expect(error.message.hasPrefix("rows.jsonl, "), "\(error.message)")
            #expect(error.message.contains(reason), "\(error.message)")
        }
        #expect(store.count == 0)
    }

    @Test(
        "a vector that does not fit is named by its line",
        arguments: [
            ("{\"id\":\"b\"}", "is missing"), ("{\"id\":\"b\",\"v\":[]}", "has no numbers"),
            ("{\"id\":\"b\",\"v\":[1]}", "has 1 numbers, the rows before have 2"),
            ("{\"id\":\"b\",\"v\":[1,\"x\"]}", "list of numbers"),
            ("{\"id\":\"b\",\"v\":[1,NaN]}", "list of numbers"),
            ("{\"id\":\"b\",\"v\":[1,[2]]}", "list of numbers"),
            ("{\"id\":\"b\",\"v\":{}}", "list of numbers"),
            ("{\"id\":\"b\",\"v\":[1,1e39]}", "beyond fp32"),
            ("{\"id\":\"b\",\"v\":[1,1e999]}", "out of range"),
            ("{\"id\":\"b\",\"v\":[1,2],\"v\":[1,2]}", "repeated"),
        ])
    func badVectors(line: String, reason: String) throws {
        do throws(ObjectError) {
            _ = try rows("{\"id\":\"a\",\"v\":[1,2]}\n" + line, vector: "v")
            Issue.record("accepted")
        } catch {
            #expect(error.message.hasPrefix("rows.jsonl, line 2: "), "\(error.message)")
            #expect(error.message.contains(reason), "\(error.message)")
        }
    }

    @Test("a line without end stops at the limit, not at the end of memory")
    func longLine() throws {
        let piece = [UInt8](repeating: 0x20, count: 8 << 20)
        var given = 0
        var reader = try JSONLinesReader(name: "rows.jsonl", keyFields: ["id"]) {
            given += 1
            return piece
        }
        do throws(ObjectError) {
            _ = try reader.next()
            Issue.record("accepted")
        } catch { #expect(error.message.contains("line 1: the line has more than 64 MiB")) }
        #expect(given <= 9)
    }

    @Test("keys need fields")
    func keyFields() {
        #expect(throws: ObjectError.self) { try reader("", key: []) }
        #expect(throws: ObjectError.self) { try reader("", key: [""]) }
        #expect(throws: ObjectError.self) { try reader("", key: ["v"], vector: "v") }
    }
}
