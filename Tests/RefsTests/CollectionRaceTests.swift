@testable import Maintenance
import Objects
import Refs
import Storage
import Synchronization
import TestSupport
import Testing

/// One process pauses before a call while another does all of its work; repeated for every call.
@Suite("Collections beside writers, readers and each other")
struct CollectionRaceTests {
    /// A repository whose packs hold parts that a ref needs, that earlier values need, and that nothing needs.
    private func sample() throws -> (bucket: MemoryBucket, old: ObjectID) {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        var old: ObjectID?
        for (index, numbers) in [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9], [0, 9], [20, 21]].enumerated() {
            let transaction = try repository.begin(writer: testWriter(seed: UInt64(index + 2)))
            let name = try RefName(index == 3 ? "models/b" : "models/a")
            let id = try writeModel(numbers, into: transaction.objects)
            _ = try transaction.commit([RefUpdate(name, new: id)])
            if index == 1 { old = id }
        }
        return (bucket, try #require(old))
    }

    /// Runs work on copies of a bucket, with `interruption` before each of its calls in turn.
    private func interrupt(
        _ bucket: MemoryBucket, each step: Int = 1,
        _ interruption: @escaping @Sendable (MemoryBucket) throws -> Void,
        in work: (Repository, Int) throws -> Void
    ) throws {
        let counted = HookedBucket(try bucket.copy())
        try work(Repository(in: counted), -1)
        #expect(counted.calls > 5 * step, "too few moments to interrupt at")
        for call in stride(from: 0, to: counted.calls, by: step) {
            let copy = try bucket.copy()
            let hooked = HookedBucket(copy)
            hooked.before(call) { try interruption(copy) }
            try work(Repository(in: hooked), call)
            #expect(hooked.hasHappened, "call \(call)")
            try expectWhole(copy, "interrupted before call \(call)")
        }
    }

    @Test("a put survives a collection without grace at any moment", arguments: [false, true])
    func put(isPurge: Bool) throws {
        let (bucket, _) = try sample()
        try interrupt(bucket) {
            _ = try collectAll(Repository(in: $0), isPurge: isPurge)
        } in: { repository, _ in
            let transaction = try repository.begin(writer: testWriter("late", seed: 9))
            // Some of the files are stored as garbage, some are needed, some are new.
            let id = try writeModel([6, 7, 1, 20, 40], into: transaction.objects)
            let commit = try transaction.commit([RefUpdate(try RefName("models/c"), new: id)])
            #expect(commit.number != nil)
        }
    }

    @Test("a move to unreferenced data finds all of it or is refused")
    func move() throws {
        let (bucket, old) = try sample()
        let outcomes = Mutex((moved: 0, refused: 0))
        try interrupt(bucket) {
            _ = try collectAll(Repository(in: $0))
        } in: { repository, _ in
            do {
                _ = try repository.begin(writer: testWriter("late", seed: 9)).commit([
                    RefUpdate(try RefName("models/c"), new: old)
                ])
                outcomes.withLock { $0.moved += 1 }
            } catch let error as RefError {
                guard case .incomplete = error else { throw error }
                outcomes.withLock { $0.refused += 1 }
            }
        }
        #expect(outcomes.withLock { $0.moved > 0 && $0.refused > 0 })
    }

    @Test("a collection removes nothing that a writer has begun to need")
    func collection() throws {
        let (bucket, old) = try sample()
        let moved = Mutex(0)
        let refused = Mutex(0)
        try interrupt(bucket) { bucket in
            let transaction = try Repository(in: bucket).begin(
                writer: testWriter("other", seed: 5))
            do {
                _ = try transaction.commit([RefUpdate(try RefName("models/c"), new: old)])
                moved.withLock { $0 += 1 }
            } catch RefError.incomplete {
                // The collection was faster.
                refused.withLock { $0 += 1 }
            }
        } in: { repository, _ in
            _ = try collectAll(repository)
        }
        #expect(moved.withLock { $0 } > 5)
        #expect(refused.withLock { $0 } > 0)
    }

    @Test(
        "a collection keeps everything that new packs use or store differences against",
        arguments: [false, true])
    func dependents(isPurge: Bool) throws {
        let (bucket, _) = try sample()
        try interrupt(bucket) { bucket in
            let repository = Repository(in: bucket)
            for index in 0..<3 {
                let transaction = try repository.begin(
                    writer: testWriter("other", seed: UInt64(index + 30)))
                let id = try writeModel([6, 8, 2, 50 + index], into: transaction.objects)
                _ = try transaction.commit([RefUpdate(try RefName("models/d\(index)"), new: id)])
            }
        } in: { repository, _ in
            _ = try collectAll(repository, isPurge: isPurge)
        }
    }

    @Test("two concurrent collections do what one does")
    func collections() throws {
        let (bucket, _) = try sample()
        try interrupt(bucket) {
            _ = try collectAll(Repository(in: $0), seed: 55)
        } in: {
            repository, _ in
            _ = try collectAll(repository)
            #expect(try collectAll(repository, seed: 56).transaction == nil)
        }
    }

    @Test("a collection beside a merge of small packs")
    func compaction() throws {
        let (bucket, _) = try sample()
        let repository = Repository(in: bucket)
        for number in 0..<9 {
            try repository.put(
                "models/e", text: "\(number)", writer: testWriter(seed: UInt64(number + 60)))
        }
        // The interruption brings the log to the point where packs are merged.
        try interrupt(bucket, each: 3) { bucket in
            for number in 0..<5 {
                try Repository(in: bucket).put(
                    "models/f", text: "\(number)", writer: testWriter(seed: UInt64(number + 80)))
            }
        } in: { repository, _ in
            _ = try collectAll(repository)
        }
    }

    @Test(
        "a collection killed at any call loses nothing, and the next one finishes",
        arguments: [false, true])
    func kills(isPurge: Bool) throws {
        let (bucket, _) = try sample()
        let counted = HookedBucket(try bucket.copy())
        _ = try collectAll(Repository(in: counted), isPurge: isPurge)
        var kills = 0
        for call in 0..<counted.calls {
            let copy = try bucket.copy()
            let hooked = HookedBucket(copy)
            hooked.fail(from: call)
            // A collection may succeed without its last changes, which are optional.
            if let error = refError({ _ = try collectAll(Repository(in: hooked), isPurge: isPurge) }
            ) {
                #expect(error.fault == .io, "call \(call): \(error)")
                kills += 1
            }
            #expect(hooked.failures > 0, "call \(call)")
            try expectWhole(copy, "killed at call \(call)")
            _ = try collectAll(Repository(in: copy), seed: 78)
            try expectWhole(copy, "collected after call \(call)")
            let live = try Repository(in: copy).state().packs.count
            #expect(try copy.list(.packs).count == live)
        }
        #expect(kills > counted.calls / 2)
    }

    @Test("a reader of an older state finds everything in the replacement packs")
    func reader() throws {
        let (bucket, old) = try sample()
        let repository = Repository(in: bucket)
        let state = try repository.state()
        let target = try #require(state.target(of: try RefName("models/a")))
        let objects = try repository.objects(in: state)
        _ = try collectAll(Repository(in: bucket))
        #expect(try objects.read(target, limit: 1 << 20).count > 0)
        var closure = SnapshotClosure(in: objects, complete: [])
        #expect(try closure.firstMissing(for: target) == nil)
        do throws(ObjectError) {
            _ = try objects.read(old, limit: 1 << 20)
            Issue.record("it was read")
        } catch {
            #expect(error == .collected(old, transaction: 5))
            #expect(error.fault == .missing)
        }
        // A missing file of a live pack is still damage.
        for entry in try bucket.list(.packs) {
            try bucket.delete(BlobName(.packs, entry.name))
        }
        let late = try Repository(in: bucket).objects(in: Repository(in: bucket).state())
        do throws(ObjectError) {
            _ = try late.size(of: target)
            Issue.record("it was found")
        } catch { #expect(error.fault == .damaged) }
    }
}
