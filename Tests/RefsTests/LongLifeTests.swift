@testable import Maintenance
import Objects
import Refs
import Storage
import TestSupport
import Testing

@Suite("A long life")
struct LongLifeTests {
    /// Counts for some transactions what `Benchmarks/questions/long_life.py` measures for many.
    @Test("after many transactions there are few live packs and files, and opening still reads few")
    func many() throws {
        let memory = MemoryBucket()
        let writer = testWriter()
        let repository = try Repository.create(in: memory, writer: writer)
        var state = try repository.state()
        for number in 0..<1300 {
            let name = try RefName("models/\(number % 8)")
            let transaction = try repository.begin(on: state, writer: writer)
            let id = try transaction.objects.write(
                Snapshot(
                    kind: .model,
                    content: .tree(try empty(transaction.objects), files: 0, bytes: 0),
                    parents: state.target(of: name).map { [$0] } ?? [],
                    producer: .init(pipeline: "test", version: "1"), created: epoch,
                    message: "\(number)"
                ).encoded, hint: .structured)
            state = try transaction.commit([RefUpdate(name, new: id)]).state
        }
        #expect(state.number > 1300)
        // One segment of 1,024, those of 64 after it, and at most 128 entries that are not gathered yet.
        let names = try memory.list(.log).map(\.name)
        #expect((1...1 + 15).contains(names.count { $0.hasSuffix(".segment") }))
        #expect(names.count <= 1 + 15 + 128 + 1)
        #expect((1...2).contains(try memory.list(.checkpoints).count))
        // Up to 15 packs of each size wait to be merged, and only every eighth transaction checks.
        #expect((1...64).contains(try state.packs.count))

        let counting = CountingBucket(memory)
        let opened = try Repository(in: counting).state()
        #expect(opened.entryHash == state.entryHash)
        #expect(
            opened.target(of: try RefName("models/5")) == state.target(of: try RefName("models/5")))
        #expect(counting.lists == 0)
        // The hint, a checkpoint, and the entries since.
        #expect((1...2 + 32).contains(counting.reads))
        #expect(try LogVerifier(repository.log).verify().findings.isEmpty)
    }

    private func empty(_ objects: ObjectWriter) throws -> ObjectID {
        try objects.write(try Tree([]).encoded, hint: .structured)
    }
}
