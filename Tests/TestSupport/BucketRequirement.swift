import Glibc
package import Storage
import Testing

/// A requirement that every bucket must meet.
///
/// The tests of a bucket run ``all`` of them as arguments, each with an empty bucket:
///
///     @Test("a bucket in a directory does what every bucket does", arguments: BucketRequirement.all)
///     func directory(requirement: BucketRequirement) throws {
///         let directory = try TemporaryDirectory()
///         let bucket = try DirectoryBucket.create(at: directory("repository"))
///         try requirement.check { try DirectoryBucket(opening: bucket.location) }
///     }
package struct BucketRequirement: CustomTestStringConvertible, Sendable {
    /// Opens the bucket under test; each call returns another client of the same place.
    package typealias Opening = @Sendable () throws -> any Bucket

    package let testDescription: String
    private let body: @Sendable (@escaping Opening) throws -> Void

    init(_ description: String, _ body: @escaping @Sendable (@escaping Opening) throws -> Void) {
        testDescription = description
        self.body = body
    }

    /// Expects the bucket to meet the requirement.
    ///
    /// - Parameter open: Opens the bucket, which must be empty at first; all clients must see the same blobs.
    package func check(_ open: @escaping Opening) throws { try body(open) }

    /// Every requirement.
    package static let all = blobs + listings + staging + races
}

extension BucketRequirement {
    static let name = BlobName(.log, "00000000000000000001.json")
    static let pack = BlobName(.packs, "ab.pack")

    /// The storage error that a call throws, or nil.
    static func storageError(_ body: () throws -> Void) -> StorageError? {
        do {
            try body()
            return nil
        } catch {
            return error as? StorageError
        }
    }
}

// MARK: - Single blobs

extension BucketRequirement {
    fileprivate static let blobs = [
        BucketRequirement("a created blob can be read, opened and listed, in its folder only") {
            open in
            let bucket = try open()
            for folder in BucketFolder.allCases {
                let name = BlobName(folder, "blob.1")
                #expect(try bucket.read(name, limit: 10) == nil)
                #expect(try bucket.open(name) == nil)
                #expect(try bucket.list(folder).isEmpty)
                #expect(try bucket.create(name, Array(folder.rawValue.utf8)) == .created)
            }
            let other = try open()
            for folder in BucketFolder.allCases {
                let name = BlobName(folder, "blob.1")
                let bytes = Array(folder.rawValue.utf8)
                #expect(try other.read(name, limit: bytes.count) == bytes)
                #expect(try other.open(name)?.size == bytes.count)
                #expect(try other.list(folder) == [BlobEntry(name: "blob.1", size: bytes.count)])
            }
        },
        BucketRequirement("creating a blob whose name is taken changes nothing") { open in
            let bucket = try open()
            #expect(try bucket.create(name, [1, 2, 3]) == .created)
            #expect(try open().create(name, [4]) == .exists)
            #expect(try bucket.create(name, [1, 2, 3]) == .exists)
            #expect(try bucket.read(name, limit: 3) == [1, 2, 3])
            #expect(try bucket.list(.log).count == 1)
        },
        BucketRequirement("a blob may be empty") { open in
            let bucket = try open()
            #expect(try bucket.create(name, []) == .created)
            #expect(try bucket.read(name, limit: 0) == [])
            #expect(try bucket.open(name)?.read(at: 0, count: 0) == [])
            #expect(try bucket.list(.log) == [BlobEntry(name: name.name, size: 0)])
            #expect(try bucket.create(name, [1]) == .exists)
            try bucket.stage(in: .packs).publish(as: pack)
            #expect(try bucket.read(pack, limit: 0) == [])
        },
        BucketRequirement("a blob may be large") { open in
            let bucket = try open()
            var bytes = [UInt8](repeating: 7, count: 5 << 20)
            bytes[bytes.count - 1] = 8
            #expect(try bucket.create(name, bytes) == .created)
            #expect(try open().read(name, limit: bytes.count) == bytes)
            let blob = try #require(try open().open(name))
            #expect(try blob.read(at: bytes.count - 2, count: 2) == [7, 8])
            let staged = try bucket.stage(in: .packs)
            for number in 0..<8 as Range<Int> {
                #expect(try staged.append(bytes) == number * bytes.count)
            }
            try staged.publish(as: pack)
            let large = try #require(try open().open(pack))
            #expect(large.size == 8 * bytes.count)
            #expect(try large.read(at: 3 * bytes.count - 1, count: 2) == [8, 7])
        },
        BucketRequirement("reading a whole blob fails when it is larger than the limit") { open in
            let bucket = try open()
            _ = try bucket.create(name, [UInt8](repeating: 7, count: 1000))
            #expect(try bucket.read(name, limit: 1000)?.count == 1000)
            let error = storageError { _ = try bucket.read(name, limit: 999) }
            guard case .tooLarge(_, 1000, 999)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(error?.fault == .damaged)
        },
        BucketRequirement("a range is read exactly, and one past the end is an error") { open in
            let bucket = try open()
            _ = try bucket.create(name, Array(0..<100))
            let blob = try #require(try bucket.open(name))
            #expect(try blob.read(at: 0, count: 100) == Array(0..<100))
            #expect(try blob.read(at: 10, count: 3) == [10, 11, 12])
            #expect(try blob.read(at: 100, count: 0) == [])
            for (offset, count) in [
                (0, 101), (100, 1), (101, 0), (-1, 1), (0, -1), (1, Int.max), (Int.max, Int.max),
            ] {
                let error = storageError { _ = try blob.read(at: offset, count: count) }
                guard case .truncated? = error else {
                    Issue.record("\(offset), \(count): \(String(describing: error))")
                    continue
                }
            }
        },
        BucketRequirement("an opened blob stays readable after it is deleted") { open in
            let bucket = try open()
            let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
            #expect(try bucket.create(name, bytes) == .created)
            let blob = try #require(try bucket.open(name))
            let file = blob.map()
            try open().delete(name)
            #expect(try blob.read(at: 9998, count: 2) == Array(bytes[9998...]))
            // Only some buckets can map blobs.
            guard let file else { return }
            #expect(file === blob.map() && file.count == bytes.count)
            for range in [0..<0, 0..<10_000, 4095..<4097, 9999..<10_000, 10_000..<10_000] {
                let isSame = file.withBytes(range) { span in
                    span.count == range.count
                        && range.allSatisfy { span[$0 - range.lowerBound] == bytes[$0] }
                }
                #expect(isSame)
            }
        },
        BucketRequirement("deleting is idempotent, and a deleted name can be created again") {
            open in
            let bucket = try open()
            for folder in BucketFolder.allCases {
                let name = BlobName(folder, "blob.1")
                try bucket.delete(name)
                _ = try bucket.create(name, [1])
                try open().delete(name)
                try bucket.delete(name)
                #expect(try bucket.read(name, limit: 1) == nil)
                #expect(try bucket.list(folder).isEmpty)
                #expect(try bucket.create(name, [2]) == .created)
                #expect(try bucket.read(name, limit: 1) == [2])
            }
        },
        BucketRequirement("replacing a blob creates it, or gives it new bytes of any size") {
            open in
            let bucket = try open()
            for folder in BucketFolder.allCases {
                let name = BlobName(folder, "blob.1")
                for count in [1, 3, 0, 2] {
                    try bucket.replace(name, [UInt8](repeating: 7, count: count))
                    #expect(try open().read(name, limit: 3)?.count == count)
                }
                #expect(try bucket.list(folder) == [BlobEntry(name: "blob.1", size: 2)])
            }
            // An opened blob keeps the bytes that it was opened with.
            let blob = try #require(try bucket.open(BlobName(.log, "blob.1")))
            try bucket.replace(BlobName(.log, "blob.1"), [1, 1])
            #expect(try blob.read(at: 0, count: 2) == [7, 7])
        },
        BucketRequirement("overwriting a hint creates it, or gives it new bytes of the same size") {
            open in
            let bucket = try open()
            let created = BlobName(.log, "created")
            _ = try bucket.create(created, [9, 9])
            for name in [BlobName(.log, "tip"), created] {
                for value in 0..<5 as Range<UInt8> {
                    try bucket.overwrite(name, [value, value])
                    #expect(try open().read(name, limit: 2) == [value, value])
                }
            }
            #expect(try bucket.list(.log).count == 2)
        },
        BucketRequirement("ages follow the bucket's clock, and missing blobs have none") {
            open in
            let bucket = try open()
            let old = BlobName(.leases, "old")
            let new = BlobName(.packs, "new")
            let missing = BlobName(.packs, "missing")
            #expect(try bucket.ages(of: [missing]).isEmpty)
            _ = try bucket.create(old, [1])
            pause(milliseconds: 60)
            _ = try bucket.create(new, [1])
            let ages = try open().ages(of: [old, new, missing])
            #expect(Set(ages.keys) == [old, new])
            let oldAge = try #require(ages[old])
            let newAge = try #require(ages[new])
            // Clocks of file systems tick every few milliseconds.
            #expect(newAge >= 0 && oldAge - newAge >= 40 && oldAge < 3_600_000)
            try bucket.replace(old, [2])
            let again = try bucket.ages(of: [old, new])
            #expect(try #require(again[old]) <= #require(again[new]))
        },
    ]

    private static func pause(milliseconds: Int) { usleep(UInt32(milliseconds) * 1000) }
}

// MARK: - Names and folders

extension BucketRequirement {
    /// Names that some file systems or object stores would change, refuse, hide or confuse with others.
    static let oddNames =
        [
            "a", "A", "ab", "a.b", "a-b", "a.", "a..b", "-rf", "--", "0", "00", "CON", "nul.txt",
            "com1", "git-1", "FTI", "a.lock", "a.tmp", "A.TMP", "Thumbs.db", "index.html",
        ] + [String(repeating: "x", count: 255), String(repeating: "x", count: 254)]

    fileprivate static let listings = [
        BucketRequirement("odd names are kept apart and listed unchanged") { open in
            let bucket = try open()
            for folder in BucketFolder.allCases {
                for (index, text) in oddNames.enumerated() {
                    let bytes = [UInt8](repeating: 1, count: index)
                    #expect(
                        try bucket.create(BlobName(folder, text), bytes) == .created, "\(text)")
                }
                let listed = try open().list(folder)
                #expect(listed.count == oddNames.count)
                let sizes = Dictionary(listed.map { ($0.name, $0.size) }) { first, _ in first }
                for (index, text) in oddNames.enumerated() {
                    #expect(sizes[text] == index, "\(text)")
                    let name = BlobName(folder, text)
                    #expect(try bucket.read(name, limit: 99)?.count == index, "\(text)")
                }
                for text in oddNames { try bucket.delete(BlobName(folder, text)) }
                #expect(try bucket.list(folder).isEmpty)
            }
        },
        BucketRequirement("a listing of a folder with many blobs has each of them once") { open in
            let bucket = try open()
            let names = (0..<1500).map { "\($0).json" }
            for name in names { _ = try bucket.create(BlobName(.checkpoints, name), [1]) }
            let listed = try open().list(.checkpoints)
            #expect(listed.map(\.name).sorted() == names.sorted())
            #expect(try bucket.list(.log).isEmpty)
        },
        BucketRequirement("synchronizing changes nothing, even in an empty folder") {
            open in
            let bucket = try open()
            for folder in BucketFolder.allCases { try bucket.synchronize(folder) }
            try bucket.synchronizeLog()
            for folder in BucketFolder.allCases {
                _ = try bucket.create(BlobName(folder, "a"), [1])
                _ = try bucket.create(BlobName(folder, "b"), [2])
                try bucket.delete(BlobName(folder, "a"))
                try bucket.synchronize(folder)
            }
            try bucket.synchronizeLog()
            for folder in BucketFolder.allCases {
                #expect(try open().list(folder) == [BlobEntry(name: "b", size: 1)])
            }
        },
        BucketRequirement("a writer's turn can be taken again once it ends") { open in
            let bucket = try open()
            var turn = bucket.takeTurn()
            #expect(turn != nil)
            // A turn is not a lock: others may write without it.
            #expect(try open().create(name, [1]) == .created)
            turn = nil
            #expect(try open().takeTurn() != nil)
            #expect(turn == nil)
        },
    ]
}
