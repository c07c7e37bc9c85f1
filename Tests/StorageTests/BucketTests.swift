import Storage
import TestSupport
import Testing

/// A bucket that changes nothing.
private struct PlainForwardingBucket: ForwardingBucket {
    let base: any Bucket
}

@Suite("What every bucket does")
struct BucketTests {
    @Test("a bucket in a directory", arguments: BucketRequirement.all)
    func directory(requirement: BucketRequirement) throws {
        let directory = try TemporaryDirectory()
        let path = directory("repository")
        _ = try DirectoryBucket.create(at: path)
        try requirement.check { try DirectoryBucket(opening: path) }
        #expect(try directory.names() == ["repository"])
        for folder in try directory.names(in: "repository") {
            let names = try directory.names(in: "repository/\(folder)")
            #expect(!names.contains { $0.hasPrefix("tmp-") }, "\(folder): an unfinished file")
        }
    }

    @Test("a bucket in memory", arguments: BucketRequirement.all)
    func memory(requirement: BucketRequirement) throws {
        let start = ContinuousClock.now
        let bucket = MemoryBucket { Int((ContinuousClock.now - start) / .milliseconds(1)) }
        try requirement.check { bucket }
    }

    @Test("a bucket that forwards to another one", arguments: BucketRequirement.all)
    func forwarding(requirement: BucketRequirement) throws {
        let directory = try TemporaryDirectory()
        let path = directory("repository")
        _ = try DirectoryBucket.create(at: path)
        try requirement.check { PlainForwardingBucket(base: try DirectoryBucket(opening: path)) }
    }

    @Test("a bucket that forwards sees every call once")
    func forwarded() throws {
        let bucket = CountingBucket(MemoryBucket())
        let name = BlobName(.packs, "a")
        _ = try bucket.create(name, [1])
        _ = try bucket.read(name, limit: 1)
        _ = try bucket.open(name)
        try bucket.replace(name, [2])
        try bucket.overwrite(name, [3])
        _ = try bucket.list(.packs)
        _ = try bucket.ages(of: [name])
        try bucket.delete(name)
        _ = try bucket.removeAbandonedFiles()
        let staged = try bucket.stage(in: .packs)
        _ = try staged.append([1])
        _ = try staged.read(at: 0, count: 1)
        try staged.publish(as: name)
        try bucket.stage(in: .packs).replace(name)
        try bucket.synchronize(.packs)
        try bucket.synchronizeLog()
        _ = bucket.takeTurn()
        #expect(
            bucket.calls == [
                .create(name), .read(name), .open(name), .replace(name), .overwrite(name),
                .list(.packs), .ages([name]), .delete(name), .removeAbandonedFiles,
                .stage(.packs), .stagedAppend(.packs), .stagedRead(.packs), .stagedPublish(name),
                .stage(.packs), .stagedReplace(name), .synchronize(.packs), .synchronizeLog,
                .takeTurn,
            ])
    }

    @Test("one writer at a time has the turn in a directory")
    func turns() throws {
        let directory = try TemporaryDirectory()
        let first = try DirectoryBucket.create(at: directory("repository"))
        let second = try DirectoryBucket(opening: first.location)
        for bucket in [first, second] {
            var turn = bucket.takeTurn()
            #expect(turn != nil)
            #expect(first.takeTurn() == nil)
            #expect(second.takeTurn() == nil)
            turn = nil
            #expect(turn == nil)
        }
    }
}
