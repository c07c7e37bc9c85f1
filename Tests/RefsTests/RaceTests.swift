import Objects
import Refs
import Storage
import Synchronization
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
                _ = try? Repository(in: memory).put(
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
            _ = try? Repository(in: memory).put("models/a", text: "2", writer: testWriter(seed: 6))
        }
        let error = refError {
            try Repository(in: bucket).put("models/a", text: "1", writer: writer)
        }
        guard case .conflict(_, let expected, _, let transaction, _) = error else {
            Issue.record("no conflict: \(String(describing: error))")
            return
        }
        #expect(expected == .absent)
        #expect(transaction == 1)
    }

    @Test("a removed pack that a transaction relies on makes it repeat", arguments: [false, true])
    func removedPack(_ atLastMoment: Bool) throws {
        let memory = MemoryBucket()
        let writer = testWriter()
        let repository = try Repository.create(in: memory, writer: writer)
        try repository.put("models/b", text: "same", writer: writer)
        _ = try repository.begin(writer: writer).commit([
            RefUpdate(try RefName("models/b"), new: nil)
        ])
        let pack = try #require(try repository.state().packs.first)
        let bucket = InterposingBucket(memory)
        let transaction = try Repository(in: bucket).begin(writer: writer)
        let id = try writeSnapshot(.model, "same", into: transaction.objects)
        if atLastMoment {
            bucket.beforeEntry { try? append([.unpack(pack.name)], to: memory) }
        } else {
            try append([.unpack(pack.name)], to: memory)
        }
        let error = refError {
            _ = try transaction.commit([RefUpdate(try RefName("models/a"), new: id)])
        }
        #expect(error == .packRemoved(pack.name))
        #expect(error?.fault == .conflict)
        #expect(try repository.state().refs.isEmpty)
        #expect(try repository.put("models/a", text: "same", writer: writer).number != nil)
    }

    @Test("a move to an object that is collected meanwhile is refused")
    func collected() throws {
        let memory = MemoryBucket()
        let writer = testWriter()
        let repository = try Repository.create(in: memory, writer: writer)
        let id = try #require(
            try repository.put("models/a", text: "a", writer: writer).refs[0].new)
        let pack = try #require(try repository.state().packs.first)
        let bucket = InterposingBucket(memory)
        let transaction = try Repository(in: bucket).begin(writer: writer)
        bucket.beforeEntry { try? append([.unpack(pack.name)], to: memory) }
        let error = refError {
            _ = try transaction.commit([RefUpdate(try RefName("models/b"), new: id)])
        }
        #expect(error == .incomplete(try RefName("models/b"), snapshot: id, missing: id))
    }

    @Test("a creation that is denied but took place is recognised by its nonce")
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
        guard case .storage = error else {
            Issue.record("not the bucket's own error: \(String(describing: error))")
            return
        }
        #expect(try Repository(in: memory).state().number == 0)
    }
}

/// A bucket in which something happens just before an entry is created, or just after.
private final class InterposingBucket: Bucket {
    enum Moment { case before, after }

    private struct Plan {
        var action: (@Sendable () -> Void)?
        var deny = false
        var failure: Moment?
    }

    private let base: MemoryBucket
    private let plan = Mutex(Plan())

    init(_ base: MemoryBucket) { self.base = base }

    /// Done once, before the next entry is created.
    func beforeEntry(_ action: @escaping @Sendable () -> Void) {
        plan.withLock { $0.action = action }
    }

    /// Whether creations of entries are answered as if the entry had been there.
    var deny: Bool {
        get { plan.withLock { $0.deny } }
        set { plan.withLock { $0.deny = newValue } }
    }

    /// When creations of entries fail.
    var failure: Moment? {
        get { plan.withLock { $0.failure } }
        set { plan.withLock { $0.failure = newValue } }
    }

    var location: String { base.location }

    func create(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) -> Creation {
        guard name.folder == .log else { return try base.create(name, bytes) }
        let plan = plan.withLock { plan in
            defer { plan.action = nil }
            return plan
        }
        plan.action?()
        let error = StorageError.system(operation: "write", path: name.description, errno: 5)
        if plan.failure == .before { throw error }
        let creation = try base.create(name, bytes)
        if plan.failure == .after { throw error }
        return plan.deny ? .exists : creation
    }

    func read(_ name: BlobName, limit: Int) throws(StorageError) -> [UInt8]? {
        try base.read(name, limit: limit)
    }

    func open(_ name: BlobName) throws(StorageError) -> (any Blob)? { try base.open(name) }

    func replace(_ name: BlobName, _ bytes: [UInt8]) throws(StorageError) {
        try base.replace(name, bytes)
    }

    func list(_ folder: BucketFolder) throws(StorageError) -> [BlobEntry] { try base.list(folder) }

    func delete(_ name: BlobName) throws(StorageError) { try base.delete(name) }

    func stage(in folder: BucketFolder) throws(StorageError) -> any StagedBlob {
        try base.stage(in: folder)
    }

    func synchronizeLog() throws(StorageError) { try base.synchronizeLog() }
}
