import Foundation
import TestSupport
import Testing

@Suite("Deleting, renaming and restoring refs on the command line")
struct RefCommandTests {
    private let sandbox: Sandbox

    init() throws {
        sandbox = try Sandbox.withRepository()
        for text in ["one", "two"] {
            try sandbox.write("model", text)
            #expect(try sandbox.ftictl("put", "models/exp", "model").status == 0)
        }
    }

    private func refs() throws -> [String] {
        try sandbox.ftictl("refs", "--json").objects().compactMap { $0["name"] as? String }
    }

    @Test(
        "a deleted ref is reported as deleted and can be restored", arguments: ["ref delete", "rm"])
    func delete(command: String) throws {
        let words = command.split(separator: " ").map(String.init)
        let dry = try sandbox.ftictl(words + ["models/exp", "--dry-run"])
        #expect(dry.status == 0 && dry.output.contains("models/exp"))
        #expect(try refs() == ["models/exp"])
        let before = try sandbox.ftictl("resolve", "models/exp").output
        let deleted = try sandbox.ftictl(words + ["models/exp", "--json"]).object()
        let moves = try #require(deleted["refs"] as? [[String: Any]])
        #expect(moves.first?["new"] is NSNull && moves.count == 1)
        let number = try #require(deleted["transaction"] as? Int)
        #expect(try refs().isEmpty)
        for command in ["resolve", "show", "ls", "rm"] {
            let gone = try sandbox.ftictl(command, "models/exp")
            #expect(gone.status == 2)
            #expect(gone.error.contains("models/exp was deleted by transaction \(number)"))
            #expect(gone.error.contains("try: ftictl ref restore models/exp"))
        }
        for command in ["log", "reflog"] {
            let history = try sandbox.ftictl(command, "models/exp")
            #expect(history.status == 0 && !history.output.isEmpty)
            #expect(history.error.contains("ftictl ref restore models/exp"))
            #expect(try sandbox.ftictl(command, "models/none").status == 2)
        }
        #expect(try sandbox.ftictl("ref", "restore", "models/exp").status == 0)
        #expect(try sandbox.ftictl("resolve", "models/exp").output == before)
        #expect(try sandbox.ftictl("ref", "restore", "models/exp").status == 3)
        #expect(try sandbox.ftictl(words + ["models/none"]).status == 2)
    }

    @Test("what only a deleted ref held goes after the retention, and restore then says so")
    func collected() throws {
        #expect(try sandbox.ftictl("ref", "delete", "models/exp").status == 0)
        #expect(try sandbox.ftictl("gc", "--keep-last", "100", "--grace", "0s").status == 0)
        #expect(try sandbox.ftictl("ref", "restore", "models/exp", "--dry-run").status == 0)
        #expect(try sandbox.ftictl("gc", "--keep", "0s", "--grace", "0s").status == 0)
        let late = try sandbox.ftictl("ref", "restore", "models/exp")
        #expect(late.status == 2)
        #expect(late.error.contains("was collected since"))
        #expect(try sandbox.ftictl("verify", "--full").status == 0)
    }

    @Test("a rename is one transaction in one namespace")
    func rename() throws {
        let renamed = try sandbox.ftictl("ref", "rename", "models/exp", "models/new", "--json")
        #expect((try renamed.object()["refs"] as? [Any])?.count == 2)
        #expect(try refs() == ["models/new"])
        #expect(try sandbox.ftictl("ref", "rename", "models/new", "features/x").status == 4)
        _ = try sandbox.ftictl("put", "models/other", "model")
        #expect(try sandbox.ftictl("ref", "rename", "models/new", "models/other").status == 3)
        #expect(try sandbox.ftictl("ref", "rename", "models/exp", "models/x").status == 2)
        #expect(try sandbox.ftictl("ref", "rename", "models/new", "models/new").status == 64)
    }

    @Test("a tag is neither moved nor deleted without a reason")
    func fixed() throws {
        try sandbox.write(
            "policy.json",
            #"{"signed":false,"gates":[{"ref":"models/tags/*","type":"fixed"}]}"#)
        #expect(try sandbox.ftictl("policy", "set", "policy.json").status == 0)
        #expect(try sandbox.ftictl("promote", "models/exp", "models/tags/v1").status == 0)
        let refused = [
            ["promote", "models/exp~1", "models/tags/v1"], ["rm", "models/tags/v1"],
            ["ref", "rename", "models/tags/v1", "models/v1"],
            ["put", "models/tags/v1", "policy.json"],
            ["undo"],
        ]
        for command in refused {
            let outcome = try sandbox.ftictl(command)
            #expect(outcome.status == 4, "\(command)")
            #expect(outcome.error.contains("the fixed gate"))
        }
        let json = try sandbox.ftictl("rm", "models/tags/v1", "--json").errorObject()
        #expect(((json["gates"] as? [[String: Any]])?.first?["id"]) is NSNull)
        #expect(
            try sandbox.ftictl("rm", "models/tags/v1", "--override", "misspelt").status == 0)
        #expect(try sandbox.ftictl("ref", "restore", "models/tags/v1").status == 0)
    }

    @Test("undo reverts a restore, or names the obstacle")
    func undo() throws {
        #expect(try sandbox.ftictl("rollback", "models/exp").status == 0)
        #expect(try sandbox.ftictl("undo").status == 0)
        let stuck = try sandbox.ftictl("undo", "1")
        #expect(stuck.status == 3)
        #expect(stuck.error.contains("transaction 1 cannot be undone: it moved models/exp to"))
        #expect(stuck.error.contains("try: ftictl ref delete models/exp"))
        #expect(try sandbox.ftictl("rollback", "models/exp").status == 0)
        #expect(try sandbox.ftictl("undo", "1").status == 0)
        #expect(try refs().isEmpty)
    }

    @Test("a transaction of very many moves has a short message")
    func manyMoves() throws {
        let pairs = (0..<1500).flatMap {
            ["models/exp", "models/\(String(repeating: "n", count: 40))-\($0)"]
        }
        let outcome = try sandbox.ftictl(["promote"] + pairs)
        #expect(outcome.status == 0, "\(outcome.error)")
        let entry = try #require(try sandbox.ftictl("reflog", "-n", "1", "--json").objects().first)
        let message = try #require(entry["message"] as? String)
        #expect(message.hasPrefix("promote models/exp to models/n"))
        #expect(message.hasSuffix(" more") && message.utf8.count < 600)
    }

    @Test("refs lists targets of the wrong kind as broken, and continues")
    func broken() throws {
        try sandbox.write("rows.jsonl", #"{"id":"x"}"#)
        #expect(try sandbox.ftictl("put", "features/a", "rows.jsonl", "--key", "id").status == 0)
        #expect(try sandbox.ftictl("put", "models/other", "model").status == 0)
        let wrong = try sandbox.ftictl("resolve", "features/a").output
        // Rewrites the newest entry, which moves models/other.
        let edited = try sandbox.shell(
            """
            set -e
            f=$(ls .fti/log/*.json | tail -n 1)
            old=$($FTICTL resolve models/other)
            line=$(head -n 1 $f | sed "s/\\"new\\":\\"$old\\"/\\"new\\":\\"\(wrong.prefix(64))\\"/")
            chmod 644 $f
            printf '%s\\n{"sha256":"%s"}\\n' "$line" "$(printf %s "$line" | sha256sum | cut -c1-64)" > $f
            rm -rf .fti/log/tip .fti/log/checkpoints/* \(sandbox.cache)/state
            """)
        #expect(edited.status == 0, "\(edited.error)")
        let listed = try sandbox.ftictl("refs")
        #expect(listed.status == 5)
        #expect(listed.lines.count == 3 && listed.lines[2].contains("broken"))
        #expect(listed.error.contains("models/other points at"))
        for command in ["resolve", "show", "ls", "pin"] {
            let outcome = try sandbox.ftictl(command, "models/other")
            #expect(outcome.status == 5, "\(command)")
            #expect(outcome.error.contains("models/other points at"))
        }
        #expect(try sandbox.ftictl("verify").status == 1)
        #expect(try sandbox.ftictl("rm", "models/other").status == 0)
        #expect(try sandbox.ftictl("verify").status == 0)
    }

    @Test("put gives a model the space of its features on request, or if it is a ranker")
    func space() throws {
        try sandbox.write("rows.jsonl", #"{"id":"x","v":[1,2]}"#)
        #expect(
            try sandbox.ftictl("put", "features/a", "rows.jsonl", "--key", "id", "--vector", "v")
                .status
                == 0)
        let spaceless = try sandbox.ftictl(
            "put", "models/m", "model", "--input", "features=features/a", "--space", "features")
        #expect(spaceless.status == 64)
        #expect(spaceless.error.contains("no input features has an embedding space"))
        #expect(
            try sandbox.ftictl("put", "features/a", "model", "--space", "features").status == 64)

        let example = Project.path(".fti-example")
        #expect(try sandbox.shell("rm -rf .fti && cp -r \(example) .fti").status == 0)
        #expect(try sandbox.ftictl("get", "models/current", "-o", "ranker").status == 0)
        func space(_ arguments: String...) throws -> String? {
            let put = try sandbox.ftictl(["put"] + arguments)
            #expect(put.status == 0, "\(put.error)")
            return try sandbox.ftictl("show", arguments[0], "--json").object()["space"] as? String
        }
        let needed = try sandbox.ftictl("show", "features/prod", "--json").object()["space"]
        let features = "features=features/prod"
        #expect(try space("models/r", "ranker") == nil)
        let refused = try sandbox.ftictl("promote", "models/r", "models/current")
        #expect(refused.status == 4)
        #expect(refused.error.contains("it is a ranker of no space"))
        let release = try sandbox.ftictl(
            "release", "releases/r", "--features", "features/prod", "--model", "models/r")
        #expect(release.status == 4)
        let both = try sandbox.ftictl(
            "release", "releases/r", "--features", "features/prod", "--model", "models/r",
            "--ranker", "models/current")
        #expect(both.status == 64)
        #expect(both.error.contains("give one of them"))
        #expect(try space("models/r", "ranker", "--input", features) == needed as? String)
        #expect(try sandbox.ftictl("promote", "models/r", "models/current").status == 0)
        #expect(try space("models/g", "model", "--input", features) == nil)
        #expect(
            try space("models/g", "model", "--input", features, "--space", "features")
                == needed as? String)
        #expect(try sandbox.ftictl("put", "models/g", "model").output.hasPrefix("unchanged"))
    }

    @Test("a lost memory is reported on standard error and created again")
    func memory() throws {
        #expect(try sandbox.ftictl("refs").error.isEmpty)
        #expect(try sandbox.shell(": > \(sandbox.cache)/state/fti/*.seen").status == 0)
        let told = try sandbox.ftictl("refs", "--quiet")
        #expect(told.status == 0)
        #expect(
            told.error.hasPrefix("warning: this client's memory of the repository is unreadable"))
        #expect(told.error.split(separator: "\n").count == 1)
        #expect(try sandbox.ftictl("refs").error.isEmpty)
        #expect(try sandbox.shell(": > \(sandbox.cache)/state/fti/*.seen").status == 0)
        #expect(try sandbox.ftictl("refs", "--json").errorObject()["warning"] != nil)
    }
}
