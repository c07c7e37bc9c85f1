import Storage
import TestSupport
import Testing

@testable import Objects

@Suite("Tables from JSON Lines")
struct TableImportTests {
    private func source(
        _ text: String, key: [String] = ["id"], vector: String? = nil, blockSize: Int = 7
    ) throws(ObjectError) -> JSONLinesSource {
        try JSONLinesSource(
            BytesBlob(Array(text.utf8)), name: "rows.jsonl", keyFields: key, vectorField: vector,
            blockSize: blockSize)
    }

    private func rows(
        _ text: String, key: [String] = ["id"], vector: String? = nil, blockSize: Int = 7
    ) throws(ObjectError) -> [TableRow] {
        let store = MemoryStore()
        let source = try source(text, key: key, vector: vector, blockSize: blockSize)
        let table = try Table.importing(source, in: store, makeScratch: scratch)
        return try TableSamples.contents(of: table, in: store)
    }

    @Test(
        "CR LF, blank lines and a missing last line end are accepted", arguments: [1, 2, 7, 1000])
    func lineEnds(blockSize: Int) throws {
        let text = "{\"id\":\"a\"}\r\n\n  \r\n{\"id\":\"b\", \"n\": 1}\n\r\n{\"id\":\"c\"}"
        #expect(
            try rows(text, blockSize: blockSize) == [
                TableRow("a", ["id": "a"]), TableRow("b", ["id": "b", "n": 1]),
                TableRow("c", ["id": "c"]),
            ])
        #expect(try rows("", blockSize: blockSize).isEmpty)
        #expect(try rows("\n\n", blockSize: blockSize).isEmpty)
    }

    @Test("key fields are joined and stay attributes, the vector does not")
    func fields() throws {
        let text = """
            {"id":"doc","chunk":3,"v":[0.5,-1e2,3],"t":"x"}
            {"v":[0.1, 1E-50 ,-0.0],"chunk":-1,"id":"doc"}
            """
        let rows = try rows(text, key: ["id", "chunk"], vector: "v")
        #expect(
            rows[1]
                == TableRow("doc#3", ["id": "doc", "chunk": 3, "t": "x"], vector: [0.5, -100, 3]))
        #expect(rows[0] == TableRow("doc#-1", ["id": "doc", "chunk": -1], vector: [0.1, 0, -0.0]))
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
        for start in stride(from: 0, to: rows.count, by: 9) {
            var block = RowBlock()
            for line in start..<min(start + 9, rows.count) {
                let row = try EncodedTableRow(rows[line], dimension: 4)
                block.append(
                    key: row.key.span, attributes: row.attributes.span, vector: row.vector.span,
                    line: line)
            }
            block.sort()
            try sorter.append(block)
        }
        let expected = rows.enumerated().sorted {
            ($0.element.key, $0.offset) < ($1.element.key, $1.offset)
        }
        var sorted = try sorter.sorted()
        var found: [(line: Int, key: [UInt8])] = []
        while let block = try sorted.next(atLeast: 5000) {
            for (index, row) in block.rows.enumerated() {
                found.append((row.line, block.key(index)))
            }
        }
        #expect(found.map(\.line) == expected.map(\.offset))
        #expect(found.map(\.key) == expected.map { Array($0.element.key.utf8) })
    }

    @Test("lines imported over a predecessor give the same table as without it")
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
        let alone = try source(lines, vector: "v", blockSize: 10_000)
        let expected = try Table.importing(alone, in: MemoryStore(), makeScratch: scratch)
        let withIDs = old.map { row in
            var row = row
            row.attributes["id"] = .string(row.key)
            return row
        }
        let before = try Table.build(rows: withIDs, dimension: 4, in: store)
        let succeeding = try source(lines, vector: "v", blockSize: 10_000)
        let table = try Table.importing(
            succeeding, succeeding: before, in: store, makeScratch: scratch)
        #expect(table == expected)
        let counts = try TableDiff.counts(from: before, to: table, in: store)
        #expect(counts.added == 10)
        #expect(counts.removed == 8)
        #expect(counts.changed == 2)
    }

    @Test("lines in any order give the same table")
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
        let source = try source(lines.joined(separator: "\n"), vector: "v", blockSize: 10_000)
        let table = try Table.importing(source, in: store, makeScratch: scratch)
        #expect(try TableSamples.contents(of: table, in: store) == rows)
        #expect(try Table.build(rows: rows, dimension: 4, in: MemoryStore()) == table)
    }

    private static let numbered = TableSamples.rows(0..<150).map { row in
        var row = row
        row.attributes["id"] = .string(row.key)
        return row
    }

    private func text(_ rows: [TableRow]) -> String {
        rows.map { row in
            var object = row.attributes
            object["v"] = .array(row.vector.map { .number(Double($0)) })
            return JSON.object(object).canonicalText + "\n"
        }.joined()
    }

    private func imported(
        _ text: String, threads: Int, blockSize: Int, memoryLimit: Int, in store: MemoryStore,
        succeeding predecessor: Table? = nil
    ) throws(ObjectError) -> Table {
        let source = try source(text, vector: "v", blockSize: blockSize)
        return try TableImport(
            source: source, predecessor: predecessor, store: store, threads: threads,
            memoryLimit: memoryLimit
        ).run(makeScratch: scratch)
    }

    @Test(
        "the table depends neither on threads nor on the order of lines", arguments: [1, 2, 3, 8])
    func threads(count: Int) throws {
        var generator = SeededGenerator(seed: 7)
        let rows = Self.numbered
        let expected = try Table.build(rows: rows, dimension: 4, in: MemoryStore())
        var nearly = rows
        for index in stride(from: 3, to: 140, by: 11) { nearly.swapAt(index, index + 1) }
        var late = rows
        late.append(late.remove(at: 77))
        for rows in [rows, nearly, late, rows.shuffled(using: &generator)] {
            for (blockSize, memoryLimit) in [(3000, 0), (3000, 1 << 30), (700, 60_000)] {
                let store = MemoryStore()
                let table = try imported(
                    text(rows), threads: count, blockSize: blockSize, memoryLimit: memoryLimit,
                    in: store)
                #expect(table == expected)
            }
        }
    }

    @Test("sorted lines are stored as they arrive, and only the differences from a predecessor")
    func inOrder() throws {
        let store = MemoryStore()
        let before = try Table.build(rows: Self.numbered, dimension: 4, in: store)
        var rows = Self.numbered
        rows[70].vector[0] += 1
        let count = store.count
        let table = try imported(
            text(rows), threads: 2, blockSize: 3000, memoryLimit: 0, in: store, succeeding: before)
        #expect(try Table.build(rows: rows, dimension: 4, in: MemoryStore()) == table)
        let height = try TableSamples.height(of: table, in: store)
        #expect(store.count == count + height)
    }

    @Test("rows are counted and given without a table", arguments: [1, 3])
    func rowsAlone(threads: Int) throws {
        let source = try source(text(Self.numbered), vector: "v", blockSize: 2000)
        #expect(try source.countRows(threads: threads) == Self.numbered.count)
        #expect(try source.rows(threads: threads) == Self.numbered)
    }

    @Test("a duplicate key is found, however far apart its lines are", arguments: [0, 1, 75, 148])
    func repeatedKey(line: Int) throws {
        let rows = Self.numbered + [Self.numbered[line]]
        for memoryLimit in [0, 1 << 30] {
            do throws(ObjectError) {
                _ = try imported(
                    text(rows), threads: 2, blockSize: 3000, memoryLimit: memoryLimit,
                    in: MemoryStore())
                Issue.record("accepted")
            } catch {
                #expect(error.message.contains("line 151: the key"))
                #expect(error.message.contains("is already on line \(line + 1)"))
            }
        }
    }

    @Test("the first bad line is reported, whichever block it is in")
    func firstError() throws {
        var lines = text(Self.numbered).split(separator: "\n").map(String.init)
        lines[120] = "{}"
        lines[90] = lines[90].replacing("\"v\":[", with: "\"v\":[1,")
        lines[100] = "["
        for memoryLimit in [0, 1 << 30] {
            do throws(ObjectError) {
                _ = try imported(
                    lines.joined(separator: "\n"), threads: 8, blockSize: 500,
                    memoryLimit: memoryLimit, in: MemoryStore())
                Issue.record("accepted")
            } catch {
                #expect(
                    error.message
                        == "rows.jsonl, line 91: the vector \"v\" has 5 numbers, but earlier rows have 4"
                )
            }
        }
    }

    @Test(
        "a line that is not a row is reported by number",
        arguments: [
            ("{\"id\":\"a\"}\n{\"id\":\"b\"", "line 2"),
            ("{\"id\":\"a\"}\n\n[1]\n", "line 3: a row must be a JSON object"),
            ("{\"id\":\"a\"}\n\"x\"\n", "line 2: a row must be a JSON object"),
            ("null", "line 1: a row must be a JSON object"),
            ("{\"id\":\"a\"} x", "line 1: unexpected text"),
            ("{\"id\":\"a\"}{\"id\":\"b\"}", "line 1: unexpected text"),
            ("{\"id\":\"a\",}", "line 1: expected a quoted key"),
            ("{\"id\":\"a\",\"x\":1,\"x\":2}", "line 1: a key is repeated"),
            ("{\"id\":\"a\",\"n\":NaN}", "line 1: not a value"),
            ("\u{FEFF}{\"id\":\"a\"}", "line 1"),
            ("{\"x\":1}", "line 1: the key field \"id\" is missing"),
            ("{\"id\":\"\"}", "line 1: the key field \"id\" is empty"),
            ("{\"id\":1.5}", "line 1: the key field \"id\" is not a whole number"),
            ("{\"id\":null}", "line 1: the key field \"id\" is neither"),
            ("{\"id\":\"a\\u0007\"}", "line 1: the key contains a control character"),
            (
                "{\"id\":\"a\"}\n{\"id\":\"b\"}\n\n{\"id\":\"a\"}",
                "line 4: the key \"a\" is already on line 1"
            ),
        ])
    func badLines(text: String, reason: String) throws {
        let store = MemoryStore()
        do throws(ObjectError) {
            let source = try source(text)
            _ = try Table.importing(source, in: store, makeScratch: scratch)
            Issue.record("accepted")
        } catch {
            #expect(error.fault == .usage)
            #expect(error.message.hasPrefix("rows.jsonl, "), "\(error.message)")
            #expect(error.message.contains(reason), "\(error.message)")
        }
        #expect(store.count == 0)
    }

    @Test(
        "a vector that does not fit is reported with its line",
        arguments: [
            ("{\"id\":\"b\"}", "is missing"), ("{\"id\":\"b\",\"v\":[]}", "has no numbers"),
            ("{\"id\":\"b\",\"v\":[1]}", "has 1 numbers, but earlier rows have 2"),
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

    @Test("an endless line stops at the limit, not at the end of memory")
    func longLine() throws {
        let given = MutexBox(0)
        let blob = EndlessBlob(size: 1 << 40, given: given)
        do throws(ObjectError) {
            let source = try JSONLinesSource(blob, name: "rows.jsonl", keyFields: ["id"])
            let block = try source.block(0)
            #expect(block.failure?.line == 1)
            #expect(block.failure?.reason.contains("more than 64 MiB") == true)
        } catch { Issue.record("\(error)") }
        #expect(given.value <= 160 << 20)
    }

    @Test("a key needs at least one field")
    func keyFields() {
        #expect(throws: ObjectError.self) { try source("", key: []) }
        #expect(throws: ObjectError.self) { try source("", key: [""]) }
        #expect(throws: ObjectError.self) { try source("", key: ["v"], vector: "v") }
    }
}

/// A blob of spaces that counts the bytes read.
private struct EndlessBlob: Blob {
    let size: Int
    let given: MutexBox<Int>

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        given.update { $0 += count }
        return [UInt8](repeating: 0x20, count: count)
    }
}
