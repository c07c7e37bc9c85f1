import Foundation
import Glibc
import Storage
import TestSupport
import Testing

@Suite("Cache files")
struct CacheFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test("a written file reads back, and its directory is created")
    func roundTrip() throws {
        let file = CacheFile(directory("cache/fti/a.stat"))
        #expect(file.read(limit: 100) == nil)
        for bytes in [[1, 2, 3], [], [UInt8](repeating: 7, count: 100)] as [[UInt8]] {
            try file.replace(bytes)
            #expect(file.read(limit: 100) == bytes)
        }
        #expect(file.read(limit: 99) == nil)
        #expect(try directory.names(in: "cache/fti") == ["a.stat"])
        var status = stat()
        stat(directory("cache/fti"), &status)
        #expect(status.st_mode & 0o077 == 0)
        stat(file.path, &status)
        #expect(status.st_mode & 0o077 == 0)
    }

    @Test("files that others may write, links, pipes and directories are not read")
    func refused() throws {
        let file = CacheFile(directory("a.stat"))
        try file.replace([1])
        for mode in [0o620, 0o602, 0o666] as [mode_t] {
            chmod(file.path, mode)
            #expect(file.read(limit: 100) == nil)
        }
        chmod(file.path, 0o600)
        #expect(file.read(limit: 100) == [1])
        try directory.link("link", to: file.path)
        #expect(CacheFile(directory("link")).read(limit: 100) == nil)
        mkfifo(directory("pipe"), 0o600)
        #expect(CacheFile(directory("pipe")).read(limit: 100) == nil)
        #expect(CacheFile(directory.path).read(limit: 100) == nil)
    }

    @Test("a file of another user is not read", .enabled(if: geteuid() == 0))
    func foreign() throws {
        let file = CacheFile(directory("a.stat"))
        try file.replace([1])
        chown(file.path, 12345, 12345)
        #expect(file.read(limit: 100) == nil)
    }

    @Test("a missing home is not created, and a relative path is refused")
    func noHome() throws {
        let file = CacheFile(directory("nobody/.cache/fti/a.stat"))
        #expect(throws: StorageError.self) { try file.replace([1]) }
        #expect(try directory.names() == [])
        #expect(throws: StorageError.self) { try CacheFile("a.stat").replace([1]) }
    }
}
