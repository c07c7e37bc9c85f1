@testable import Maintenance
import Objects
import Refs
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Lost races and unclear outcomes")
struct RaceTests {
    private func append(_ actions: [Action], to bucket: MemoryBucket) throws {
        let state = try Repository(in: bucket).state()
        let entry = LogEntry(
            number: state.number + 1, previous: state.entryHash, base: state.number,
            time: state.time, writer: "gc", message: "",
            nonce: RandomBits(from: { .random(in: .min ... .max) }), actions: actions)
        #expect(try bucket.create(entryName(entry.number), entry.encoded) == .created)
    }

    @Test("a writer that loses a race for other refs commits after it, with the same pack")
    func lostRace() throws {
        let memory = MemoryBucket()
        let writer = testWriter()
        try Repository.create(in: memory, writer: writer).put("models/b", text: "b", writer: writer)
        let bucket = InterposingBucket(memory)
        let waits = Mutex<[Int]>([])
        var patient = testWriter("late", seed: 5)
        patient.pause = { milliseconds in waits.withLock { $0.append(milliseconds) } }
        bucket.beforeEntry {
            for text in ["1", "2"] {
                try Repository(in: memory).put(
                    "models/b", text: text, writer: testWriter(seed: 6))
            }
        }
        let commit = try Repository(in: bucket).put("models/a", text: "a", writer: patient)
        #expect(commit.number == 4)
        #expect(waits.withLock { $0 }.count == 1)
        #expect(waits.withLock { $0.allSatisfy { (2...200).contains($0) } })
        #expect(try Repository(in: memory).log.entry(4).base == 1)
        #expect(try memory.list(.packs).count == 4)
        #expect(try LogVerifier(Repository(in: memory).log).verify().findings.isEmpty)
    }

    @Test("a ref that another writer moves at the last moment is a conflict")
    func lastMoment() throws {
        let memory = MemoryBucket()
        let writer = testWriter()
        _ = try Repository.create(in: memory, writer: writer)
        let bucket = InterposingBucket(memory)
        bucket.beforeEntry {
            try Repository(in: memory).put("models/a", text: "2", writer: testWriter(seed: 6))
        }
        let error = refError {
            try Repository(in: bucket).put("models/a", text: "1", writer: writer)
        }
        guard case .conflict(_, let expected, _, let transaction, _) = error else {
            Issue.record("no conflict: \(String(describing: error))")
            return
        }
        #expect(bucket.hasHappened)
        #expect(expected == .absent)
        #expect(transaction == 1)
    }

    /// A repository in which a snapshot is in a pack that nothing needs any more.
    private func garbage(
        in memory: MemoryBucket
    ) throws -> (repository: Repository, id: ObjectID, pack: PackReference) {
        let writer = testWriter()
        let repository = try Repository.create(in: memory, writer: writer)
        let commit = try repository.put("models/b", text: "same", writer: writer)
        _ = try repository.begin(writer: writer).commit([
            RefUpdate(try RefName("models/b"), new: nil)
        ])
        let pack = try #require(try repository.state().packs.first)
        return (repository, try #require(commit.refs[0].new), pack)
    }

    @Test(
        "content that others remove during a transaction is stored again",
        arguments: [false, true], [false, true])
    func removedPack(_ atLastMoment: Bool, isDeleted: Bool) throws {
        let memory = MemoryBucket()
        let (repository, _, pack) = try garbage(in: memory)
        let bucket = InterposingBucket(memory)
        let transaction = try Repository(in: bucket).begin(writer: testWriter())
        let id = try writeSnapshot(.model, "same", into: transaction.objects)
        let remove: @Sendable () throws -> Void = {
            try append([.unpack(pack.name)], to: memory)
            if isDeleted { try memory.delete(BlobName(.packs, pack.name.hex)) }
        }
        if atLastMoment { bucket.beforeEntry(remove) } else { try remove() }
        let commit = try transaction.commit([RefUpdate(try RefName("models/a"), new: id)])
        #expect(bucket.hasHappened)
        let state = try repository.state()
        #expect(state.number == commit.number)
        #expect(try state.packs.contains(pack) == false)
        let objects = try Repository(in: memory).objects(in: state)
        var closure = SnapshotClosure(in: objects, complete: [])
        #expect(try closure.firstMissing(for: id) == nil)
        #expect(objects.audit(full: true).isEmpty)
        #expect(try LogVerifier(repository.log).verify().findings.isEmpty)
    }

    @Test("a pack that is removed before its transaction commits is stored under another name")
    func condemned() throws {
        let memory = MemoryBucket()
        let repository = try Repository.create(in: memory, writer: testWriter())
        let bucket = InterposingBucket(memory)
        bucket.beforeEntry {
            let packs = try memory.list(.packs)
            #expect(packs.count == 1)
            for entry in packs {
                try append([.unpack(try #require(ObjectID(hex: entry.name)))], to: memory)
                try memory.delete(BlobName(.packs, entry.name))
            }
        }
        let commit = try Repository(in: bucket).put("models/a", text: "a", writer: testWriter())
        #expect(commit.number == 2)
        let state = try repository.state()
        let objects = try repository.objects(in: state)
        var closure = SnapshotClosure(in: objects, complete: [])
        #expect(try closure.firstMissing(for: try #require(commit.refs[0].new)) == nil)
        #expect(try LogVerifier(repository.log).verify().findings.isEmpty)
    }

    @Test("a move to an object that is gone by then is refused", arguments: [false, true])
    func collected(_ isDeleted: Bool) throws {
        let memory = MemoryBucket()
        let (_, id, pack) = try garbage(in: memory)
        let name = try RefName("models/c")
        try append([.unpack(pack.name)], to: memory)
        if isDeleted { try memory.delete(BlobName(.packs, pack.name.hex)) }
        let error = refError {
            _ = try Repository(in: memory).begin(writer: testWriter()).commit([
                RefUpdate(name, new: id)
            ])
        }
        #expect(error == .incomplete(name, snapshot: id, missing: id))
        #expect(error?.fault == .missing)
    }

    @Test("a move to an incomplete snapshot is refused")
    func incomplete() throws {
        let memory = MemoryBucket()
        let repository = try Repository.create(in: memory, writer: testWriter())
        let transaction = try repository.begin(writer: testWriter())
        let absent = ObjectID(of: [1, 2, 3].span)
        let tree = try Tree([
            TreeEntry(name: try FileName("file"), mode: .file, size: 3, id: absent)
        ])
        let id = try transaction.objects.write(
            Snapshot(
                kind: .model,
                content: .tree(
                    try transaction.objects.write(tree.encoded, hint: .structured), files: 1,
                    bytes: 3),
                producer: .init(pipeline: "test", version: "1"), created: epoch
            ).encoded, hint: .structured)
        let name = try RefName("models/a")
        let error = refError { _ = try transaction.commit([RefUpdate(name, new: id)]) }
        #expect(error == .incomplete(name, snapshot: id, missing: absent))
        #expect(try memory.list(.packs).isEmpty)
    }

    @Test("a creation that happened but was reported as refused is recognised by its nonce")
    func lostReply() throws {
        let memory = MemoryBucket()
        let writer = testWriter()
        _ = try Repository.create(in: memory, writer: writer)
        let bucket = InterposingBucket(memory)
        bucket.deny = true
        let commit = try Repository(in: bucket).put("models/a", text: "1", writer: writer)
        #expect(commit.number == 1)
        #expect(try Repository(in: memory).state().number == 1)
    }

    @Test("a failure after the entry is visible says that the outcome is unknown")
    func unknown() throws {
        let memory = MemoryBucket()
        let writer = testWriter()
        _ = try Repository.create(in: memory, writer: writer)
        let bucket = InterposingBucket(memory)
        bucket.failure = .after
        let error = refError {
            try Repository(in: bucket).put("models/a", text: "1", writer: writer)
        }
        #expect(error?.fault == .io)
        #expect(error?.message.contains("may have been committed as 1") == true)
        #expect(error?.remedy?.contains("reflog") == true)
    }

    @Test("a failure before the entry is visible changes nothing")
    func failure() throws {
        let memory = MemoryBucket()
        let writer = testWriter()
        _ = try Repository.create(in: memory, writer: writer)
        let bucket = InterposingBucket(memory)
        bucket.failure = .before
        let error = refError {
            try Repository(in: bucket).put("models/a", text: "1", writer: writer)
        }
        #expect(error == .storage(HookedBucket.failure))
        #expect(try Repository(in: memory).state().number == 0)
    }
}

/// A bucket that runs an action or fails just before or after an entry is created.
final class InterposingBucket: ForwardingBucket {
    enum Moment { case before, after }

    private struct Plan {
        var action: (@Sendable () throws -> Void)?
        var deny = false
        var failure: Moment?
    }

    let base: any Bucket
    private let plan = Mutex(Plan())

    init(_ base: any Bucket) { self.base = base }

    /// Runs an action once, before the next entry is created; an error of the action fails the test.
    func beforeEntry(_ action: @escaping @Sendable () throws -> Void) {
        plan.withLock { $0.action = action }
    }

    /// Whether no action is waiting for an entry.
    var hasHappened: Bool { plan.withLock { $0.action == nil } }

    /// Whether created entries are reported as already existing.
    var deny: Bool {
        get { plan.withLock { $0.deny } }
        set { plan.withLock { $0.deny = newValue } }
    }

    /// When creations of entries fail.
    var failure: Moment? {
        get { plan.withLock { $0.failure } }
        set { plan.withLock { $0.failure = newValue } }
    }

    func create(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) -> Creation {
        guard name.folder == .log else { return try base.create(name, bytes) }
        let plan = plan.withLock { plan in
            defer { plan.action = nil }
            return plan
        }
        do { try plan.action?() } catch { Issue.record("the action failed: \(error)") }
        if plan.failure == .before { throw HookedBucket.failure }
        let creation = try base.create(name, bytes)
        if plan.failure == .after { throw HookedBucket.failure }
        return plan.deny ? .exists : creation
    }
}
