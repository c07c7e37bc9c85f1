import Foundation
import TestSupport
import Testing

@Suite("The state of production")
struct StatusTests {
    private let sandbox: Sandbox

    init() throws {
        sandbox = try Sandbox.withRepository()
        try put("models/candidate", "one", recall: 0.9)
        #expect(try sandbox.ftictl("promote", "models/candidate", "models/current").status == 0)
    }

    private func put(_ ref: String, _ text: String, recall: Double) throws {
        try sandbox.write("model", text)
        #expect(
            try sandbox.ftictl("put", ref, "model", "-m", text, "--metric", "recall=\(recall)")
                .status == 0)
    }

    private func status() throws -> [String: Any] {
        try sandbox.ftictl("status", "--json").object()
    }

    @Test("promoted versions are in production, and nothing waits")
    func promoted() throws {
        let status = try status()
        let production = try #require(status["production"] as? [[String: Any]])
        #expect(production.map { $0["ref"] as? String } == ["models/current"])
        #expect(production.first?["transaction"] as? Int == 2)
        #expect((status["waiting"] as? [Any])?.isEmpty == true)
        #expect(status["pins"] is NSNull)
        let text = try sandbox.ftictl("status")
        #expect(text.status == 0 && text.output.contains("models/current"))
        #expect(!text.output.contains("newer"))
    }

    @Test("a newer candidate is shown with the verdict of its gates")
    func waiting() throws {
        try put("models/candidate", "two", recall: 0.7)
        try put("models/experiment", "three", recall: 0.7)
        var waiting = try #require(try status()["waiting"] as? [[String: Any]])
        #expect(waiting.map { $0["ref"] as? String } == ["models/candidate"])
        #expect(waiting.first?["passes"] as? Bool == true)
        #expect(
            try sandbox.ftictl("status").output.contains(
                "ftictl promote models/candidate models/current"))
        try sandbox.write(
            "policy.json",
            #"{"signed":false,"gates":[{"ref":"models/current","type":"metric","metric":"recall","atLeast":0.8}]}"#
        )
        #expect(try sandbox.ftictl("policy", "set", "policy.json").status == 0)
        let before = try sandbox.ftictl("stats", "--json").object()["transactions"] as? Int
        waiting = try #require(try status()["waiting"] as? [[String: Any]])
        #expect(waiting.first?["passes"] as? Bool == false)
        #expect(
            (waiting.first?["gates"] as? [[String: Any]])?.first?["found"] as? String
                == "it has 0.7")
        let text = try sandbox.ftictl("status").output
        #expect(text.contains("refuses") && !text.contains("ftictl promote"))
        #expect(try sandbox.ftictl("stats", "--json").object()["transactions"] as? Int == before)
    }

    @Test("outdated pins and the data that leases keep are shown")
    func pins() throws {
        #expect(try sandbox.ftictl("pin", "models/current").status == 0)
        #expect((try status()["pins"] as? [Any])?.isEmpty == true)
        try put("models/candidate", "two", recall: 0.95)
        #expect(try sandbox.ftictl("promote", "models/candidate", "models/current").status == 0)
        let object = try status()
        let pins = try #require(object["pins"] as? [[String: Any]])
        #expect(pins.map { $0["revision"] as? String } == ["models/current"])
        #expect((object["leases"] as? [Any])?.count == 1)
        let text = try sandbox.ftictl("status").output
        #expect(text.contains("models/current  pinned") && text.contains("models/candidate@{1}"))
    }

    @Test("broken refs hide no others, and are reported at the end")
    func broken() throws {
        #expect(try sandbox.ftictl("move", "models/live", "models/current").status == 0)
        #expect(try sandbox.shell("rm -f .fti/packs/*").status == 0)
        let outcome = try sandbox.ftictl("status")
        #expect(outcome.status == 5)
        #expect(outcome.output.contains("models/current") && outcome.output.contains("models/live"))
        #expect(outcome.output.contains("broken"))
    }

    @Test("a repository with nothing in production says so")
    func nothing() throws {
        let sandbox = try Sandbox.withRepository()
        let outcome = try sandbox.ftictl("status")
        #expect(outcome.status == 0 && outcome.output.contains("nothing in production"))
    }
}
