import Foundation
import TestSupport
import Testing

@Suite("On a terminal")
struct TerminalTests {
    private let sandbox: Sandbox

    init() throws {
        sandbox = try Sandbox.withRepository()
        let message = (1...30).map { "word\($0)" }.joined(separator: " ")
        for version in 1...3 {
            try sandbox.write("m/config.json", #"{"a":\#(version)}"#)
            #expect(
                try sandbox.ftictl(
                    "put", "models/current", "m", "-m", message, "--param-json",
                    #"sources={"files":"\#(version)","include":["**/*.md","**/*.html","**/*.txt"],"exclude":["drafts/**"]}"#
                ).status == 0)
        }
    }

    /// The output of a shell line on a terminal of 80 columns.
    private func terminal(_ line: String) throws -> [String] {
        try sandbox.write("line.sh", "stty cols 80 rows 24; \(line)")
        let outcome = try sandbox.shell(
            "TERM=xterm script -qec 'bash line.sh' /dev/null < /dev/null")
        return outcome.output.split(whereSeparator: \.isNewline).map { line in
            String(line.replacing(#/\u{1B}\[[0-9;]*[A-Za-z]/#, with: ""))
        }
    }

    @Test(
        "no line is wider than the terminal or broken inside a word",
        arguments: [
            "log", "log --oneline", "log --graph", "reflog", "refs", "status",
            "show models/current",
            "diff models/current~1 models/current", "lineage models/current", "nonsense",
            "log models/none", "ls models/current --where 'nam = 1'",
        ])
    func width(command: String) throws {
        let lines = try terminal("$FTICTL --no-pager \(command)")
        #expect(!lines.isEmpty)
        #expect(lines.allSatisfy { $0.count <= 80 }, "\(lines)")
        // A word that is unbroken in a pipe is unbroken on a terminal.
        let words = Set(
            try sandbox.shell("$FTICTL \(command) 2>&1").output.split(
                whereSeparator: \.isWhitespace))
        let ages = #/^(just|now|ago|[0-9]+|seconds?|minutes?)$/#
        for word in lines.joined(separator: " ").split(separator: " ")
        where word != "│" && word.wholeMatch(of: ages) == nil && !word.hasSuffix("…") {
            #expect(words.contains(word), "\(command): \(word)")
        }
    }

    @Test("results go through the pager, and nothing else does")
    func pager() throws {
        let paged = try terminal("FTI_PAGER='sed s/^/P:/' $FTICTL refs")
        #expect(!paged.isEmpty && paged.allSatisfy { $0.hasPrefix("P:") })
        #expect(try terminal("PAGER='sed s/^/P:/' $FTICTL log").allSatisfy { $0.hasPrefix("P:") })
        for line in [
            "FTI_PAGER= PAGER='sed s/^/P:/' $FTICTL refs", "PAGER=cat $FTICTL refs",
            "PAGER='sed s/^/P:/' $FTICTL --no-pager refs", "PAGER=no-such-program $FTICTL refs",
            "PAGER='sed s/^/P:/' $FTICTL refs --json", "PAGER='sed s/^/P:/' $FTICTL stats",
            "PAGER='sed s/^/P:/' $FTICTL refs | cat",
            "PAGER='sed s/^/P:/' $FTICTL cat models/current",
        ] {
            let lines = try terminal(line)
            #expect(!lines.isEmpty && !lines.contains { $0.hasPrefix("P:") }, "\(line)")
        }
    }

    @Test("the exit code is the command's, and quitting the pager is not an error")
    func pagerExit() throws {
        let diff = "$FTICTL diff models/current~1 models/current"
        #expect(try terminal("FTI_PAGER='cat -' \(diff) --exit-code; echo =$?").last == "=1")
        #expect(try terminal("FTI_PAGER='head -n 1' $FTICTL log; echo =$?").last == "=0")
        let missing = try terminal("FTI_PAGER='sed s/^/P:/' $FTICTL log models/none; echo =$?")
        #expect(missing.last == "=2")
        #expect(missing.first?.hasPrefix("error:") == true)
        let many = (0..<5000).map { #"{"id":"\#($0)"}"# }.joined(separator: "\n")
        try sandbox.write("rows.jsonl", many)
        #expect(try sandbox.ftictl("put", "datasets/a", "rows.jsonl", "--key", "id").status == 0)
        let quit = try terminal("FTI_PAGER='head -n 2' $FTICTL ls datasets/a; echo =$?")
        #expect(quit.count == 3 && quit.last == "=0")
    }

    @Test("less gets git's options, unless the user sets some")
    func less() throws {
        let script = "FTI_PAGER='sh -c \"cat >/dev/null; echo LESS=\\$LESS\"' $FTICTL refs"
        #expect(try terminal(script) == ["LESS=FRX"])
        #expect(try terminal("export LESS=S; \(script)") == ["LESS=S"])
    }

    @Test("policies and parameters are wrapped to fit")
    func layout() throws {
        let roles = (0..<12).map { #""metrics.a-rather-long-name-\#($0)""# }.joined(separator: ",")
        try sandbox.write(
            "policy.json",
            #"{"signed":false,"gates":[{"ref":"models/current","type":"evidence","requires":[\#(roles)]}]}"#
        )
        let set = try terminal("$FTICTL policy set policy.json")
        #expect(set.count > 1 && set.allSatisfy { $0.count <= 80 }, "\(set)")
        let shown = try sandbox.ftictl("policy", "show")
        #expect(shown.lines.allSatisfy { $0.count <= 80 }, "\(shown.output)")
        try sandbox.write("again.json", shown.output)
        #expect(try sandbox.ftictl("policy", "set", "again.json").output.contains("unchanged"))
        let show = try sandbox.ftictl("show", "models/current").output
        #expect(show.contains("sources.files") && show.contains(#"["drafts/**"]"#))
        let diff = try sandbox.ftictl("diff", "models/current~1", "models/current").output
        #expect(diff.contains(#"params.sources.files: "2" -> "3""#) && !diff.contains("drafts"))
    }
}
