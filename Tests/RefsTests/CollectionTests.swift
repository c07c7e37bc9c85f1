@testable import Maintenance
import Objects
import Refs
import Storage
import Synchronization
import TestSupport
import Testing

/// Collects everything that no ref points at, without grace.
func collectAll(
    _ repository: Repository, seed: UInt64 = 77, isPurge: Bool = false
) throws -> CollectionReport {
    var options = CollectionOptions()
    options.isPurge = isPurge
    (options.keep, options.keepLast) = (0, 1)
    options.grace = 0
    return try repository.collect(options, writer: testWriter("gc", seed: seed))
}

/// Checks with a new reader that the log is sound, that all refs are complete, and that everything in live packs can
/// be read.
func expectWhole(_ bucket: MemoryBucket, _ comment: Comment? = nil) throws {
    let repository = Repository(in: bucket)
    let state = try repository.state()
    #expect(try LogVerifier(repository.log).verify().findings.isEmpty, comment)
    let objects = try repository.objects(in: state)
    let targets = state.refs.values.map(\.target)
    for target in targets {
        var closure = SnapshotClosure(in: objects, complete: [])
        #expect(try closure.firstMissing(for: target) == nil, comment)
    }
    for pack in try state.packs { #expect(try PackMarks.isWhole(pack, in: objects), comment) }
    #expect(objects.audit(full: true).isEmpty, comment)
}

@Suite("Garbage is collected, and nothing else")
struct CollectionTests {
    /// Puts a model with a file for each number; models that share a number share that file.
    @discardableResult
    private func put(
        _ ref: String, _ numbers: [Int], in repository: Repository, seed: UInt64 = 1,
        inputs: [String: ObjectID] = [:]
    ) throws -> Commit {
        let name = try RefName(ref)
        let transaction = try repository.begin(writer: testWriter(seed: seed))
        let id = try writeModel(
            numbers, into: transaction.objects,
            parents: transaction.state.target(of: name).map { [$0] } ?? [], inputs: inputs)
        return try transaction.commit([RefUpdate(name, new: id)])
    }

    /// A repository of four packs: refs need a part of the first, all of the second and fourth, none of the third.
    private func fourPacks() throws -> (MemoryBucket, Repository) {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        try put("models/a", Array(0..<10), in: repository)
        try put("models/a", [0, 1], in: repository)
        try put("models/b", [50], in: repository)
        try put("models/b", [51], in: repository)
        return (bucket, repository)
    }

    @Test("refs keep their targets and inputs; the rest goes")
    func basics() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        let base = try #require(try put("models/base", [1, 2], in: repository).refs[0].new)
        try put("models/a", [3, 4, 5], in: repository, inputs: ["base": base])
        try put("models/base", [6], in: repository)
        let old = try #require(try put("models/b", [7, 8, 9], in: repository).refs[0].new)
        try put("models/b", [10], in: repository)
        let report = try collectAll(repository)
        #expect(report.packs(.drop).count == 1)
        #expect(report.deleted.count == 1)
        #expect(report.transaction == 6)
        let objects = try Repository(in: bucket).objects(in: repository.state())
        #expect(try objects.size(of: old) == nil)
        #expect(try objects.size(of: base) != nil)
        try expectWhole(bucket)
        // There is nothing left to do.
        #expect(try collectAll(repository).transaction == nil)
        #expect(try bucket.list(.packs).count == 4)
    }

    @Test("former targets stay as long as the retention says")
    func retention() throws {
        let clock = TestClock()
        let bucket = MemoryBucket { clock.now.milliseconds }
        let writer = testWriter(clock: clock)
        let repository = try Repository.create(in: bucket, writer: writer)
        var ids: [ObjectID] = []
        for number in 0..<6 {
            let commit = try repository.put("models/a", text: "\(number)", writer: writer)
            ids.append(try #require(commit.refs[0].new))
            clock.advance(seconds: 86_400)
        }
        func collect(days: Int, count: Int) throws -> [Bool] {
            var options = CollectionOptions()
            (options.keep, options.keepLast) = (days * 86_400_000, count)
            _ = try repository.collect(options, writer: writer)
            let objects = try repository.objects(in: repository.state())
            return try ids.map { try objects.size(of: $0) != nil }
        }
        #expect(try collect(days: 100, count: 1) == [true, true, true, true, true, true])
        #expect(try collect(days: 0, count: 9) == [true, true, true, true, true, true])
        // Each value was replaced after a day, the last but one a day ago.
        #expect(try collect(days: 4, count: 1) == [false, false, true, true, true, true])
        #expect(try collect(days: 2, count: 3) == [false, false, false, true, true, true])
        #expect(try collect(days: 0, count: 1) == [false, false, false, false, false, true])
        // The removed packs stay for a day.
        #expect(try bucket.list(.packs).count == 6)
        clock.advance(seconds: 86_399)
        #expect(try collect(days: 0, count: 1).count == 6)
        #expect(try bucket.list(.packs).count == 6)
        clock.advance(seconds: 2)
        #expect(try collect(days: 0, count: 1).count == 6)
        #expect(try bucket.list(.packs).count == 1)
        try expectWhole(bucket)
    }

    @Test("a clock that is ahead makes nothing expire", arguments: [true, false])
    func clocks(_ isWriter: Bool) throws {
        let clock = TestClock()
        let ahead = TestClock("2099-01-01T00:00:00.000Z")
        let bucket = MemoryBucket { (isWriter ? clock : ahead).now.milliseconds }
        let writer = testWriter(clock: clock)
        let repository = try Repository.create(in: bucket, writer: writer)
        try repository.put("models/a", text: "1", writer: writer)
        try repository.put("models/a", text: "2", writer: writer)
        var options = CollectionOptions()
        options.keepLast = 1
        let late = testWriter(clock: isWriter ? ahead : clock, seed: 3)
        #expect(try repository.collect(options, writer: late).transaction == nil)
        options.keep = 0
        clock.advance(seconds: 1)
        let report = try repository.collect(options, writer: late)
        #expect(report.packs(.drop).count == 1)
        #expect(report.deleted.isEmpty)
        #expect(try repository.collect(options, writer: late).deleted.isEmpty)
    }

    @Test("an entry from the far future delays no collection (H16)")
    func poisonedTime() throws {
        let clock = TestClock()
        let bucket = MemoryBucket { clock.now.milliseconds }
        let writer = testWriter(clock: clock)
        let repository = try Repository.create(in: bucket, writer: writer)
        let wrong = testWriter(clock: TestClock("2099-01-01T00:00:00.000Z"), seed: 3)
        try repository.put("models/b", text: "0", writer: wrong)
        for text in ["1", "2", "3"] {
            try repository.put("models/a", text: text, writer: writer)
            clock.advance(seconds: 86_400)
        }
        func collect(days: Int) throws -> CollectionReport {
            var options = CollectionOptions()
            (options.keep, options.keepLast) = (days * 86_400_000, 1)
            return try repository.collect(options, writer: writer)
        }
        #expect(try collect(days: 9).transaction == nil)
        #expect(try collect(days: 2).packs(.drop).count == 1)
        clock.advance(seconds: 86_399)
        #expect(try collect(days: 9).deleted.isEmpty)
        clock.advance(seconds: 2)
        #expect(try collect(days: 9).deleted.count == 1)
        try expectWhole(bucket)
    }

    @Test("a mostly unneeded pack is rewritten, a mostly needed one stays")
    func sparse() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        try put("models/a", Array(0..<10), in: repository)
        try put("models/a", [0, 1], in: repository)
        try put("models/b", Array(20..<30), in: repository)
        try put("models/b", Array(20..<28), in: repository)
        let before = try repository.state().packs
        let report = try collectAll(repository)
        #expect(report.packs(.rewrite).map(\.decision.pack) == [before[0]])
        #expect(report.copiedBytes > 0)
        let after = try repository.state().packs
        #expect(after.contains(before[2]))
        #expect(!after.contains(before[0]))
        #expect(try bucket.list(.packs).count == after.count)
        try expectWhole(bucket)
    }

    @Test("a dry run reports what would go and why the rest stays, and changes nothing")
    func dryRun() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        try put("models/a", [1], in: repository)
        try put("models/a", [2], in: repository)
        try put("models/a", [3], in: repository)
        let number = try repository.state().number
        var options = CollectionOptions()
        (options.keep, options.keepLast) = (0, 2)
        options.isDryRun = true
        let report = try repository.collect(options, writer: testWriter())
        #expect(report.packs.map(\.decision.fate) == [.drop, .keep, .keep])
        #expect(report.packs[0].reasons.isEmpty)
        #expect(
            report.packs[1].reasons == [.history(try RefName("models/a"), transaction: 2)])
        #expect(report.packs[2].reasons == [.ref(try RefName("models/a"))])
        #expect(try repository.state().number == number)
        #expect(try bucket.list(.packs).count == 3)
    }

    @Test("a pack that no entry added goes after the grace period")
    func orphans() throws {
        let clock = TestClock()
        let bucket = MemoryBucket { clock.now.milliseconds }
        let writer = testWriter(clock: clock)
        let repository = try Repository.create(in: bucket, writer: writer)
        try repository.put("models/a", text: "1", writer: writer)
        let transaction = try repository.begin(writer: writer)
        _ = try writeSnapshot(.model, "lost", into: transaction.objects)
        let orphan = try #require(try transaction.objects.finish())
        #expect(try repository.collect(writer: writer).condemned.isEmpty)
        clock.advance(seconds: 90_000)
        let report = try repository.collect(writer: writer)
        #expect(report.condemned.map(\.name) == [orphan.name])
        #expect(report.deleted.isEmpty)
        #expect(try repository.log.entry(2).actions.contains(.unpack(orphan.name)))
        clock.advance(seconds: 90_000)
        #expect(try repository.collect(writer: writer).deleted.map(\.name) == [orphan.name])
        #expect(try repository.collect(writer: writer).transaction == nil)
        try expectWhole(bucket)
    }

    @Test("nothing is removed while a ref needs missing data")
    func damaged() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        try put("models/a", [1], in: repository)
        try put("models/b", [2], in: repository)
        try put("models/b", [3], in: repository)
        try bucket.delete(BlobName(.packs, try repository.state().packs[0].name.hex))
        let error = refError { _ = try collectAll(Repository(in: bucket)) }
        #expect(error?.fault == .damaged)
        #expect(try repository.state().number == 3)
    }

    @Test("a pack with damage in needed pieces stays as it is")
    func damagedSurvivor() throws {
        let (bucket, repository) = try fourPacks()
        let packs = try repository.state().packs
        // Whichever piece is damaged: in the end the pack is still live, or everything left of it is sound.
        var (kept, removed) = (0, 0)
        for byte in stride(from: 9, to: packs[0].indexOffset, by: 97) {
            let copy = try bucket.copy()
            try copy.edit(BlobName(.packs, packs[0].name.hex)) { $0[byte] ^= 1 }
            let report = try collectAll(Repository(in: copy))
            let after = Repository(in: copy)
            let objects = try after.objects(in: after.state())
            let isThere = try after.state().packs.contains(packs[0])
            #expect(isThere != objects.audit(full: true).isEmpty)
            #expect(report.packs(.drop).count == 1)
            if isThere { kept += 1 } else { removed += 1 }
        }
        #expect(kept > 0 && removed > 0)
    }

    @Test("a collection removes nothing when it cannot read what is needed")
    func damagedNeed() throws {
        let (bucket, repository) = try fourPacks()
        // The snapshot and the tree of models/a are in the second pack.
        let pack = try repository.state().packs[1]
        var refused = 0
        for byte in stride(from: 9, to: pack.indexOffset, by: 17) {
            let copy = try bucket.copy()
            try copy.edit(BlobName(.packs, pack.name.hex)) { $0[byte] ^= 1 }
            guard let error = refError({ _ = try collectAll(Repository(in: copy)) }) else {
                continue
            }
            refused += 1
            #expect(error.fault == .damaged, "byte \(byte)")
            #expect(try Repository(in: copy).state().number == 4)
            #expect(try copy.list(.packs).count == 4)
        }
        #expect(refused > 0)
    }

    @Test("any sequence of operations keeps what refs point at", arguments: 1...12)
    func model(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let bucket = MemoryBucket()
        let names = ["models/a", "models/b", "models/c", "models/d"]
        _ = try Repository.create(in: bucket, writer: testWriter())
        var known: [ObjectID] = []
        for step in 0..<60 {
            let repository = Repository(in: bucket)
            let name = try RefName(names.randomElement(using: &generator) ?? "")
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5:
                let start = Int.random(in: 0..<12, using: &generator)
                let count = Int.random(in: 1..<8, using: &generator)
                let commit = try put(
                    name.text, Array(start..<start + count), in: repository,
                    seed: UInt64(step + 1))
                known += commit.refs.compactMap(\.new)
            case 5..<7:
                guard let id = known.randomElement(using: &generator) else { continue }
                do {
                    _ = try repository.begin(writer: testWriter(seed: UInt64(step + 1)))
                        .commit([RefUpdate(name, new: id)])
                } catch {
                    guard case .incomplete = error else { throw error }
                }
            case 7:
                guard try repository.state().target(of: name) != nil else { continue }
                _ = try repository.begin(writer: testWriter(seed: UInt64(step + 1)))
                    .commit([RefUpdate(name, new: nil)])
            case 8:
                _ = try collectAll(repository, seed: UInt64(step + 1))
            default:
                var options = CollectionOptions()
                (options.keep, options.keepLast) = (0, 3)
                options.grace = Bool.random(using: &generator) ? 0 : 1000
                _ = try repository.collect(options, writer: testWriter(seed: UInt64(step + 1)))
            }
            try expectWhole(bucket, "seed \(seed), step \(step)")
        }
        _ = try collectAll(Repository(in: bucket))
        let objects = try Repository(in: bucket).objects(in: Repository(in: bucket).state())
        let live = Set(try Repository(in: bucket).state().refs.values.map(\.target))
        for id in known where live.contains(id) { #expect(try objects.size(of: id) != nil) }
    }
}

/// Writes a model snapshot with one file for each number: small ones, and some that are large enough to be cut into
/// pieces that they share.
func writeModel(
    _ numbers: [Int], into objects: some ObjectSink, parents: [ObjectID] = [],
    inputs: [String: ObjectID] = [:]
) throws -> ObjectID {
    var entries: [TreeEntry] = []
    for number in numbers {
        var generator = SeededGenerator(seed: UInt64(number + 1000))
        let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &generator) }
        entries.append(
            TreeEntry(
                name: try FileName("file\(number)"), mode: .file, size: bytes.count,
                id: try objects.write(bytes, hint: .bulk)))
    }
    let bytes = entries.reduce(0) { $0 + $1.size }
    let tree = try objects.write(try Tree(entries).encoded, hint: .structured)
    let snapshot = Snapshot(
        kind: .model, content: .tree(tree, files: entries.count, bytes: bytes), parents: parents,
        inputs: inputs, producer: .init(pipeline: "test", version: "1"), created: epoch)
    return try objects.write(snapshot.encoded, hint: .structured)
}
