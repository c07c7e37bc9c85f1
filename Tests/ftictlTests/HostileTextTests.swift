import CommandSupport
import Foundation
import Objects
import Refs
import TestSupport
import Testing

/// No program prints text that a terminal would obey, whatever is in a repository or on a command line.
@Suite("Text that would steer a terminal")
struct HostileTextTests {
    /// Escape sequences for colours, titles and the screen; C0 and C1 control characters; directional marks; line
    /// separators; zero-width characters; tags.
    static let payload =
        "x\u{1B}[31m\u{1B}]0;t\u{7}\r\u{8}\u{B}\u{7F}\u{85}\u{9B}2J\u{202E}\u{2066}\u{200E}\u{200F}\u{61C}\u{200B}"
        + "\u{200D}\u{2028}\u{2029}\u{2060}\u{FEFF}\u{FFF9}\u{E0041}" + mark + "y"

    /// The marker of a colour within the programs; no literal can hold it.
    private static let mark = Unicode.Scalar(UInt32(0xFDD3)).map { String($0) } ?? ""

    /// Keys of rows have no control characters.
    static let key = "k\u{202E}\u{2066}\u{E0041}"

    /// Scalars that no terminal may get, except line feeds.
    static func isHostile(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0A: false
        case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F,
            0xFEFF, 0xFFF9...0xFFFB, 0xFDD0...0xFDEF, 0xE0000...0xE007F:
            true
        default: false
        }
    }

    @Test("control characters are escaped, ordinary text is unchanged")
    func escapes() {
        let shown = Self.payload.printable()
        #expect(!shown.unicodeScalars.contains(where: Self.isHostile))
        #expect(shown.hasPrefix("x\\u{1b}[31m"))
        for text in ["plain", "Grüße", "日本語", "می\u{200C}خواهم", "👩\u{200D}💻", "e\u{301}"] {
            #expect(Array(text.printable().utf8) == Array(text.utf8))
            #expect(Array(text.escapedInJSON.utf8) == Array(text.utf8))
        }
        #expect("a\tb\n".printable() == "a\\u{9}b\\u{a}")
        #expect("a\tb\n".printable(multiline: true) == "a\tb\n")
    }

    @Test("JSON on a terminal is the same value without characters that the terminal would obey")
    func json() throws {
        let value = JSON.object(JSONObject([(Self.payload, .string(Self.payload + "😀"))]))
        let text = value.canonicalText.escapedInJSON
        #expect(!text.unicodeScalars.contains(where: Self.isHostile))
        #expect(try JSON(parsing: Array(text.utf8).span) == value)
    }

    /// A repository with hostile text in every place that takes text.
    private static func sandbox() throws -> Sandbox {
        let sandbox = try Sandbox.withRepository()
        let author = ["FTI_AUTHOR": "eve\(payload)"]
        let tensor: JSON = ["dtype": "F32", "shape": [1], "data_offsets": [0, 4]]
        let header = JSON.object(JSONObject([(payload, tensor)])).canonicalBytes
        for version in 0...1 {
            let size = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
            let weights = Data(size + header + [UInt8(version), 0, 0, 0])
            try sandbox.write("m\(version)/model.safetensors", weights)
            try sandbox.write("m\(version)/a.txt", "line\(payload)\n\(version)\(payload)\n")
            let row: JSON = [
                "id": .string(key), "text": .string("\(version) t\(payload)\n\(payload)"),
                "other": .string("\(version)\(payload)"),
            ]
            try sandbox.write("r\(version).jsonl", row.canonicalText)
            _ = try sandbox.ftictl("put", "models/a", "m\(version)", environment: author)
            _ = try sandbox.ftictl(
                "put", "features/a", "r\(version).jsonl", "--key", "id", environment: author)
        }
        let repository = try Repository(opening: sandbox.path(".fti"))
        let writer = Writer(name: "eve\(payload)\0")
        let name = try RefName("models/a")
        for version in 0...1 {
            let state = try repository.state()
            let old = try #require(state.target(of: name))
            let before = try Snapshot(old, in: try repository.objects(in: state))
            let text = "\(version)\(payload)\0"
            let transaction = try repository.begin(writer: writer)
            let snapshot = Snapshot(
                kind: .model, content: before.content, parents: [old],
                inputs: ["role\(payload)": old],
                producer: .init(pipeline: text, version: text, revision: text),
                params: JSONObject([("p\(payload)", .string(text)), ("q", .array([.string(text)]))]
                ),
                metrics: ["m\(payload)": Double(version)], created: before.created,
                message: "\(text)\nforged\(payload)")
            let id = try transaction.objects.write(snapshot.encoded, hint: .structured)
            _ = try transaction.commit(
                [RefUpdate(name, new: id)], message: "because \(text)", overriding: text)
        }
        let gate: JSON = [
            "signed": false,
            "gates": [
                [
                    "ref": "models/gated", "type": "metric", "metric": .string("g\(payload)"),
                    "atLeast": 1,
                ]
            ],
        ]
        try sandbox.write("policy.json", gate.canonicalText)
        _ = try sandbox.ftictl("policy", "set", "policy.json", environment: author)
        try sandbox.write("lock", #"{"fti-lock":1,"x\#(payload)":1}"#)
        try sandbox.write("bad.yaml", "a\(payload): [\n")
        return sandbox
    }

    /// The output on a terminal, without the line ends of the terminal and the colours of the programs.
    private static func shown(_ text: String) -> [Unicode.Scalar] {
        let colors = ["0", "1", "2", "31", "32", "33", "35", "36"].map { "\u{1B}[\($0)m" }
        let known = (["\r\u{1B}[K"] + colors).map { Array($0.unicodeScalars) }
        var rest = Array(text.unicodeScalars)[...]
        var shown: [Unicode.Scalar] = []
        while let scalar = rest.first {
            if let sequence = known.first(where: { rest.starts(with: $0) }) {
                rest = rest.dropFirst(sequence.count)
                continue
            }
            let next = rest.dropFirst().first { $0 != "\r" }
            if scalar != "\r" || next != "\n" { shown.append(scalar) }
            rest = rest.dropFirst()
        }
        return shown
    }

    private static let commands: [[String]] = [
        ["log"], ["log", "models/a"], ["log", "models/a", "--oneline"], ["log", "--graph"],
        ["reflog"], ["reflog", "models/a"], ["show", "models/a"], ["show", "features/a"],
        ["show", "models/a:model.safetensors"], ["show", "features/a:\(key)"],
        ["diff", "models/a~1", "models/a"], ["diff", "models/a~3", "models/a"],
        ["diff", "features/a~1", "features/a"], ["lineage", "models/a"],
        ["lineage", "models/a", "--dot"], ["lineage", "models/a~1", "--down"],
        ["ls", "features/a"],
        ["ls", "models/a"], ["refs"], ["stats"], ["verify", "--full"], ["gc", "--dry-run"],
        ["policy", "show"], ["promote", "models/a", "models/gated"],
        ["promote", "models/a", "models/gated", "--dry-run"],
        ["pin", "models/a", "-o", "lock\(payload)"], ["pin", "--leases"],
        ["pin", "--check", "lock\(payload)"], ["pin", "--check", "lock"],
        ["resolve", "models/a^\(payload)"], ["resolve", payload], ["cat", "models/a:\(payload)"],
        ["put", "models/\(payload)", "m0"], ["put", "models/b", "none\(payload)"],
        ["put", "models/b", "m0", "--metric", "\(payload)=\(payload)"],
        ["put", "models/b", "m0", "--param", payload], ["get", "models/a", "-o", "out\(payload)"],
        [payload], ["log", "--\(payload)"], ["rollback", "models/a", "--to", payload],
        ["undo"], ["key", "show", payload], ["init", "dir\(payload)"], ["--repo", payload, "refs"],
    ]

    @Test("no command prints hostile text to a pipe, and JSON escapes every control character")
    func pipes() throws {
        let sandbox = try Self.sandbox()
        for command in Self.commands {
            let outcome = try sandbox.ftictl(command)
            let text = outcome.output + outcome.error
            #expect(!text.unicodeScalars.contains(where: Self.isHostile), "\(command)")
            let json = try sandbox.ftictl(command + ["--json"])
            #expect(
                !(json.output + json.error).utf8.contains { $0 < 0x20 && $0 != 0x0A }, "\(command)")
        }
    }

    @Test("no command prints hostile text to a terminal; colours are the only escape sequences")
    func terminals() throws {
        let sandbox = try Self.sandbox()
        let program = """
            import os, pty, sys
            os.environ.update(PAGER='cat', TERM='xterm', COLUMNS='100')
            pty.spawn(sys.argv[1:])
            """
        try sandbox.write("terminal.py", program)
        // Content is escaped for a terminal too.
        for command in Self.commands + [["cat", "models/a:a.txt"], ["cat", "models/a"]] {
            for arguments in [command, command + ["--json"]] {
                let outcome = try sandbox.run(
                    "/usr/bin/python3", [sandbox.path("terminal.py"), Sandbox.ftictl] + arguments)
                #expect(!outcome.output.isEmpty || arguments.contains("--json"), "\(arguments)")
                #expect(!Self.shown(outcome.output).contains(where: Self.isHostile), "\(arguments)")
            }
        }
    }

    @Test("cat writes the content into a pipe, byte for byte")
    func content() throws {
        let sandbox = try Self.sandbox()
        #expect(
            try sandbox.ftictl("cat", "models/a:a.txt").output
                == "line\(Self.payload)\n1\(Self.payload)\n")
    }

    @Test("neither the pipelines nor errors of configurations and lock files print hostile text")
    func pipelines() throws {
        let sandbox = try Self.sandbox()
        for (program, arguments) in [
            ("fti-feature", ["run", "bad.yaml"]), ("fti-feature", ["run", "none\(Self.payload)"]),
            ("fti-training", ["run", "bad.yaml"]), ("fti-training", ["run", Self.payload]),
            ("fti-inference", ["ask", "q", "--pin", "lock"]),
            ("fti-inference", ["ask", "q", "--release", Self.payload]),
            ("fti-inference", ["ask", "q", "--features", "features/a", "--model", "models/a"]),
        ] {
            let path = Project.executable(program)
            let outcome = try sandbox.run(path, arguments)
            #expect(outcome.status != 0, "\(program) \(arguments)")
            #expect(
                !(outcome.output + outcome.error).unicodeScalars.contains(where: Self.isHostile),
                "\(program) \(arguments)")
        }
    }
}
