import Foundation
import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite("Writing out files")
struct DestinationTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func write(_ text: String, to path: String, in tree: DestinationTree) throws {
        let file = try tree.file(try RelativePath(path))
        for piece in text.utf8 { try file.append([piece]) }
        try file.finish()
    }

    @Test("files and directories appear below the destination, which is created as needed")
    func writing() throws {
        let tree = try DestinationTree(at: directory("some/where/out"))
        try write("one", to: "a/b/c", in: tree)
        try write("two", to: "a/b/d", in: tree)
        try write("", to: "e", in: tree)
        try tree.makeDirectory(try RelativePath("empty/inner"))
        #expect(try directory.text("some/where/out/a/b/c") == "one")
        #expect(try directory.text("some/where/out/a/b/d") == "two")
        #expect(try directory.text("some/where/out/e") == "")
        #expect(try directory.names(in: "some/where/out") == ["a", "e", "empty"])
        #expect(try directory.names(in: "some/where/out/empty/inner").isEmpty)
    }

    @Test("permissions are ordinary, with the executable bit where requested")
    func permissions() throws {
        let mask = umask(0)
        umask(mask)
        let tree = try DestinationTree(at: directory("out"))
        for (name, isExecutable) in [("plain", false), ("program", true)] {
            try tree.file(try RelativePath(name), isExecutable: isExecutable).finish()
            var status = stat()
            #expect(stat(directory("out/\(name)"), &status) == 0)
            #expect(status.st_mode & 0o777 == (isExecutable ? 0o777 : 0o666) & ~mask)
        }
    }

    @Test("an unfinished file leaves nothing")
    func unfinished() throws {
        let tree = try DestinationTree(at: directory("out"))
        do {
            let file = try tree.file(try RelativePath("a"))
            try file.append([1, 2, 3])
            #expect(file.size == 3)
        }
        #expect(try directory.names(in: "out").isEmpty)
    }

    @Test("a non-empty directory is refused without force, and keeps its files with it (B107)")
    func notEmpty() throws {
        try directory.makeDirectory("out/sub")
        try directory.write("out/foreign", "foreign")
        try directory.write("out/sub/file", "old")
        let error = #expect(throws: StorageError.self) {
            try DestinationTree(at: directory("out"))
        }
        #expect(error?.fault == .usage)
        let tree = try DestinationTree(at: directory("out"), force: true)
        try write("new", to: "sub/file", in: tree)
        #expect(throws: StorageError.self) { try write("x", to: "sub", in: tree) }
        #expect(throws: StorageError.self) { try write("x", to: "foreign/x", in: tree) }
        #expect(try directory.text("out/foreign") == "foreign")
        #expect(try directory.text("out/sub/file") == "new")
        #expect(try directory.names(in: "out") == ["foreign", "sub"])
        #expect(try directory.names(in: "out/sub") == ["file"])
    }

    @Test("a file that appears meanwhile is not replaced without force")
    func race() throws {
        let tree = try DestinationTree(at: directory("out"))
        try directory.write("out/a", "foreign")
        let error = #expect(throws: StorageError.self) { try write("x", to: "a", in: tree) }
        #expect(error?.fault == .usage)
        #expect(try directory.text("out/a") == "foreign")
    }

    @Test("the destination may lie behind a link, but none inside it is followed (B108)")
    func links() throws {
        try directory.makeDirectory("real")
        try directory.makeDirectory("outside")
        try directory.write("outside/file", "untouched")
        try directory.link("out", to: directory("real"))
        try directory.link("real/sub", to: directory("outside"))
        try directory.link("real/file", to: directory("outside/file"))
        let tree = try DestinationTree(at: directory("out"), force: true)
        let error = #expect(throws: StorageError.self) { try write("x", to: "sub/file", in: tree) }
        #expect(error?.fault == .usage)
        #expect(throws: StorageError.self) { try tree.makeDirectory(try RelativePath("sub")) }
        try write("new", to: "file", in: tree)
        #expect(try directory.text("real/file") == "new")
        #expect(try directory.text("outside/file") == "untouched")
        #expect(try directory.names(in: "outside") == ["file"])
    }

    @Test("swapping a directory for a link during a write redirects nothing")
    func swappedForALink() throws {
        try directory.makeDirectory("outside")
        let tree = try DestinationTree(at: directory("out"))
        try write("1", to: "sub/1", in: tree)
        let second = try tree.file(try RelativePath("sub/2"))
        try FileManager.default.moveItem(
            atPath: directory("out/sub"), toPath: directory("moved"))
        try directory.link("out/sub", to: directory("outside"))
        try second.finish()
        try write("x", to: "other/x", in: tree)
        #expect(throws: StorageError.self) { try write("3", to: "sub/3", in: tree) }
        #expect(try directory.names(in: "outside").isEmpty)
        #expect(try directory.names(in: "moved") == ["1", "2"])
    }

    @Test("a destination that is a file is refused")
    func file() throws {
        try directory.write("file", "text")
        for name in ["file", "file/out"] {
            let error = #expect(throws: StorageError.self) {
                try DestinationTree(at: directory(name), force: true)
            }
            #expect(error?.fault == .usage)
        }
        #expect(try directory.text("file") == "text")
    }

    @Test("without nameless files, temporary names are used and removed")
    func namedFiles() throws {
        let folder = try Directory(opening: directory.path, followLink: false)
        for text in ["first", "second"] {
            let file = try TemporaryFile(in: folder, mayBeNameless: false)
            try file.descriptor.write(Array(text.utf8).span, at: 0)
            if try !file.place(as: Array("file".utf8)) { try file.replace(Array("file".utf8)) }
            #expect(try directory.text("file") == text)
        }
        #expect(try directory.names() == ["file"])
    }
}
