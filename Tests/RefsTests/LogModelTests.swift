@testable import Maintenance
import Glibc
import Objects
import Refs
import Storage
import TestSupport
import Testing

@Suite("The log against a model")
struct LogModelTests {
    @Test(
        "random transactions leave the same refs as a dictionary", arguments: [1, 2] as [UInt64])
    func model(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let bucket = MemoryBucket()
        let writer = testWriter(seed: seed)
        let repository = try Repository.create(in: bucket, writer: writer)
        let names = try ["models/a", "models/b", "models/c/d", "models/e"].map { try RefName($0) }
        var ids: [ObjectID] = []
        let setup = try repository.begin(writer: writer)
        for number in 0..<5 {
            ids.append(try writeSnapshot(.model, "\(number)", into: setup.objects))
        }
        _ = try setup.commit([])
        var model: [RefName: ObjectID] = [:]
        var histories: [RefName: [ObjectID?]] = [:]
        var number = 1
        var state = try repository.state()
        for _ in 0..<100 {
            state = try repository.log.refreshed(state)
            var updates: [RefUpdate] = []
            var expected = model
            var isAllowed = true
            for name in names where Bool.random(using: &generator) {
                let new = ids.randomElement(using: &generator)
                let target = Int.random(in: 0..<4, using: &generator) == 0 ? nil : new
                let guesses: [Refs.Expectation] = [
                    .anything, .present, .absent, new.map { .exactly($0) } ?? .absent, .anything,
                ]
                let guess = guesses.randomElement(using: &generator) ?? .anything
                isAllowed = isAllowed && guess.allows(model[name])
                updates.append(RefUpdate(name, expected: guess, new: target))
                expected[name] = target
            }
            let error = refError {
                let commit = try repository.begin(on: state, writer: writer).commit(updates)
                #expect(commit.isUnchanged == (expected == model))
            }
            #expect((error == nil) == isAllowed)
            guard isAllowed else {
                #expect(error?.fault == .conflict)
                continue
            }
            for name in names where expected[name] != model[name] {
                histories[name, default: []].insert(expected[name], at: 0)
            }
            if expected != model { number += 1 }
            model = expected
            let after = try repository.state()
            #expect(after.refs.mapValues(\.target) == model)
            #expect(after.number == number)
        }
        state = try repository.state()
        for name in names {
            var history = repository.log.history(of: name, in: state)
            #expect(try history.next(.max).map(\.target) == histories[name] ?? [])
        }
        #expect(try LogVerifier(repository.log).verify().findings.isEmpty)
        // Without its caches the log gives the same state.
        for entry in try bucket.list(.checkpoints) {
            try bucket.delete(BlobName(.checkpoints, entry.name))
        }
        try bucket.delete(tipName)
        let refolded = try repository.state()
        #expect(refolded.refs == state.refs)
        #expect(try refolded.packs == state.packs)
    }

    @Test("concurrent writers lose no transaction and keep one chain")
    func threads() async throws {
        let repository = try Repository.create(in: MemoryBucket(), writer: testWriter())
        try await hammer(repository, writers: 8, transactions: 50)
    }

    @Test("concurrent writers of one directory lose no transaction")
    func directory() async throws {
        let path = "/tmp/fti-refs-\(RandomBits(from: { .random(in: .min ... .max) }))"
        let repository = try Repository.create(at: path, writer: testWriter())
        try await hammer(try Repository(opening: path), writers: 4, transactions: 20)
        #expect(
            refError { _ = try Repository.create(at: path, writer: testWriter()) }?.fault == .usage)
        #expect(try repository.state().number == 4 * 20 + 1)
        for folder in [BucketFolder.checkpoints, .log, .packs] {
            for entry in try repository.bucket.list(folder) {
                try repository.bucket.delete(BlobName(folder, entry.name))
            }
            _ = rmdir("\(path)/\(folder.rawValue)")
        }
        #expect(rmdir(path) == 0)
    }

    /// Every writer moves a ref of its own, and tries to move one that all share.
    private func hammer(
        _ repository: Repository, writers: Int, transactions: Int
    ) async throws {
        var ids: [ObjectID] = []
        let setup = try repository.begin(writer: testWriter())
        for number in 0...transactions {
            ids.append(try writeSnapshot(.model, "\(number)", into: setup.objects))
        }
        _ = try setup.commit([])
        let targets = ids
        let shared = try RefName("models/shared")
        let sharedMoves = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<writers {
                group.addTask {
                    let writer = testWriter("writer-\(index)", seed: UInt64(100 + index))
                    let own = try RefName("models/own-\(index)")
                    var moves = 0
                    var state = try repository.state()
                    for round in 0..<transactions {
                        state = try repository.log.refreshed(state)
                        let transaction = try repository.begin(on: state, writer: writer)
                        let old = transaction.state.target(of: own)
                        let both = [
                            RefUpdate(
                                own, expected: old.map { .exactly($0) } ?? .absent,
                                new: targets[round]),
                            RefUpdate(shared, new: targets[(round + index) % targets.count]),
                        ]
                        do {
                            let commit = try transaction.commit(both)
                            moves += commit.refs.contains { $0.name == shared } ? 1 : 0
                        } catch let error as RefError {
                            #expect(error.fault == .conflict)
                            // All or none: the writer's own ref has not moved either.
                            state = try repository.log.refreshed(state)
                            let again = try repository.begin(on: state, writer: writer)
                            #expect(again.state.target(of: own) == old)
                            _ = try again.commit([both[0]])
                        }
                    }
                    return moves
                }
            }
            return try await group.reduce(0, +)
        }
        let report = try LogVerifier(repository.log).verify()
        #expect(report.findings.isEmpty)
        let state = try repository.state()
        #expect(state.number == writers * transactions + 1)
        for index in 0..<writers {
            let own = try RefName("models/own-\(index)")
            #expect(state.target(of: own) == targets[transactions - 1])
            var history = repository.log.history(of: own, in: state)
            #expect(try history.next(.max).count == transactions)
        }
        var history = repository.log.history(of: shared, in: state)
        #expect(try history.next(.max).count == sharedMoves)
    }

    @Test("opening a long log reads a checkpoint and few entries, and lists nothing")
    func opening() throws {
        let memory = MemoryBucket()
        let writer = testWriter()
        let repository = try Repository.create(in: memory, writer: writer)
        let setup = try repository.begin(writer: writer)
        let ids = [
            try writeSnapshot(.model, "0", into: setup.objects),
            try writeSnapshot(.model, "1", into: setup.objects),
        ]
        _ = try setup.commit([])
        let (often, once) = (try RefName("models/often"), try RefName("models/once"))
        _ = try repository.begin(writer: writer).commit([RefUpdate(once, new: ids[0])])
        for number in 0..<200 {
            _ = try repository.begin(writer: writer).commit([
                RefUpdate(often, new: ids[number % 2])
            ])
        }
        #expect(try memory.list(.checkpoints).count == 2)
        let counting = CountingBucket(memory)
        let counted = Repository(in: counting)
        let state = try counted.state()
        #expect(state.number == 202)
        #expect(counting.lists == 0)
        // The hint, the checkpoint of 192, entries 192 to 203; probes for 204 and for two segments.
        #expect(counting.reads == 2 + 12)
        #expect(counting.opens == 3)
        var history = counted.log.history(of: often, in: state)
        #expect(try history.next(20).count == 20)
        #expect(counting.reads == 2 + 12 + 20)
        var short = counted.log.history(of: once, in: state)
        #expect(try short.next(20).count == 1)
        #expect(counting.reads == 2 + 12 + 20 + 1)
    }
}
