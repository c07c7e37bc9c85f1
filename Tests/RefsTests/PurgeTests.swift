@testable import Maintenance
@testable import Objects
import Refs
import Storage
import TestSupport
import Testing

@Suite("A purge leaves no unneeded data")
struct PurgeTests {
    private static let marker = "the-secret-of-row-17"

    /// Whether the marker is in any decoded piece in the folder of packs, live or not.
    private static func holdsMarker(_ bucket: MemoryBucket) throws -> Bool {
        let empty = PackStore(bucket: bucket, packs: [])
        let names = try bucket.list(.packs).compactMap { ObjectID(hex: $0.name) }
        let packs = try empty.references(to: names)
        #expect(packs.count == names.count)
        let store = PackStore(bucket: bucket, packs: packs)
        let wanted = Array(marker.utf8)
        for reference in packs {
            let pack = try store.open(reference)
            for index in 0..<pack.footer.pieceCount {
                let bytes = try store.bytes(of: pack.storedPiece(at: index))
                for start in bytes.indices where bytes[start...].starts(with: wanted) {
                    return true
                }
            }
        }
        return false
    }

    /// How many pieces of live packs are stored as differences.
    private static func differences(_ repository: Repository) throws -> Int {
        let store = try repository.objects(in: repository.state())
        var count = 0
        for reference in store.packs {
            let pack = try store.open(reference)
            for index in 0..<pack.footer.pieceCount
            where try pack.piece(at: index).codec == .delta { count += 1 }
        }
        return count
    }

    private static func row(_ number: Int, dimension: Int, salt: UInt64 = 0) -> TableRow {
        var generator = SeededGenerator(seed: UInt64(number) * 1000 + salt)
        var attributes = JSONObject()
        let words = (0..<60).map { _ in String(UInt16.random(in: 0...999, using: &generator)) }
        attributes["text"] = .string(
            words.joined(separator: " ") + (number == 17 && salt == 0 ? " \(marker)" : ""))
        let vector = (0..<dimension).map { _ in Float.random(in: -1...1, using: &generator) }
        return TableRow(key: String(10_000 + number), attributes: attributes, vector: vector)
    }

    /// Moves a ref to a table that is made from the previous one.
    private static func put(
        _ ref: String, in repository: Repository, seed: UInt64, dimension: Int,
        _ change: (ObjectWriter) throws -> Table
    ) throws -> Table {
        let name = try RefName(ref)
        let transaction = try repository.begin(writer: testWriter(seed: seed))
        let table = try change(transaction.objects)
        let snapshot = Snapshot(
            kind: .features, content: .table(table),
            parents: transaction.state.target(of: name).map { [$0] } ?? [],
            producer: .init(pipeline: "test", version: "1"), created: epoch)
        let id = try transaction.objects.write(snapshot.encoded, hint: .structured)
        _ = try transaction.commit([RefUpdate(name, new: id)])
        return table
    }

    @Test(
        "the text of a row that no version has is in no file, not even as the base of a difference",
        arguments: [0, 32])
    func bases(dimension: Int) throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        let first = try Self.put("features/a", in: repository, seed: 2, dimension: dimension) {
            try Table.build(
                rows: (0..<400).map { Self.row($0, dimension: dimension) }, dimension: dimension,
                in: $0)
        }
        // The leaf without the row is stored as a difference against the one that has it.
        let second = try Self.put("features/a", in: repository, seed: 3, dimension: dimension) {
            try first.applying([.remove("10017")], in: $0)
        }
        #expect(try Self.differences(repository) > 0)
        _ = try collectAll(repository, seed: 4)
        #expect(try Self.holdsMarker(bucket), "what a purge is for is there")
        let report = try collectAll(repository, seed: 5, isPurge: true)
        #expect(report.unneededBytes == 0)
        #expect(try !Self.holdsMarker(bucket))
        try expectWhole(bucket)
        let objects = try Repository(in: bucket).objects(in: repository.state())
        try second.check(in: objects)
        #expect(try collectAll(repository, seed: 6, isPurge: true).transaction == nil)
    }

    @Test("a difference stays one when a kept version has its base")
    func kept() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        let first = try Self.put("features/a", in: repository, seed: 2, dimension: 0) {
            try Table.build(
                rows: (0..<400).map { Self.row($0, dimension: 0) }, dimension: 0, in: $0)
        }
        _ = try repository.begin(writer: testWriter(seed: 8)).commit([
            RefUpdate(
                try RefName("features/b"), new: repository.state().target(of: RefName("features/a"))
            )
        ])
        _ = try Self.put("features/a", in: repository, seed: 3, dimension: 0) {
            try first.applying([.remove("10017")], in: $0)
        }
        let before = try Self.differences(repository)
        #expect(before > 0)
        let report = try collectAll(repository, seed: 5, isPurge: true)
        #expect(report.transaction == nil)
        #expect(try Self.differences(repository) == before)
        // When that version is collected, so is its text.
        _ = try repository.begin(writer: testWriter(seed: 9)).commit([
            RefUpdate(try RefName("features/b"), new: nil)
        ])
        _ = try collectAll(repository, seed: 6, isPurge: true)
        #expect(try !Self.holdsMarker(bucket))
        try expectWhole(bucket)
    }

    @Test("a reader of an older state finds what a purge stored in another form")
    func reader() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        let first = try Self.put("features/a", in: repository, seed: 2, dimension: 0) {
            try Table.build(
                rows: (0..<400).map { Self.row($0, dimension: 0) }, dimension: 0, in: $0)
        }
        let second = try Self.put("features/a", in: repository, seed: 3, dimension: 0) {
            try first.applying([.remove("10017")], in: $0)
        }
        for opensFirst in [true, false] {
            let copy = try bucket.copy()
            let reading = Repository(in: copy)
            let objects = try reading.objects(in: reading.state())
            // The pack of the differences is open, that of their bases is not.
            if opensFirst { _ = try objects.size(of: second.root) }
            _ = try collectAll(Repository(in: copy), isPurge: true)
            try second.check(in: objects)
        }
    }

    @Test("a collection reports how much of the live packs is unneeded, and why it stays")
    func truth() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        func put(_ numbers: [Int], seed: UInt64) throws {
            let transaction = try repository.begin(writer: testWriter(seed: seed))
            let id = try writeModel(numbers, into: transaction.objects)
            _ = try transaction.commit([RefUpdate(try RefName("models/a"), new: id)])
        }
        try put(Array(0..<10), seed: 2)
        #expect(try collectAll(repository).unneededBytes == 0)
        try put(Array(0..<9), seed: 3)
        let report = try collectAll(repository)
        #expect(report.transaction == nil)
        #expect(report.wasteful.map(\.decision.obstacle) == [.half])
        #expect(report.unneededBytes >= 300)
        #expect(report.unneededBytes < report.liveBytes)
        // A damaged pack cannot be rewritten, and the report says so.
        let pack = try repository.state().packs[0]
        var damagedCount = 0
        for byte in stride(from: 9, to: pack.indexOffset, by: 211) {
            let copy = try bucket.copy()
            try copy.edit(BlobName(.packs, pack.name.hex)) { $0[byte] ^= 1 }
            do {
                let damaged = try collectAll(Repository(in: copy), isPurge: true)
                guard damaged.unneededBytes > 0 else { continue }
                damagedCount += 1
                #expect(damaged.wasteful.map(\.decision.obstacle) == [.damage])
            } catch {
                // The damage is in a node that lists needed objects.
                #expect((error as? RefError)?.fault == .damaged, "byte \(byte): \(error)")
            }
        }
        #expect(damagedCount > 0)
        let purged = try collectAll(repository, isPurge: true)
        #expect(purged.packs(.rewrite).count == 1)
        #expect(purged.unneededBytes == 0)
        #expect(try collectAll(repository).unneededBytes == 0)
        try expectWhole(bucket)
    }
}
