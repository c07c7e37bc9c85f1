import Foundation
import Storage
import TestSupport
import Testing

@testable import Objects

@Suite("Vectors of tables, read in place")
struct TableVectorsTests {
    private static let dimension = 40

    private static func row(_ number: Int, version: Int = 0) -> TableRow {
        TableSamples.row(number, version: version, dimension: dimension)
    }

    /// Two versions of a table in two packs: the second has leaves of its own, leaves of the first, and
    /// leaves that are stored as differences.
    private static func tables(
        in bucket: any Bucket
    ) throws -> (tables: [Table], packs: [PackReference]) {
        var packs: [PackReference] = []
        let writer = ObjectWriter(bucket: bucket, existing: PackStore(bucket: bucket, packs: []))
        let first = try Table.build(
            rows: (0..<300).map { row($0) }, dimension: dimension, in: writer)
        packs.append(try #require(try writer.finish()))
        let next = ObjectWriter(bucket: bucket, existing: PackStore(bucket: bucket, packs: packs))
        var edits: [TableEdit] = [.put(row(31, version: 1)), .remove(TableSamples.key(190))]
        edits += (400..<500).map { .put(row($0)) }
        let second = try first.applying(edits, in: next)
        packs.append(try #require(try next.finish()))
        return ([first, second], packs)
    }

    private static func check(_ table: Table, _ store: PackStore, threads: Int) throws {
        let rows = try TableSamples.contents(of: table, in: store)
        let vectors = try TableVectors(
            table, in: store, verified: VerifiedLeaves(), threads: threads)
        #expect(try vectors.matrix(threads: threads) == rows.flatMap(\.vector))
        for (number, row) in rows.enumerated() {
            let position = vectors.position(of: number)
            let block = vectors.blocks[position.block]
            let found = try block.withVectors { numbers in
                (0..<dimension).map { numbers[position.row * dimension + $0] }
            }
            #expect(found == row.vector)
        }
        for (index, block) in vectors.blocks.enumerated() {
            let leaf = try vectors.leaf(index, in: store)
            #expect(leaf.key(at: 0) == rows[vectors.firstRows[index]].key)
            var bytes: [UInt8] = []
            TableBytes.append(leaf.vectors, to: &bytes)
            let codes = VectorCodes(rows: block.rows, dimension: dimension)
            let made = codes.encoded(of: bytes.span)
            #expect(try block.codes() == made)
        }
    }

    @Test("vectors, codes and keys match the rows, mapped or read", arguments: [1, 3])
    func contents(threads: Int) throws {
        let place = try TemporaryDirectory()
        let directory = try DirectoryBucket.create(at: place.path)
        for bucket in [directory, MemoryBucket()] as [any Bucket] {
            let (tables, packs) = try Self.tables(in: bucket)
            let store = PackStore(bucket: bucket, packs: packs)
            for table in tables { try Self.check(table, store, threads: threads) }
            let vectors = try TableVectors(tables[1], in: store, verified: nil)
            let isInPlace = Set(vectors.blocks.map(\.isInPlace))
            #expect(isInPlace == (bucket is MemoryBucket ? [false] : [true, false]))
        }
    }

    @Test("a table of one leaf, and one without rows")
    func small() throws {
        let store = MemoryStore()
        for count in [0, 1, 3] {
            let rows = (0..<count).map { TableSamples.row($0) }
            let table = try Table.build(rows: rows, dimension: 4, in: store)
            let vectors = try TableVectors(table, in: store, verified: VerifiedLeaves())
            #expect(try vectors.matrix() == rows.flatMap(\.vector))
            var matrix = [Float](repeating: .nan, count: rows.count * vectors.table.dimension)
            try vectors.read(into: &matrix)
            #expect(matrix == rows.flatMap(\.vector))
        }
    }

    @Test("vectors outlive the files they are in")
    func outliving() throws {
        let place = try TemporaryDirectory()
        let bucket = try DirectoryBucket.create(at: place.path)
        let (tables, packs) = try Self.tables(in: bucket)
        let vectors = try TableVectors(
            tables[0], in: PackStore(bucket: bucket, packs: packs), verified: VerifiedLeaves())
        let matrix = try vectors.matrix()
        for pack in packs { try bucket.delete(pack.blobName) }
        #expect(try vectors.matrix() == matrix)
    }

    @Test("a flipped bit in the vectors, codes or text is found when they are used")
    func damage() throws {
        let place = try TemporaryDirectory()
        let bucket = try DirectoryBucket.create(at: place.path)
        let (tables, packs) = try Self.tables(in: bucket)
        let file = try #require(try bucket.read(packs[0].blobName, limit: .max))
        let footer = try OpenPack(packs[0], in: bucket).footer
        var seen = 0
        for index in 0..<footer.pieceCount {
            let chunk = try footer.piece(at: index)
            guard chunk.codec == .leaf, index.isMultiple(of: 5) else { continue }
            let stored = Array(file[chunk.offset..<chunk.offset + chunk.storedSize])
            let blocks = try LeafBlocks(
                decoding: stored.span, size: chunk.size, storedSize: stored.count)
            for (range, part) in [
                (0..<64, 0), (blocks.vectors, 1), (blocks.codes, 2), (blocks.text, 3),
            ] {
                var damaged = file
                damaged[chunk.offset + range.upperBound - 1] ^= 0x10
                let path = place(packs[0].blobName.description)
                try FileManager.default.removeItem(atPath: path)
                #expect(FileManager.default.createFile(atPath: path, contents: Data(damaged)))
                let store = PackStore(bucket: bucket, packs: packs)
                let isFound = [
                    Self.fails { _ = try TableVectors(tables[0], in: store, verified: nil) },
                    Self.fails {
                        _ = try TableVectors(tables[0], in: store, verified: nil).matrix()
                    },
                    Self.fails {
                        _ = try TableVectors(tables[0], in: store, verified: VerifiedLeaves())
                    },
                ]
                let expected = [part == 0, part < 2, true]
                #expect(isFound == expected, "part \(part)")
                seen += 1
            }
        }
        #expect(seen >= 8)
    }

    private static func fails(_ body: () throws -> Void) -> Bool {
        do {
            try body()
            return false
        } catch {
            return (error as? ObjectError)?.fault == .damaged
        }
    }

    @Test("the counts of a difference read from packs equal those of the rows")
    func counts() throws {
        let bucket = MemoryBucket()
        let (tables, packs) = try Self.tables(in: bucket)
        let store = PackStore(bucket: bucket, packs: packs)
        let counts = try TableDiff.counts(from: tables[0], to: tables[1], in: store)
        #expect(counts == RowChangeCounts(added: 100, removed: 1, changed: 1, unchanged: 298))
        let back = try TableDiff.counts(from: tables[1], to: tables[0], in: store)
        #expect(back == RowChangeCounts(added: 1, removed: 100, changed: 1, unchanged: 298))
    }
}
