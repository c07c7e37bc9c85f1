import Foundation
import TestSupport
import Testing

@Suite("Storing and fetching")
struct StoreTests {
    @Test("a stored directory comes back unchanged")
    func roundTrip() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("model/config.json", "{}\n")
        try sandbox.write("model/empty", "")
        try sandbox.write("model/deep/er/run.sh", "#!/bin/sh\n")
        try sandbox.write("model/weights.bin", Data((0..<200_000).map { UInt8($0 % 251) }))
        _ = try sandbox.shell("chmod +x model/deep/er/run.sh; mkdir model/nothing")
        let put = try sandbox.ftictl("put", "models/a", "model", "-m", "first", "--json").object()
        #expect(put["transaction"] as? Int == 1)
        #expect(put["unchanged"] as? Bool == false)
        #expect(put["newBytes"] as? Int ?? 0 > 0)
        #expect(put["storedBytes"] as? Int ?? 0 > 0)
        let refs = try #require(put["refs"] as? [[String: Any]])
        #expect(refs.count == 1)
        #expect(refs[0]["name"] as? String == "models/a")
        #expect(refs[0]["old"] is NSNull)
        #expect(refs[0]["new"] as? String == put["id"] as? String)
        #expect(try sandbox.ftictl("get", "models/a", "-o", "out").status == 0)
        let diff = try sandbox.shell("diff -r model out && test -x out/deep/er/run.sh")
        #expect(diff.status == 0, "\(diff.output)")
        #expect(try sandbox.ftictl("get", "models/a", "-o", "out").status == 64)
        #expect(try sandbox.ftictl("get", "models/a", "-o", "out", "--force").status == 0)
        #expect(try sandbox.ftictl("get", "models/a:deep", "-o", "part").status == 0)
        #expect(try sandbox.read("part/er/run.sh") == "#!/bin/sh\n")
    }

    @Test("an id is the SHA-256 of the bytes")
    func identity() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("file", "some bytes")
        let put = try sandbox.ftictl("put", "models/a", "file", "--json").object()
        let id = try #require(put["id"] as? String)
        for (revision, expected) in [("models/a", id), (id, id)] {
            let sum = try sandbox.shell("$FTICTL cat \(revision) | sha256sum")
            #expect(sum.output.hasPrefix(expected))
        }
        let file = try sandbox.ftictl("resolve", "models/a:file").lines[0]
        #expect(try sandbox.shell("sha256sum < file").output.hasPrefix(file))
        #expect(try sandbox.ftictl("cat", "models/a:file").output == "some bytes")
        let resolved = try sandbox.ftictl("resolve", "models/a", "--json").object()
        #expect(resolved["id"] as? String == id)
        #expect(resolved["kind"] as? String == "model")
    }

    @Test("unchanged content makes no transaction, but a new message does")
    func unchanged() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("file", "x")
        let first = try sandbox.ftictl("put", "models/a", "file", "-m", "one", "--json").object()
        let again = try sandbox.ftictl("put", "models/a", "file", "--json").object()
        #expect(again["unchanged"] as? Bool == true)
        #expect(again["id"] as? String == first["id"] as? String)
        #expect(again["transaction"] is NSNull)
        #expect(
            try sandbox.ftictl("put", "models/a", "file", "-m", "one").output.contains("unchanged"))
        let other = try sandbox.ftictl("put", "models/a", "file", "-m", "two", "--json").object()
        #expect(other["transaction"] as? Int == 2)
    }

    @Test("stored rows come back, and one changed row costs little")
    func table() throws {
        let sandbox = try Sandbox.withRepository()
        let rows = (1...400).map { number in
            #"{"id":"doc\#(number)","text":"the text of document \#(number)","v":[0.5,\#(number)]}"#
        }
        try sandbox.write("rows.jsonl", rows.joined(separator: "\r\n") + "\n\n")
        let put = try sandbox.ftictl(
            "put", "features/a", "rows.jsonl", "--key", "id", "--vector", "v", "--json")
        #expect(put.status == 0, "\(put.error)")
        #expect(try sandbox.ftictl("get", "features/a", "-o", "out").status == 0)
        let written = try sandbox.read("out/rows.jsonl").split(separator: "\n")
        #expect(written.count == 400)
        let first = #"{"id":"doc1","text":"the text of document 1","vector":[0.5,1.0]}"#
        #expect(written[0] == first)
        #expect(try sandbox.ftictl("cat", "features/a:doc1").lines == [first])
        #expect(try sandbox.ftictl("ls", "features/a").lines.count == 400)
        var changed = rows
        changed[6] = #"{"id":"doc7","text":"the new text of document 7","v":[0.5,7]}"#
        try sandbox.write("rows.jsonl", changed.joined(separator: "\n"))
        let second = try sandbox.ftictl(
            "put", "features/a", "rows.jsonl", "--key", "id", "--vector", "v", "--json"
        ).object()
        #expect(second["storedBytes"] as? Int ?? .max < 4000)
        let same = try sandbox.ftictl(
            "put", "features/b", "rows.jsonl", "--key", "id", "--vector", "v", "--json"
        ).object()
        #expect(same["newBytes"] as? Int ?? .max < 1000)
        #expect(try sandbox.ftictl("diff", "features/a", "features/b", "--exit-code").status == 0)
    }

    @Test(
        "rows that cannot be stored are reported by line, and nothing is stored",
        arguments: [
            (#"{"id":"a"}"# + "\n{\"id\":1.5}\n", "line 2"),
            ("{\"id\":\"a\"}\nnonsense\n", "line 2"),
            ("{\"id\":\"a\"}\n{\"id\":\"a\"}\n", "line 2"), ("{\"x\":1}\n", "line 1"),
            ("{\"id\":\"\"}\n", "line 1"), ("[1]\n", "line 1"),
        ])
    func badRows(text: String, place: String) throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("rows.jsonl", text)
        let outcome = try sandbox.ftictl("put", "features/a", "rows.jsonl", "--key", "id")
        #expect(outcome.status == 64)
        #expect(outcome.error.contains(place), "\(outcome.error)")
        #expect(try sandbox.ftictl("stats", "--json").object()["packs"] as? Int == 0)
    }

    @Test("pipes, links and forbidden names are refused at once")
    func specialFiles() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("dir/file", "x")
        _ = try sandbox.shell(
            "mkfifo pipe; ln -s dir link; ln -s loop loop; ln -s ../link dir/outside")
        for (path, status) in [("pipe", 64), ("link", 64), ("loop", 64), ("dir", 64)]
            as [(String, Int32)]
        {
            let outcome = try sandbox.ftictl("put", "models/a", path)
            #expect(outcome.status == status)
            #expect(outcome.error.contains(path))
        }
        _ = try sandbox.shell("rm dir/outside")
        #expect(try sandbox.ftictl("put", "models/a", "link", "--follow").status == 0)
        _ = try sandbox.shell("mkdir odd; touch $'odd/new\\nline'")
        #expect(try sandbox.ftictl("put", "models/a", "odd").status == 64)
    }

    @Test("ls lists entries and show describes")
    func listing() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("m/a.txt", "12345")
        try sandbox.write("m/d/b.txt", "1")
        _ = try sandbox.ftictl("put", "models/a", "m", "-m", "hello", "--metric", "x=0.5")
        let list = try sandbox.ftictl("ls", "models/a", "--json").object()
        let entries = try #require(list["entries"] as? [[String: Any]])
        #expect(entries.map { $0["path"] as? String } == ["a.txt", "d"])
        #expect(entries[0]["size"] as? Int == 5)
        #expect(entries[1]["mode"] as? String == "directory")
        let deep = try sandbox.ftictl("ls", "-r", "models/a", "--json").object()
        #expect(
            (deep["entries"] as? [[String: Any]])?.map { $0["path"] as? String } == [
                "a.txt", "d/b.txt",
            ])
        let show = try sandbox.ftictl("show", "models/a", "--json").object()
        #expect(show["message"] as? String == "hello")
        #expect(show["kind"] as? String == "model")
        #expect((show["metrics"] as? [String: Double]) == ["x": 0.5])
        #expect(try sandbox.ftictl("show", "models/a").output.contains("hello"))
    }
}
