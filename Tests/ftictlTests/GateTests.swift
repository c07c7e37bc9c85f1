import Foundation
import TestSupport
import Testing

@Suite("Gates, overrides and releases on the command line")
struct GateTests {
    private let sandbox: Sandbox

    init() throws {
        sandbox = try Sandbox.withRepository()
        try sandbox.write(
            "gates.json",
            #"""
            {"signed": false, "gates": [
              {"ref": "models/current", "type": "metric", "metric": "recall", "atLeast": 0.8},
              {"ref": "models/current", "type": "formats", "allow": ["text"]}]}
            """#)
        #expect(try sandbox.ftictl("policy", "set", "gates.json").status == 0)
        try sandbox.write("good", "good")
        try sandbox.write("bad", "bad")
        _ = try sandbox.ftictl("put", "models/good", "good", "--metric", "recall=0.9")
        _ = try sandbox.ftictl("put", "models/bad", "bad", "--metric", "recall=0.5")
    }

    private func transactions() throws -> Int {
        try #require(try sandbox.ftictl("stats", "--json").object()["transactions"] as? Int)
    }

    @Test("a refusal names the gate, both values and the remedy, as text and as JSON")
    func refusal() throws {
        let before = try transactions()
        let outcome = try sandbox.ftictl("promote", "models/bad", "models/current")
        #expect(outcome.status == 4)
        for part in ["metric gate", "recall of at least 0.8", "it has 0.5", "  try: ftictl "] {
            #expect(outcome.error.contains(part), "\(part)")
        }
        #expect(outcome.error.contains("try: ftictl promote models/good models/current"))
        let json = try sandbox.ftictl("promote", "models/bad", "models/current", "--json")
        #expect(json.status == 4 && json.output.isEmpty)
        let error = try json.errorObject()
        let gate = try #require((error["gates"] as? [[String: Any]])?.first)
        #expect(gate["gate"] as? String == "metric" && gate["of"] as? String == "models/current")
        #expect(gate["passes"] as? Bool == false)
        #expect(error["error"] as? String == "refused")
        #expect(try transactions() == before)
    }

    @Test(
        "gates apply to every command that moves a ref",
        arguments: ["move", "promote", "put", "undo"])
    func commands(name: String) throws {
        _ = try sandbox.ftictl("promote", "models/good", "models/current")
        _ = try sandbox.ftictl(
            "promote", "models/bad", "models/current", "--override", "a test")
        _ = try sandbox.ftictl("promote", "models/good", "models/current")
        let arguments =
            switch name {
            case "move": ["move", "models/current", "models/bad"]
            case "promote": ["promote", "models/bad", "models/current"]
            case "put": ["put", "models/current", "bad"]
            default: ["undo"]
            }
        #expect(try sandbox.ftictl(arguments).status == 4)
        let done = try sandbox.ftictl(arguments + ["--override", "in spite of it"])
        #expect(done.status == 0, "\(done.error)")
        let log = try sandbox.ftictl("log", "models/current", "-n", "1").output
        #expect(log.contains("in spite of it"))
    }

    @Test("gates apply to rollback, and a reason overrides them")
    func rollback() throws {
        _ = try sandbox.ftictl("promote", "models/bad", "models/current", "--override", "first")
        _ = try sandbox.ftictl("promote", "models/good", "models/current")
        #expect(try sandbox.ftictl("rollback", "models/current").status == 4)
        let dry = try sandbox.ftictl("rollback", "models/current", "--dry-run")
        #expect(dry.status == 4 && dry.output.contains("refuses  metric"))
        #expect(try sandbox.ftictl("rollback", "models/current", "--override", "x").status == 0)
    }

    @Test("a dry run reports the gates and moves nothing")
    func dryRun() throws {
        let before = try transactions()
        let good = try sandbox.ftictl("promote", "models/good", "models/current", "--dry-run")
        #expect(good.status == 0)
        #expect(good.output.contains("passes   metric of models/current"))
        let json = try sandbox.ftictl(
            "promote", "models/good", "models/current", "--dry-run", "--json"
        ).object()
        #expect((json["gates"] as? [[String: Any]])?.count == 3)
        #expect(json["dryRun"] as? Bool == true)
        let bad = try sandbox.ftictl("promote", "models/bad", "models/current", "--dry-run")
        #expect(bad.status == 4 && bad.output.contains("refuses  metric"))
        let other = try sandbox.ftictl("promote", "models/bad", "models/other", "--dry-run")
        #expect(other.status == 0 && other.output.contains("no gates apply"))
        #expect(try transactions() == before)
    }

    @Test("an override needs a reason, and an unneeded one is reported")
    func reason() throws {
        for reason in ["", "  \n"] {
            let outcome = try sandbox.ftictl(
                "promote", "models/bad", "models/current", "--override", reason)
            #expect(outcome.status == 64)
        }
        let outcome = try sandbox.ftictl(
            "promote", "models/good", "models/current", "--override", "why not")
        #expect(outcome.status == 0 && outcome.error.contains("nothing was overridden"))
        #expect(try !sandbox.ftictl("reflog", "-n", "1").output.contains("why not"))
    }

    @Test("a pickle is recognised by its content, and refused where only other formats are allowed")
    func pickles() throws {
        try sandbox.write("weights.safetensors", Data([0x80, 4, 0x95, 2]) + Data(count: 8))
        _ = try sandbox.ftictl(
            "put", "models/pickled", "weights.safetensors", "--metric", "recall=1")
        let show = try sandbox.ftictl("show", "models/pickled")
        #expect(show.output.contains("pickle: loading it runs code"))
        let json = try sandbox.ftictl("show", "models/pickled", "--json").object()
        #expect((json["pickles"] as? [[String: String]])?.first?["format"] == "pickle")
        let promote = try sandbox.ftictl("promote", "models/pickled", "models/current")
        #expect(promote.status == 4)
        #expect(promote.error.contains("weights.safetensors is pickle"))
    }

    @Test("a release moves features, model and prompt as one, and a pin of it names them all")
    func release() throws {
        try sandbox.write("rows.jsonl", #"{"id":"x","text":"one"}"#)
        _ = try sandbox.ftictl("put", "features/prod", "rows.jsonl", "--key", "id")
        try sandbox.write("prompt", "Be brief.")
        let arguments = [
            "release", "releases/prod", "--features", "features/prod", "--model", "models/good",
        ]
        let first = try sandbox.ftictl(arguments)
        #expect(first.status == 0, "\(first.error)")
        #expect(try sandbox.ftictl(arguments).output.hasPrefix("unchanged"))
        let second = try sandbox.ftictl(arguments + ["--prompt", "prompt", "--json"]).object()
        #expect(second["prompt"] is String && second["unchanged"] as? Bool == false)
        #expect(try sandbox.ftictl("cat", "releases/prod:prompt.txt").output == "Be brief.")
        let pin = try sandbox.ftictl("pin", "releases/prod", "--json").object()
        let pins = try #require(pin["pins"] as? [[String: String]])
        #expect(pins.map { $0["kind"] } == ["release", "features", "model"])
        #expect(try sandbox.ftictl("pin", "--check", "fti.lock").status == 0)
        // What the release was made from may move; the release does not.
        _ = try sandbox.ftictl("put", "models/good", "bad")
        #expect(try sandbox.ftictl("pin", "--check", "fti.lock").status == 0)
        #expect(try sandbox.ftictl("rollback", "releases/prod").status == 0)
        #expect(try sandbox.ftictl("pin", "--check", "fti.lock").status == 1)
        #expect(try sandbox.ftictl("cat", "releases/prod:prompt.txt").status == 2)
        let wrong = try sandbox.ftictl(
            "release", "releases/prod", "--features", "models/good", "--model", "models/good")
        #expect(wrong.status == 4)
        #expect(try sandbox.ftictl("put", "releases/prod", "good").status == 4)
        let elsewhere = try sandbox.ftictl(
            ["release", "models/x"] + arguments.dropFirst(2))
        #expect(elsewhere.status == 64)
    }

    @Test("a release binds every role, and --from keeps the roles that are not named")
    func releaseRoles() throws {
        for (name, text) in [("a", "one"), ("b", "two")] {
            try sandbox.write("rows.jsonl", #"{"id":"x","text":"\#(text)"}"#)
            _ = try sandbox.ftictl("put", "features/\(name)", "rows.jsonl", "--key", "id")
        }
        try sandbox.write(
            "prompt.json", #"{"type": "prompt", "version": 1, "system": "Be brief."}"#)
        try sandbox.write(
            "canary.json",
            #"{"type":"canary","version":1,"model":"m","items":[{"messages":[{"role":"user","content":"hi"}],"tokenLimit":8,"text":"ho"}]}"#
        )
        let first = try sandbox.ftictl(
            "release", "releases/prod", "--features", "features/a", "--ranker", "models/good",
            "--generator", "models/bad", "--prompt", "prompt.json", "--canary", "canary.json",
            "--json")
        #expect(first.status == 0, "\(first.error)")
        let bound = try first.object()
        #expect(bound["model"] as? String == bound["ranker"] as? String)
        for role in ["features", "model", "generator", "prompt", "canary"] {
            #expect(bound[role] is String, "\(role)")
        }
        #expect(bound["space"] is NSNull)
        let shown = try sandbox.ftictl("show", "releases/prod").output
        for role in ["prompt", "canary"] {
            let id = try #require(bound[role] as? String).prefix(12)
            #expect(shown.contains("\(role).json  \(id)"), "\(shown)")
        }
        #expect(try sandbox.ftictl("cat", "releases/prod:prompt.json").output.contains("Be brief."))
        // A prompt is recognised by what it says, whatever the file is called.
        try sandbox.write(
            "prompt.json.bak", #"{"type": "prompt", "version": 1, "system": "Be brief."}"#)
        let renamed = try sandbox.ftictl(
            "release", "releases/other", "--from", "releases/prod", "--prompt", "prompt.json.bak",
            "--json")
        #expect(try renamed.object()["prompt"] as? String == bound["prompt"] as? String)
        let moved = try sandbox.ftictl(
            "release", "releases/prod", "--from", "releases/prod", "--features", "features/b",
            "--json"
        ).object()
        #expect(moved["features"] as? String != bound["features"] as? String)
        for role in ["ranker", "generator", "prompt", "canary"] {
            #expect(moved[role] as? String == bound[role] as? String, "\(role)")
        }
        let same = try sandbox.ftictl("release", "releases/prod", "--from", "releases/prod")
        #expect(same.output.hasPrefix("unchanged"))
        let generator = try sandbox.ftictl("resolve", "releases/prod^generator").output
        #expect(generator.hasPrefix(try #require(bound["generator"] as? String)))
        let pins = try sandbox.ftictl("pin", "releases/prod", "--json").object()["pins"]
        #expect((pins as? [Any])?.count == 4)
        let refs = try sandbox.ftictl("refs", "releases/").output
        #expect(refs.contains("binds generator") && refs.contains("binds model"))
        let lineage = try sandbox.ftictl("lineage", "releases/prod").output
        #expect(lineage.contains("generator"))
        #expect(try sandbox.ftictl("verify", "--full").status == 0)
        let log = try sandbox.ftictl("log", "-n", "3").output
        #expect(log.contains("release features/b from releases/prod"))
    }

    @Test(
        "what a release cannot bind is refused with its reason",
        arguments: [
            ([], 64, "--features"), (["--features", "features/a"], 64, "--ranker"),
            (
                ["--from", "models/good", "--ranker", "models/good"], 4,
                "models/good is a model snapshot, not a release"
            ),
            (["--from", "releases/none"], 2, "releases/none"),
            (
                ["--features", "features/a", "--generator", "models/good", "--prompt", "bad.json"],
                64, "system"
            ),
            (
                ["--features", "features/a", "--generator", "models/good", "--canary", "bad.json"],
                64, "type"
            ),
            (
                ["--features", "features/a", "--generator", "models/good", "--prompt", "binary"],
                64, "not a text file"
            ),
        ])
    func refusedRelease(arguments: [String], status: Int32, part: String) throws {
        try sandbox.write("rows.jsonl", #"{"id":"x","text":"one"}"#)
        _ = try sandbox.ftictl("put", "features/a", "rows.jsonl", "--key", "id")
        try sandbox.write("bad.json", #"{"type": "prompt", "version": 1}"#)
        try sandbox.write("binary", "a\0b")
        let before = try transactions()
        let outcome = try sandbox.ftictl(["release", "releases/prod"] + arguments)
        #expect(outcome.status == status, "\(outcome.error)")
        #expect(outcome.error.contains(part), "\(outcome.error)")
        #expect(try transactions() == before)
    }
}
