import Objects
import Refs
import Storage
import Synchronization
import TestSupport

/// 1970-01-01T00:00:00.000Z
// swift-format-ignore: NeverForceUnwrap
let epoch = Timestamp(milliseconds: 0)!

/// A clock that a test sets.
final class TestClock: Sendable {
    private let milliseconds: Mutex<Int>

    init(_ text: String = "2026-08-01T09:30:00.000Z") {
        milliseconds = Mutex(Timestamp(text)?.milliseconds ?? 0)
    }

    var now: Timestamp {
        milliseconds.withLock { Timestamp(milliseconds: $0) } ?? epoch
    }

    func advance(seconds: Int) { milliseconds.withLock { $0 += seconds * 1000 } }
    func set(_ text: String) {
        milliseconds.withLock { $0 = Timestamp(text)?.milliseconds ?? $0 }
    }
}

/// A writer with its own clock and random numbers that never waits.
func testWriter(
    _ name: String = "ada@test", clock: TestClock = TestClock(), seed: UInt64 = 1
) -> Writer {
    let generator = Mutex(SeededGenerator(seed: seed))
    return Writer(
        name: name, now: { clock.now }, random: { generator.withLock { $0.next() } },
        pause: { _ in })
}

/// Writes a snapshot whose content is a tree with one file made up from `text`.
func writeSnapshot(
    _ kind: Snapshot.Kind, _ text: String, into objects: some ObjectSink,
    parents: [ObjectID] = [], inputs: [String: ObjectID] = [:]
) throws -> ObjectID {
    let bytes = Array("content of \(text)".utf8)
    let file = TreeEntry(
        name: try FileName("file"), mode: .file, size: bytes.count,
        id: try objects.write(bytes, hint: .bulk))
    let tree = try Tree([file])
    let content = try objects.write(tree.encoded, hint: .structured)
    let snapshot = Snapshot(
        kind: kind, content: .tree(content, files: 1, bytes: bytes.count), parents: parents,
        inputs: inputs, producer: .init(pipeline: "test", version: "1"),
        created: epoch, message: text)
    return try objects.write(snapshot.encoded, hint: .structured)
}

extension Repository {
    /// Commits a new snapshot to each ref.
    @discardableResult
    func put(
        _ names: String..., text: String, message: String = "", writer: Writer
    ) throws -> Commit {
        let transaction = try begin(writer: writer)
        var updates: [RefUpdate] = []
        for name in names {
            let name = try RefName(name)
            let parents = transaction.state.target(of: name).map { [$0] } ?? []
            let id = try writeSnapshot(
                name.namespace.kind, text, into: transaction.objects, parents: parents)
            updates.append(RefUpdate(name, new: id))
        }
        return try transaction.commit(updates, message: message)
    }
}

/// The name of the file of an entry.
func entryName(_ number: Int) -> BlobName {
    let digits = String(number)
    return BlobName(.log, String(repeating: "0", count: 20 - digits.count) + digits + ".json")
}

let tipName = BlobName(.log, "tip")

extension MemoryBucket {
    /// A bucket with the same blobs.
    func copy() throws -> MemoryBucket {
        let copy = MemoryBucket()
        for folder in BucketFolder.allCases {
            for entry in try list(folder) {
                let name = BlobName(folder, entry.name)
                try copy.replace(name, try read(name, limit: .max) ?? [])
            }
        }
        return copy
    }

    func edit(_ name: BlobName, _ change: (inout [UInt8]) -> Void) throws {
        var bytes = try read(name, limit: .max) ?? []
        change(&bytes)
        try replace(name, bytes)
    }
}

/// Runs something that must throw a `RefError`, and returns it.
func refError(_ body: () throws -> Void) -> RefError? {
    do {
        try body()
        return nil
    } catch { return error as? RefError }
}
