@testable import Maintenance
import Objects
import Refs
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Small packs are merged")
struct CompactionTests {
    /// Puts the given number of versions on a ref, and returns their ids, oldest first.
    @discardableResult
    private func put(
        _ count: Int, on ref: String = "models/a", in repository: Repository, seed: UInt64 = 1
    ) throws -> [ObjectID] {
        let writer = testWriter(seed: seed)
        return try (0..<count).map { number in
            let commit = try repository.put(ref, text: "\(ref) \(seed) \(number)", writer: writer)
            return try #require(commit.refs.first?.new)
        }
    }

    private func expectSound(_ repository: Repository, _ ids: [ObjectID]) throws {
        #expect(try LogVerifier(repository.log).verify().findings.isEmpty)
        let objects = try repository.objects(in: try repository.state())
        #expect(objects.audit(full: true).isEmpty)
        for id in ids {
            let snapshot = try Snapshot(id, in: objects)
            for link in snapshot.links { #expect(try objects.size(of: link) != nil) }
        }
    }

    @Test("few packs are live after many transactions, and every version is readable")
    func many() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        let ids = try put(400, in: repository)
        let state = try repository.state()
        let merges = state.number - 400
        #expect(merges > 10)
        #expect(try state.packs.count < 50)
        // Each piece is in one live pack.
        let figures = try repository.objects(in: state).packStatistics()
        #expect(figures.pieces == figures.objects)
        try expectSound(repository, ids)
        // The history of the ref does not show the merges.
        var history = repository.log.history(of: try RefName("models/a"), in: state)
        #expect(try history.next(.max).map(\.target) == ids.reversed())
        // All of this follows from the log alone.
        let copy = try bucket.copy()
        for entry in try copy.list(.checkpoints) {
            try copy.delete(BlobName(.checkpoints, entry.name))
        }
        #expect(try Repository(in: copy).state().packs == state.packs)
    }

    @Test("a transaction can begin on the state that the previous one returned")
    func chained() throws {
        let repository = try Repository.create(in: MemoryBucket(), writer: testWriter())
        let writer = testWriter()
        var state = try repository.state()
        var ids: [ObjectID] = []
        for number in 0..<100 {
            let transaction = try repository.begin(on: state, writer: writer)
            ids.append(try writeSnapshot(.model, "\(number)", into: transaction.objects))
            let commit = try transaction.commit([
                RefUpdate(try RefName("models/a"), new: ids[number])
            ])
            #expect(commit.number.map { $0 <= commit.state.number } == true)
            state = commit.state
        }
        #expect(try state.packs == repository.state().packs)
        try expectSound(repository, ids)
    }

    @Test("a transaction commits although its packs are merged meanwhile")
    func inFlight() throws {
        let repository = try Repository.create(in: MemoryBucket(), writer: testWriter())
        let ids = try put(15, in: repository)
        let writer = testWriter("late", seed: 9)
        let transaction = try repository.begin(writer: writer)
        // All its content is already stored, in packs that will not be live.
        let id = try writeSnapshot(
            .model, "models/a 1 3", into: transaction.objects, parents: [ids[2]])
        #expect(id == ids[3])
        #expect(transaction.objects.reliedOn.count == 1)
        let before = try repository.state().packs
        try put(20, on: "models/b", in: repository, seed: 2)
        let after = try repository.state().packs
        #expect(Set(before).isDisjoint(with: after))
        let commit = try transaction.commit([RefUpdate(try RefName("models/c"), new: id)])
        #expect(commit.number != nil)
        try expectSound(repository, ids)
    }

    @Test("a damaged pack is left alone, and the others are merged")
    func damage() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        try put(10, in: repository)
        let victim = try repository.state().packs[4]
        try bucket.edit(BlobName(.packs, victim.name.hex)) { $0[20] ^= 1 }
        try put(90, on: "models/b", in: Repository(in: bucket))
        let state = try Repository(in: bucket).state()
        let packs = try state.packs
        #expect(packs.count < 50)
        #expect(packs.contains(victim))
        let damage = try Repository(in: bucket).objects(in: state).audit(full: true)
        #expect(damage.map(\.pack) == [victim.name])
    }

    @Test("a merge that loses a race for its packs is dropped, and its transaction stands")
    func lostRace() throws {
        let memory = MemoryBucket()
        let repository = try Repository.create(in: memory, writer: testWriter())
        try put(15, in: repository)
        let bucket = InterposingBucket(memory)
        let rival = Mutex(0)
        let merge: @Sendable () throws -> Void = {
            // The rival merges first: its own entry would be number 17.
            let state = try repository.state()
            let packs = try state.packs
            let store = PackStore(bucket: memory, packs: packs)
            let pack = try MergedPack.merge(packs, of: store).publish()
            let entry = LogEntry(
                number: 17, previous: state.entryHash, base: 16, time: state.time,
                writer: "rival", message: "", nonce: RandomBits(from: { 3 }),
                actions: [.pack(pack)] + packs.map { .unpack($0.name) })
            #expect(try memory.create(entryName(17), entry.encoded) == .created)
            rival.withLock { $0 += 1 }
        }
        // The merge makes the entry after the next.
        bucket.beforeEntry { bucket.beforeEntry(merge) }
        let commit = try Repository(in: bucket).put("models/b", text: "b", writer: testWriter())
        #expect(commit.number == 16)
        #expect(rival.withLock { $0 } == 1)
        let state = try repository.state()
        #expect(state.number == 17)
        #expect(try state.packs.count == 1)
        try expectSound(repository, [])
    }

    @Test("whatever fails in a merge, its transaction stands and the repository is sound")
    func failures() throws {
        let memory = MemoryBucket()
        let ids = try put(15, in: try Repository.create(in: memory, writer: testWriter()))
        var merged = 0
        let counted = HookedBucket(try memory.copy())
        try Repository(in: counted).put("models/b", text: "b", writer: testWriter(seed: 8))
        var (failed, failedLate) = (0, 0)
        for call in 0...counted.calls {
            let copy = try memory.copy()
            let bucket = HookedBucket(copy)
            bucket.fail(from: call)
            var commit: Commit?
            let error = refError {
                commit = try Repository(in: bucket).put(
                    "models/b", text: "b", writer: testWriter(seed: 8))
            }
            #expect((bucket.failures > 0) == (call < counted.calls), "call \(call)")
            let repository = Repository(in: copy)
            let state = try repository.state()
            if let commit {
                #expect(state.target(of: try RefName("models/b")) == commit.refs.first?.new)
                if bucket.failures > 0 { failedLate += 1 }
            } else {
                #expect(error?.fault == .io, "call \(call)")
                failed += 1
            }
            try expectSound(repository, ids)
            if try state.packs.count == 1 { merged += 1 }
            // Later writers are unaffected.
            try put(20, on: "models/c", in: repository, seed: 4)
            #expect(try repository.state().packs.count < 30)
            try expectSound(repository, ids)
        }
        #expect(merged > 0 && failed > 0 && failedLate > 0)
    }
}
