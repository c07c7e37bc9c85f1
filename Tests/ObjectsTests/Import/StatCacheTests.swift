import Foundation
import Glibc
import Storage
import TestSupport
import Testing

@testable import Objects

@Suite("The cache of file metadata")
struct StatCacheTests {
    private static let repository = "00112233445566778899aabbccddeeff"
    private static let day = 86_400_000
    /// Some day in 2026, in milliseconds.
    private static let now = 1_790_000_000_000

    private static func moment(_ milliseconds: Int = now) throws -> Timestamp {
        try #require(Timestamp(milliseconds: milliseconds))
    }

    private static func cache(
        _ stored: [UInt8]? = nil, at milliseconds: Int = now, repository: String = repository
    ) throws -> StatCache {
        StatCache(stored, repository: repository, moment: try moment(milliseconds))
    }

    private static func version(
        _ seed: UInt64, modified: Int = 1_700_000_000_123_456_789,
        changed: Int = 1_700_000_000_123_456_789
    ) -> FileVersion {
        FileVersion(
            device: 1 + seed % 3, inode: seed &* 0x9E37_79B9_7F4A_7C15, mode: 0o100_644,
            size: Int(seed % 1000), modified: modified, changed: changed)
    }

    private static func path(_ number: UInt64) -> [UInt8] {
        Array("/data/\(number % 7)/\(number)".utf8)
    }

    private static func object(_ number: UInt64) -> ObjectID {
        ObjectID(of: Array("\(number)".utf8).span)
    }

    /// A cache of the files from 0 to 49, stored.
    private static func stored() throws -> [UInt8] {
        let cache = try cache()
        for number in 0..<50 as Range<UInt64> {
            cache.add(object(number), of: version(number), at: path(number))
        }
        return try #require(cache.encoded())
    }

    // MARK: The cache alone

    @Test("exactly the stored entries are found again")
    func roundTrip() throws {
        let cache = try Self.cache(try Self.stored())
        for number in 0..<100 as Range<UInt64> {
            let found = cache.id(of: Self.version(number), at: Self.path(number))
            #expect(found == (number < 50 ? Self.object(number) : nil))
            #expect(cache.id(of: Self.version(number), at: Self.path(number + 1)) == nil)
        }
        #expect(cache.encoded() == nil)
    }

    @Test("a file counts as changed when any of its numbers differs")
    func everyNumberCounts() throws {
        let cache = try Self.cache(try Self.stored())
        let version = Self.version(7)
        for number in 0..<6 {
            let other = FileVersion(
                device: version.device + (number == 0 ? 1 : 0),
                inode: version.inode + (number == 1 ? 1 : 0),
                mode: version.mode + (number == 2 ? 1 : 0),
                size: version.size + (number == 3 ? 1 : 0),
                modified: version.modified + (number == 4 ? 1 : 0),
                changed: version.changed + (number == 5 ? 1 : 0))
            #expect(cache.id(of: other, at: Self.path(7)) == nil, "number \(number)")
        }
    }

    @Test("a file's new version replaces its old one")
    func replaced() throws {
        let cache = try Self.cache(try Self.stored())
        let later = Self.version(7, changed: 1_700_000_000_999_999_999)
        cache.add(Self.object(1007), of: later, at: Self.path(7))
        let bytes = try #require(cache.encoded())
        #expect(try bytes.count == Self.stored().count)
        let next = try Self.cache(bytes)
        #expect(next.id(of: later, at: Self.path(7)) == Self.object(1007))
        #expect(next.id(of: Self.version(7), at: Self.path(7)) == nil)
        #expect(next.id(of: Self.version(8), at: Self.path(8)) == Self.object(8))
    }

    @Test("a damaged or truncated cache, or one of another repository or version, is ignored")
    func damaged() throws {
        let bytes = try Self.stored()
        func expectNothing(_ bytes: [UInt8], repository: String = Self.repository) throws {
            let cache = try Self.cache(bytes, repository: repository)
            #expect(cache.id(of: Self.version(3), at: Self.path(3)) == nil)
            // New entries are stored without the damaged ones.
            cache.add(Self.object(3), of: Self.version(3), at: Self.path(3))
            let bytes: [UInt8] = try #require(cache.encoded())
            let next = try Self.cache(bytes, repository: repository)
            #expect(next.id(of: Self.version(3), at: Self.path(3)) == Self.object(3))
            #expect(next.id(of: Self.version(4), at: Self.path(4)) == nil)
        }
        for index in stride(from: 0, to: bytes.count, by: 11) {
            var other = bytes
            other[index] ^= 0x10
            try expectNothing(other)
        }
        for count in [0, 1, 8, 16, 47, 48, 79, 80, 81, bytes.count - 60, bytes.count - 1] {
            try expectNothing(Array(bytes.prefix(count)))
        }
        try expectNothing(bytes + [0])
        try expectNothing(bytes, repository: "ff112233445566778899aabbccddeeff")
        var random = SeededGenerator(seed: 5)
        for count in 0..<300 {
            var noise =
                bytes.prefix(8) + (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            if count % 2 == 0, noise.count > 16 {
                noise.replaceSubrange(8..<16, with: [1, 0, 0, 0, 0, 0, 0, 0])
            }
            try expectNothing(Array(noise))
        }
    }

    @Test("a file modified too recently is not remembered")
    func racy() throws {
        let second = 1_000_000_000
        let now = Self.now * 1_000_000
        let fine = 123_456
        func isKept(modified: Int, changed: Int) throws -> Bool {
            let cache = try Self.cache()
            let version = Self.version(1, modified: modified, changed: changed)
            cache.add(Self.object(1), of: version, at: Self.path(1))
            return cache.encoded() != nil
        }
        let old = now - 100 * second + fine
        #expect(try isKept(modified: old, changed: old))
        #expect(try isKept(modified: old, changed: now - second / 10 + fine))
        for age in [second / 50, second / 100, 0, -second, -1_000_000 * second] {
            #expect(try !isKept(modified: old, changed: now - age + fine))
            #expect(try !isKept(modified: now - age + fine, changed: old))
        }
        // Times in whole milliseconds come from a file system with a coarse clock.
        #expect(try isKept(modified: old, changed: now - 3 * second))
        #expect(try !isKept(modified: old, changed: now - second))
        // Impossible times.
        for time in [Int.max, Int.min] { #expect(try !isKept(modified: time, changed: time)) }
    }

    @Test("entries unused for 90 days are dropped, used ones stay")
    func ages() throws {
        var stored = try Self.stored()
        for week in 1...14 {
            let cache = try Self.cache(stored, at: Self.now + 7 * week * Self.day)
            for number in 0..<10 as Range<UInt64> {
                #expect(
                    cache.id(of: Self.version(number), at: Self.path(number)) == Self.object(number)
                )
            }
            stored = try #require(cache.encoded())
        }
        let last = try Self.cache(stored, at: Self.now + 98 * Self.day)
        for number in 0..<50 as Range<UInt64> {
            let found = last.id(of: Self.version(number), at: Self.path(number))
            #expect((found != nil) == (number < 10))
        }
        #expect(last.encoded() == nil)
        // A clock that was wrong for a day does not keep an entry permanently.
        let back = try Self.cache(stored, at: Self.now)
        back.add(Self.object(60), of: Self.version(60), at: Self.path(60))
        #expect(try #require(back.encoded()).count == 48 + 60 + 32)
    }

    // MARK: Trees

    /// A directory of files, a repository, and the cache of one beside the other.
    private final class Files {
        private let directory: TemporaryDirectory
        var repository = TestRepository()
        var stored: [UInt8]?
        /// How far the clock of the cache is ahead: an hour makes every file old.
        var ahead = 3_600_000

        init() throws {
            directory = try TemporaryDirectory()
            try directory.makeDirectory("sub")
        }

        func path(_ name: String) -> String { directory(name) }

        func write(_ name: String, _ bytes: [UInt8]) throws {
            // In place: the file stays the same inode.
            let number = open(path(name), O_WRONLY | O_CREAT, 0o644)
            try #require(number >= 0)
            defer { close(number) }
            #expect(Glibc.write(number, bytes, bytes.count) == bytes.count)
        }

        var cache: StatCache {
            get throws {
                let now = Int(Date().timeIntervalSince1970 * 1000)
                return StatCache(
                    stored, repository: StatCacheTests.repository,
                    moment: try moment(now + ahead))
            }
        }

        /// Stores the files, and returns the objects by path.
        func put(_ cache: StatCache? = nil) throws -> [String: ObjectID] {
            let cache = try cache ?? self.cache
            let summary = try repository.commit {
                try $0.importTree(try InputListing.walking([directory.path]), cache: cache)
            }
            stored = cache.encoded() ?? stored
            let store = repository.store
            var result: [String: ObjectID] = [:]
            var walk = try TreeWalk(summary.id, in: store)
            while let element = try walk.next() {
                guard element.entry.mode != .directory else { continue }
                _ = try store.read(element.entry.id, limit: .max)
                result[element.path.description] = element.entry.id
            }
            return result
        }

        func id(_ name: String) throws -> ObjectID {
            ObjectID(of: Array(try Data(contentsOf: URL(filePath: path(name)))).span)
        }

        func version(_ name: String) throws -> FileVersion {
            try InputFile(opening: path(name)).version
        }

        func add(_ id: ObjectID, as name: String, to cache: StatCache) throws {
            cache.add(id, of: try version(name), at: Array(path(name).utf8))
        }
    }

    @Test("a change is detected even when size and time are restored")
    func restoredTime() throws {
        let files = try Files()
        try files.write("a", Array("first".utf8))
        try files.write("sub/b", Array("other".utf8))
        let first = try files.put()
        #expect(files.stored != nil)
        let before = try files.version("a")
        // Until the system's clock ticks both versions look alike; the cache itself guards against that.
        repeat {
            try files.write("a", Array("FIRST".utf8))
            let seconds = before.modified / 1_000_000_000
            let time = timespec(tv_sec: seconds, tv_nsec: before.modified % 1_000_000_000)
            utimensat(AT_FDCWD, files.path("a"), [time, time], 0)
        } while try files.version("a").changed == before.changed
        #expect(try files.version("a").modified == before.modified)
        let second = try files.put()
        #expect(second["a"] == ObjectID(of: Array("FIRST".utf8).span))
        #expect(second["sub/b"] == first["sub/b"])
    }

    @Test("a change within the clock's resolution is detected")
    func withinResolution() throws {
        let files = try Files()
        files.ahead = 0
        for round in 0..<50 {
            try files.write("a", Array("round \(100 + round)".utf8))
            #expect(try files.put()["a"] == files.id("a"))
        }
    }

    @Test("a file that the cache knows is not read")
    func known() throws {
        let files = try Files()
        try files.write("a", Array("first".utf8))
        try files.write("b", Array("other".utf8))
        let ids = try files.put()
        // A false entry proves that the cache is trusted.
        let cache = try files.cache
        try files.add(try #require(ids["b"]), as: "a", to: cache)
        _ = try files.put(cache)
        #expect(try files.put()["a"] == ids["b"])
        #expect(
            try files.put(StatCache(nil, repository: "", moment: Self.moment()))["a"] == ids["a"])
    }

    @Test("an object that is not in the repository, or has another size, is stored from the file")
    func unknownObjects() throws {
        let files = try Files()
        try files.write("a", Array("first".utf8))
        try files.write("b", Array("longer".utf8))
        let ids = try files.put()
        let cache = try files.cache
        for id in [ObjectID(of: [1].span), try #require(ids["b"])] {
            try files.add(id, as: "a", to: cache)
            _ = try files.put(cache)
            #expect(try files.put() == ids)
        }
        files.repository = TestRepository()
        #expect(try files.put() == ids)
    }

    @Test("a large object that lost a pack is stored again, whole")
    func missingPieces() throws {
        let files = try Files()
        let bytes = TestBytes.random.make(600_000)
        // Its first pieces come from a pack of their own.
        try files.write("a", Array(bytes.prefix(400_000)))
        _ = try files.put()
        try files.write("a", bytes)
        let ids = try files.put()
        #expect(files.repository.packs.count == 2)
        files.repository.packs.removeFirst()
        #expect(throws: ObjectError.self) {
            try files.repository.store.read(try #require(ids["a"]), limit: .max)
        }
        #expect(try files.put() == ids)
        #expect(files.repository.packs.count == 2)
    }
}
