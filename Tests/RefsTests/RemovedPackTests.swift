import Objects
import Refs
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("A transaction that relies on a pack which others remove")
struct RemovedPackTests {
    /// A repository in which nothing needs the content of the first pack any more.
    private func garbage() throws -> (memory: MemoryBucket, pack: PackReference) {
        let memory = MemoryBucket()
        let repository = try Repository.create(in: memory, writer: testWriter())
        try repository.put("models/b", text: "same", writer: testWriter(seed: 2))
        try repository.put("models/b", text: "other", writer: testWriter(seed: 3))
        return (memory, try #require(try repository.state().packs.first))
    }

    @Test("one thread opens the pack while another finds that its file is gone")
    func opening() throws {
        let (memory, pack) = try garbage()
        let bucket = PausingBucket(memory)
        let transaction = try Repository(in: bucket).begin(writer: testWriter("late", seed: 9))
        let existing = transaction.objects.existing
        bucket.after(pack.blobName) {
            _ = try collectAll(Repository(in: memory))
            #expect(try memory.open(pack.blobName) == nil)
            // What another thread of the transaction does: it looks for new content.
            #expect(try existing.size(of: ObjectID(of: [1].span)) == nil)
        }
        let id = try writeSnapshot(.model, "same", into: transaction.objects)
        #expect(bucket.hasHappened)
        let commit = try transaction.commit([RefUpdate(try RefName("models/a"), new: id)])
        #expect(commit.number != nil)
        try expectWhole(memory)
    }

    @Test("one thread learns of a newer pack, and relies on it, while another learns of older ones")
    func learning() throws {
        let (memory, pack) = try garbage()
        let bucket = PausingBucket(memory)
        let transaction = try Repository(in: bucket).begin(writer: testWriter("late", seed: 9))
        _ = try collectAll(Repository(in: memory))
        #expect(try memory.open(pack.blobName) == nil)
        let objects = transaction.objects
        let newest = try Repository(in: memory).state().number
        let content = Array("content of new".utf8)
        // The first thread has just found that the log ends here.
        bucket.after(entryName(newest + 1)) {
            try Repository(in: memory).put("models/c", text: "new", writer: testWriter(seed: 4))
            #expect(try objects.existing.size(of: ObjectID(of: [1].span)) == nil)
            try objects.write(content, hint: .bulk)
        }
        #expect(try objects.existing.size(of: ObjectID(of: [2].span)) == nil)
        #expect(bucket.hasHappened)
        #expect(objects.reliedOn.count == 1)
        #expect(try objects.size(of: ObjectID(of: content.span)) == content.count)
    }

    @Test("content that can no longer be read is a reason to repeat the transaction")
    func closed() throws {
        let (memory, pack) = try garbage()
        let repository = Repository(in: memory)
        let transaction = try repository.begin(writer: testWriter("late", seed: 9))
        let id = try writeSnapshot(.model, "same", into: transaction.objects)
        #expect(transaction.objects.reliedOn == [pack.name])
        // The process reads so many newer packs that it closes those of older states.
        let other = Repository(in: memory)
        for number in 0..<200 {
            try other.put("models/c", text: "\(number)", writer: testWriter(seed: UInt64(number)))
            _ = try repository.objects(in: repository.state()).size(of: ObjectID(of: [1].span))
        }
        _ = try collectAll(other, isPurge: true)
        _ = try repository.objects(in: repository.state())
        let error = refError {
            _ = try transaction.commit([RefUpdate(try RefName("models/a"), new: id)])
        }
        #expect(error == .packRemoved(pack.name))
        #expect(error?.fault == .conflict)
        let again = try repository.begin(writer: testWriter("late", seed: 9))
        _ = try writeSnapshot(.model, "same", into: again.objects)
        _ = try again.commit([RefUpdate(try RefName("models/a"), new: id)])
        try expectWhole(memory)
    }

    @Test("a move to a version of which others have left only a part is refused")
    func part() throws {
        let memory = MemoryBucket()
        let repository = try Repository.create(in: memory, writer: testWriter())
        // The second version lists a file whose pieces are in the pack of the first.
        let large = Array(0..<8)
        for (seed, numbers) in [large, large + [20]].enumerated() {
            let transaction = try repository.begin(writer: testWriter(seed: UInt64(seed + 2)))
            let id = try writeFile(of: numbers, into: transaction.objects)
            _ = try transaction.commit([RefUpdate(try RefName("models/b"), new: id)])
        }
        let id = try #require(try repository.state().target(of: try RefName("models/b")))
        _ = try repository.begin(writer: testWriter(seed: 5)).commit([
            RefUpdate(try RefName("models/b"), new: nil)
        ])
        let bucket = InterposingBucket(memory)
        bucket.beforeEntry { _ = try collectAll(Repository(in: memory)) }
        let name = try RefName("models/a")
        let error = refError {
            _ = try Repository(in: bucket).begin(writer: testWriter("late", seed: 9)).commit([
                RefUpdate(name, new: id)
            ])
        }
        #expect(bucket.hasHappened)
        #expect(error == .incomplete(name, snapshot: id, missing: id))
        try expectWhole(memory)
    }

    /// Writes a model with one large file, which begins alike for lists that begin alike.
    private func writeFile(
        of numbers: [Int], into objects: ObjectWriter
    ) throws -> ObjectID {
        var bytes: [UInt8] = []
        for number in numbers {
            var generator = SeededGenerator(seed: UInt64(number + 1))
            bytes += (0..<400_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }
        let file = TreeEntry(
            name: try FileName("file"), mode: .file, size: bytes.count,
            id: try objects.write(bytes, hint: .bulk))
        let tree = try objects.write(try Tree([file]).encoded, hint: .structured)
        let snapshot = Snapshot(
            kind: .model, content: .tree(tree, files: 1, bytes: bytes.count),
            producer: .init(pipeline: "test", version: "1"), created: epoch)
        return try objects.write(snapshot.encoded, hint: .structured)
    }
}

/// A bucket that runs an action right after it has opened or read a blob, before its caller has the result.
private final class PausingBucket: ForwardingBucket {
    let base: any Bucket
    private let plan = Mutex<(name: BlobName, action: @Sendable () throws -> Void)?>(nil)

    init(_ base: any Bucket) { self.base = base }

    /// Runs an action once, after the blob is opened or read; an error of the action fails the test.
    func after(_ name: BlobName, _ action: @escaping @Sendable () throws -> Void) {
        plan.withLock { $0 = (name, action) }
    }

    /// Whether no action is waiting.
    var hasHappened: Bool { plan.withLock { $0 == nil } }

    func open(_ name: BlobName) throws(StorageError) -> (any Blob)? {
        let blob = try base.open(name)
        act(after: name)
        return blob
    }

    func read(_ name: BlobName, limit: Int) throws(StorageError) -> [UInt8]? {
        let bytes = try base.read(name, limit: limit)
        act(after: name)
        return bytes
    }

    private func act(after name: BlobName) {
        let action = plan.withLock { plan in
            guard plan?.name == name else { return nil as (@Sendable () throws -> Void)? }
            defer { plan = nil }
            return plan?.action
        }
        do { try action?() } catch { Issue.record("the action failed: \(error)") }
    }
}
