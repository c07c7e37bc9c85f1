import Artifacts
import Foundation
import Objects
import Storage
import TestSupport
import Testing

@Suite("Damaged packs under an open index")
struct DamagedFileTests {
    private static let dimension = 64

    private static func rows(_ count: Int) -> [TableRow] {
        var random = SeededGenerator(seed: 3)
        return (0..<count).map { number in
            let row = FeatureRow(
                document: "d\(1000 + number)", title: "T", section: "s", headings: ["H"],
                ordinal: 0, text: "Text of row \(number)")
            let vector = (0..<dimension).map { _ in Float(Int(random.next() % 200)) - 100 }
            return TableRow(key: row.key, attributes: row.attributes, vector: vector)
        }
    }

    @Test("searches of a truncated pack fail, the process lives, and a restored pack is read again")
    func truncation() async {
        await #expect(processExitsWith: .success) { try Self.truncate() }
    }

    private static func truncate() throws {
        try MappedFile.surviveDamage()
        let folder = try TemporaryDirectory()
        let bucket = try DirectoryBucket.create(at: folder.path)
        let writer = ObjectWriter(
            bucket: bucket, existing: PackStore(bucket: bucket, packs: []))
        let rows = Self.rows(2000)
        let table = try Table.build(rows: rows, dimension: Self.dimension, in: writer)
        let pack = try #require(try writer.finish())
        let opened = OpenPacks()
        func store() -> PackStore { PackStore(bucket: bucket, packs: [pack], opened: opened) }
        let verified = try VerifiedLeaves()
        let index = try FeatureIndex.open(table, in: store(), verified: verified)
        let query = rows[7].vector
        let expected = try index.vectors.nearest(5, to: query)
        #expect(expected.first?.row == 7)

        let path = "\(bucket.location)/packs/\(pack.name.hex)"
        let whole = try Data(contentsOf: URL(filePath: path))
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.truncate(atOffset: 100)
        var failures = 0
        for row in stride(from: 10, to: 2000, by: 50) {
            do throws(ObjectError) {
                _ = try index.vectors.nearest(5, to: rows[row].vector)
            } catch {
                guard case .storage(.damaged) = error, error.fault == .damaged else {
                    Issue.record("not an error of a damaged file: \(error)")
                    continue
                }
                failures += 1
            }
        }
        #expect(failures > 30 && MappedFile.damagedCount == 1)
        #expect(throws: ObjectError.self) {
            try FeatureIndex.open(table, in: store(), verified: verified, sharing: index)
        }

        try handle.seek(toOffset: 0)
        try handle.write(contentsOf: whole)
        let restored = try FeatureIndex.open(
            table, in: store(), verified: verified, sharing: index)
        #expect(try restored.vectors.nearest(5, to: query) == expected)
        for row in stride(from: 10, to: 2000, by: 50) {
            let found = try restored.vectors.nearest(5, to: rows[row].vector)
            #expect(found.first?.row == row)
        }
    }
}
