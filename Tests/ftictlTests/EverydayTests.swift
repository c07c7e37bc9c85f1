import Foundation
import TestSupport
import Testing

@Suite("Everyday use")
struct EverydayTests {
    /// A repository with two versions of a model and of a table.
    private func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox.withRepository()
        for (text, rows) in [("1\n", #"{"id":"k","t":"a"}"#), ("1\n2\n", #"{"id":"k","t":"b"}"#)] {
            try sandbox.write("m/config.json", text)
            try sandbox.write("m/sub/run.sh", "echo")
            try sandbox.write("rows.jsonl", rows)
            for arguments in [
                ["put", "features/a", "rows.jsonl", "--key", "id"],
                ["put", "models/a", "m", "--input", "features=features/a"],
            ] { #expect(try sandbox.ftictl(arguments).status == 0) }
        }
        return sandbox
    }

    @Test("no line ends with a space")
    func spaces() throws {
        let sandbox = try sandbox()
        for line in [
            "log", "log --oneline", "log --graph", "reflog", "refs", "ls -r models/a",
            "ls features/a", "show models/a", "show models/a:config.json",
            "diff models/a~1 models/a", "lineage models/a", "stats", "pin models/a features/a",
        ] {
            let outcome = try sandbox.ftictl(line.split(separator: " ").map(String.init))
            #expect(outcome.status == 0)
            #expect(!outcome.lines.isEmpty)
            #expect(
                !outcome.lines.contains { $0.hasSuffix(" ") || $0.contains("  current)") },
                "\(line)")
        }
    }

    @Test("comparing one file or row prints counts, also when nothing differs")
    func single() throws {
        let sandbox = try sandbox()
        for (path, what) in [("models/a~1:config.json", "files"), ("features/a~1:k", "rows")] {
            let newer = path.replacing("~1", with: "")
            let changed = try sandbox.ftictl("diff", path, newer, "--json").object()
            #expect(changed["changed"] as? Int == 1)
            #expect(changed["unchanged"] as? Int == 0)
            #expect(changed["what"] as? String == what)
            let same = try sandbox.ftictl("diff", newer, newer, "--json").object()
            #expect(same["changed"] as? Int == 0)
            #expect(same["unchanged"] as? Int == 1)
            #expect(try sandbox.ftictl("diff", path, newer, "--exit-code").status == 1)
        }
    }

    @Test("a line break ends a line, and a missing final one is shown")
    func lineBreaks() throws {
        let sandbox = try sandbox()
        let lines = try sandbox.ftictl("diff", "models/a~1:config.json", "models/a:config.json")
            .lines
        #expect(lines.dropFirst() == ["     1", "    +2"])
        try sandbox.write("m/config.json", "1\n2")
        _ = try sandbox.ftictl("put", "models/a", "m")
        #expect(
            try sandbox.ftictl("diff", "models/a~1:config.json", "models/a:config.json").lines
                .dropFirst() == ["     1", "     2", "    +(no newline at end of file)"])
    }

    @Test("a directory may be named as it is listed, with a slash")
    func slash() throws {
        let sandbox = try sandbox()
        #expect(
            try sandbox.ftictl("ls", "models/a:sub/").output
                == sandbox.ftictl("ls", "models/a:sub").output)
        #expect(try sandbox.ftictl("ls", "models/a:sub/").status == 0)
        #expect(try sandbox.ftictl("cat", "models/a:config.json/").status == 2)
        #expect(try sandbox.ftictl("ls", "models/a:sub//").status == 64)
        #expect(try sandbox.ftictl("ls", "models/a:/").status == 64)
    }

    @Test("singular and plural are used correctly")
    func plurals() throws {
        let sandbox = try sandbox()
        try sandbox.write("m/new", "")
        _ = try sandbox.ftictl("put", "models/a", "m")
        let log = try sandbox.ftictl("log", "models/a", "-n", "1").output
        #expect(log.contains("3 files, 8 B (+1 file)"))
    }

    @Test("a revision named twice is pinned once, and no remedy overwrites a file")
    func pins() throws {
        let sandbox = try sandbox()
        let pins = try sandbox.ftictl("pin", "models/a", "models/a", "--json").object()["pins"]
        #expect((pins as? [Any])?.count == 1)
        let wrong = try sandbox.ftictl("pin", "--check", "rows.jsonl")
        #expect(wrong.status == 64)
        #expect(!wrong.error.contains("-o rows.jsonl"))
        // Nor does a pin.
        let rows = try sandbox.read("rows.jsonl")
        #expect(try sandbox.ftictl("pin", "models/a", "-o", "rows.jsonl").status == 64)
        #expect(try sandbox.read("rows.jsonl") == rows)
    }

    @Test("every lock file that was written has a lease, and no other")
    func leases() throws {
        let sandbox = try sandbox()
        func leases() throws -> [[String: Any]] {
            try sandbox.ftictl("pin", "--leases", "--json").objects()
        }
        #expect(try sandbox.ftictl("pin", "models/a", "-o", "no/such/fti.lock").status == 74)
        #expect(try leases().isEmpty)
        let first = try sandbox.ftictl("pin", "models/a", "--json").object()["lease"] as? String
        let second = try sandbox.ftictl("pin", "models/a", "--json").object()["lease"] as? String
        #expect(first != second)
        #expect(try leases().map { $0["lease"] as? String } == [second])
        #expect(try leases().first?["seconds"] is NSNull)
        let check = try sandbox.ftictl("pin", "--check", "fti.lock", "--json").object()
        #expect(check["kept"] as? Bool == true)
        let name = try #require(second)
        #expect(try sandbox.ftictl("pin", "--release", name).status == 0)
        #expect(try leases().isEmpty)
        let bare = try sandbox.ftictl("pin", "--check", "fti.lock")
        #expect(bare.status == 0)
        #expect(bare.error.contains("no lease keeps"))
        let again = try sandbox.ftictl("pin", "--release", "fti.lock", "--json").object()
        #expect(again["released"] as? Bool == false)
    }

    @Test("unreadable refs do not hide the others")
    func damagedRef() throws {
        let sandbox = try sandbox()
        #expect(try sandbox.shell("rm -f .fti/packs/*").status == 0)
        let outcome = try sandbox.ftictl("refs")
        #expect(outcome.status == 5)
        #expect(outcome.output.contains("models/a"))
        #expect(outcome.output.contains("features/a"))
        #expect(outcome.output.contains("damaged"))
    }

    @Test("an incomplete command line gets an error that says what is missing")
    func noCommand() throws {
        let sandbox = try Sandbox()
        #expect(
            try sandbox.ftictl("--json").errorObject()["message"] as? String
                == "no command given")
        #expect(try sandbox.ftictl("--repo").error.contains("--repo needs a value"))
        #expect(try sandbox.ftictl("refs", "--nonsense").error.hasPrefix("error: unknown option"))
        #expect(
            try sandbox.ftictl("help", "nonsense").error.contains("unknown command nonsense"))
        #expect(try sandbox.ftictl("help", "put").output.contains("USAGE: ftictl put"))
    }

    @Test("init creates the directories above a repository")
    func initParents() throws {
        let sandbox = try Sandbox()
        #expect(try sandbox.ftictl("init", "a/b/.fti").status == 0)
        #expect(try sandbox.ftictl("--repo", "a/b/.fti", "stats").status == 0)
        _ = try sandbox.write("file", "text")
        #expect(try sandbox.ftictl("init", "file").status == 64)
        let outcome = try sandbox.ftictl("init", "file/b/.fti")
        #expect(outcome.status == 64)
        #expect(outcome.error.contains("not a directory"))
    }

    @Test(
        "init puts .fti into an existing directory, and uses a free name or one that ends in .fti as it is",
        arguments: [
            ("project", "project/.fti"), ("project/", "project/.fti"), (".", ".fti"),
            ("./", ".fti"), ("project/.fti", "project/.fti"), ("new/one/", "new/one/.fti"),
            ("new/one", "new/one"), ("models.fti", "models.fti"), ("models.fti/", "models.fti"),
            ("a.fti/b/", "a.fti/b/.fti"),
        ])
    func initPlace(named: String, place: String) throws {
        let sandbox = try Sandbox()
        try sandbox.write("project/file", "x")
        #expect(try sandbox.ftictl("init", named).status == 0)
        #expect(FileManager.default.fileExists(atPath: sandbox.path("\(place)/log")))
        // It is found by either path.
        for repository in [named, place] {
            let stats = try sandbox.ftictl("--repo", repository, "stats", "--json")
            #expect(try stats.object()["transactions"] as? Int == 1)
        }
        #expect(try sandbox.ftictl("init", named).status == 64)
        #expect(try sandbox.ftictl("init", place).error.contains("there is a repository"))
        // The same holds inside the directory.
        #expect(
            try sandbox.shell("mkdir -p \(named)/below; cd \(named)/below && $FTICTL refs").status
                == 0)
    }

    @Test("init --shared lets a group write, whatever the mask")
    func initShared() throws {
        let sandbox = try Sandbox()
        let made = try sandbox.shell("umask 077; $FTICTL init --shared team.fti --json")
        #expect(try made.object()["shared"] as? Bool == true)
        try sandbox.write("f", "x")
        #expect(
            try sandbox.shell("umask 077; $FTICTL --repo team.fti put models/a f").status == 0)
        let modes = try sandbox.shell("find team.fti -type d -printf '%m\\n' | sort -u")
        #expect(modes.output == "2770\n")
        let unreadable = try sandbox.shell("find team.fti -type f ! -perm -g+r")
        #expect(unreadable.output.isEmpty)
    }

    @Test("git habits work, or are answered with the right command")
    func habits() throws {
        let sandbox = try sandbox()
        #expect(try sandbox.ftictl("log", "-n1", "--oneline").lines.count == 1)
        #expect(try sandbox.ftictl("reflog", "-n", "1", "--json").lines.count == 1)
        for (typed, meant) in [
            ("commit", "ftictl put REF PATH"), ("add", "ftictl put"), ("upload", "ftictl put"),
            ("checkout", "ftictl get REV"), ("download", "ftictl get"), ("verfy", "ftictl verify"),
            ("branch", "ftictl refs"), ("list", "ftictl refs"), ("tag", "ftictl promote"),
            ("cp", "ftictl promote"), ("mv", "ftictl ref rename"), ("reset", "ftictl rollback"),
            ("revert", "ftictl rollback"), ("fsck", "ftictl verify"), ("prune", "ftictl gc"),
            ("history", "ftictl log"), ("info", "ftictl show"), ("config", "ftictl --help"),
            ("serve", "fti-inference serve"), ("remote", "cp -a .fti"), ("push", "cp -a .fti"),
            ("pull", "cp -a .fti"), ("clone", "cp -a .fti"), ("search", "ftictl ls REV --where"),
        ] {
            let outcome = try sandbox.ftictl(typed)
            #expect(outcome.status == 64)
            #expect(outcome.error.contains("try: \(meant)"), "\(typed): \(outcome.error)")
        }
    }

    @Test("a repository is not stored in itself")
    func itself() throws {
        let sandbox = try sandbox()
        for line in ["$FTICTL put models/a .fti", "cd .fti && $FTICTL put models/a . --repo ."] {
            let outcome = try sandbox.shell(line)
            #expect(outcome.status == 64)
            #expect(outcome.error.contains("it is a repository"))
        }
    }

    @Test("listing something that is not a directory is a usage error, not damage")
    func list() throws {
        let sandbox = try sandbox()
        let id = try #require(try sandbox.ftictl("resolve", "models/a:config.json").lines.first)
        #expect(try sandbox.ftictl("ls", id).status == 64)
        let directory = try #require(try sandbox.ftictl("resolve", "models/a:sub").lines.first)
        #expect(try sandbox.ftictl("ls", directory).lines.count == 1)
    }

    @Test("help fits a terminal of any width", arguments: ["0", "1", "10", "28", "1000", "x"])
    func width(columns: String) throws {
        let outcome = try Sandbox().ftictl("put", "--help", environment: ["COLUMNS": columns])
        #expect(outcome.status == 0)
        #expect(outcome.lines.count > 20)
    }

    @Test("an error is one line, and an empty path is shown as such")
    func oneLine() throws {
        let sandbox = try sandbox()
        #expect(try sandbox.ftictl("put", "models/a", "").error.contains("cannot use '': "))
        for arguments in [
            ["log", "-nx"], ["log", "--number=x"], ["put", "models/a", "m", "--metric"],
        ] {
            let outcome = try sandbox.ftictl(arguments)
            #expect(outcome.status == 64)
            #expect(outcome.error.split(separator: "\n").count == 2, "\(outcome.error)")
        }
    }

    @Test("a password in a URL is not shown")
    func password() throws {
        for json in [[], ["--json"]] {
            let outcome = try Sandbox().ftictl(
                ["refs", "--repo", "https://u:secret@host/x"] + json)
            #expect(outcome.status == 64)
            #expect(outcome.error.contains("https://...") && !outcome.error.contains("secret"))
        }
    }
}
