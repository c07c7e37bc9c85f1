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

    @Test("only plain parts of file names are prefixes", arguments: ["", "../a", ".a", "a/b", "ä"])
    func prefixes(text: String) {
        #expect(!DailyLines.isPrefix(text))
        #expect(DailyLines.isPrefix("host-1_a.b"))
    }

    private func text(_ folder: TemporaryDirectory, _ name: String) throws -> String {
        try String(contentsOfFile: folder.path + "/new/" + name, encoding: .utf8)
    }
}
