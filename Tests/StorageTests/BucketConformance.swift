import Foundation
import Storage
import Synchronization
import Testing

/// A bucket under test, with what keeps it alive.
struct BucketUnderTest: CustomTestStringConvertible, Sendable {
    enum Kind: CaseIterable, Sendable {
        case memory, directory
    }

    let bucket: any Bucket
    let directory: TemporaryDirectory?

    init(_ sort: Kind) throws {
        switch sort {
        case .memory:
            bucket = MemoryBucket()
            directory = nil
        case .directory:
            let directory = try TemporaryDirectory()
            bucket = try DirectoryBucket.create(at: directory("repository"))
            self.directory = directory
        }
    }

    var testDescription: String { bucket.location }
}

/// Runs work on threads of its own, all of them at once.
func onThreads(_ count: Int, _ work: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        Thread {
            work(index)
            group.leave()
        }.start()
    }
    group.wait()
}

@Suite("What every bucket does")
struct BucketConformance {
    static let sorts = BucketUnderTest.Kind.allCases
    static let blob = BlobName(.log, "00000000000000000001.json")

    @Test("a created blob can be read, opened and listed", arguments: sorts, BucketFolder.allCases)
    func creation(sort: BucketUnderTest.Kind, folder: BucketFolder) throws {
        let test = try BucketUnderTest(sort)
        let name = BlobName(folder, "blob.1")
        #expect(try test.bucket.read(name, limit: 10) == nil)
        #expect(try test.bucket.open(name) == nil)
        #expect(try test.bucket.create(name, Array("content".utf8)) == .created)
        #expect(try test.bucket.read(name, limit: 7) == Array("content".utf8))
        #expect(try test.bucket.open(name)?.size == 7)
        #expect(try test.bucket.list(folder) == [BlobEntry(name: "blob.1", size: 7)])
        for other in BucketFolder.allCases where other != folder {
            #expect(try test.bucket.list(other).isEmpty)
        }
    }

    @Test("an empty blob can be created", arguments: sorts)
    func emptyBlob(sort: BucketUnderTest.Kind) throws {
        let test = try BucketUnderTest(sort)
        #expect(try test.bucket.create(Self.blob, []) == .created)
        #expect(try test.bucket.read(Self.blob, limit: 0) == [])
        #expect(try test.bucket.open(Self.blob)?.read(at: 0, count: 0) == [])
    }

    @Test(
        "a name that is taken keeps its bytes, even when the new ones are equal", arguments: sorts)
    func takenName(sort: BucketUnderTest.Kind) throws {
        let test = try BucketUnderTest(sort)
        #expect(try test.bucket.create(Self.blob, [1, 2, 3]) == .created)
        #expect(try test.bucket.create(Self.blob, [4]) == .exists)
        #expect(try test.bucket.create(Self.blob, [1, 2, 3]) == .exists)
        #expect(try test.bucket.read(Self.blob, limit: 3) == [1, 2, 3])
        #expect(try test.bucket.list(.log).count == 1)
    }

    @Test("of 32 threads that create one name, one wins", arguments: sorts)
    func race(sort: BucketUnderTest.Kind) throws {
        let test = try BucketUnderTest(sort)
        let bucket = test.bucket
        let outcomes = Mutex<[Int: Result<Creation, any Error>]>([:])
        onThreads(32) { index in
            let outcome = Result { try bucket.create(Self.blob, [UInt8(index), 7]) }
            outcomes.withLock { $0[index] = outcome }
        }
        let results = try outcomes.withLock { $0 }.mapValues { try $0.get() }
        let winners = results.filter { $0.value == .created }.keys
        #expect(results.count == 32)
        #expect(winners.count == 1)
        let winner = try #require(winners.first)
        #expect(try bucket.read(Self.blob, limit: 2) == [UInt8(winner), 7])
        #expect(try bucket.list(.log).count == 1)
    }

    @Test("no more than the limit is read", arguments: sorts)
    func limit(sort: BucketUnderTest.Kind) throws {
        let test = try BucketUnderTest(sort)
        _ = try test.bucket.create(Self.blob, [UInt8](repeating: 7, count: 1000))
        let error = try #require(throws: StorageError.self) {
            try test.bucket.read(Self.blob, limit: 999)
        }
        guard case .tooLarge(_, 1000, 999) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(error.fault == .damaged)
    }

    @Test("a range beyond the end of a blob is an error", arguments: sorts)
    func ranges(sort: BucketUnderTest.Kind) throws {
        let test = try BucketUnderTest(sort)
        _ = try test.bucket.create(Self.blob, Array(0..<100))
        let blob = try #require(try test.bucket.open(Self.blob))
        #expect(try blob.read(at: 10, count: 3) == [10, 11, 12])
        #expect(try blob.read(at: 100, count: 0) == [])
        for (offset, count) in [
            (0, 101), (100, 1), (101, 0), (-1, 1), (0, -1), (1, Int.max), (Int.max, Int.max),
        ] {
            let error = #expect(throws: StorageError.self) {
                try blob.read(at: offset, count: count)
            }
            guard case .truncated = error else {
                Issue.record("\(offset), \(count): \(String(describing: error))")
                continue
            }
        }
    }

    @Test("a hint can be replaced any number of times", arguments: sorts)
    func replacement(sort: BucketUnderTest.Kind) throws {
        let test = try BucketUnderTest(sort)
        let name = BlobName(.log, "tip")
        for value in 0..<5 as Range<UInt8> {
            try test.bucket.replace(name, [value])
            #expect(try test.bucket.read(name, limit: 1) == [value])
        }
        #expect(try test.bucket.list(.log) == [BlobEntry(name: "tip", size: 1)])
    }

    @Test("deleting is idempotent, and a deleted name is free", arguments: sorts)
    func deletion(sort: BucketUnderTest.Kind) throws {
        let test = try BucketUnderTest(sort)
        try test.bucket.delete(Self.blob)
        _ = try test.bucket.create(Self.blob, [1])
        let blob = try #require(try test.bucket.open(Self.blob))
        try test.bucket.delete(Self.blob)
        try test.bucket.delete(Self.blob)
        #expect(try test.bucket.read(Self.blob, limit: 1) == nil)
        #expect(try blob.read(at: 0, count: 1) == [1])
        #expect(try test.bucket.create(Self.blob, [2]) == .created)
    }

    @Test("a staged blob is visible only once it is published", arguments: sorts)
    func staging(sort: BucketUnderTest.Kind) throws {
        let test = try BucketUnderTest(sort)
        let name = BlobName(.packs, "ab.pack")
        let staged = try test.bucket.stage(in: .packs)
        #expect(try staged.append([1, 2]) == 0)
        #expect(try staged.append([]) == 2)
        #expect(try staged.append([3]) == 2)
        #expect(try test.bucket.list(.packs).isEmpty)
        try staged.publish(as: name)
        #expect(try test.bucket.read(name, limit: 3) == [1, 2, 3])
        #expect(throws: StorageError.self) { try staged.publish(as: name) }
    }

    @Test("an append at a multiple leaves zeros before it", arguments: sorts)
    func alignedStaging(sort: BucketUnderTest.Kind) throws {
        let test = try BucketUnderTest(sort)
        let name = BlobName(.packs, "ab.pack")
        let staged = try test.bucket.stage(in: .packs)
        for (alignment, offset, gap) in [(16, 0, 0), (1, 2, 0), (16, 16, 12), (2, 18, 0)] {
            let place = try staged.append([7, 8], alignment: alignment)
            #expect(place == (offset, gap))
        }
        try staged.publish(as: name)
        let zeros = [UInt8](repeating: 0, count: 12)
        #expect(
            try test.bucket.read(name, limit: 99) == [7, 8, 7, 8] + zeros + [7, 8, 7, 8])
    }

    @Test(
        "a blob that can be mapped has the same bytes there, also when it is gone", arguments: sorts
    )
    func mapping(sort: BucketUnderTest.Kind) throws {
        let test = try BucketUnderTest(sort)
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        #expect(try test.bucket.create(Self.blob, bytes) == .created)
        let blob = try #require(try test.bucket.open(Self.blob))
        guard let file = blob.map() else { return }
        #expect(file === blob.map() && file.count == bytes.count)
        try test.bucket.delete(Self.blob)
        for range in [0..<0, 0..<10_000, 4095..<4097, 9999..<10_000, 10_000..<10_000] {
            let isSame = file.withBytes(range) { span in
                span.count == range.count
                    && range.allSatisfy { span[$0 - range.lowerBound] == bytes[$0] }
            }
            #expect(isSame)
        }
    }

    @Test("pieces appended from several threads are all there, each whole", arguments: sorts)
    func stagingFromThreads(sort: BucketUnderTest.Kind) throws {
        let test = try BucketUnderTest(sort)
        let name = BlobName(.packs, "ab.pack")
        let staged = try test.bucket.stage(in: .packs)
        let offsets = Mutex<[Int: Int]>([:])
        let pieces = 40
        onThreads(8) { thread in
            for piece in 0..<pieces {
                let index = thread * pieces + piece
                let bytes = [UInt8](repeating: UInt8(index % 251), count: 1 + index)
                let offset = try? staged.append(bytes)
                offsets.withLock { $0[index] = offset }
            }
        }
        try staged.publish(as: name)
        let found = offsets.withLock { $0 }
        let blob = try #require(try test.bucket.open(name))
        #expect(found.count == 8 * pieces)
        #expect(blob.size == (0..<8 * pieces).reduce(0) { $0 + 1 + $1 })
        for (index, offset) in found {
            #expect(
                try blob.read(at: offset, count: 1 + index)
                    == [UInt8](repeating: UInt8(index % 251), count: 1 + index))
        }
    }

    @Test("a staged blob that is dropped leaves nothing", arguments: sorts)
    func droppedStaging(sort: BucketUnderTest.Kind) throws {
        let test = try BucketUnderTest(sort)
        do {
            let staged = try test.bucket.stage(in: .packs)
            _ = try staged.append([1, 2, 3])
        }
        #expect(try test.bucket.list(.packs).isEmpty)
        #expect(try test.directory?.names(in: "repository/packs") ?? [] == [])
    }

    @Test("a staged blob does not replace one that is there", arguments: sorts)
    func stagingUnderATakenName(sort: BucketUnderTest.Kind) throws {
        let test = try BucketUnderTest(sort)
        let name = BlobName(.packs, "ab.pack")
        _ = try test.bucket.create(name, [9])
        let staged = try test.bucket.stage(in: .packs)
        _ = try staged.append([1])
        #expect(throws: StorageError.self) { try staged.publish(as: name) }
        #expect(throws: StorageError.self) {
            try test.bucket.stage(in: .packs).publish(as: Self.blob)
        }
        #expect(try test.bucket.read(name, limit: 1) == [9])
        try test.bucket.synchronizeLog()
    }

    @Test("one writer at a time has its turn in a directory, until it lets it go")
    func turns() throws {
        let test = try BucketUnderTest(.directory)
        var turn = test.bucket.takeTurn()
        #expect(turn != nil)
        #expect(test.bucket.takeTurn() == nil)
        turn = nil
        #expect(test.bucket.takeTurn() != nil)
        #expect(turn == nil)
        #expect(MemoryBucket().takeTurn() != nil)
    }
}
