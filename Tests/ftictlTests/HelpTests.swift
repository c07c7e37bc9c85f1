import Foundation
import TestSupport
import Testing

@Suite("Help and options")
struct HelpTests {
    static let commands = [
        "init", "put", "get", "cat", "ls", "show", "resolve", "log", "reflog", "refs", "status",
        "diff",
        "move", "promote", "release", "rollback", "undo", "ref", "rm", "pin", "lineage",
        "explain", "verify", "key", "policy", "approve", "gc", "stats", "completion", "man",
    ]

    @Test("the help of every command has an example", arguments: commands)
    func example(command: String) throws {
        let sandbox = try Sandbox()
        let outcome = try sandbox.ftictl(command, "--help")
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("$ ftictl \(command)"))
        #expect(outcome.error.isEmpty)
        // An example that is broken over two lines cannot be copied.
        let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
        let first = try #require(lines.firstIndex { $0.hasPrefix("Example") })
        for line in lines[(first + 1)...].prefix(while: { !$0.isEmpty }) {
            #expect(line.hasPrefix("  $ "))
        }
    }

    @Test("the help lists every command")
    func list() throws {
        let outcome = try Sandbox().ftictl("--help")
        #expect(outcome.status == 0)
        for command in Self.commands { #expect(outcome.output.contains("\n  \(command) ")) }
    }

    @Test("the reference of the command line has every command with each of its options")
    func reference() throws {
        let text = try String(contentsOfFile: Project.path("docs/cli.md"), encoding: .utf8)
        let sandbox = try Sandbox()
        for command in Self.commands {
            #expect(text.contains("### \(command)\n"))
            let help = try sandbox.ftictl(command, "--help").output
            for word in help.split(whereSeparator: \.isWhitespace) where word.hasPrefix("--") {
                let option = word.prefix { $0.isLetter || $0 == "-" }
                let isShared = ["--version", "--help"].contains(option)
                #expect(isShared || text.contains(option), "\(command) \(option)")
            }
        }
    }

    @Test("options may stand before or after the command's name")
    func hoisting() throws {
        let sandbox = try Sandbox()
        #expect(try sandbox.ftictl("init", "elsewhere").status == 0)
        let before = try sandbox.ftictl("--repo", "elsewhere", "--json", "stats")
        let behind = try sandbox.ftictl("stats", "--json", "--repo=elsewhere")
        #expect(before.status == 0)
        #expect(try before.object()["transactions"] as? Int == 1)
        #expect(before.output == behind.output)
    }

    @Test(
        "the repository comes from the option, else the variable, else the nearest parent directory"
    )
    func discovery() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("a/b/c.txt", "c")
        #expect(try sandbox.shell("cd a/b && $FTICTL refs").status == 0)
        #expect(try sandbox.ftictl("init", "other").status == 0)
        try sandbox.write("x", "x")
        let environment = ["FTI_REPO": sandbox.path("other")]
        #expect(try sandbox.ftictl("put", "models/x", "x", environment: environment).status == 0)
        #expect(try sandbox.ftictl("resolve", "models/x").status == 2)
        #expect(try sandbox.ftictl("resolve", "models/x", environment: environment).status == 0)
        #expect(
            try sandbox.ftictl("resolve", "models/x", "--repo", ".fti", environment: environment)
                .status == 2)
    }

    @Test("a command that is not built in is an executable next to ftictl or on the path")
    func external() throws {
        let sandbox = try Sandbox()
        try sandbox.write("bin/fti-hello", "#!/bin/sh\necho \"$0\" \"$@\"\nexit 9\n")
        _ = try sandbox.shell("chmod +x bin/fti-hello")
        let outcome = try sandbox.ftictl(
            "--json", "hello", "world",
            environment: ["PATH": sandbox.path("bin") + ":/bin:/usr/bin"])
        #expect(outcome.status == 9)
        #expect(outcome.output.contains("--json world"))
        let missing = try sandbox.ftictl("hello")
        #expect(missing.status == 64)
        #expect(missing.error.contains("unknown command hello"))
        #expect(try sandbox.ftictl("reslove").error.contains("try: ftictl resolve"))
    }

    @Test(
        "completion scripts name the commands and ask for refs", arguments: ["bash", "zsh", "fish"])
    func completion(shell: String) throws {
        let sandbox = try Sandbox()
        let outcome = try sandbox.ftictl("completion", shell)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("rollback"))
        #expect(outcome.output.contains("---completion"))
        let json = try sandbox.ftictl("completion", shell, "--json").object()
        #expect(json["shell"] as? String == shell)
        #expect((json["script"] as? String).map { $0 + "\n" } == outcome.output)
    }

    @Test("bash completes ref names, and stays silent without a repository")
    func completionOfRefs() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("f", "x")
        for name in ["models/current", "models/candidate"] {
            #expect(try sandbox.ftictl("put", name, "f").status == 0)
        }
        let folder = Project.executables.path
        func complete(_ words: String, in directory: String) throws -> Outcome {
            try sandbox.shell(
                """
                PATH=\(folder):$PATH; source <(ftictl completion bash); cd \(directory)
                COMP_WORDS=(\(words) ''); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
                COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}
                _ftictl ftictl '' log; printf '%s\\n' "${COMPREPLY[@]}"
                """)
        }
        let found = try complete("ftictl log", in: ".")
        #expect(found.lines.contains("models/current") && found.lines.contains("models/candidate"))
        let named = try complete("ftictl log --repo \(sandbox.path(".fti"))", in: "/")
        #expect(named.lines.contains("models/current"))
        let none = try complete("ftictl log", in: "/")
        #expect(!none.output.contains("models/") && none.error.isEmpty)
    }

    @Test(
        "--version prints JSON on request",
        arguments: [["--json", "--version"], ["--version", "--json"]])
    func version(arguments: [String]) throws {
        let object = try Sandbox().ftictl(arguments).object()
        #expect(object["name"] as? String == "ftictl")
        #expect((object["version"] as? String)?.isEmpty == false)
    }

    @Test("no line of help is wider than a terminal of 80 columns", arguments: commands)
    func narrow(command: String) throws {
        let help = try Sandbox().ftictl(command, "--help", environment: ["COLUMNS": "80"])
        #expect(help.lines.allSatisfy { $0.count <= 80 }, "\(help.output)")
        #expect(!help.output.contains("|url"))
    }
}
