import Objects
import Storage
import TestSupport
import Testing

@Suite("Directories in trees")
struct TreeStructureTests {
    let store = MemoryStore()

    /// Writes trees for paths; a path that ends with a slash is a directory. Values are the content.
    func build(_ files: [String: Int]) throws -> TreeSummary {
        var builder = TreeBuilder()
        for (path, value) in files {
            if path.hasSuffix("/") {
                builder.addDirectory(try RelativePath(String(path.dropLast())))
            } else {
                builder.add(
                    try RelativePath(path), isExecutable: path.hasSuffix(".sh"), size: value,
                    id: identity(value))
            }
        }
        return try builder.write(into: store)
    }

    func walk(_ root: ObjectID, limit: Int = 1000) throws -> [String] {
        var walk = try TreeWalk(root, in: store, limit: limit)
        var found: [String] = []
        while let element = try walk.next() {
            found.append("\(element.entry.mode.letter) \(element.path)")
        }
        return found
    }

    func diff(_ before: ObjectID?, _ after: ObjectID?) throws -> [String] {
        var diff = try TreeDiff(from: before, to: after, in: store)
        var found: [String] = []
        while let change = try diff.next() {
            let sign = change.before == nil ? "+" : change.after == nil ? "-" : "*"
            found.append("\(sign)\(change.path)")
        }
        return found
    }

    @Test("files in any order become nested trees that a walk returns in order")
    func roundTrip() throws {
        let summary = try build([
            "b/c/2": 2, "a": 1, "b/c/1.sh": 3, "b.x/y": 4, "empty/": 0, "deep/empty/": 0, "b/": 0,
        ])
        #expect(summary.files == 4)
        #expect(summary.bytes == 10)
        #expect(
            try walk(summary.id) == [
                "f a", "d b", "d b/c", "x b/c/1.sh", "f b/c/2", "d b.x", "f b.x/y", "d deep",
                "d deep/empty", "d empty",
            ])
        #expect(summary.content == .tree(summary.id, files: 4, bytes: 10))
    }

    @Test("no files give the empty tree")
    func nothing() throws {
        #expect(try build([:]).id == ObjectID(of: Array("fti-tree 1\n".utf8).span))
        #expect(try build(["/": 0]).id == build([:]).id)
        #expect(try walk(build([:]).id).isEmpty)
    }

    @Test("an entry is found by its path")
    func lookup() throws {
        let root = try build(["a/b/c": 5, "a/d": 6]).id
        let reader = TreeReader(store)
        #expect(try reader.entry(at: RelativePath("a/b/c"), in: root)?.id == identity(5))
        #expect(try reader.entry(at: RelativePath("a/b"), in: root)?.mode == .directory)
        for path in ["x", "a/x", "a/d/x", "a/b/c/d", ""] {
            #expect(try reader.entry(at: RelativePath(path), in: root) == nil)
        }
    }

    @Test(
        "paths that cannot coexist in a tree are refused, and one is named",
        arguments: [
            ["a", "a/b"], ["x/README", "x/readme"], ["x/A/1", "x/a/2"], ["x/a", "x/a/"],
        ])
    func conflicts(paths: [String]) throws {
        let error = #expect(throws: ObjectError.self) {
            try build(Dictionary(uniqueKeysWithValues: paths.map { ($0, 1) }))
        }
        #expect(error?.fault == .usage)
        var builder = TreeBuilder()
        for _ in 0..<2 { builder.add(try RelativePath("x/y"), size: 1, id: identity(1)) }
        #expect(throws: ObjectError.invalid(what: "x/y", reason: "it is named twice")) {
            try builder.write(into: store)
        }
    }

    @Test("a directory whose size or type is not what its entry says is damaged (B64, B65)")
    func mismatches() throws {
        let inner = try Tree([])
        let file = try store.write(Array("{\"type\":\"snapshot\"}".utf8), hint: .structured)
        for (size, id) in [(12, ObjectID(of: inner.encoded.span)), (19, file)] {
            try store.write(inner.encoded, hint: .structured)
            let outer = try Tree([
                TreeEntry(name: FileName("d"), mode: .directory, size: size, id: id)
            ])
            let root = try store.write(outer.encoded, hint: .structured)
            let error = #expect(throws: ObjectError.self) { try walk(root) }
            #expect(error?.fault == .damaged)
            #expect(throws: ObjectError.self) { try diff(nil, root) }
        }
    }

    @Test("a directory nested too deep is damaged, not a crash (B67)")
    func depth() throws {
        var id = try store.write(try Tree([]).encoded, hint: .structured)
        var size = try Tree([]).encoded.count
        for _ in 0..<4097 {
            let tree = try Tree([
                TreeEntry(name: FileName("d"), mode: .directory, size: size, id: id)
            ])
            id = try store.write(tree.encoded, hint: .structured)
            size = tree.encoded.count
        }
        let error = #expect(throws: ObjectError.self) { try walk(id, limit: 10_000) }
        #expect(error?.fault == .damaged)
        #expect(throws: ObjectError.self) { try diff(nil, id) }
    }

    @Test("trees that name each other many times take bounded time")
    func bomb() throws {
        var id = try store.write(try Tree([]).encoded, hint: .structured)
        var size = try Tree([]).encoded.count
        for _ in 0..<40 {
            let tree = try Tree([
                TreeEntry(name: FileName("a"), mode: .directory, size: size, id: id),
                TreeEntry(name: FileName("b"), mode: .directory, size: size, id: id),
            ])
            id = try store.write(tree.encoded, hint: .structured)
            size = tree.encoded.count
        }
        let error = #expect(throws: ObjectError.self) { try walk(id, limit: 500) }
        #expect(error?.fault == .damaged)
    }

    @Test("a large directory is refused before much is allocated (B66)")
    func manyEntries() throws {
        let bytes = [UInt8](repeating: 0x20, count: structuredObjectLimit + 1)
        let id = try store.write(bytes, hint: .bulk)
        #expect(throws: ObjectError.self) { try TreeReader(store).tree(id) }
    }

    @Test("a difference lists what was added, removed and changed, in order")
    func differences() throws {
        let before = try build(["a": 1, "b/c": 2, "b/d": 3, "e/f": 4, "g": 5, "h/": 0]).id
        let after = try build(["a": 1, "b/c": 9, "b/x": 3, "e": 4, "g/i": 5, "j/": 0]).id
        #expect(
            try diff(before, after)
                == ["*b/c", "-b/d", "+b/x", "+e", "-e/f", "-g", "+g/i", "-h", "+j"])
        #expect(try diff(before, before).isEmpty)
        #expect(try diff(nil, before) == ["+a", "+b/c", "+b/d", "+e/f", "+g", "+h"])
        #expect(try diff(before, nil) == ["-a", "-b/c", "-b/d", "-e/f", "-g", "-h"])
    }

    @Test("a changed mode is a change")
    func modes() throws {
        var plain = TreeBuilder()
        plain.add(try RelativePath("a"), isExecutable: false, size: 1, id: identity(1))
        var executable = TreeBuilder()
        executable.add(try RelativePath("a"), isExecutable: true, size: 1, id: identity(1))
        #expect(
            try diff(plain.write(into: store).id, executable.write(into: store).id) == ["*a"])
    }

    @Test("equal directories are not read by a difference")
    func cost() throws {
        var files: [String: Int] = [:]
        for directory in 0..<20 {
            for file in 0..<20 { files["d\(directory)/f\(file)"] = directory * 20 + file }
        }
        let before = try build(files).id
        files["d7/f7"] = 10_000
        let after = try build(files).id
        let start = store.bytesRead
        #expect(try diff(before, after) == ["*d7/f7"])
        let sizes = try [before, after].map { try store.size(of: $0) ?? 0 }
        #expect(store.bytesRead - start < sizes.reduce(0, +) * 3)
    }

    @Test("a difference turns one random tree into the other")
    func randomDifferences() throws {
        var generator = SeededGenerator(seed: 11)
        func randomFiles() -> [String: Int] {
            var files: [String: Int] = [:]
            for _ in 0..<12 {
                let directory = ["", "a/", "b/", "a/c/"].randomElement(using: &generator) ?? ""
                let name = ["x", "y", "z"].randomElement(using: &generator) ?? ""
                files[directory + name] = Int.random(in: 0..<3, using: &generator)
            }
            return files
        }
        for _ in 0..<40 {
            let (old, new) = (randomFiles(), randomFiles())
            var diff = try TreeDiff(from: build(old).id, to: build(new).id, in: store)
            var files = old
            while let change = try diff.next() {
                #expect(files[change.path.description] == change.before?.size)
                files[change.path.description] = change.after?.size
            }
            #expect(files == new)
        }
    }
}
