@testable import Maintenance
import Objects
import Refs
import Storage
import TestSupport
import Testing

@Suite("The cost of collections")
struct CollectionCostTests {
    /// The calls of two collections after one transaction has moved many refs.
    private func work(refs: Int) throws -> Int {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        try repository.put("models/a", text: "1", writer: testWriter(seed: 2))
        let first = try repository.state().target(of: RefName("models/a"))
        try repository.put("models/a", text: "2", writer: testWriter(seed: 3))
        let second = try repository.state().target(of: RefName("models/a"))
        for (index, target) in [first, second, first].enumerated() {
            _ = try repository.begin(writer: testWriter(seed: UInt64(index + 4))).commit(
                try (0..<refs).map { RefUpdate(try RefName("models/q\($0)"), new: target) })
        }
        let counting = CountingBucket(bucket)
        var options = CollectionOptions()
        options.isDryRun = true
        let report = try Repository(in: counting).collect(options, writer: testWriter(seed: 9))
        #expect(report.packs(.keep).count == 2)
        return counting.reads + counting.opens + counting.lists
    }

    @Test("an entry that moves many refs is read once, not once for each of them")
    func moves() throws {
        let (small, large) = (try work(refs: 250), try work(refs: 500))
        #expect(small < 100)
        #expect(Double(large) <= 1.2 * Double(small))
    }

    @Test("doubling the versions costs at most 2.6 times the work")
    func versions() throws {
        func work(_ count: Int) throws -> Int {
            let bucket = MemoryBucket()
            let repository = try Repository.create(in: bucket, writer: testWriter())
            for number in 0..<count {
                try repository.put(
                    "models/a", text: "\(number)", writer: testWriter(seed: UInt64(number + 2)))
            }
            let counting = CountingBucket(bucket)
            var options = CollectionOptions()
            options.keep = 0
            options.keepLast = count / 2
            options.isDryRun = true
            options.isPurge = true
            _ = try Repository(in: counting).collect(options, writer: testWriter(seed: 1))
            return counting.reads + counting.opens + counting.lists
        }
        #expect(Double(try work(400)) <= 2.6 * Double(try work(200)))
    }
}
