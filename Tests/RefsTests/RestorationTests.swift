@testable import Maintenance
import Objects
import Refs
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Collected data can be restored")
struct RestorationTests {
    /// A repository whose first model is garbage, in part of a pack that is needed and in one that is not.
    private func collected(
        grace: Int = CollectionOptions.standardGrace
    ) throws -> (bucket: MemoryBucket, repository: Repository, id: ObjectID, number: Int) {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        let name = try RefName("models/a")
        var first: ObjectID?
        for (index, numbers) in [[1, 2, 3, 4, 5, 6, 7], [2, 3, 8, 9], [3]].enumerated() {
            let transaction = try repository.begin(writer: testWriter(seed: UInt64(index + 2)))
            let id = try writeModel(numbers, into: transaction.objects)
            first = first ?? id
            _ = try transaction.commit([RefUpdate(name, new: id)])
        }
        var options = CollectionOptions()
        (options.keep, options.keepLast) = (0, 1)
        options.grace = grace
        let report = try repository.collect(options, writer: testWriter("gc", seed: 9))
        return (bucket, repository, try #require(first), try #require(report.transaction))
    }

    @Test("everything is restored, and stays when a ref needs it")
    func back() throws {
        let (bucket, repository, id, number) = try collected()
        #expect(try repository.objects(in: repository.state()).size(of: id) == nil)
        let restoration = try repository.restore(number, writer: testWriter(seed: 20))
        #expect(restoration.transaction == number + 1)
        #expect(restoration.packCount == 2)
        _ = try repository.begin(writer: testWriter(seed: 21)).commit([
            RefUpdate(try RefName("models/old"), new: id)
        ])
        try expectWhole(bucket)
        _ = try collectAll(repository)
        try expectWhole(bucket)
        // Everything exists now, or was never lost.
        let error = refError { _ = try repository.restore(number, writer: testWriter(seed: 22)) }
        #expect(error?.fault == .missing)
    }

    @Test("restored data that nothing needs is collected again")
    func again() throws {
        let (bucket, repository, id, number) = try collected()
        _ = try repository.restore(number, writer: testWriter(seed: 20))
        #expect(try collectAll(repository).transaction != nil)
        #expect(try repository.objects(in: repository.state()).size(of: id) == nil)
        try expectWhole(bucket)
    }

    @Test("deleted files cannot be restored")
    func late() throws {
        let (_, repository, _, number) = try collected(grace: 0)
        let error = refError { _ = try repository.restore(number, writer: testWriter(seed: 20)) }
        #expect(error == .tooLateToUndo(number, missing: 2, of: 2))
    }

    @Test("a transaction that removed no packs, or lost nothing by it, restores nothing")
    func nothing() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        for number in 0..<16 {
            try repository.put(
                "models/a", text: "\(number)", writer: testWriter(seed: UInt64(number + 2)))
        }
        #expect(
            refError { _ = try repository.restore(3, writer: testWriter()) } == .nothingToUndo(3))
        #expect(
            refError { _ = try repository.restore(99, writer: testWriter()) }
                == .noTransaction(99))
        let merge = try repository.state().number
        #expect(
            refError { _ = try repository.restore(merge, writer: testWriter()) }
                == .nothingLost(merge))
    }

    @Test("a lease keeps what it names, and restores what was collected while it was taken")
    func leases() throws {
        let (bucket, repository, id, number) = try collected()
        let lease = Lease(
            name: RandomBits(from: { 7 }), purpose: "a test", snapshots: [id], seconds: nil)
        // It was collected: taking a lease fails, and no lease is left behind.
        #expect(refError { try repository.take(lease) }?.fault == .missing)
        #expect(try repository.leases().isEmpty)
        _ = try repository.restore(number, writer: testWriter(seed: 20))
        try repository.take(lease)
        #expect(try repository.leases() == [lease])
        #expect(try collectAll(repository).packs(.drop).isEmpty)
        #expect(try repository.objects(in: repository.state()).size(of: id) != nil)
        try repository.release(lease.name)
        _ = try collectAll(repository)
        #expect(try repository.objects(in: repository.state()).size(of: id) == nil)
        try expectWhole(bucket)
        #expect(refError { try repository.take(lease) }?.fault == .missing)
    }

    @Test("a lease that is taken at any moment of a collection holds, or is refused")
    func leaseRaces() throws {
        let (bucket, restored, id, number) = try collected()
        _ = try restored.restore(number, writer: testWriter(seed: 20))
        let counted = HookedBucket(try bucket.copy())
        _ = try collectAll(Repository(in: counted))
        var taken = 0
        let refused = Mutex(0)
        for call in 0..<counted.calls {
            let copy = try bucket.copy()
            let hooked = HookedBucket(copy)
            let isTaken = Mutex(false)
            hooked.before(call) {
                let lease = Lease(
                    name: RandomBits(from: { 7 }), purpose: "a test", snapshots: [id],
                    seconds: nil)
                do {
                    try Repository(in: copy).take(lease)
                    isTaken.withLock { $0 = true }
                } catch let error as RefError where error.fault == .missing {
                    refused.withLock { $0 += 1 }
                }
            }
            _ = try collectAll(Repository(in: hooked))
            #expect(hooked.hasHappened, "call \(call)")
            if isTaken.withLock({ $0 }) {
                let objects = try Repository(in: copy).objects(in: Repository(in: copy).state())
                var closure = SnapshotClosure(in: objects, complete: [])
                #expect(try closure.firstMissing(for: id) == nil, "at once, call \(call)")
            }
            _ = try collectAll(Repository(in: copy), seed: 78)
            _ = try collectAll(Repository(in: copy), seed: 79)
            try expectWhole(copy, "call \(call)")
            let objects = try Repository(in: copy).objects(in: Repository(in: copy).state())
            var closure = SnapshotClosure(in: objects, complete: [])
            if isTaken.withLock({ $0 }) {
                #expect(try closure.firstMissing(for: id) == nil, "call \(call)")
                taken += 1
            }
        }
        #expect(taken > 5)
        #expect(refused.withLock { $0 } > 0)
        #expect(taken + refused.withLock { $0 } == counted.calls)
    }

    @Test("a lease restores missing parts of a snapshot whose other parts were never removed")
    func half() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        var ids: [ObjectID] = []
        let models = [("a", [1]), ("b", [1, 2, 3, 4, 5, 6]), ("c", [2, 3, 4, 5, 6])]
        for (index, (name, numbers)) in models.enumerated() {
            let transaction = try repository.begin(writer: testWriter(seed: UInt64(index + 2)))
            ids.append(try writeModel(numbers, into: transaction.objects))
            _ = try transaction.commit([RefUpdate(try RefName("models/\(name)"), new: ids[index])])
        }
        let lease = Lease(
            name: RandomBits(from: { 7 }), purpose: "a test", snapshots: [ids[1]], seconds: nil)
        try repository.take(lease)
        // One collection misses the lease, and the next one sees it.
        let place = BlobName(.leases, lease.name.hex + ".json")
        let bytes = try #require(try bucket.read(place, limit: 1 << 20))
        try bucket.delete(place)
        for name in ["a", "b"] {
            _ = try repository.begin(writer: testWriter(seed: 9)).commit([
                RefUpdate(try RefName("models/\(name)"), new: ids[2])
            ])
        }
        var options = CollectionOptions()
        (options.keep, options.keepLast) = (0, 1)
        _ = try repository.collect(options, writer: testWriter("gc", seed: 20))
        let objects = try repository.objects(in: repository.state())
        #expect(try objects.size(of: ids[1]) != nil)
        #expect(try objects.size(of: ids[0]) == nil)
        _ = try bucket.create(place, bytes)
        _ = try collectAll(repository)
        var closure = SnapshotClosure(
            in: try repository.objects(in: repository.state()), complete: [])
        #expect(try closure.firstMissing(for: ids[1]) == nil)
        try expectWhole(bucket)
    }

    /// Flips a bit of the first piece of a pack.
    private func damage(_ pack: ObjectID, in bucket: MemoryBucket) throws {
        let name = BlobName(.packs, pack.hex)
        var bytes = try #require(try bucket.read(name, limit: 1 << 24))
        bytes[20] ^= 1
        try bucket.replace(name, bytes)
    }

    @Test("a repair keeps removed damaged packs that hold former targets")
    func repair() throws {
        let (bucket, repository, id, number) = try collected()
        let removed = try repository.idlePackFiles(in: repository.state()).removed
        #expect(removed.count == 2)
        try damage(removed[0].name, in: bucket)
        let report = try RepositoryRepair(
            Repository(in: bucket), copies: [], writer: testWriter(seed: 30)
        ).run()
        #expect(!report.after.isSound)
        #expect(try repository.idlePackFiles(in: repository.state()).removed.count == 2)
        // A lease on it loses no more than the damaged part.
        let lease = Lease(
            name: RandomBits(from: { 7 }), purpose: "a test", snapshots: [id], seconds: nil)
        #expect(refError { try repository.take(lease) }?.fault == .missing)
        _ = try repository.restore(number, writer: testWriter(seed: 31))
        try expectWhole(bucket)
    }

    @Test("a repair deletes removed damaged packs that hold nothing unique")
    func needless() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        for number in 0..<16 {
            try repository.put(
                "models/a", text: "\(number)", writer: testWriter(seed: UInt64(number + 2)))
        }
        let removed = try repository.idlePackFiles(in: repository.state()).removed
        try damage(try #require(removed.first).name, in: bucket)
        #expect(try !RepositoryVerifier(repository).verify(full: true).isSound)
        let report = try RepositoryRepair(
            Repository(in: bucket), copies: [], writer: testWriter(seed: 30)
        ).run()
        #expect(report.done.count == 1)
        #expect(report.after.isSound)
        let left = try repository.idlePackFiles(in: repository.state()).removed
        #expect(left.count == removed.count - 1)
    }

    @Test("leases expire by the bucket's clock, and a damaged lease stops collections")
    func expiry() throws {
        let clock = TestClock()
        let bucket = MemoryBucket { clock.now.milliseconds }
        let writer = testWriter(clock: clock)
        let repository = try Repository.create(in: bucket, writer: writer)
        let id = try #require(
            try repository.put("models/a", text: "1", writer: writer).refs[0].new)
        let lease = Lease(
            name: RandomBits(from: { 7 }), purpose: "a service", snapshots: [id], seconds: 60)
        try repository.take(lease)
        clock.advance(seconds: 59)
        #expect(try repository.leases() == [lease])
        try repository.take(lease)
        clock.advance(seconds: 59)
        #expect(try repository.leases() == [lease])
        clock.advance(seconds: 2)
        #expect(try repository.leases().isEmpty)
        // Its file stays for a while: its holder may be renewing it at the moment.
        _ = try repository.collect(writer: writer)
        #expect(try !bucket.list(.leases).isEmpty)
        clock.advance(seconds: 62)
        _ = try repository.collect(writer: writer)
        #expect(try bucket.list(.leases).isEmpty)
        try repository.take(lease)
        let name = BlobName(.leases, lease.name.hex + ".json")
        for index in try #require(try bucket.read(name, limit: 1000)).indices {
            try bucket.edit(name) { $0[index] ^= 1 }
            #expect(refError { _ = try repository.collect(writer: writer) }?.fault == .damaged)
            let findings = try RepositoryVerifier(repository).verify(full: false).findings
            #expect(findings.contains { $0.place.description == name.description })
            try bucket.edit(name) { $0[index] ^= 1 }
        }
        // At any age: what it protects is unknown.
        try bucket.edit(name) { $0[5] ^= 1 }
        clock.advance(seconds: 3 * Lease.longest)
        #expect(refError { _ = try repository.collect(writer: writer) }?.fault == .damaged)
    }
}
