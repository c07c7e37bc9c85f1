import Foundation
import TestSupport
import Testing

@Suite("Listings, and conditions on them")
struct ListingTests {
    private let sandbox: Sandbox

    init() throws {
        sandbox = try Sandbox.withRepository()
        let rows = [
            #"{"doc":"a.md","n":0,"author":"ada","stars":1.5,"date":"2026-01-02"}"#,
            #"{"doc":"a.md","n":1,"author":"bob","stars":3}"#,
            #"{"doc":"b/c.md","n":0,"author":null,"stars":5,"tags":["x"]}"#,
        ]
        try sandbox.write("rows.jsonl", rows.joined(separator: "\n"))
        try sandbox.write("m/config.json", "{}")
        try sandbox.write("m/sub/weights.bin", String(repeating: "w", count: 2000))
        for arguments in [
            ["put", "features/a", "rows.jsonl", "--key", "doc,n"],
            [
                "put", "models/a", "m", "-m", "first", "--metric", "recall@10=0.7", "--param",
                "lr=0.1",
            ],
            ["put", "models/a", "m", "-m", "it's better", "--metric", "recall@10=0.85"],
            ["put", "models/b", "m", "-m", "other", "--metric", "loss=2"],
        ] { #expect(try sandbox.ftictl(arguments).status == 0) }
    }

    private func lines(_ arguments: String...) throws -> [String] {
        let outcome = try sandbox.ftictl(arguments)
        #expect(outcome.status == 0, "\(outcome.error)")
        return outcome.lines
    }

    @Test(
        "rows are listed by a condition on their members",
        arguments: [
            ("author = 'ada'", ["a.md#0"]), ("author != 'ada'", ["a.md#1"]),
            ("author is null", ["b/c.md#0"]), ("not (author = 'ada')", ["a.md#1"]),
            ("stars >= 3", ["a.md#1", "b/c.md#0"]), ("stars in (1.5, 5)", ["a.md#0", "b/c.md#0"]),
            ("key = 'a.md#1'", ["a.md#1"]), ("date < 2026-02-01", ["a.md#0"]),
            ("tags is not null", ["b/c.md#0"]), ("tags = 'x'", ["b/c.md#0"]),
            ("tags != 'x'", []), ("tags in ('x', 'y')", ["b/c.md#0"]),
            ("doc = 'a.md' and not n = 0", ["a.md#1"]),
            ("stars > 100", []),
        ])
    func rows(condition: String, keys: [String]) throws {
        #expect(try lines("ls", "features/a", "--where", condition) == keys)
    }

    @Test("the rows of a prefix are listed, and an unknown prefix is missing")
    func prefix() throws {
        #expect(try lines("ls", "features/a:a.md") == ["a.md#0", "a.md#1"])
        #expect(try lines("ls", "features/a:b/") == ["b/c.md#0"])
        #expect(try lines("ls", "features/a:a.md#1") == ["a.md#1"])
        #expect(try lines("ls", "features/a:a.md", "--where", "stars > 2") == ["a.md#1"])
        #expect(try sandbox.ftictl("ls", "features/a:none").status == 2)
        #expect(try sandbox.ftictl("ls", "features/none:a").status == 2)
    }

    @Test("files are listed by a condition")
    func files() throws {
        func paths(_ condition: String) throws -> [String] {
            let entries =
                try sandbox.ftictl("ls", "-r", "models/a", "--json", "--where", condition)
                .object()["entries"] as? [[String: Any]]
            return (entries ?? []).compactMap { $0["path"] as? String }
        }
        #expect(try paths("size > 1000") == ["sub/weights.bin"])
        #expect(try paths("name = 'config.json' or path = 'sub/weights.bin'").count == 2)
        #expect(try paths("mode = 'executable'").isEmpty)
        let flat = try sandbox.ftictl("ls", "models/a", "--where", "type = 'directory'")
        #expect(flat.lines.count == 1 && flat.output.contains("sub/"))
        #expect(try lines("ls", "models/a:config.json", "--where", "size > 1000").isEmpty)
    }

    @Test(
        "an unknown name, or a value of another type, exits with 64 and its place",
        arguments: [
            (["ls", "features/a"], "autor = 'x'", "byte 1"),
            (["ls", "features/a"], "stars > 1 and autor is null", "byte 15"),
            (["ls", "features/a"], "stars = 'x'", "a number"),
            (["ls", "features/a"], "tags = 1", "a list of texts"),
            (["ls", "features/a"], "tags < 'x'", "no order"),
            (["ls", "features/a"], "stars >", "byte 8"),
            (["ls", "models/a"], "siz > 1", "size"),
            (["ls", "models/a"], "size > 'x'", "a number"),
            (["log"], "autor = 'x'", "author"), (["log"], "created > 'soon'", "a time"),
            (["log"], "\"recall@1O\" > 0", "\"recall@10\""),
            (["log"], "message = 2026-01-01", "text"),
        ])
    func refusals(arguments: [String], condition: String, part: String) throws {
        let outcome = try sandbox.ftictl(arguments + ["--where", condition])
        #expect(outcome.status == 64)
        #expect(outcome.output.isEmpty)
        #expect(outcome.error.contains(part), "\(outcome.error)")
    }

    @Test(
        "versions are listed by a condition",
        arguments: [
            ("\"recall@10\" >= 0.8", 1), ("metrics.\"recall@10\" < 0.8", 1), ("loss is null", 3),
            ("not (loss = 2)", 0), ("message = 'it''s better'", 1), ("params.lr = '0.1'", 1),
            ("kind = 'model' and current = true", 2), ("movement = 'created'", 3),
            ("created >= 2020-01-01", 4), ("time < 2020-01-01", 0), ("transaction in (2, 3)", 2),
            ("author = 'ada@test' and ref != 'models/b'", 3), ("producer = 'ftictl'", 4),
        ])
    func versions(condition: String, count: Int) throws {
        #expect(try lines("log", "--oneline", "--where", condition).count == count)
    }

    @Test("versions of a time range, written as in @{...}")
    func span() throws {
        #expect(try lines("log", "--oneline", "--since", "1 hour ago").count == 4)
        #expect(try lines("log", "--oneline", "--since", "now", "--until", "yesterday").isEmpty)
        #expect(try lines("log", "--oneline", "--until", "2020-01-01").isEmpty)
        #expect(
            try lines("log", "models/a", "--json", "--since", "2020-01-01", "-n", "1").count == 1)
        let wrong = try sandbox.ftictl("log", "--since", "soon")
        #expect(wrong.status == 64 && wrong.error.contains("--since"))
    }

    @Test("refs are listed by prefix, with what a release binds")
    func refs() throws {
        #expect(try lines("refs", "models/").count == 2)
        #expect(try lines("refs", "models/a").count == 1)
        #expect(try lines("refs", "releases/").isEmpty)
        #expect(
            try sandbox.ftictl(
                "release", "releases/prod", "--features", "features/a", "--model", "models/a"
            ).status == 0)
        let shown = try sandbox.ftictl("refs", "releases/").output
        #expect(shown.contains("features/a") && shown.contains("models/a"))
        let json = try sandbox.ftictl("refs", "--json").objects()
        let release = try #require(json.first { $0["name"] as? String == "releases/prod" })
        let model = try sandbox.ftictl("resolve", "models/a").lines.first
        #expect((release["binds"] as? [String: String])?["model"] == model)
        #expect(json.first?["binds"] is NSNull)
    }

    @Test("diff --stat has a line for each document, and for each file")
    func stat() throws {
        let rows = [
            #"{"doc":"a.md","n":0,"author":"eve","stars":1.5}"#,
            #"{"doc":"a.md","n":2,"author":"bob","stars":3}"#,
            #"{"doc":"b/c.md","n":0,"author":null,"stars":5,"tags":["x"]}"#,
            #"{"doc":"d.md","n":0,"stars":1}"#,
        ]
        try sandbox.write("rows.jsonl", rows.joined(separator: "\n"))
        #expect(try sandbox.ftictl("put", "features/a", "rows.jsonl", "--key", "doc,n").status == 0)
        let text = try lines("diff", "features/a~1", "features/a", "--stat")
        #expect(
            text.dropLast() == [
                "a.md  +1  -1  ~1", "d.md  +1            new",
                "1 added, 0 removed, 1 changed (documents)",
            ])
        let json = try sandbox.ftictl("diff", "features/a~1", "features/a", "--stat", "--json")
            .object()
        let documents = try #require(json["documents"] as? [[String: Any]])
        #expect(documents.map { $0["document"] as? String } == ["a.md", "d.md"])
        #expect(documents.first?["removed"] as? Int == 1)
        try sandbox.write("m/config.json", "{\"a\":1}")
        #expect(try sandbox.ftictl("put", "models/a", "m").status == 0)
        let files = try lines("diff", "models/a~1", "models/a", "--stat")
        #expect(files.contains("~ config.json  2 B -> 7 B"))
        #expect(!files.contains { $0.contains("\"a\"") })
    }

    @Test("lineage names parents and the version in which a row or a file last changed")
    func lineage() throws {
        let first = try #require(try sandbox.ftictl("resolve", "models/a~1").lines.first)
        let second = try #require(try sandbox.ftictl("resolve", "models/a").lines.first)
        let nodes = try sandbox.ftictl("lineage", "models/a", "--json").objects()
        #expect(nodes.map { $0["role"] as? String } == ["", "parent"])
        #expect(nodes.last?["id"] as? String == first)
        let down = try sandbox.ftictl("lineage", "models/a~1", "--down", "--json").objects()
        #expect(down.last?["id"] as? String == second)
        let file = try sandbox.ftictl("lineage", "models/a:config.json", "--json").objects()
        #expect(file.first?["path"] as? String == "config.json")
        #expect(file.first?["since"] as? String == first)
        #expect(file.first?["id"] as? String == second)
        try sandbox.write("rows.jsonl", #"{"doc":"a.md","n":0,"author":"eve"}"#)
        #expect(try sandbox.ftictl("put", "features/a", "rows.jsonl", "--key", "doc,n").status == 0)
        let row = try sandbox.ftictl("lineage", "features/a:a.md#0").output
        let made = try #require(try sandbox.ftictl("resolve", "features/a").lines.first)
        #expect(row.contains("row a.md#0, unchanged since \(made.prefix(12))"))
        #expect(try sandbox.ftictl("lineage", "features/a:none").status == 2)
    }

    @Test("the JSON of show and cat has every documented field, null or empty if unset")
    func members() throws {
        let snapshot = try sandbox.ftictl("show", "models/a", "--json").object()
        #expect((snapshot["weights"] as? [Any])?.isEmpty == true)
        #expect((snapshot["pickles"] as? [Any])?.isEmpty == true)
        #expect(snapshot["space"] is NSNull && snapshot["cursor"] is NSNull)
        let file = try sandbox.ftictl("show", "models/a:config.json", "--json").object()
        #expect(file["weights"] is NSNull && file["format"] is String)
        let directory = try sandbox.ftictl("show", "models/a:sub", "--json").object()
        #expect(directory["format"] is NSNull && directory["weights"] is NSNull)
        let text = try sandbox.ftictl("cat", "models/a:config.json", "--json").object()
        #expect(text["text"] as? String == "{}" && text["base64"] is NSNull)
        for length in 0...4 {
            let bytes = Data([0xFF, 0xFE, 0, 1].prefix(length))
            try sandbox.write("raw", bytes)
            #expect(try sandbox.ftictl("put", "models/raw", "raw").status == 0)
            let raw = try sandbox.ftictl("cat", "models/raw:raw", "--json").object()
            #expect(length == 0 || raw["base64"] as? String == bytes.base64EncodedString())
            #expect(raw["size"] as? Int == length)
        }
    }
}
