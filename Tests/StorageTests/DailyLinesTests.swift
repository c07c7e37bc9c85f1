import Foundation
import Storage
import TestSupport
import Testing

@Suite("Files of lines, one a day")
struct DailyLinesTests {
    @Test("lines are appended to the file of their day, and can be read again")
    func append() throws {
        let folder = try TemporaryDirectory()
        let lines = try DailyLines(in: folder.path + "/new", prefix: "a", isSynced: true)
        let first = try lines.append(Array("one".utf8), on: "2026-08-01")
        let second = try lines.append(Array("two".utf8), on: "2026-08-01")
        try lines.append(Array("three".utf8), on: "2026-08-02")
        #expect(try text(folder, "a-2026-08-01.jsonl") == "one\ntwo\n")
        #expect(try text(folder, "a-2026-08-02.jsonl") == "three\n")
        #expect(try lines.read(first) == Array("one".utf8))
        #expect(try lines.read(second) == Array("two".utf8))
        try FileManager.default.removeItem(atPath: folder.path + "/new/a-2026-08-01.jsonl")
        #expect(try lines.read(first) == nil)
    }

    @Test("a line that a crash cut does not swallow the next one")
    func cut() throws {
        let folder = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/new", withIntermediateDirectories: true)
        try Data("one\nhal".utf8).write(
            to: URL(fileURLWithPath: folder.path + "/new/a-2026-08-01.jsonl"))
        let lines = try DailyLines(in: folder.path + "/new", prefix: "a", isSynced: false)
        try lines.append(Array("two".utf8), on: "2026-08-01")
        #expect(try text(folder, "a-2026-08-01.jsonl") == "one\nhal\ntwo\n")
    }

    @Test("after a file is moved, deleted or shortened, lines go to the file at its path")
    func replaced() throws {
        let folder = try TemporaryDirectory()
        let lines = try DailyLines(in: folder.path + "/new", prefix: "a", isSynced: true)
        let name = "a-2026-08-01.jsonl"
        let path = folder.path + "/new/" + name
        func append(_ text: String) throws { try lines.append(Array(text.utf8), on: "2026-08-01") }
        try append("one")
        try FileManager.default.moveItem(atPath: path, toPath: folder.path + "/moved")
        try append("two")
        #expect(try text(folder, name) == "two\n")
        #expect(try String(contentsOfFile: folder.path + "/moved", encoding: .utf8) == "one\n")
        try FileManager.default.removeItem(atPath: path)
        try append("three")
        try append("four")
        #expect(try text(folder, name) == "three\nfour\n")
        try Data("thr".utf8).write(to: URL(fileURLWithPath: path))
        try append("five")
        #expect(try text(folder, name) == "thr\nfive\n")
        try FileManager.default.removeItem(atPath: folder.path + "/new")
        #expect(try lines.days() == [])
        try append("six")
        #expect(try text(folder, name) == "six\n")
        try FileManager.default.removeItem(atPath: folder.path + "/new")
        try Data().write(to: URL(fileURLWithPath: folder.path + "/new"))
        #expect(throws: StorageError.self) { try append("seven") }
    }

    @Test("all complete lines of a day are found at their places")
    func listed() throws {
        let folder = try TemporaryDirectory()
        let lines = try DailyLines(in: folder.path + "/new", prefix: "a", isSynced: false)
        // Longer than what is read at once, several in one read, and empty ones.
        let counts = [3, 0, 5 << 19, 1, 1 << 20, (1 << 20) - 1, 0]
        let places = try counts.enumerated().map { index, count in
            try lines.append(
                [UInt8](repeating: 0x61 + UInt8(index), count: count), on: "2026-08-02")
        }
        try lines.append([0x61], on: "2026-08-10")
        for name in [
            "b-2026-08-03.jsonl", "a-b-2026-08-03.jsonl", "a-2026-08-03.json", "a-x.jsonl",
        ] {
            try Data("{}\n".utf8).write(to: URL(fileURLWithPath: folder.path + "/new/" + name))
        }
        let file = try #require(
            FileHandle(forWritingAtPath: folder.path + "/new/a-2026-08-02.jsonl"))
        try file.seekToEnd()
        try file.write(contentsOf: Data("incomplete".utf8))
        #expect(try lines.days() == ["2026-08-02", "2026-08-10"])
        var found: [DailyLines.Place] = []
        try lines.forEachLine(on: "2026-08-02") { place, line in
            #expect(line.count == place.count)
            #expect(line.allSatisfy { $0 == 0x61 + UInt8(found.count) })
            found.append(place)
        }
        #expect(found == places)
        #expect(try lines.forEachLine(on: "2026-08-04") { _, _ in } == 0)
    }

    @Test("only plain parts of file names are prefixes", arguments: ["", "../a", ".a", "a/b", "ä"])
    func prefixes(text: String) {
        #expect(!DailyLines.isPrefix(text))
        #expect(DailyLines.isPrefix("host-1_a.b"))
    }

    private func text(_ folder: TemporaryDirectory, _ name: String) throws -> String {
        try String(contentsOfFile: folder.path + "/new/" + name, encoding: .utf8)
    }
}
