import Foundation
import Glibc
import Storage
import Testing

@Suite("Files and directories to be stored")
struct SourceTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func expectRefusal(
        _ fault: Fault, naming name: String, of paths: [String], follow: Bool = false
    ) {
        let error = #expect(throws: StorageError.self) {
            try SourceWalk(paths, followLinks: follow)
        }
        #expect(error?.fault == fault)
        #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
    }

    @Test("a file is read at any offset")
    func reading() throws {
        let file = try SourceFile(opening: try directory.write("file", "0123456789"))
        #expect(file.size == 10)
        #expect(!file.isExecutable)
        #expect(try file.read(at: 3, count: 4) == Array("3456".utf8))
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(try file.read(at: 0, into: &buffer) == 8)
        #expect(try file.read(at: 8, into: &buffer) == 2)
        #expect(buffer == Array("89234567".utf8))
        #expect(try file.read(at: 10, into: &buffer) == 0)
        try file.checkUnchanged()
    }

    @Test("an empty file and an executable one are read (B105)")
    func special() throws {
        let empty = try SourceFile(opening: try directory.write("empty", ""))
        #expect(empty.size == 0)
        #expect(try empty.read(at: 0, count: 0) == [])
        chmod(try directory.write("program", "#!"), 0o755)
        #expect(try SourceFile(opening: directory("program")).isExecutable)
    }

    @Test("a file that grows, shrinks or is rewritten while it is read is noticed (B103)")
    func changes() throws {
        let path = try directory.write("file", "0123456789")
        let grown = try SourceFile(opening: path)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("more".utf8))
        #expect(throws: StorageError.changed(path: path)) { try grown.checkUnchanged() }
        let shrunk = try SourceFile(opening: path)
        try handle.truncate(atOffset: 2)
        #expect(throws: StorageError.changed(path: path)) { try shrunk.checkUnchanged() }
        #expect(throws: StorageError.changed(path: path)) { try shrunk.read(at: 0, count: 3) }
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(throws: StorageError.changed(path: path)) {
            try shrunk.read(at: 0, into: &buffer)
        }
        let touched = try SourceFile(opening: path)
        var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        utimensat(AT_FDCWD, path, &times, 0)
        #expect(throws: StorageError.changed(path: path)) { try touched.checkUnchanged() }
    }

    @Test("a sparse file of a tebibyte opens and reads in little memory (B106)")
    func sparse() throws {
        let path = try directory.write("sparse", "x")
        guard truncate(path, 1 << 40) == 0 else { return }
        let file = try SourceFile(opening: path)
        #expect(file.size == 1 << 40)
        #expect(try file.read(at: 1 << 39, count: 3) == [0, 0, 0])
    }

    @Test("a directory gives its content recursively, sorted, with its empty directories")
    func walk() throws {
        for name in ["b/c", "a.x", "empty/inner"] { try directory.makeDirectory("top/\(name)") }
        for name in ["b/c/2", "b/c/1", "b/z", "a.x/y", "a", ".gitignore"] {
            try directory.write("top/\(name)", name)
        }
        let walk = try SourceWalk([directory("top")])
        #expect(
            walk.entries.map(\.path.description)
                == [".gitignore", "a", "a.x/y", "b/c/1", "b/c/2", "b/z", "empty/inner"])
        #expect(
            walk.entries.map(\.isDirectory) == [false, false, false, false, false, false, true])
        for entry in walk.entries where !entry.isDirectory {
            let file = try entry.open()
            #expect(file.size == entry.size)
            #expect(try file.read(at: 0, count: file.size) == entry.path.bytes)
        }
    }

    @Test("several paths keep their last names, and may not share one")
    func severalPaths() throws {
        try directory.makeDirectory("x/data")
        try directory.makeDirectory("y/data")
        try directory.write("x/data/1", "1")
        let file = try directory.write("y/file", "f")
        let walk = try SourceWalk([file, directory("x/data/")])
        #expect(walk.entries.map(\.path.description) == ["data/1", "file"])
        #expect(
            try SourceWalk([directory("y/data")]).entries.map(\.path.description) == [""])
        expectRefusal(.usage, naming: "y/file", of: [file, file])
    }

    @Test("files that are larger together than any number are refused (B106)")
    func hugeTogether() throws {
        for name in ["1", "2", "3"] { try directory.write(name, "x") }
        // Only some file systems have files of this size.
        guard ["1", "2", "3"].allSatisfy({ truncate(directory($0), 1 << 62) == 0 }) else { return }
        expectRefusal(.usage, naming: "too large", of: ["1", "2", "3"].map { directory($0) })
    }

    @Test("a missing path is an error that names it (B98)")
    func missing() throws {
        expectRefusal(.io, naming: "nothing", of: [directory("nothing")])
        expectRefusal(.usage, naming: "at least one byte", of: [""])
        expectRefusal(.usage, naming: "at least one byte", of: ["a\0b"])
    }

    @Test("a directory that may not be read is an error (B99)", .disabled(if: geteuid() == 0))
    func permission() throws {
        chmod(try directory.makeDirectory("top/closed"), 0)
        expectRefusal(.io, naming: "closed", of: [directory("top")])
        chmod(directory("top/closed"), 0o755)
    }

    @Test("pipes, sockets and devices are refused at once (B100)")
    func notFiles() throws {
        try directory.makeDirectory("top")
        mkfifo(directory("top/pipe"), 0o644)
        expectRefusal(.usage, naming: "a pipe", of: [directory("top")])
        expectRefusal(.usage, naming: "a pipe", of: [directory("top/pipe")])
        expectRefusal(.usage, naming: "a device", of: ["/dev/null"])
        for path in [directory("top/pipe"), "/dev/null", directory("top")] {
            let error = #expect(throws: StorageError.self) { try SourceFile(opening: path) }
            #expect(error?.fault == .usage)
        }
    }

    @Test("links are followed only where a path is one and that was asked for (B101)")
    func links() throws {
        try directory.makeDirectory("top")
        let file = try directory.write("top/file", "text")
        try directory.link("to-file", to: file)
        try directory.link("to-top", to: directory("top"))
        for name in ["to-file", "to-top"] {
            expectRefusal(.usage, naming: name, of: [directory(name)])
            let walk = try SourceWalk([directory(name)], followLinks: true)
            #expect(walk.entries.count == 1)
            #expect(try walk.entries.first?.open().size == 4)
        }
        #expect(throws: StorageError.self) { try SourceFile(opening: directory("to-file")) }
        try directory.link("top/inside", to: file)
        expectRefusal(.usage, naming: "top/inside", of: [directory("top")], follow: true)
    }

    @Test("links that lead in a circle are refused (B102)")
    func linkLoop() throws {
        try directory.link("one", to: directory("two"))
        try directory.link("two", to: directory("one"))
        expectRefusal(.usage, naming: "one", of: [directory("one")], follow: true)
        expectRefusal(.usage, naming: "one", of: [directory("one")])
    }

    @Test("an entry that became a link after it was listed is not followed")
    func swappedForALink() throws {
        try directory.makeDirectory("top/inner")
        try directory.write("top/inner/file", "text")
        let entry = try #require(try SourceWalk([directory("top")]).entries.first)
        try FileManager.default.moveItem(
            atPath: directory("top/inner"), toPath: directory("moved"))
        try directory.link("top/inner", to: directory("moved"))
        #expect(throws: StorageError.self) { try entry.open() }
    }

    @Test("names that no tree may hold are refused, quoted (B41 to B62, B104)")
    func hostileNames() throws {
        for (row, name) in HostileNames.all
        where !name.contains(0) && !name.contains(UInt8(ascii: "/")) && name.count < 256
            && !name.isEmpty && !name.allSatisfy({ $0 == 0x2E })
        {
            let top = try directory.makeDirectory("\(row)-\(name.map(String.init).joined())")
            let path = Array(top.utf8) + [0x2F] + name + [0]
            let number = path.withUnsafeBufferPointer {
                $0.withMemoryRebound(to: CChar.self) { creat($0.baseAddress!, 0o644) }
            }
            try #require(number >= 0, "\(row)")
            close(number)
            let error = #expect(throws: StorageError.self, "\(row)") { try SourceWalk([top]) }
            #expect(error?.fault == .usage, "\(row)")
            #expect(error?.message.utf8.contains(0x0A) == false, "\(row)")
        }
    }

    @Test("a repository inside a directory is passed over and reported; its name stays reserved")
    func repositories() throws {
        try directory.makeDirectory("top/sub")
        try directory.write("top/file", "text")
        _ = try DirectoryBucket.create(at: directory("top/sub/.fti"))
        let walk = try SourceWalk([directory("top")])
        #expect(walk.entries.map(\.path.description) == ["file", "sub"])
        #expect(walk.skipped == [directory("top/sub/.fti")])
        try directory.makeDirectory("top/.fti")
        expectRefusal(.usage, naming: "top/.fti", of: [directory("top")])
    }
}
