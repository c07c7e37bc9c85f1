import Foundation
import TestSupport
import Testing

@Suite("Hostile arguments, files and logs")
struct HostileTests {
    @Test(
        "an invalid ref name creates no ref",
        arguments: HostileNames.refs.filter { !$0.utf8.contains(0) } + [
            "models/x@{1}", String(repeating: "a", count: 64),
        ])
    func names(name: String) throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("x", "x")
        _ = try sandbox.ftictl("put", "models/a", "x")
        for arguments in [["put", name, "x"], ["move", name, "models/a"]] {
            let outcome = try sandbox.ftictl(arguments)
            #expect(outcome.status == 64)
            #expect(outcome.output.isEmpty)
            #expect(outcome.error.contains("\n  try: "))
            #expect(outcome.error.split(separator: "\n").count == 2)
        }
        #expect(try sandbox.ftictl("stats", "--json").object()["transactions"] as? Int == 2)
    }

    @Test("a malformed revision exits with 64, one that finds nothing with 2, each with a remedy")
    func revisions() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("x", "x")
        _ = try sandbox.ftictl("put", "models/a", "x")
        let id = try #require(try sandbox.ftictl("resolve", "models/a").lines.first)
        let pack = try #require(try sandbox.shell("ls .fti/packs").lines.first)
        let cases: [(String, Int32)] = [
            (String(id.dropLast()), 64), (id + "0", 64), (id.uppercased(), 64),
            ("../../etc/passwd", 64), ("\u{ff41}bcdef", 64), (id + "\n", 64), ("sha256:" + id, 64),
            (String(id.prefix(3)), 64), ("", 64), (String(repeating: "0", count: 64), 2),
            (pack, 2), ("models/a~99999999999999999999", 64), ("models/a~-1", 64),
            ("models/a~1000000", 2), ("models/a@{not a date}", 64), ("models/a@{1900-01-01}", 2),
            ("models/a^nosuchrole", 2), ("models/a:../a", 64), ("models/a:nope", 2),
            ("models/a@{7}", 2), ("models/a@{", 64), ("models/a^", 64), ("models/a:", 64),
        ]
        for (revision, status) in cases {
            let outcome = try sandbox.ftictl("resolve", revision)
            #expect(outcome.status == status, "\(revision)")
            #expect(outcome.output.isEmpty)
            #expect(outcome.error.split(separator: "\n").count == 2, "\(outcome.error)")
            let json = try sandbox.ftictl("show", revision, "--json").errorObject()
            #expect(json["remedy"] is String, "\(revision)")
        }
        let future = try sandbox.ftictl("resolve", "models/a@{2099-01-01}")
        #expect(future.status == 0)
        #expect(future.lines == [id])
        #expect(future.error.contains("future"))
    }

    /// Damage to the log of a repository of three transactions, whether it can still be read, and
    /// whether `verify` finds something.
    static let logDamage: [(String, readable: Bool)] = [
        ("rm log/00000000000000000001.json", false),
        ("rm log/00000000000000000003.json", false),
        ("rm log/00000000000000000000.json", false),
        ("rm log/00000000000000000000.json log/tip", false),
        (": > log/00000000000000000002.json", false),
        ("head -c 300 /dev/zero > log/00000000000000000003.json", false),
        ("truncate -s 2G log/00000000000000000003.json", false),
        ("sed -i 's/models.a/models.b/' log/00000000000000000003.json", false),
        ("cp log/00000000000000000001.json log/00000000000000000002.json", false),
        ("cp log/00000000000000000003.json log/00000000000000000004.json", false),
        ("mkdir log/00000000000000000004.json", false),
        ("echo garbage > log/tip", true),
        ("touch log/x.json", true),
        ("cp log/00000000000000000003.json log/00000000000000000003.json~", true),
        ("rm packs/*", true),
    ]

    @Test(
        "damage to the log is found and never misread (B125 to B134, B138, B140)",
        arguments: logDamage)
    func damagedLog(command: String, readable: Bool) throws {
        let sandbox = try Sandbox.withRepository()
        for text in ["1", "2", "3"] {
            try sandbox.write("x", text)
            _ = try sandbox.ftictl("put", "models/a", "x")
        }
        let id = try sandbox.ftictl("resolve", "models/a").output
        #expect(try sandbox.shell("cd .fti && chmod -R u+w . && \(command)").status == 0)
        let resolved = try sandbox.ftictl("resolve", "models/a")
        #expect(resolved.status == (readable ? 0 : 5), "\(resolved.error)\(resolved.output)")
        #expect(resolved.output == (readable ? id : ""))
        let verified = try sandbox.ftictl("verify", "--json")
        #expect(verified.status == 1, "\(verified.output)")
        #expect((try verified.object()["findings"] as? [Any])?.isEmpty == false)
    }

    @Test("the bytes before the first piece of a pack are checked")
    func packBeginning() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("x", "x")
        _ = try sandbox.ftictl("put", "models/a", "x")
        _ = try sandbox.shell(
            "chmod u+w .fti/packs/*; printf X | dd of=$(ls .fti/packs/*) conv=notrunc bs=1 seek=3")
        #expect(try sandbox.ftictl("cat", "models/a:x").output == "x")
        for arguments in [["verify"], ["verify", "--full"]] {
            #expect(try sandbox.ftictl(arguments).status == 1)
        }
    }

    @Test("a line of more than 64 MiB is refused before its end is read")
    func longLine() throws {
        let sandbox = try Sandbox.withRepository()
        _ = try sandbox.shell("printf '{\"id\":\"' > rows.jsonl; truncate -s 1G rows.jsonl")
        let outcome = try sandbox.ftictl("put", "features/a", "rows.jsonl", "--key", "id")
        #expect(outcome.status == 64)
        #expect(outcome.error.contains("64 MiB"))
        #expect(try sandbox.ftictl("stats", "--json").object()["packs"] as? Int == 0)
    }
}
