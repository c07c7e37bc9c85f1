import Dispatch
import Storage
import Synchronization
import Testing

@testable import Objects

@Suite("Object writers")
struct ObjectWriterTests {
    @Test("known content makes no pack, and its packs are kept")
    func deduplication() throws {
        var repository = TestRepository()
        let small = TestBytes.text.make(5000)
        let large = TestBytes.float32.make(700_000)
        func write(_ writer: ObjectWriter) throws {
            try writer.write(small, hint: .structured)
            try writer.write(large, hint: .bulk)
            _ = try writer.importBytes(of: BytesBlob(large + small))
        }
        try repository.commit(write)
        #expect(repository.packs.count == 1)
        let again = repository.writer
        try write(again)
        #expect(again.statistics.newBytes == 0 && again.statistics.objects == 3)
        #expect(again.reliedOn == [repository.packs[0].name])
        #expect(try again.finish() == nil)
        #expect(try repository.bucket.list(.packs).count == 1)
    }

    @Test("a writer without writes finishes without a pack, and a dropped writer leaves nothing")
    func nothing() throws {
        let repository = TestRepository()
        #expect(try repository.writer.finish() == nil)
        try repository.writer.write([1, 2, 3], hint: .bulk)
        _ = try repository.writer.importBytes(of: BytesBlob(TestBytes.random.make(3_000_000)))
        #expect(try repository.bucket.list(.packs).isEmpty)
    }

    @Test("the same content never has the same pack name twice")
    func names() throws {
        var names: Set<ObjectID> = []
        for _ in 0..<5 {
            var repository = TestRepository()
            try repository.commit { _ = try $0.write([1, 2, 3], hint: .bulk) }
            names.insert(try #require(repository.packs.first).name)
        }
        #expect(names.count == 5)
    }

    @Test("the statistics and the reference describe the pack")
    func figures() throws {
        var repository = TestRepository()
        let writer = repository.writer
        let bytes = TestBytes.text.make(10_000)
        for _ in 0..<3 { try writer.write(bytes, hint: .bulk) }
        let pack = try #require(try writer.finish())
        repository.packs.append(pack)
        let statistics = writer.statistics
        #expect(statistics.objects == 3 && statistics.rawBytes == 30_000)
        #expect(statistics.newBytes == 10_000)
        #expect(pack.size == statistics.storedBytes + PackFooter.packMagic.count)
        let file = try repository.bytes(of: pack)
        #expect(file.count == pack.size)
        #expect(ObjectID(of: file.span.extracting(pack.indexOffset..<file.count)) == pack.name)
    }

    @Test("a recipe that is found keeps its pack and those of its pieces")
    func recipeReliance() throws {
        var repository = TestRepository()
        let bytes = TestBytes.random.make(2_000_000)
        let half = Array(bytes.prefix(1_200_000))
        _ = try repository.commit { try $0.importBytes(of: BytesBlob(half)) }
        _ = try repository.commit { try $0.importBytes(of: BytesBlob(bytes)) }
        #expect(repository.packs.count == 2)
        let writer = repository.writer
        _ = try writer.importBytes(of: BytesBlob(bytes))
        #expect(writer.reliedOn == Set(repository.packs.map(\.name)))
        #expect(try writer.finish() == nil)
    }

    @Test(
        "a difference keeps the pack of its base, is read back, and never builds on another difference"
    )
    func differences() throws {
        var repository = TestRepository()
        var versions: [[UInt8]] = [TestBytes.random.make(20_000)]
        var ids = [try repository.commit { try $0.write(versions[0], hint: .bulk) }]
        for round in 1..<6 {
            var next = versions[round - 1]
            next[round * 1000] ^= 0xFF
            versions.append(next)
            let predecessor = ids[round - 1]
            ids.append(
                try repository.commit { writer in
                    let id = try writer.write(next, hint: .bulk, predecessor: predecessor)
                    #expect(try writer.read(id, limit: .max) == next)
                    #expect(writer.statistics.storedBytes + writer.statistics.newBytes > 0)
                    return id
                })
            #expect(repository.packs[round].size < 1000)
        }
        let store = repository.store
        for (id, bytes) in zip(ids, versions) {
            #expect(try store.read(id, limit: .max) == bytes)
            guard id != ids[0] else { continue }
            let (pack, index) = try #require(try store.packHoldingPiece(id))
            let piece = try pack.piece(at: index)
            #expect(piece.codec == .delta)
            #expect(try pack.deltaBase(of: piece) == ids[0])
        }
        // Writing one again keeps its pack and that of its base.
        let writer = repository.writer
        try writer.write(versions[3], hint: .bulk)
        #expect(writer.reliedOn == [repository.packs[0].name, repository.packs[3].name])
        // Without the base's pack, reading it reports damage.
        let orphan = PackStore(bucket: repository.bucket, packs: [repository.packs[3]])
        #expect {
            try orphan.read(ids[3], limit: .max)
        } throws: {
            ($0 as? ObjectError)?.fault == .damaged
        }
        // A writer does not rely on unreadable data.
        let repair = ObjectWriter(bucket: repository.bucket, existing: orphan)
        try repair.write(versions[3], hint: .bulk)
        let pack = try #require(try repair.finish())
        let repaired = PackStore(bucket: repository.bucket, packs: [repository.packs[3], pack])
        #expect(try repaired.read(ids[3], limit: .max) == versions[3])
    }

    @Test("a new difference relies on the pack of its base")
    func differenceReliance() throws {
        var repository = TestRepository()
        let bytes = TestBytes.random.make(20_000)
        let id = try repository.commit { try $0.write(bytes, hint: .bulk) }
        let writer = repository.writer
        try writer.write(bytes + [1], hint: .bulk, predecessor: id)
        #expect(writer.reliedOn == [repository.packs[0].name])
        let other = repository.writer
        try other.write(TestBytes.text.make(20_000), hint: .bulk, predecessor: id)
        #expect(other.reliedOn.isEmpty)
        let unknown = repository.writer
        try unknown.write([1, 2], hint: .bulk, predecessor: ObjectID(of: [7].span))
        #expect(try unknown.read(ObjectID(of: [1, 2].span), limit: 2) == [1, 2])
    }

    @Test("a damaged predecessor costs the saving, not the write")
    func damagedPredecessor() throws {
        var repository = TestRepository()
        let bytes = TestBytes.random.make(20_000)
        let id = try repository.commit { try $0.write(bytes, hint: .bulk) }
        let pack = repository.packs[0]
        var file = try repository.bytes(of: pack)
        file[100] ^= 1
        let bucket = MemoryBucket()
        _ = try bucket.create(BlobName(.packs, pack.name.hex), file)
        let writer = ObjectWriter(
            bucket: bucket, existing: PackStore(bucket: bucket, packs: [pack]))
        let next = try writer.write(bytes + [1], hint: .bulk, predecessor: id)
        let second = try #require(try writer.finish())
        let store = PackStore(bucket: bucket, packs: [pack, second])
        #expect(try store.read(next, limit: .max) == bytes + [1])
    }

    @Test("eight threads that write the same pieces store each once, and each reads what it wrote")
    func concurrency() throws {
        var repository = TestRepository()
        let writer = repository.writer
        let problems = Mutex<[String]>([])
        let objects = (0..<60).map { TestBytes.bfloat16.make(30_000 + $0, seed: UInt64($0)) }
        let shared = TestBytes.random.make(2_500_000)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            do {
                for offset in 0..<objects.count {
                    let bytes = objects[(offset + (thread % 2) * 7) % objects.count]
                    let id = try writer.write(bytes, hint: .bulk)
                    if try writer.read(id, limit: .max) != bytes {
                        problems.withLock { $0.append("another object") }
                    }
                }
                let id = try writer.importBytes(of: BytesBlob(shared))
                if try writer.read(id, limit: .max) != shared {
                    problems.withLock { $0.append("another import") }
                }
            } catch { problems.withLock { $0.append("\(error)") } }
        }
        #expect(problems.withLock { $0 } == [])
        let distinct = objects.reduce(0) { $0 + $1.count } + shared.count
        #expect(writer.statistics.newBytes == distinct)
        #expect(writer.statistics.rawBytes == 8 * distinct)
        repository.packs.append(try #require(try writer.finish()))
        for bytes in objects + [shared] {
            #expect(try repository.store.read(ObjectID(of: bytes.span), limit: .max) == bytes)
        }
    }

    @Test("a source that ends early fails the import, and the writer stays usable")
    func truncatedSource() throws {
        var repository = TestRepository()
        let writer = repository.writer
        let bytes = TestBytes.random.make(6_000_000)
        for cut in [0, 10, 5_000_000, 5_999_999] {
            let source = BytesBlob(Array(bytes.prefix(cut)), claiming: bytes.count)
            #expect(throws: ObjectError.self) { try writer.importBytes(of: source) }
        }
        let id = try writer.importBytes(of: BytesBlob(bytes))
        repository.packs.append(try #require(try writer.finish()))
        #expect(try repository.store.read(id, limit: .max) == bytes)
    }
}
