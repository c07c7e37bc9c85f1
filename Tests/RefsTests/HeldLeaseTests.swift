import Foundation
import Objects
import Storage
import Testing

@testable import Refs

@Suite struct HeldLeaseTests {
    private func put(_ text: String, in repository: Repository) throws -> ObjectID {
        let commit = try repository.put("models/a", text: text, writer: testWriter())
        return try #require(commit.refs.first?.new)
    }

    @Test("a lease is renewed until it is released, and protects the latest snapshots")
    func renewal() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        let first = try put("one", in: repository)
        let second = try put("two", in: repository)
        let lease = HeldLease(in: repository, purpose: "test", seconds: 600, renewedEvery: 5)
        #expect(try repository.leases().isEmpty)
        try lease.hold([first])
        try lease.hold([second])
        #expect(try repository.leases().map(\.snapshots) == [[second]])
        // A removed lease file reappears on its own.
        let name = try #require(try repository.leases().first).name
        try repository.release(name)
        for _ in 0..<2000 where try repository.leases().isEmpty { usleep(5000) }
        #expect(try repository.leases().map(\.snapshots) == [[second]])
        lease.release()
        usleep(50_000)
        #expect(try repository.leases().isEmpty)
    }

    @Test("a collected snapshot cannot be leased, and no lease names it afterwards")
    func gone() throws {
        let repository = try Repository.create(in: MemoryBucket(), writer: testWriter())
        let kept = try put("one", in: repository)
        let lease = HeldLease(in: repository, purpose: "test", seconds: 600)
        try lease.hold([kept])
        let missing = ObjectID(of: Array("nothing".utf8).span)
        #expect(throws: RefError.self) { try lease.hold([missing]) }
        #expect(try repository.leases().map(\.snapshots) == [[kept]])
    }
}
