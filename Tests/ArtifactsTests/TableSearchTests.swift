import Artifacts
import Foundation
import Objects
import Storage
import TestSupport
import Testing

@Suite("Search of tables")
struct TableSearchTests {
    private let dimension = 64
    private let values: [Float]
    private let rows: [TableRow]

    init() {
        var random = SeededGenerator(seed: 31)
        var values = VectorKind.clustered.vectors(700, dimension: 64, &random)
        for index in 64..<128 { values[index] = 0 }
        for index in 128..<192 { values[index] *= 0x1p-140 }
        for index in 192..<256 { values[index] *= 0x1p70 }
        self.values = values
        rows = (0..<700).map { index in
            let ordinal = index % 5
            let row = FeatureRow(
                document: "d\(1000 + index / 50).md", title: "T",
                section: "s\(100 + index / 5)", headings: ["H"], ordinal: ordinal,
                text: "Text of row \(index), and what follows it.")
            return TableRow(
                key: row.key, attributes: row.attributes,
                vector: Array(values[index * 64..<(index + 1) * 64]))
        }
    }

    private func check(_ index: FeatureIndex, _ source: some ObjectSource) throws {
        let inMemory = VectorSearch(dimension: dimension, values: values)
        #expect(index.count == 700 && index.vectors.rows == 700)
        for row in [0, 1, 2, 3, 350, 699] {
            let query = Array(values[row * 64..<(row + 1) * 64])
            #expect(try index.vectors.vector(row) == query)
            for (count, threads) in [(1, 1), (10, 2), (700, 3)] {
                let found = try index.vectors.nearest(count, to: query, threads: threads)
                #expect(found == (try inMemory.nearest(count, to: query, threads: 1)))
                for match in found.prefix(2) {
                    #expect(match == (try index.vectors.match(match.row, to: query)))
                }
            }
        }
        let texts = try index.rows(at: [699, 0, 350, 0], in: source).map(\.text)
        #expect(texts == [699, 0, 350, 0].map { "Text of row \($0), and what follows it." })
        let all = try index.rows(at: Array(0..<index.count), in: source)
        #expect(all.map(\.key) == rows.map(\.key))
        #expect(all.count == 700)
    }

    @Test("a table in memory")
    func memory() throws {
        let store = MemoryStore()
        let table = try Table.build(rows: rows, dimension: dimension, in: store)
        try check(try FeatureIndex.open(table, in: store, verified: VerifiedLeaves()), store)
    }

    @Test("a table in packs, whose vectors are read in place", arguments: [1, 4])
    func packs(threads: Int) throws {
        let folder = try TemporaryDirectory()
        let bucket = try DirectoryBucket.create(at: folder.path)
        let writer = ObjectWriter(bucket: bucket, existing: PackStore(bucket: bucket, packs: []))
        let table = try Table.build(rows: rows, dimension: dimension, in: writer)
        let pack = try #require(try writer.finish())
        let store = PackStore(bucket: bucket, packs: [pack])
        let blocks = try TableVectors(table, in: store, verified: VerifiedLeaves()).blocks
        #expect(blocks.allSatisfy(\.isInPlace) && blocks.count > 1)
        try check(
            try FeatureIndex.open(table, in: store, verified: VerifiedLeaves(), threads: threads),
            store)
    }

    @Test("a table without vectors cannot be searched; one without rows finds nothing")
    func empty() throws {
        let store = MemoryStore()
        let plain = try Table.build(
            rows: [TableRow(key: "a", attributes: JSONObject(), vector: [])], dimension: 0,
            in: store)
        #expect(throws: ObjectError.self) {
            try FeatureIndex.open(plain, in: store, verified: VerifiedLeaves())
        }
        #expect(throws: ObjectError.self) {
            try VectorSearch.open(plain, in: store, verified: VerifiedLeaves())
        }
        let none = try Table.build(rows: [], dimension: 8, in: store)
        let search = try VectorSearch.open(none, in: store, verified: VerifiedLeaves())
        #expect(try search.nearest(3, to: [Float](repeating: 1, count: 8)).isEmpty)
    }

    @Test("keys lead to the rows of a section")
    func keys() throws {
        let store = MemoryStore()
        let table = try Table.build(rows: rows, dimension: dimension, in: store)
        let keys = try FeatureKeys.read(table, in: store)
        #expect(keys.all == rows.map(\.key))
        #expect(keys.rows(document: "d1001.md", section: "s112") == 60..<65)
        #expect(keys.section(of: 62) == [60, 61, 62, 63, 64])
        #expect(keys.rows(document: "d1001.md", section: "s1").isEmpty)
    }
}
