import Foundation
import TestSupport
import Testing

@Suite("What put stores and reports")
struct PutTests {
    @Test("a snapshot of the Hugging Face cache is stored with what its links lead to")
    func cacheOfLinks() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("hub/models--a--b/blobs/b1", "{}")
        try sandbox.write("hub/models--a--b/snapshots/abc/1_Pooling/x", "x")
        _ = try sandbox.shell(
            "cd hub/models--a--b/snapshots/abc; ln -s ../../blobs/b1 config.json; "
                + "ln -s ../../../blobs/b1 1_Pooling/config.json")
        let path = "hub/models--a--b/snapshots/abc"
        #expect(try sandbox.ftictl("put", "models/a", path).status == 0)
        #expect(try sandbox.ftictl("ls", "-r", "models/a").lines.count == 3)
        #expect(try sandbox.ftictl("cat", "models/a:1_Pooling/config.json").output == "{}")
        _ = try sandbox.shell("ln -s /etc/passwd \(path)/passwd")
        let refused = try sandbox.ftictl("put", "models/a", path)
        #expect(refused.status == 64)
        #expect(refused.error.contains("passwd") && refused.error.contains("try: --follow"))
        #expect(try sandbox.ftictl("put", "models/a", path, "--follow").status == 0)
    }

    @Test("patterns that leave out everything, and texts that begin with dashes")
    func edges() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("d/a", "a")
        let nothing = try sandbox.ftictl("put", "models/a", "d", "--exclude", "*")
        #expect(nothing.status == 64 && nothing.error.contains("patterns exclude every file"))
        #expect(try sandbox.ftictl("resolve", "models/a").status == 2)
        for message in ["- fix", "--- x", "--fix it", "-----", "-1"] {
            #expect(try sandbox.ftictl("put", "models/a", "d", "-m", message).status == 0)
            #expect(
                try sandbox.ftictl("show", "models/a", "--json").object()["message"] as? String
                    == message)
        }
    }

    @Test("pipes and kernel files are read to their end")
    func unsized() throws {
        let sandbox = try Sandbox.withRepository()
        let outcome = try sandbox.shell(
            """
            head -c 3000000 /dev/zero | $FTICTL put models/a /dev/stdin && \
            $FTICTL put models/b <(sleep 0.2; echo late) && $FTICTL put models/c /proc/version
            """)
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(try sandbox.shell("$FTICTL cat models/a:stdin | wc -c").output == "3000000\n")
        #expect(
            try sandbox.shell(
                "$FTICTL cat models/b:$($FTICTL ls models/b | awk '{print $NF}')"
            ).output == "late\n")
        #expect(try sandbox.shell("$FTICTL cat models/c:version | cmp - /proc/version").status == 0)
        // It is not cached: the next put reads it again.
        #expect(
            try sandbox.ftictl("put", "models/c", "/proc/version", "--json").object()["unchanged"]
                as? Bool == true)
        let rows = try sandbox.shell(
            "echo '{\"id\":\"a\"}' | $FTICTL put features/a /dev/stdin --key id")
        #expect(rows.status == 0, "\(rows.error)")
        let device = try sandbox.shell("$FTICTL put models/d /dev/fd/3 3< /dev/null")
        #expect(device.status == 64)
    }

    @Test("parameters are kept as text, or as JSON")
    func parameters() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("f", "x")
        let outcome = try sandbox.ftictl(
            "put", "models/a", "f", "-m", "- fix", "--param", "version=1.10", "--param",
            "commit=1234567e8", "--param", "big=9007199254740993", "--param", "flag=true",
            "--param-json", "epochs=3", "--param-json", #"deep={"a":[1,null]}"#)
        #expect(outcome.status == 0, "\(outcome.error)")
        let shown = try sandbox.ftictl("show", "models/a", "--json").object()
        #expect(shown["message"] as? String == "- fix")
        let params = try #require(shown["params"] as? [String: Any])
        for (name, text) in [
            ("version", "1.10"), ("commit", "1234567e8"), ("big", "9007199254740993"),
            ("flag", "true"),
        ] { #expect(params[name] as? String == text) }
        #expect(params["epochs"] as? Int == 3)
        #expect((params["deep"] as? [String: Any])?["a"] is [Any])
        for arguments in [
            ["--metric", "n=9007199254740993"], ["--metric", "n=-18446744073709551615"],
            ["--param-json", "x=1.10.2"], ["--param-json", "x=9007199254740993"],
            ["--param", "x=1", "--param-json", "x=1"],
            ["--param-json", #"x={"k":"https://u:p@h/"}"#, "--param-json", "y"],
        ] {
            let refused = try sandbox.ftictl(["put", "models/b", "f"] + arguments)
            #expect(refused.status == 64, "\(arguments)")
        }
        _ = try sandbox.ftictl(
            "put", "models/c", "f", "--param-json", #"x=["https://u:secret@h/"]"#, "--metric",
            "n=9007199254740992")
        #expect(!(try sandbox.ftictl("show", "models/c", "--json").output.contains("secret")))
    }

    @Test("left out and renamed files are reported")
    func notes() throws {
        let sandbox = try Sandbox.withRepository()
        for name in ["d/keep", "d/.DS_Store", "d/__pycache__/x", "d/a.tmp", "d/b:c"] {
            try sandbox.write(name, name)
        }
        let refused = try sandbox.ftictl("put", "models/a", "d")
        #expect(refused.status == 64)
        #expect(refused.error.contains("--rename-invalid"))
        let outcome = try sandbox.ftictl(
            "put", "models/a", "d", "--exclude", "*.tmp", "--rename-invalid")
        #expect(outcome.status == 0)
        #expect(outcome.error.contains("excluded 2 entries by default"))
        #expect(outcome.error.contains("excluded 1 entry by patterns"))
        #expect(outcome.error.contains("renamed d/b:c -> b%3Ac"))
        let listed = try sandbox.ftictl("ls", "-r", "models/a").output
        #expect(listed.contains("b%3Ac") && listed.contains("keep"))
        #expect(try sandbox.ftictl("cat", "models/a:b%3Ac").output == "d/b:c")
        let all = try sandbox.ftictl(
            "put", "models/a", "d", "--no-default-excludes", "--exclude", "b:c")
        #expect(all.status == 0)
        #expect(try sandbox.ftictl("ls", "-r", "models/a").output.contains("__pycache__/x"))
    }

    @Test("every key that ls prints is accepted as an argument")
    func keys() throws {
        let sandbox = try Sandbox.withRepository()
        let keys = [
            "./docs/a.md", "../b.md", "https://e.org/x/../y", "a//b", "/", ".", "..", "a/", " a ",
            "a:b", "a@{1}", "a^b~2", "%2e", "a#b", "é", "\u{202E}x", "\u{200B}", "1", "01", "\"",
            "\\u{41}", "--json", "-x", "a\\",
        ]
        var lines = try keys.map { key in
            String(
                decoding: try JSONSerialization.data(withJSONObject: ["id": key]), as: UTF8.self)
        }
        lines.append(#"{"id":1}"#)
        try sandbox.write("rows.jsonl", lines.joined(separator: "\n"))
        #expect(try sandbox.ftictl("put", "features/a", "rows.jsonl", "--key", "id").status == 0)
        let printed = try sandbox.ftictl("ls", "features/a").output.split(separator: "\n")
        #expect(printed.count == keys.count + 1)
        var found: Set<String> = []
        for (number, key) in printed.enumerated() {
            let revision = "features/a:\(key)"
            let row = try sandbox.ftictl("cat", revision)
            #expect(row.status == 0, "\(key): \(row.error)")
            found.insert(row.output)
            #expect(try sandbox.ftictl("show", revision).status == 0)
            #expect(try sandbox.ftictl("diff", revision, revision).status == 0)
            #expect(try sandbox.ftictl("get", revision, "-o", "out\(number)").status == 0)
            #expect(try sandbox.read("out\(number)/rows.jsonl") == row.output)
        }
        #expect(found.count == keys.count + 1)
        #expect(try sandbox.ftictl("cat", "features/a:nothing/../x").status == 2)
        #expect(try sandbox.ftictl("get", "features/a", "-o", "-").status == 64)
    }

    @Test("a text key that spells a number is found by the number if no number key exists")
    func spelledNumber() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("rows.jsonl", "{\"id\":\"7\",\"x\":2.0,\"v\":[1,0.5]}\n")
        _ = try sandbox.ftictl(
            "put", "features/a", "rows.jsonl", "--key", "id", "--vector", "v")
        #expect(
            try sandbox.ftictl("cat", "features/a:7").output
                == "{\"id\":\"7\",\"vector\":[1.0,0.5],\"x\":2.0}\n")
    }
}
