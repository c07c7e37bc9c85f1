import Foundation
import Storage
import Testing

@Suite("Mapped files")
struct MappedFileTests {
    /// The number of bytes of the test file: many pages.
    private static let size = 1 << 20

    private static func bucket() throws -> (bucket: DirectoryBucket, path: String) {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "fti-mapped-\(UUID().uuidString)")
        let bucket = try DirectoryBucket.create(at: folder.path)
        let name = BlobName(.packs, "mapped")
        _ = try bucket.create(name, [UInt8](repeating: 7, count: size))
        return (bucket, folder.appending(path: "packs/mapped").path)
    }

    private static func open(_ bucket: DirectoryBucket) throws -> any Blob {
        try #require(try bucket.open(BlobName(.packs, "mapped")))
    }

    private static func sum(_ file: MappedFile) -> Int {
        file.withBytes(0..<file.count) { bytes in
            bytes.indices.reduce(0) { $0 + Int(bytes[$1]) }
        }
    }

    @Test("a truncated file turns into zeros and an error, and a restored one can be mapped again")
    func truncation() async {
        await #expect(processExitsWith: .success) { try await Self.truncate() }
    }

    private static func truncate() async throws {
        try MappedFile.surviveDamage()
        let (bucket, path) = try Self.bucket()
        defer { try? FileManager.default.removeItem(atPath: bucket.location) }
        let blob = try Self.open(bucket)
        let file = try #require(blob.map())
        let other = try #require(try Self.open(bucket).map())
        #expect(Self.sum(file) == 7 * Self.size)
        #expect(!file.isDamaged && file.damage == nil && !blob.isDamaged)
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.truncate(atOffset: 5000)
        // Several threads may find the damage at once.
        let sums = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 { group.addTask { Self.sum(file) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sums.allSatisfy { $0 < 7 * Self.size })
        #expect(file.isDamaged && blob.isDamaged && MappedFile.damagedCount == 1)
        #expect(Self.sum(file) == 0)
        guard case .damaged(let damaged, _) = file.damage else {
            Issue.record("there is no error")
            return
        }
        #expect(damaged.hasSuffix("packs/mapped"))
        // Nobody has read the other mapping yet.
        #expect(!other.isDamaged)
        try handle.seek(toOffset: 0)
        try handle.write(contentsOf: Data(repeating: 7, count: Self.size))
        #expect(Self.sum(other) == 7 * Self.size && !other.isDamaged)
        let restored = try #require(try Self.open(bucket).map())
        #expect(Self.sum(restored) == 7 * Self.size && !restored.isDamaged)
        #expect(file.isDamaged)
    }

    @Test("a process that did not ask to survive ends as before")
    func default_() async {
        await #expect(processExitsWith: .signal(SIGBUS)) {
            let (bucket, path) = try Self.bucket()
            let file = try #require(try Self.open(bucket).map())
            try #require(FileHandle(forUpdatingAtPath: path)).truncate(atOffset: 0)
            try FileManager.default.removeItem(atPath: bucket.location)
            _ = Self.sum(file)
        }
    }

    @Test("a SIGBUS that no mapping explains still ends the process")
    func otherSignals() async {
        await #expect(processExitsWith: .signal(SIGBUS)) {
            try MappedFile.surviveDamage()
            kill(getpid(), SIGBUS)
            sleep(10)
        }
    }
}
