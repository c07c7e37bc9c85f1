import Foundation
import Glibc
import Storage
import TestSupport
import Testing

@Suite("Files and directories to be stored")
struct SourceTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    static func following(_ follow: Bool) -> InputOptions {
        var options = InputOptions()
        options.followLinks = follow
        return options
    }

    func expectRefusal(
        _ fault: Fault, naming name: String, of paths: [String], follow: Bool = false
    ) {
        let error = #expect(throws: StorageError.self) {
            try InputListing.walking(paths, Self.following(follow))
        }
        #expect(error?.fault == fault)
        #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
    }

    @Test("a file is read at any offset")
    func reading() throws {
        let file = try InputFile(opening: try directory.write("file", "0123456789"))
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
        let empty = try InputFile(opening: try directory.write("empty", ""))
        #expect(empty.size == 0)
        #expect(try empty.read(at: 0, count: 0) == [])
        chmod(try directory.write("program", "#!"), 0o755)
        #expect(try InputFile(opening: directory("program")).isExecutable)
    }

    @Test("a file that grows, shrinks or is rewritten during a read is detected (B103)")
    func changes() throws {
        let path = try directory.write("file", "0123456789")
        let grown = try InputFile(opening: path)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("more".utf8))
        #expect(throws: StorageError.changed(path: path)) { try grown.checkUnchanged() }
        let shrunk = try InputFile(opening: path)
        try handle.truncate(atOffset: 2)
        #expect(throws: StorageError.changed(path: path)) { try shrunk.checkUnchanged() }
        #expect(throws: StorageError.changed(path: path)) { try shrunk.read(at: 0, count: 3) }
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(throws: StorageError.changed(path: path)) {
            try shrunk.read(at: 0, into: &buffer)
        }
        let touched = try InputFile(opening: path)
        var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        utimensat(AT_FDCWD, path, &times, 0)
        #expect(throws: StorageError.changed(path: path)) { try touched.checkUnchanged() }
    }

    @Test("a sparse file of a tebibyte opens and reads in little memory (B106)")
    func sparse() throws {
        let path = try directory.write("sparse", "x")
        guard truncate(path, 1 << 40) == 0 else { return }
        let file = try InputFile(opening: path)
        #expect(file.size == 1 << 40)
        #expect(try file.read(at: 1 << 39, count: 3) == [0, 0, 0])
    }

    @Test("a directory is walked recursively, sorted, with its empty directories")
    func walk() throws {
        for name in ["b/c", "a.x", "empty/inner"] { try directory.makeDirectory("top/\(name)") }
        for name in ["b/c/2", "b/c/1", "b/z", "a.x/y", "a", ".gitignore"] {
            try directory.write("top/\(name)", name)
        }
        let walk = try InputListing.walking([directory("top")])
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

    @Test("several paths keep their last components, which must differ")
    func severalPaths() throws {
        try directory.makeDirectory("x/data")
        try directory.makeDirectory("y/data")
        try directory.write("x/data/1", "1")
        let file = try directory.write("y/file", "f")
        let walk = try InputListing.walking([file, directory("x/data/")])
        #expect(walk.entries.map(\.path.description) == ["data/1", "file"])
        #expect(
            try InputListing.walking([directory("y/data")]).entries.map(\.path.description) == [""])
        expectRefusal(.usage, naming: "y/file", of: [file, file])
    }

    @Test("files whose total size overflows are refused (B106)")
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

    @Test("an unreadable directory is an error (B99)", .disabled(if: geteuid() == 0))
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
            let error = #expect(throws: StorageError.self) { try InputFile(opening: path) }
            #expect(error?.fault == .usage)
        }
    }

    @Test("a path that is a link is followed only on request (B101)")
    func links() throws {
        try directory.makeDirectory("top")
        let file = try directory.write("top/file", "text")
        try directory.link("to-file", to: file)
        try directory.link("to-top", to: directory("top"))
        for name in ["to-file", "to-top"] {
            expectRefusal(.usage, naming: name, of: [directory(name)])
            let walk = try InputListing.walking([directory(name)], Self.following(true))
            #expect(walk.entries.count == 1)
            #expect(try walk.entries.first?.open().size == 4)
        }
        #expect(throws: StorageError.self) { try InputFile(opening: directory("to-file")) }
    }

    @Test("links inside a directory are followed within it, and elsewhere on request")
    func linksInside() throws {
        try directory.makeDirectory("top/sub")
        try directory.write("top/sub/file", "text")
        let outside = try directory.write("outside", "more")
        try directory.link("top/relative", to: "sub/file")
        try directory.link("top/absolute", to: directory("top/sub/file"))
        try directory.link("top/folder", to: "sub")
        let walk = try InputListing.walking([directory("top")])
        #expect(
            walk.entries.map(\.path.description)
                == ["absolute", "folder/file", "relative", "sub/file"])
        for entry in walk.entries { #expect(try entry.open().size == 4) }
        #expect(Set(walk.entries.map(\.absolutePath)).count == 1)
        try directory.link("top/sub/out", to: outside)
        expectRefusal(.usage, naming: "top/sub/out", of: [directory("top")])
        let all = try InputListing.walking([directory("top")], Self.following(true))
        #expect(all.entries.map(\.path.description).contains("folder/out"))
        // The stored entries are those that were inspected.
        let entry = try #require(all.entries.first { $0.path.description == "sub/out" })
        // Both exist at once, so the second is another file.
        let other = try directory.write("other", "text")
        #expect(rename(other, outside) == 0)
        #expect(throws: StorageError.self) { try entry.open() }
    }

    @Test(
        "links are followed inside what a tool marks as its root",
        arguments: [
            ("hub/m/snapshots/abc/f", "hub/m/blobs/b", "hub/m/snapshots/abc", true),
            ("p/data/f", "p/.dvc/cache/b", "p/data", true),
            ("p/data/f", "p/.git/annex/b", "p/data", true),
            ("p/data/f", "p/other/b", "p/data", false),
            ("hub/m/snapshots/abc/f", "hub/n/blobs/b", "hub/m/snapshots/abc", false),
        ])
    func scope(link: String, target: String, named: String, isFollowed: Bool) throws {
        for path in [link, target] {
            try directory.makeDirectory(
                path.split(separator: "/").dropLast().joined(separator: "/"))
        }
        try directory.makeDirectory("hub/m/blobs")
        try directory.write(target, "text")
        try directory.link(link, to: directory(target))
        guard isFollowed else {
            return expectRefusal(.usage, naming: "out of the directory", of: [directory(named)])
        }
        #expect(try InputListing.walking([directory(named)]).entries.first?.open().size == 4)
        #expect(try InputListing.walking([directory(link)]).entries.count == 1)
    }

    @Test("endless links to directories are refused", arguments: [false, true])
    func endlessLinks(follow: Bool) throws {
        try directory.makeDirectory("top/a/b")
        try directory.link("top/a/b/up", to: "..")
        expectRefusal(.usage, naming: "circle", of: [directory("top")], follow: follow)
        // Two links at each of many steps lead to more places than there are atoms.
        try directory.makeDirectory("fan")
        for step in 0..<40 {
            try directory.makeDirectory("fan/\(step)")
            try directory.link("fan/\(step)/l", to: "../\(step + 1)")
            try directory.link("fan/\(step)/r", to: "../\(step + 1)")
        }
        try directory.makeDirectory("fan/40")
        expectRefusal(.usage, naming: "too many links", of: [directory("fan")], follow: follow)
    }

    @Test("everything that cannot be stored is reported at once, with a remedy")
    func allAtOnce() throws {
        try directory.makeDirectory("top/sub")
        try directory.write("top/a:b", "")
        try directory.write("top/sub/con", "")
        try directory.link("top/away", to: "/")
        mkfifo(directory("top/pipe"), 0o644)
        for number in 0..<30 { try directory.write("top/sub/\(number).", "") }
        let error = #expect(throws: StorageError.self) {
            try InputListing.walking([directory("top")])
        }
        guard case .unusableEntries(let entries, let count)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(count == 34)
        #expect(entries.count == 20)
        #expect(entries.prefix(3).map(\.problem) == [.name, .link, .nature])
        #expect(error?.message.hasSuffix("and 14 more") == true)
        #expect(error?.remedy?.contains("--rename-invalid") == true)
        #expect(error?.remedy?.contains("--follow") == true)
    }

    @Test("forbidden names are replaced, the same way each time")
    func repairedNames() throws {
        try directory.makeDirectory("top/a:b")
        try directory.write("top/a:b/f", "inside")
        for name in ["con.txt", "x.", "x%2E", "README", "readme", "o\u{308}", "n\nl"] {
            try directory.write("top/\(name)", name)
        }
        var options = InputOptions()
        options.renamesInvalid = true
        let walk = try InputListing.walking([directory("top")], options)
        #expect(
            walk.entries.map(\.path.description) == [
                "%63on.txt", "README", "a%3Ab/f", "n%0Al", "o%CC%88", "readme~2", "x%2E", "x%2E~2",
            ])
        #expect(walk.renamed.count == 6)
        for entry in walk.entries {
            let file = try entry.open()
            let text = String(decoding: try file.read(at: 0, count: file.size), as: UTF8.self)
            #expect(
                entry.absolutePath.suffix(text.utf8.count) == text.utf8.suffix(text.utf8.count)
                    || text == "inside")
        }
    }

    @Test(
        "patterns match as in git",
        arguments: [
            ("*.tmp", "a.tmp sub/b.tmp", "a.tm tmp"), ("/a", "a", "sub/a"),
            ("sub/a", "sub/a", "x/sub/a"), ("**/a", "a sub/a x/y/a", "b"),
            ("a/**", "a/b a/c/d", "b/a"), ("a/**/b", "a/b a/x/b a/x/y/b", "a/bb ab"),
            ("a?c", "abc", "ac abbc"), ("[a-c]x", "ax cx", "dx x"), ("[!a]x", "bx", "ax"),
            ("\\#a", "#a", "a"), ("\\!a", "!a", "a"), ("a ", "a", "b"), ("*", "a sub/b", ""),
            ("a*b*c", "abc aXbYc", "ab acb"), ("[", "[", "a"),
            ("dir/", "dir/x sub/dir/y", "sub/dirx"),
            ("a**b", "ab axb", "a/b"),
        ])
    func patterns(pattern: String, excluded: String, kept: String) throws {
        let (gone, stays) = (excluded.split(separator: " "), kept.split(separator: " "))
        for path in gone + stays {
            let parents = path.split(separator: "/").dropLast()
            try directory.makeDirectory((["top"] + parents).joined(separator: "/"))
            try directory.write("top/\(path)", "")
        }
        var options = InputOptions()
        options.excludes = [pattern]
        let walk = try InputListing.walking([directory("top")], options)
        let found = Set(walk.entries.filter { !$0.isDirectory }.map(\.path.description))
        #expect(found == Set(stays.map(String.init)))
        #expect(walk.excluded.count > 0)
    }

    @Test("tool leftovers are skipped, and so is what ignore files name")
    func excludes() throws {
        for folder in [".git", "sub/__pycache__", "a/.cache/huggingface", "sub/deep"] {
            try directory.makeDirectory("top/\(folder)")
            try directory.write("top/\(folder)/x.log", "")
        }
        try directory.write("top/.ftiignore", "*.log\n!keep.log\n# a comment\n\n")
        try directory.write("top/sub/.ftiignore", "!x.log\r\n/keep.log\n")
        for name in ["keep.log", "sub/keep.log", "sub/other", ".DS_Store"] {
            try directory.write("top/\(name)", "")
        }
        var options = InputOptions()
        func paths() throws -> [String] {
            try InputListing.walking([directory("top")], options).entries.map(\.path.description)
        }
        let usual = [
            ".ftiignore", "keep.log", "sub/.ftiignore", "sub/deep/x.log", "sub/other",
        ]
        #expect(try paths() == usual)
        #expect(try InputListing.walking([directory("top")]).excludedByDefault.count == 4)
        options.excludes = ["sub/deep", "!.DS_Store"]
        #expect(
            try paths() == [".DS_Store"] + usual.filter { $0 != "sub/deep/x.log" })
        options = InputOptions()
        options.usesDefaultExcludes = false
        options.excludes = [".git"]
        #expect(try paths().contains("sub/__pycache__/x.log"))
    }

    @Test("a file that claims to be empty but is not is reported")
    func unsized() throws {
        #expect(try !InputFile(opening: directory.write("empty", "")).isUnsized())
        #expect(try !InputFile(opening: directory.write("full", "x")).isUnsized())
        guard FileManager.default.isReadableFile(atPath: "/proc/version") else { return }
        let file = try InputFile(opening: "/proc/version")
        #expect(file.size == 0)
        #expect(try file.isUnsized())
        var bytes: [UInt8] = []
        try file.forEachPart { (part) throws(StorageError) in
            bytes += part
        } failing: {
            $0
        }
        #expect(bytes.last == 0x0A)
    }

    @Test("circular links are refused (B102)")
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
        let entry = try #require(try InputListing.walking([directory("top")]).entries.first)
        try FileManager.default.moveItem(
            atPath: directory("top/inner"), toPath: directory("moved"))
        try directory.link("top/inner", to: directory("moved"))
        #expect(throws: StorageError.self) { try entry.open() }
    }

    @Test("forbidden names are refused and quoted (B41 to B62, B104)")
    func hostileNames() throws {
        var options = InputOptions()
        options.usesDefaultExcludes = false
        for (row, name) in HostileNames.storableFiles {
            let top = try directory.makeDirectory("\(row)-\(name.map(String.init).joined())")
            let path = Array(top.utf8) + [0x2F] + name + [0]
            let number = path.withUnsafeBufferPointer {
                $0.withMemoryRebound(to: CChar.self) { creat($0.baseAddress!, 0o644) }
            }
            try #require(number >= 0, "\(row)")
            close(number)
            let error = #expect(throws: StorageError.self, "\(row)") {
                try InputListing.walking([top], options)
            }
            #expect(error?.fault == .usage, "\(row)")
            #expect(error?.message.utf8.contains(0x0A) == false, "\(row)")
        }
    }

    @Test("a repository inside a directory is skipped and reported; its name stays reserved")
    func repositories() throws {
        try directory.makeDirectory("top/sub")
        try directory.write("top/file", "text")
        _ = try DirectoryBucket.create(at: directory("top/sub/.fti"))
        let walk = try InputListing.walking([directory("top")])
        #expect(walk.entries.map(\.path.description) == ["file", "sub"])
        #expect(walk.skipped == [directory("top/sub/.fti")])
        try directory.makeDirectory("top/.fti")
        expectRefusal(.usage, naming: "top/.fti", of: [directory("top")])
    }
}
