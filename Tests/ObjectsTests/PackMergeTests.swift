@testable import Maintenance
import Storage
import Testing

@testable import Objects

@Suite("Packs merged into one")
struct PackMergeTests {
    /// The store after one pack replaced the given packs, by default all of them.
    private func merged(
        _ repository: TestRepository, _ packs: [PackReference]? = nil
    ) throws -> PackStore {
        let packs = packs ?? repository.packs
        let merge = try MergedPack.merge(packs, of: repository.store)
        #expect(merge.sources == packs)
        let pack = try merge.publish()
        return PackStore(
            bucket: repository.bucket,
            packs: repository.packs.filter { !packs.contains($0) } + [pack])
    }

    @Test("objects of every kind read as before, and pieces stay pieces")
    func objects() throws {
        var repository = TestRepository()
        var contents: [ObjectID: [UInt8]] = [:]
        let large = TestBytes.random.make(3 << 20)
        let samples: [[UInt8]] = [
            [], [7], TestBytes.text.make(9000), TestBytes.random.make(50_000), large,
            Array(large.reversed()), Array(large[(1 << 20)...]),
        ]
        for bytes in samples {
            contents[try repository.commit { try $0.write(bytes, hint: .bulk) }] = bytes
        }
        let store = try merged(repository)
        #expect(store.packs.count == 1)
        for (id, bytes) in contents { #expect(try store.read(id, limit: .max) == bytes) }
        #expect(store.audit(full: true).isEmpty)
        let (before, after) = (
            try repository.store.packStatistics(), try store.packStatistics()
        )
        #expect(after.objects == before.objects)
        #expect(after.rawBytes == before.rawBytes)
        #expect(after.pieces <= before.pieces)
        for pack in repository.packs { #expect(try store.holdsAll(of: pack)) }
        // A writer finds everything there.
        let writer = ObjectWriter(bucket: repository.bucket, existing: store)
        for bytes in contents.values { try writer.write(bytes, hint: .bulk) }
        #expect(try writer.finish() == nil)
    }

    @Test("differences are readable whether or not their bases are merged with them")
    func differences() throws {
        var repository = TestRepository()
        var versions = [TestBytes.random.make(20_000)]
        var ids = [try repository.commit { try $0.write(versions[0], hint: .bulk) }]
        for round in 1..<6 {
            var next = versions[round - 1]
            next[round * 1000] ^= 0xFF
            versions.append(next)
            let predecessor = ids[round - 1]
            ids.append(
                try repository.commit {
                    try $0.write(next, hint: .bulk, predecessor: predecessor)
                })
        }
        for packs in [
            repository.packs, Array(repository.packs[1...]), Array(repository.packs[..<3]),
        ] {
            let store = try merged(repository, packs)
            for (id, bytes) in zip(ids, versions) {
                #expect(try store.read(id, limit: .max) == bytes)
            }
            #expect(store.audit(full: true).isEmpty)
            for pack in repository.packs { #expect(try store.holdsAll(of: pack)) }
        }
    }

    @Test("of two copies, the one that can be a base stays")
    func copies() throws {
        var repository = TestRepository()
        let base = TestBytes.random.make(20_000)
        let (middle, last) = (base + [1], base + [1, 2])
        let id = try repository.commit { try $0.write(base, hint: .bulk) }
        // Two writers store the same piece at once, one of them as a difference.
        let (first, second) = (repository.writer, repository.writer)
        let middleID = try first.write(middle, hint: .bulk)
        try second.write(middle, hint: .bulk, predecessor: id)
        let full = try #require(try first.finish())
        let difference = try #require(try second.finish())
        repository.packs.append(full)
        let lastID = try repository.commit {
            try $0.write(last, hint: .bulk, predecessor: middleID)
        }
        repository.packs.append(difference)
        // Even while the difference is the newer copy.
        #expect(try repository.store.read(lastID, limit: .max) == last)
        #expect(repository.store.audit(full: true).isEmpty)
        let orders = [
            repository.packs, repository.packs.reversed(), [full, difference], [difference, full],
        ]
        for packs in orders {
            let store = try merged(repository, packs)
            for (id, bytes) in [(id, base), (middleID, middle), (lastID, last)] {
                #expect(try store.read(id, limit: .max) == bytes)
            }
            #expect(store.audit(full: true).isEmpty)
        }
        // Without the full copy not everything is restored.
        let poorer = PackStore(
            bucket: repository.bucket, packs: repository.packs.filter { $0 != full })
        #expect(try !poorer.holdsAll(of: full))
    }

    @Test("damaged packs are never merged", arguments: [0, 1, 2])
    func damage(_ victim: Int) throws {
        var repository = TestRepository()
        for number in 0..<3 {
            _ = try repository.commit {
                try $0.write(TestBytes.random.make(1000 + number), hint: .bulk)
            }
        }
        let pack = repository.packs[victim]
        let sound = try repository.bytes(of: pack)
        for offset in [0, 8, sound.count / 2, pack.indexOffset + 50] {
            var bytes = sound
            bytes[offset] ^= 1
            try repository.bucket.replace(BlobName(.packs, pack.name.hex), bytes)
            #expect(try MergedPack.merge(repository.packs, of: repository.store).sources.count == 2)
        }
        try repository.bucket.delete(BlobName(.packs, pack.name.hex))
        #expect(try MergedPack.merge(repository.packs, of: repository.store).sources.count == 2)
    }
}
