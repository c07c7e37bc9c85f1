import Objects
import Refs
import Storage
import TestSupport
import Testing

@Suite("Histories of many refs")
struct HistoriesTests {
    /// A log in which every transaction moves all of some refs, between two snapshots.
    private static func repository(
        refs count: Int, moves: Int
    ) throws -> (bucket: MemoryBucket, names: [RefName]) {
        let bucket = MemoryBucket()
        let writer = testWriter()
        let repository = try Repository.create(in: bucket, writer: writer)
        try repository.put("models/a", text: "1", writer: writer)
        try repository.put("models/b", text: "2", writer: writer)
        let state = try repository.state()
        let targets = [
            state.target(of: try RefName("models/a")), state.target(of: try RefName("models/b")),
        ]
        let names = try (0..<count).map { try RefName("models/r\($0)") }
        for move in 0..<moves {
            let transaction = try repository.begin(writer: writer)
            _ = try transaction.commit(names.map { RefUpdate($0, new: targets[move % 2]) })
        }
        return (bucket, names)
    }

    /// The number of reads that finding the newest values of all refs takes.
    private static func work(refs: Int, moves: Int) throws -> Int {
        let (bucket, names) = try repository(refs: refs, moves: moves)
        let counting = CountingBucket(bucket)
        let repository = Repository(in: counting)
        let state = try repository.state()
        let start = counting.reads + counting.opens
        let values = try repository.log.newestTargets(of: names, count: moves, in: state)
        #expect(values.allSatisfy { $0.count == moves })
        return counting.reads + counting.opens - start
    }

    @Test("more refs cost no more reads; twice the transactions cost twice as many")
    func linear() throws {
        let once = try Self.work(refs: 20, moves: 8)
        #expect(once > 0)
        #expect(try Self.work(refs: 40, moves: 8) == once)
        #expect(try Double(Self.work(refs: 20, moves: 16)) <= 2.6 * Double(once))
    }

    @Test("reading the histories of many refs decodes shared entries once")
    func separate() throws {
        func work(refs: Int) throws -> Int {
            let (bucket, names) = try Self.repository(refs: refs, moves: 2)
            let counting = CountingBucket(bucket)
            let repository = Repository(in: counting)
            let state = try repository.state()
            let start = counting.reads + counting.opens
            for name in names {
                var history = repository.log.history(of: name, in: state)
                #expect(try history.next(2).count == 2)
            }
            return counting.reads + counting.opens - start
        }
        let once = try work(refs: 100)
        #expect(once > 0)
        #expect(try work(refs: 200) == once)
    }

    @Test("the values equal those of each history alone")
    func same() throws {
        let (bucket, names) = try Self.repository(refs: 5, moves: 7)
        let repository = Repository(in: bucket)
        let writer = testWriter()
        // One ref is removed and restored, one moves alone.
        for new in [nil, try repository.state().target(of: names[1])] {
            _ = try repository.begin(writer: writer).commit([RefUpdate(names[0], new: new)])
        }
        try repository.put("models/r3", text: "3", writer: writer)
        let state = try repository.state()
        let values = try repository.log.newestTargets(of: names, count: 4, in: state)
        for (name, values) in zip(names, values) {
            var history = repository.log.history(of: name, in: state)
            #expect(try history.next(4).map(\.target) == values)
        }
    }
}
