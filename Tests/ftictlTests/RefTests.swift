import Foundation
import TestSupport
import Testing

@Suite("Moving refs")
struct RefTests {
    private let sandbox: Sandbox

    init() throws {
        sandbox = try Sandbox.withRepository()
        for version in 1...3 {
            try sandbox.write("model", "version \(version)")
            _ = try sandbox.ftictl("put", "models/a", "model", "-m", "model \(version)")
        }
        try sandbox.write("rows.jsonl", #"{"id":"x","text":"one"}"#)
        _ = try sandbox.ftictl("put", "features/a", "rows.jsonl", "--key", "id")
    }

    private func id(_ revision: String) throws -> String {
        try sandbox.ftictl("resolve", revision).output
    }

    private func transactions() throws -> Int {
        try #require(try sandbox.ftictl("stats", "--json").object()["transactions"] as? Int)
    }

    @Test("promoting two refs is one transaction")
    func promote() throws {
        let before = try transactions()
        let outcome = try sandbox.ftictl(
            "promote", "models/a", "models/current", "features/a", "features/prod", "--json")
        let object = try outcome.object()
        #expect((object["refs"] as? [Any])?.count == 2)
        #expect(try transactions() == before + 1)
        #expect(try id("models/current") == id("models/a"))
        #expect(try id("features/prod") == id("features/a"))
    }

    @Test("a promotion is done in full or not at all")
    func promoteFails() throws {
        let before = try transactions()
        let missing = try sandbox.ftictl("promote", "models/a", "models/b", "models/x", "models/c")
        #expect(missing.status == 2)
        let kind = try sandbox.ftictl("promote", "models/a", "models/b", "features/a", "models/c")
        #expect(kind.status == 4)
        #expect(try transactions() == before)
        #expect(try sandbox.ftictl("resolve", "models/b").status == 2)
    }

    @Test("a ref that was removed and recreated rolls back to its value before")
    func rollbackPastRemoval() throws {
        let before = try id("models/a")
        #expect(try sandbox.ftictl("move", "models/new", "models/a").status == 0)
        #expect(try sandbox.ftictl("undo").status == 0)
        #expect(try sandbox.ftictl("move", "models/new", "models/a~1").status == 0)
        #expect(try sandbox.ftictl("rollback", "models/new").status == 0)
        #expect(try id("models/new") == before)
    }

    @Test("each rollback goes one version further back, and log says so")
    func rollback() throws {
        let versions = [try id("models/a"), try id("models/a~1"), try id("models/a~2")]
        #expect(try sandbox.ftictl("rollback", "models/a").status == 0)
        #expect(try id("models/a") == versions[1])
        #expect(try sandbox.ftictl("rollback", "models/a").status == 0)
        #expect(try id("models/a") == versions[2])
        #expect(try sandbox.ftictl("rollback", "models/a").status == 2)
        #expect(try sandbox.ftictl("rollback", "models/a", "--to", "models/a@{2}").status == 0)
        #expect(try id("models/a") == versions[0])
        let log = try sandbox.ftictl("log", "models/a").output
        #expect(log.contains("rolled back to \(versions[1].prefix(12))"))
    }

    @Test("undo reverts the whole newest transaction, and itself")
    func undo() throws {
        _ = try sandbox.ftictl(
            "promote", "models/a", "models/current", "features/a", "features/prod")
        #expect(try sandbox.ftictl("undo").status == 0)
        #expect(try sandbox.ftictl("resolve", "models/current").status == 2)
        #expect(try sandbox.ftictl("resolve", "features/prod").status == 2)
        #expect(try sandbox.ftictl("undo").status == 0)
        #expect(try id("models/current") == id("models/a"))
    }

    @Test("a ref with an unexpected value is a conflict")
    func expectation() throws {
        let current = try id("models/a").prefix(12)
        let old = try id("models/a~1").prefix(12)
        let before = try transactions()
        let wrong = try sandbox.ftictl("move", "models/a", "models/a~1", "--expect", String(old))
        #expect(wrong.status == 3)
        #expect(wrong.error.contains(current) && wrong.error.contains(old))
        #expect(
            try sandbox.ftictl("move", "models/a", "models/a~1", "--expect", "none").status == 3)
        #expect(try transactions() == before)
        let right = try sandbox.ftictl(
            "move", "models/a", "models/a~1", "--expect", String(current))
        #expect(right.status == 0)
        #expect(try sandbox.ftictl("move", "models/n", "models/a", "--expect", "none").status == 0)
    }

    @Test("log shows every version")
    func log() throws {
        try sandbox.write("model", "version 4")
        _ = try sandbox.ftictl(
            "put", "models/a", "model", "-m", "four\nmore", "--metric", "recall@10=0.5", "--input",
            "features=features/a")
        let versions = try sandbox.ftictl("log", "models/a", "--json").objects()
        #expect(versions.count == 4)
        let newest = versions[0]
        for field in [
            "id", "ref", "transaction", "created", "author", "message", "metrics", "inputs",
        ] { #expect(newest[field] != nil, "\(field)") }
        #expect(newest["author"] as? String == "ada@test")
        #expect(newest["message"] as? String == "four\nmore")
        #expect((newest["metrics"] as? [String: Double]) == ["recall@10": 0.5])
        let inputs = try #require(newest["inputs"] as? [String: String])
        #expect(try inputs["features"] == id("features/a").trimmingCharacters(in: .newlines))
        let text = try sandbox.ftictl("log", "models/a").output
        #expect(
            text.contains("features/a") && text.contains("recall@10") && text.contains("current"))
        #expect(!text.contains("\u{1B}"))
        #expect(try sandbox.ftictl("log", "models/a", "--oneline", "-n", "2").lines.count == 2)
        #expect(try sandbox.ftictl("log", "--json").objects().count == 5)
        #expect(try sandbox.ftictl("log", "models/a", "--graph").status == 0)
        #expect(try sandbox.ftictl("reflog", "--json").objects().count == 6)
        #expect(try sandbox.ftictl("reflog", "models/a", "-n", "2", "--json").objects().count == 2)
    }

    @Test("checking a lock file detects a moved ref")
    func pin() throws {
        let pinned = try sandbox.ftictl("pin", "models/a", "features/a", "-o", "my.lock")
        #expect(pinned.status == 0, "\(pinned.error)")
        #expect(try sandbox.ftictl("pin", "--check", "my.lock").status == 0)
        _ = try sandbox.ftictl("rollback", "models/a")
        let outcome = try sandbox.ftictl("pin", "--check", "my.lock", "--json")
        #expect(outcome.status == 1)
        let object = try outcome.object()
        #expect(object["ok"] as? Bool == false)
        #expect((object["differences"] as? [Any])?.count == 1)
        try sandbox.write("bad.lock", "{}")
        #expect(try sandbox.ftictl("pin", "--check", "bad.lock").status == 64)
        #expect(try sandbox.ftictl("init", "other").status == 0)
        #expect(try sandbox.ftictl("--repo", "other", "pin", "--check", "my.lock").status == 64)
    }

    @Test("lineage leads up to a version's inputs and down to its dependents")
    func lineage() throws {
        try sandbox.write("model", "trained")
        _ = try sandbox.ftictl("put", "models/b", "model", "--input", "features=features/a")
        let up = try sandbox.ftictl("lineage", "models/b", "--json").objects()
        #expect(up.map { $0["role"] as? String } == ["", "features"])
        let down = try sandbox.ftictl("lineage", "features/a", "--down", "--json").objects()
        #expect(down.last?["kind"] as? String == "model")
        #expect(try sandbox.ftictl("lineage", "models/b", "--dot").output.hasPrefix("digraph"))
        #expect(try sandbox.ftictl("lineage", "models/b").output.contains("└─ features"))
    }
}
