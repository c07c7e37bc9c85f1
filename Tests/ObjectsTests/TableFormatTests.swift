import Storage
import TestSupport
import Testing

@testable import Objects

@Suite("The format of tables")
struct TableFormatTests {
    // The output of Tests/Fixtures/table_vectors.py, which implements the format from its description alone.

    private static let small = [
        TableRow("c", ["list": [true, .null], "text": "€"], vector: [3.25, -0.0]),
        TableRow("bé", vector: [1, 0]),
        TableRow("a", ["text": "x", "n": 1], vector: [0.5, -2]),
    ]

    @Test("a small table is one leaf with the documented bytes")
    func goldenLeaf() throws {
        let store = MemoryStore()
        let table = try Table.build(rows: Self.small, dimension: 2, in: store)
        #expect(
            table.root.hex == "0cce1d3ad0581c1e3823445e1efd26fc4ced95f2b833587beef602433354c0ab")
        #expect(
            Hexadecimal.encode(try store.read(table.root, limit: 1000))
                == """
                6674696c656166310300000002000000050000003500000001000000040000000500000012000000\
                14000000350000006162c3a9637b226e223a312c2274657874223a2278227d7b7d7b226c69737422\
                3a5b747275652c6e756c6c5d2c2274657874223a22e282ac227d0000000000000000000000000000\
                00000000000000000000003f000000c00000803f000000000000504000000080
                """)
    }

    @Test("an empty table is one leaf without rows")
    func goldenEmpty() throws {
        let store = MemoryStore()
        let table = try Table.build(rows: [], dimension: 3, in: store)
        #expect(
            table.root.hex == "8c72a30e2a684935ae1a827acfce7800c707bc9691e2bf3890beb8a824e4148f")
        #expect(try TableSamples.contents(of: table, in: store).isEmpty)
        #expect(try table.row(for: "a", in: store) == nil)
        try table.check(in: store)
    }

    @Test("an inner node has the documented bytes")
    func goldenInner() throws {
        let store = MemoryStore()
        let rows = (0..<9).map {
            TableRow("k\($0)", ["text": .string(String(repeating: "y", count: 20000))])
        }
        let table = try Table.build(rows: rows, dimension: 0, in: store)
        #expect(
            table.root.hex == "3b0476ba34783d9d0c3b995454bfee0ea2effca975406a76cab1c07c85ad958d")
        let bytes = try store.read(table.root, limit: 1000)
        #expect(
            Hexadecimal.encode(bytes)
                == """
                6674696e6f6465310100000005000000000000000a0000002b00a610d4a226d95128168bc0c845bc\
                75acc5f74c2493c18b06e7601bd7918c38081b73e4a90425059899a9766d31b11c5f94ea8e5cf6f8\
                cbf677687267c80ed3468cc8bee5489d1563b759a660151a4fdb1e85f98ed249dfd4063396c8fed1\
                f7313d5bd0ea0d69775b549fccdcaf0792b3e0d948649a03a56080a5778ee8427e82ab454424e946\
                ae77fe3d656939a5beb702dd4526d1f5e686a552f206247602000000000000000200000000000000\
                02000000000000000200000000000000010000000000000002000000040000000600000008000000\
                0a0000006b316b336b356b376b38
                """)
        #expect(try TableNode.links(of: bytes).count == 5)
        #expect(store.count == 6)
    }

    @Test("a table of several levels has the documented root")
    func goldenRoot() throws {
        let store = MemoryStore()
        let rows = (0..<6000).map { number in
            let digits = String(number * 7919 % 100_000)
            return TableRow(
                "k" + String(repeating: "0", count: 5 - digits.count) + digits
                    + String(repeating: "/", count: 150),
                [
                    "id": .integer(number),
                    "text": .string(
                        String(repeating: "\(number * number) ", count: 1 + number % 40)),
                ],
                vector: [Float(number) / 8, Float(-number), 0.25, 1])
        }
        let table = try Table.build(rows: rows, dimension: 4, in: store)
        #expect(table.rows == 6000)
        #expect(
            table.root.hex == "2bcfebf9db83fe6daf0c6d176058eeaa017f6d948335e66558da924b8a1d04c8")
        #expect(try Table(root: table.root, in: store) == table)
        try table.check(in: store)
    }

    // Hostile bytes.

    private func nodes() throws -> [[UInt8]] {
        let store = MemoryStore()
        let leaf = try Table.build(rows: Self.small, dimension: 2, in: store)
        let tall = try Table.build(
            rows: (0..<12).map {
                TableRow(
                    "k\($0)", ["t": .string(String(repeating: "y", count: 20000))])
            }, dimension: 0, in: store)
        return [
            try store.read(leaf.root, limit: 1000), try store.read(tall.root, limit: 1000),
        ]
    }

    @Test("a node truncated anywhere, or extended, is refused")
    func truncations() throws {
        for bytes in try nodes() {
            _ = try TableNode(decoding: bytes)
            for count in bytes.indices {
                #expect(throws: ObjectError.self) {
                    try TableNode(decoding: Array(bytes[..<count]))
                }
            }
            #expect(throws: ObjectError.self) { try TableNode(decoding: bytes + [0]) }
        }
    }

    @Test("changed bytes are refused, or are the canonical encoding of other rows")
    func flips() throws {
        var generator = SeededGenerator(seed: 7)
        var accepted = 0
        for bytes in try nodes() {
            for round in 0..<3000 {
                var changed = bytes
                for _ in 0...round % 3 {
                    let at = Int.random(in: changed.indices, using: &generator)
                    changed[at] = UInt8.random(in: 0...255, using: &generator)
                }
                guard case .leaf(let leaf)? = try? TableNode(decoding: changed) else { continue }
                accepted += 1
                var rows: [TableRow] = []
                for index in 0..<leaf.count { rows.append(try leaf.row(at: index)) }
                let store = MemoryStore()
                let again = try Table.build(rows: rows, dimension: leaf.dimension, in: store)
                #expect(try store.read(again.root, limit: 10_000) == changed)
            }
        }
        #expect(accepted > 0)
    }

    /// The decoder's error for the small leaf after some bytes are replaced.
    private func refusal(of bytes: [UInt8], at offset: Int, _ new: [UInt8]) -> String? {
        var bytes = bytes
        bytes.replaceSubrange(offset..<offset + new.count, with: new)
        do throws(ObjectError) {
            _ = try TableNode(decoding: bytes)
            return nil
        } catch {
            #expect(error.fault == .damaged)
            return error.message
        }
    }

    @Test("each rule of a leaf is checked")
    func leafRules() throws {
        let leaf = try nodes()[0]
        // Keys "a", "bé", "c" stand at 48, the attributes at 53, padding from 106, vectors at 128.
        func says(_ text: String, at offset: Int, _ new: [UInt8]) {
            let message = refusal(of: leaf, at: offset, new)
            #expect(message?.contains(text) == true, "\(offset) \(message ?? "accepted")")
        }
        says("header is not ftileaf1", at: 0, [0x46])
        says("do not match", at: 8, [4])
        says("its vectors have", at: 12, [2, 0, 1, 0])
        says("do not match", at: 8, [0xFF, 0xFF, 0xFF, 0xFF])
        says("end offset of a key", at: 24, [0])
        says("end offset of a row's attributes", at: 36, [1])
        says("do not ascend", at: 48, [0x7A])
        says("control character", at: 48, [0x1F])
        says("not valid UTF-8", at: 50, [0xFF])
        says("canonical", at: 55, Array("z".utf8))
        says("not an object", at: 71, Array("[]".utf8))
        says("padding", at: 106, [1])
        says("not finite", at: 128, [0, 0, 0x80, 0x7F])
        says("not finite", at: 128, [0, 0, 0xC0, 0xFF])
        #expect(refusal(of: leaf, at: 48, Array("A".utf8)) == nil)
    }

    @Test("each rule of an inner node is checked")
    func innerRules() throws {
        let node = try nodes()[1]
        let count = TableBytes.count(node.span, at: 12)
        func says(_ text: String, at offset: Int, _ new: [UInt8]) {
            let message = refusal(of: node, at: offset, new)
            #expect(message?.contains(text) == true, "\(offset) \(message ?? "accepted")")
        }
        says("level 0", at: 8, [0])
        // 64 above the leaves: a table of height 65.
        says("level 64", at: 8, [64])
        says("do not match", at: 12, [0xFF, 0xFF, 0xFF, 0xFF])
        says("its vectors have", at: 16, [1, 0, 1, 0])
        says("row count", at: 24 + 32 * count, [0])
        says("row count", at: 24 + 32 * count + 7, [0x80])
        says(
            "row count", at: 16 + 40 * count,
            [UInt8](repeating: 0xFF, count: 7) + [0x7F])
        says("end offset of a key", at: 24 + 40 * count, [0])
        says("do not ascend", at: node.count - 1, Array("!".utf8))
    }
}
