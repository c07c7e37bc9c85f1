import Objects
import Refs
import Testing

@Suite("Gates in a policy")
struct GateCodingTests {
    private func gate(_ text: String) throws -> Gate {
        let json = try JSON(parsing: Array(text.utf8).span)
        var reader = JSONObjectReader(try #require(json.object), path: "gates[0]")
        return try Gate(&reader)
    }

    @Test(
        "a gate survives a round trip",
        arguments: [
            #"{"atLeast":0.8,"metric":"recall@10","ref":"models/current","type":"metric"}"#,
            #"{"atLeast":-1,"atMost":2.5,"metric":"loss","ref":"models/*","type":"metric"}"#,
            #"{"ancestorOf":"features/prod","path":"dataset.features","ref":"models/current","type":"input"}"#,
            #"{"ref":"models/current","type":"space","with":"features/prod"}"#,
            #"{"ref":"models/a","requires":["metrics.recall@10","inputs.dataset.features","params.lr.start"],"type":"evidence"}"#,
            #"{"allow":["safetensors","text"],"ref":"models/prod/*","type":"formats"}"#,
            #"{"count":2,"ref":"releases/prod","type":"approvals"}"#,
            #"{"by":["ada","grace"],"count":1,"ref":"releases/prod","type":"approvals"}"#,
        ])
    func roundTrip(text: String) throws {
        #expect(try gate(text).json.canonicalText == text)
    }

    @Test(
        "an error names the wrong member",
        arguments: [
            (#"{"type":"space","with":"features/prod"}"#, "gates[0].ref"),
            (#"{"ref":"models/","type":"space","with":"features/prod"}"#, "gates[0].ref"),
            (#"{"ref":"*","type":"space","with":"features/prod"}"#, "gates[0].ref"),
            (#"{"ref":"models/a*","type":"space","with":"features/prod"}"#, "gates[0].ref"),
            (#"{"ref":"models/a","type":"magic"}"#, "gates[0].type"),
            (#"{"ref":"models/a","type":"space","with":"features/*"}"#, "gates[0].with"),
            (#"{"ref":"models/a","type":"space","with":"features/a","x":1}"#, "gates[0].x"),
            (#"{"ref":"models/a","type":"metric","metric":"r"}"#, "gates[0].atLeast"),
            (
                #"{"ref":"models/a","type":"metric","metric":"r","atLeast":2,"atMost":1}"#,
                "gates[0].atLeast"
            ),
            (
                #"{"ref":"models/a","type":"metric","metric":"r","atLeast":"1"}"#,
                "gates[0].atLeast"
            ),
            (#"{"ref":"models/a","type":"metric","metric":"","atLeast":1}"#, "gates[0].metric"),
            (
                #"{"ref":"models/a","type":"input","path":"a..b","ancestorOf":"features/a"}"#,
                "gates[0].path"
            ),
            (#"{"ref":"models/a","type":"evidence","requires":[]}"#, "gates[0].requires"),
            (
                #"{"ref":"models/a","type":"evidence","requires":["metrics.a","recall"]}"#,
                "gates[0].requires[1]"
            ),
            (
                #"{"ref":"models/a","type":"evidence","requires":["params."]}"#,
                "gates[0].requires[0]"
            ),
            (#"{"ref":"models/a","type":"formats","allow":["exe"]}"#, "gates[0].allow[0]"),
            (
                #"{"ref":"models/a","type":"formats","allow":["text","text"]}"#,
                "gates[0].allow[1]"
            ),
            (#"{"ref":"models/a","type":"approvals","count":0}"#, "gates[0].count"),
            (#"{"ref":"models/a","type":"approvals","count":2,"by":["ada"]}"#, "gates[0].by"),
        ])
    func refusals(text: String, path: String) throws {
        #expect {
            try gate(text)
        } throws: { error in
            (error as? JSONSchemaError)?.path == path
        }
    }

    @Test("a pattern matches only what is below it")
    func patterns() throws {
        let below = try RefPattern("models/prod/*")
        #expect(below.matches(try RefName("models/prod/a")))
        #expect(below.matches(try RefName("models/prod/a/b")))
        #expect(!below.matches(try RefName("models/prod")))
        #expect(!below.matches(try RefName("models/production/a")))
        let one = try RefPattern("models/prod")
        #expect(one.matches(try RefName("models/prod")))
        #expect(!one.matches(try RefName("models/prod/a")))
    }
}
