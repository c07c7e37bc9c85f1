import Foundation
import TestSupport
import Testing

@Suite("Comparing")
struct DiffTests {
    private func safetensors(_ tensors: [(name: String, values: [Float])]) throws -> Data {
        var header: [String: Any] = [:]
        var data = Data()
        for tensor in tensors {
            let start = data.count
            for value in tensor.values {
                withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
            }
            header[tensor.name] = [
                "dtype": "F32", "shape": [tensor.values.count],
                "data_offsets": [start, data.count],
            ]
        }
        let text = try JSONSerialization.data(withJSONObject: header)
        var file = Data()
        withUnsafeBytes(of: UInt64(text.count).littleEndian) { file.append(contentsOf: $0) }
        return file + text + data
    }

    @Test("rows are counted, listed, and their words compared")
    func rows() throws {
        let sandbox = try Sandbox.withRepository()
        func put(_ rows: [String]) throws {
            try sandbox.write("rows.jsonl", rows.joined(separator: "\n"))
            #expect(
                try sandbox.ftictl("put", "features/a", "rows.jsonl", "--key", "id").status == 0)
        }
        try put([
            #"{"id":"a","text":"you may carry over five days of leave"}"#,
            #"{"id":"b","text":"b"}"#,
            #"{"id":"c","text":"c"}"#,
        ])
        try put([
            #"{"id":"a","text":"you may carry over ten days of leave"}"#, #"{"id":"c","text":"c"}"#,
            #"{"id":"d","text":"d"}"#,
        ])
        let text = try sandbox.ftictl("diff", "features/a~1", "features/a")
        #expect(text.status == 0)
        #expect(text.output.contains("carry over [-five-]{+ten+} days"))
        #expect(text.output.contains("1 added, 1 removed, 1 changed, 1 unchanged"))
        let json = try sandbox.ftictl("diff", "features/a~1", "features/a", "--rows", "--json")
        let objects = try json.objects()
        #expect(objects.count == 4)
        for (field, count) in [("added", 1), ("removed", 1), ("changed", 1), ("unchanged", 1)] {
            #expect(objects[0][field] as? Int == count)
        }
        #expect(objects[1...].map { $0["key"] as? String } == ["a", "b", "d"])
        #expect(objects[1...].map { $0["change"] as? String } == ["changed", "removed", "added"])
        #expect((objects[1]["after"] as? [String: Any])?["id"] as? String == "a")
        #expect(objects[3]["before"] is NSNull)
        #expect(
            try sandbox.ftictl("diff", "features/a", "features/a~1", "--exit-code", "--stat").status
                == 1)
        #expect(
            try sandbox.ftictl("diff", "features/a", "features/a", "--exit-code").status == 0)
    }

    @Test("files and metadata are compared; a table and a tree are not")
    func files() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("m/a", "one\ntwo\nthree\n")
        try sandbox.write("m/b", "b")
        _ = try sandbox.ftictl("put", "models/a", "m", "--metric", "x=1")
        try sandbox.write("m/a", "one\n2\nthree\n")
        try sandbox.write("m/c", "c")
        _ = try sandbox.ftictl("put", "models/a", "m", "--metric", "x=2")
        let outcome = try sandbox.ftictl("diff", "models/a~1", "models/a", "--json", "--rows")
        let objects = try outcome.objects()
        #expect(objects[0]["added"] as? Int == 1)
        #expect(objects[0]["changed"] as? Int == 1)
        #expect(objects[0]["unchanged"] as? Int == 1)
        #expect(
            (objects[0]["metadata"] as? [[String: Any]])?.first?["key"] as? String == "metrics.x")
        let text = try sandbox.ftictl("diff", "models/a~1", "models/a").output
        #expect(text.contains("-two") && text.contains("+2") && text.contains("metrics.x: 1 -> 2"))
        try sandbox.write("rows.jsonl", #"{"id":"x"}"#)
        _ = try sandbox.ftictl("put", "features/a", "rows.jsonl", "--key", "id")
        #expect(try sandbox.ftictl("diff", "models/a", "features/a").status == 64)
    }

    @Test("tensors are compared by name, shape and numbers")
    func tensors() throws {
        let sandbox = try Sandbox.withRepository()
        let numbers = (1...5000).map { Float($0) }
        try sandbox.write(
            "m/model.safetensors",
            safetensors([("gone", [1]), ("same", [1, 2]), ("w", numbers)]))
        _ = try sandbox.ftictl("put", "models/a", "m")
        try sandbox.write(
            "m/model.safetensors",
            safetensors([("new", [1]), ("same", [1, 2]), ("w", numbers.map { $0 * 1.5 })]))
        _ = try sandbox.ftictl("put", "models/a", "m")
        let changes = try sandbox.ftictl("diff", "models/a~1", "models/a", "--json", "--rows")
            .objects().filter { $0["what"] as? String == "tensor" }
        #expect(changes.map { $0["key"] as? String } == ["gone", "new", "w"])
        #expect(changes.map { $0["change"] as? String } == ["removed", "added", "changed"])
        #expect(changes[2]["relativeChange"] as? Double == 0.5)
        let text = try sandbox.ftictl("diff", "models/a~1", "models/a").output
        #expect(text.contains("50.00 %") && text.contains("1 tensor unchanged"))
        #expect(
            try sandbox.ftictl("show", "models/a:model.safetensors").output.contains("3 tensors"))
    }

    @Test("a malformed safetensors file is stored as it is, and show says why")
    func badTensors() throws {
        let sandbox = try Sandbox.withRepository()
        let hostile = [
            Data(), Data(repeating: 0xFF, count: 8),
            Data([200, 0, 0, 0, 0, 0, 0, 0]) + Data("{}".utf8),
            Data([2, 0, 0, 0, 0, 0, 0, 0]) + Data("{}x".utf8),
        ]
        for bytes in hostile {
            try sandbox.write("m/x.safetensors", bytes)
            #expect(try sandbox.ftictl("put", "models/a", "m").status == 0)
            let show = try sandbox.ftictl("show", "models/a:x.safetensors")
            #expect(show.output.contains("not a valid safetensors: "), "\(bytes.count)")
        }
        let diff = try sandbox.ftictl("diff", "models/a~1", "models/a")
        #expect(diff.output.contains("not a valid safetensors: "))
    }

    /// Puts chunks, given as document, section and texts, under the keys that a run gives them.
    private func put(
        _ sections: [(document: String, section: String, texts: [String])], in sandbox: Sandbox,
        ref: String = "features/a"
    ) throws {
        let rows = sections.flatMap { section in
            section.texts.enumerated().map { ordinal, text in
                """
                {"document":"\(section.document)","section":"\(section.section)",\
                "ordinal":\(ordinal),"headings":["H"],"text":"\(text)"}
                """
            }
        }
        try sandbox.write("rows.jsonl", rows.joined(separator: "\n"))
        let outcome = try sandbox.ftictl(
            "put", ref, "rows.jsonl", "--key", "document,section,ordinal")
        #expect(outcome.status == 0, "\(outcome.error)")
    }

    @Test("a renumbered chunk is reported as moved, and an inserted one as added")
    func moved() throws {
        let sandbox = try Sandbox.withRepository()
        let texts = ["one", "two", "three"]
        try put([("a.md", "s", texts), ("b.md", "s", ["other"])], in: sandbox)
        try put([("a.md", "s", ["new"] + texts), ("b.md", "s", ["other"])], in: sandbox)
        let text = try sandbox.ftictl("diff", "features/a~1", "features/a").output
        #expect(text.contains("+ a.md#s#0\n    new\n"))
        #expect(text.contains("> a.md#s#3  from a.md#s#2\n"))
        #expect(text.contains("1 added, 0 removed, 0 changed, 3 moved, 1 unchanged (rows)"))
        let json = try sandbox.ftictl("diff", "features/a~1", "features/a", "--rows", "--json")
            .objects()
        #expect(json.first?["moved"] as? Int == 3 && json.first?["added"] as? Int == 1)
        let moved = json.filter { $0["change"] as? String == "moved" }
        #expect(moved.map { $0["key"] as? String } == ["a.md#s#1", "a.md#s#2", "a.md#s#3"])
        #expect(moved.map { $0["from"] as? String } == ["a.md#s#0", "a.md#s#1", "a.md#s#2"])
        #expect(moved.map { $0["fields"] as? [String] } == [["ordinal"], ["ordinal"], ["ordinal"]])
        #expect(
            try sandbox.ftictl("diff", "features/a~1", "features/a", "--exit-code").status == 1)
    }

    @Test("new, removed, changed and moved documents are named and counted")
    func documents() throws {
        let sandbox = try Sandbox.withRepository()
        try put(
            [
                ("gone.md", "s", ["g"]), ("old/name.md", "s", ["one", "two", "three"]),
                ("same.md", "s", ["same"]), ("shifted.md", "s", ["x", "y"]),
            ], in: sandbox, ref: "features/prod")
        try put(
            [
                ("new.md", "s", ["n"]), ("new/name.md", "s", ["one", "two", "III"]),
                ("same.md", "s", ["same"]), ("shifted.md", "s", ["w", "x", "y"]),
            ], in: sandbox, ref: "features/staging")
        let stat = ["diff", "features/prod", "features/staging", "--stat"]
        let text = try sandbox.ftictl(stat[0], stat[1], stat[2], stat[3]).output
        #expect(
            text.hasSuffix(
                """
                gone.md          -1        gone
                new.md       +1            new
                new/name.md  +1  -1    >2  from old/name.md
                shifted.md   +1        >2
                1 added, 1 removed, 1 changed, 1 moved (documents)
                3 added, 2 removed, 0 changed, 4 moved, 1 unchanged (rows)

                """), "\(text)")
        let object = try sandbox.ftictl(stat[0], stat[1], stat[2], stat[3], "--json").object()
        let documents = try #require(object["documents"] as? [[String: Any]])
        #expect(
            documents.map { $0["change"] as? String } == ["removed", "added", "moved", "changed"])
        #expect(documents.map { $0["from"] as? String } == [nil, nil, "old/name.md", nil])
        let status = try sandbox.ftictl("status").output
        #expect(status.contains("documents: 1 added, 1 removed, 1 changed, 1 moved"))
        let waiting = try sandbox.ftictl("status", "--json").object()["waiting"] as? [[String: Any]]
        #expect(
            waiting?.first?["documents"] as? [String: Int]
                == ["added": 1, "removed": 1, "changed": 1, "moved": 1])
    }
}
