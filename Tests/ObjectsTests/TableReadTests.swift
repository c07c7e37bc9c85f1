import Testing

@testable import Objects

@Suite("Reading tables")
struct TableReadTests {
    private let store = MemoryStore()

    private func table(_ count: Int) throws -> (Table, [TableRow]) {
        let rows = TableSamples.rows((0..<count).map { $0 * 2 })
        return (try Table.build(rows: rows, dimension: 4, in: store), rows)
    }

    @Test("every row is found by its key, and no other")
    func lookup() throws {
        let (table, rows) = try table(300)
        for row in rows { #expect(try table.row(for: row.key, in: store) == row) }
        for number in [1, 299, 599, 601] {
            #expect(try table.row(for: TableSamples.key(number), in: store) == nil)
        }
        for key in ["", "~", "\u{0}"] { #expect(try table.row(for: key, in: store) == nil) }
    }

    @Test("a lookup reads one node per level")
    func lookupCost() throws {
        let (table, rows) = try table(800)
        let before = store.bytesRead
        _ = try table.row(for: rows[500].key, in: store)
        #expect(store.bytesRead - before < 200_000)
    }

    @Test("a cursor gives the rows from a key on", arguments: [0, 1, 100, 333, 598, 599, 600])
    func cursor(start: Int) throws {
        let (table, rows) = try table(300)
        var cursor = TableCursor(table, from: TableSamples.key(start), in: store)
        var read: [TableRow] = []
        while let row = try cursor.next() { read.append(row) }
        #expect(read == Array(rows.drop { $0.key < TableSamples.key(start) }))
        #expect(try cursor.next() == nil)
    }

    @Test("leaves fill a matrix with all vectors")
    func leaves() throws {
        let (table, rows) = try table(300)
        var cursor = TableCursor(table, in: store)
        var matrix: [Float] = []
        var keys: [String] = []
        while let leaf = try cursor.nextLeaf() {
            leaf.appendVectors(to: &matrix)
            keys += leaf.keys
            #expect(leaf.vectors == (0..<leaf.count).flatMap { leaf.vector(at: $0) })
        }
        #expect(matrix == rows.flatMap(\.vector))
        #expect(keys == rows.map(\.key))
    }

    @Test("a node in the wrong place is refused")
    func wrongPlaces() throws {
        let (table, rows) = try table(300)
        let root = try TableInnerNode(
            decoding: try store.read(table.root, limit: 1 << 20), id: nil)
        func refusal(_ change: (inout [TableEntry]) -> Void) throws -> String {
            var entries = root.entries
            change(&entries)
            let bytes = TableInnerNode.encode(entries, level: root.level, dimension: 4)
            let forged = Table(
                root: try store.write(bytes, hint: .structured),
                rows: entries.reduce(0) { $0 + $1.rows }, dimension: 4)
            do throws(ObjectError) {
                try forged.check(in: store)
                return "accepted"
            } catch { return error.message }
        }
        func entry(_ old: TableEntry, rows: Int = 0, id: ObjectID? = nil, key: [UInt8]? = nil)
            -> TableEntry
        { TableEntry(id: id ?? old.id, rows: old.rows + rows, lastKey: key ?? old.lastKey) }

        #expect(try refusal { $0[0] = entry($0[0], rows: 1) }.contains("rows; its parent says"))
        #expect(try refusal { $0[0] = entry($0[0], key: Array("000".utf8)) }.contains("last key"))
        #expect(try refusal { $0[0] = entry($0[0], id: table.root) }.contains("its parent says"))
        #expect(try refusal { $0.removeLast($0.count - 1) }.contains("only one child"))
        #expect(try refusal { $0.removeLast() }.contains("accepted"))
        // Known figures that differ from the root's.
        for other in [
            Table(root: table.root, rows: 299, dimension: 4),
            Table(root: table.root, rows: 300, dimension: 5),
        ] {
            #expect(throws: ObjectError.self) { try other.row(for: rows[0].key, in: store) }
        }
    }

    @Test("the same rows with other node boundaries are refused")
    func wrongBoundaries() throws {
        var block = RowBlock()
        for number in 0..<3 {
            let row = try EncodedTableRow(
                TableRow("\(number)", ["t": .string(String(repeating: "x", count: 100_000))]),
                dimension: 0)
            block.append(
                key: row.key.span, attributes: row.attributes.span, vector: row.vector.span, line: 0
            )
        }
        let bytes = TableLeaf.encode(RowOrder(block), 0..<3, dimension: 0).bytes
        #expect(throws: ObjectError.self) { try TableNode(decoding: bytes) }
    }

    @Test("a missing node is named")
    func missing() throws {
        let (table, _) = try table(300)
        let part = MemoryStore()
        let root = try store.read(table.root, limit: 1 << 20)
        try part.write(root, hint: .structured)
        let links = try TableNode.links(of: root)
        #expect(throws: ObjectError.missing(links[0])) { try table.check(in: part) }
    }

    @Test("links reach every node of a table")
    func links() throws {
        let (table, _) = try table(300)
        var ahead = [table.root]
        var reached: Set<ObjectID> = []
        while let id = ahead.popLast() {
            reached.insert(id)
            ahead += try TableNode.links(of: try store.read(id, limit: 1 << 26), id: id)
        }
        #expect(reached.count == store.count)
        #expect(throws: ObjectError.self) { try TableNode.links(of: Array("{}".utf8)) }
    }
}
