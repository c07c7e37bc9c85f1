@testable internal import Objects

extension FuzzTarget {
    private static let nodeWords = ["ftileaf1", "ftinode1", "{\"a\":1}", "{}", "\u{c2}\u{80}"]

    /// Table nodes: an accepted one encodes to the same bytes, and can be read completely.
    static let nodes = FuzzTarget("nodes", words: nodeWords) { example in
        example.objects(beginningWith: "ftileaf1", limit: 4096)
            + example.objects(beginningWith: "ftinode1", limit: 4096) + smallNodes
    } run: { input throws(FuzzFinding) in
        let bytes = Array(input)
        guard let node = try? TableNode(decoding: bytes) else { return }
        switch node {
        case .leaf(let leaf):
            var block = RowBlock()
            var boundary = TableBoundary(level: 0)
            var vectors: [Float] = []
            leaf.appendVectors(to: &vectors)
            try FuzzFinding.unless(
                vectors.count == leaf.count * leaf.dimension, "vectors are missing")
            for index in 0..<leaf.count {
                guard let row = try? leaf.row(at: index) else {
                    throw FuzzFinding("a row of an accepted leaf is refused")
                }
                let span = bytes.span
                var members = CanonicalMembers()
                var found = 0
                while members.advance(in: span.extracting(leaf.attributeRange(index))) {
                    found += 1
                }
                try FuzzFinding.unless(
                    found == row.attributes.count, "a member of a row is not found")
                let key = span.extracting(leaf.keyRange(index))
                try FuzzFinding.unless(leaf.firstIndex(notBelow: key) == index, "a key is lost")
                block.append(
                    key: key, attributes: span.extracting(leaf.attributeRange(index)),
                    vector: span.extracting(leaf.vectorRange(index)), line: 0)
                let cuts = boundary.cuts(after: key, weight: leaf.weight(index))
                try FuzzFinding.unless(
                    cuts == (index == leaf.count - 1 && leaf.endsAtBoundary),
                    "a leaf goes on after its end")
            }
            let again = TableLeaf.encode(
                RowOrder(block), 0..<leaf.count, dimension: leaf.dimension)
            try FuzzFinding.unless(again.bytes == bytes, "a leaf has two encodings")
        case .inner(let node):
            try FuzzFinding.unless(
                TableInnerNode.encode(
                    node.entries, level: node.level, dimension: node.dimension) == bytes,
                "a node has two encodings")
        }
    }

    /// A leaf of three rows without and with vectors, and the node above two leaves.
    static var smallNodes: [[UInt8]] {
        let store = MemoryStore()
        let rows = (0..<3).map { (index: Int) -> TableRow in
            let attributes: JSON = ["n": .integer(index)]
            return TableRow(key: "k\(index)", attributes: attributes.object ?? JSONObject())
        }
        var tables = [try? Table.build(rows: rows, dimension: 0, in: store)]
        let vectors = rows.map {
            TableRow(key: $0.key, attributes: $0.attributes, vector: [1, 2, 3])
        }
        tables.append(try? Table.build(rows: vectors, dimension: 3, in: store))
        let leaves = tables.compactMap { $0.flatMap { try? store.read($0.root, limit: 4096) } }
        let entries = leaves.enumerated().map { index, leaf in
            TableEntry(id: ObjectID(of: leaf.span), rows: 3, lastKey: Array("k\(index)".utf8))
        }
        return leaves + [TableInnerNode.encode(entries, level: 1, dimension: 0)]
    }

    /// Tables built from hostile nodes: reading, comparing and looking up terminate, and never crash.
    ///
    /// The input is a list of nodes, each preceded by its length in two bytes. The first byte of a child's identity
    /// selects the child: it counts back from the inner node to an earlier node. The last node is the root.
    static let tables = FuzzTarget("tables", longestInput: 8192, words: nodeWords) { example in
        let leaves = example.objects(beginningWith: "ftileaf1", limit: 3000) + smallNodes
        return leaves.map { framed([$0]) } + [framed(smallNodes)]
            + example.objects(beginningWith: "ftinode1", limit: 4096).map {
                framed([smallNodes[0], $0])
            }
    } run: { input throws(FuzzFinding) in
        let store = MemoryStore()
        var ids: [ObjectID] = []
        var offset = 0
        while offset + 2 <= input.count, ids.count < 16 {
            let length = Int(input[offset]) | Int(input[offset + 1]) << 8
            let end = min(input.count, offset + 2 + length)
            var node = Array(input.extracting(offset + 2..<end))
            if node.starts(with: TableInnerNode.magic) { link(&node, to: ids) }
            ids.append(store.add(node))
            offset = end
        }
        guard let root = ids.last, let table = try? Table(root: root, in: store) else { return }
        var rows: [String] = []
        var cursor = TableCursor(table, in: store)
        var isSound = true
        do throws(ObjectError) {
            while let row = try cursor.next() {
                rows.append(row.key)
                guard rows.count <= 100_000 else { break }
            }
        } catch { isSound = false }
        if isSound, rows.count <= 100_000 {
            try FuzzFinding.unless(
                rows.count == table.rows, "a table of \(table.rows) rows gives \(rows.count)")
            for key in [rows.first, rows.last].compactMap({ $0 }) {
                guard let found = try? table.row(for: key, in: store), found.key == key else {
                    throw FuzzFinding("a row is not found")
                }
            }
        }
        _ = try? table.row(for: "k1", in: store)
        guard let first = ids.first, let other = try? Table(root: first, in: store),
            var diff = try? TableDiff(from: other, to: table, in: store)
        else { return }
        for _ in 0..<1000 {
            guard (try? diff.next()) != nil else { break }
        }
    }

    private static func framed(_ nodes: [[UInt8]]) -> [UInt8] {
        nodes.flatMap { [UInt8($0.count & 0xFF), UInt8($0.count >> 8)] + $0 }
    }

    private static func link(_ node: inout [UInt8], to ids: [ObjectID]) {
        guard node.count >= TableInnerNode.headerBytes, !ids.isEmpty else { return }
        let count = TableBytes.count(node.span, at: 12)
        for index in 0..<min(count, 64) {
            let start = TableInnerNode.headerBytes + 32 * index
            guard start + 32 <= node.count else { return }
            let id = ids[ids.count - 1 - Int(node[start]) % ids.count]
            node.replaceSubrange(start..<start + 32, with: id.bytes)
        }
    }
}

extension MemoryStore {
    /// Stores an object and returns its identity.
    fileprivate func add(_ bytes: [UInt8]) -> ObjectID {
        (try? write(bytes, hint: .bulk)) ?? ObjectID(of: bytes.span)
    }
}
