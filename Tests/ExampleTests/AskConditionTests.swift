import Foundation
import TestSupport
import Testing

@Suite("Questions with conditions")
struct AskConditionTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    private func objects(_ outcome: Outcome) throws -> [[String: Any]] {
        try outcome.output.split(separator: "\n").map { line in
            try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    private func documents(_ reply: [String: Any]) -> Set<String> {
        let sources = reply["sources"] as? [[String: Any]] ?? []
        return Set(sources.compactMap { $0["document"] as? String })
    }

    @Test("one question is answered from the rows that fit", arguments: ["", " --approximate"])
    func one(option: String) throws {
        let ask = "FTI_REPO=.fti-example fti-inference ask 'What size holes do I drill in brick?'"
        let all = try objects(try bench.run("\(ask) --json\(option)"))
        let first = try #require(all.first)
        let document = try #require(documents(first).first)
        let condition = "document != '\(document)' and ordinal = 0"
        let outcome = try bench.run("\(ask) -k 20 --json --where \"\(condition)\"\(option)")
        let reply = try #require(try objects(outcome).first)
        #expect(!documents(reply).isEmpty && !documents(reply).contains(document))
        #expect(reply["where"] as? String == condition)
        let text = try bench.run("\(ask) --where \"\(condition)\"\(option)")
        #expect(text.output.contains("where        \(condition)"))
        for (wrong, part) in [
            ("documnt = 'x'", "document"), ("ordinal = 'x'", "a number"), ("a", "byte 2"),
        ] {
            let refused = try bench.run("\(ask) --where \"\(wrong)\"\(option)")
            #expect(refused.status == 64 && refused.output.isEmpty)
            #expect(refused.error.contains(part), "\(refused.error)")
        }
    }

    @Test("a request may add its own condition to the common one")
    func lines() throws {
        let requests = [
            #"{"id":1,"question":"When does the frost alarm go off?"}"#,
            #"{"id":2,"question":"When does the frost alarm go off?","where":"ordinal = 1"}"#,
            #"{"id":3,"question":"When does the frost alarm go off?","where":"ordinl = 1"}"#,
            #"{"id":4,"question":"When does the frost alarm go off?","where":7}"#,
            #"{"id":5,"question":"When does the frost alarm go off?","where":"ordinal ="}"#,
            "When does the frost alarm go off?",
        ]
        try Data(requests.joined(separator: "\n").utf8).write(
            to: bench.directory.appending(path: "requests"))
        let outcome = try bench.run(
            "FTI_REPO=.fti-example fti-inference ask --stdin --where 'ordinal <= 1' < requests")
        #expect(outcome.status == 0, "\(outcome.error)")
        let replies = try objects(outcome)
        try #require(replies.count == 6)
        #expect(
            replies.map { $0["where"] as? String } == [
                "ordinal <= 1", "ordinal <= 1 and ordinal = 1", nil, nil, nil, "ordinal <= 1",
            ])
        #expect(
            replies.map { $0["error"] as? String } == [nil, nil, "usage", "usage", "usage", nil])
        for source in replies[1]["sources"] as? [[String: Any]] ?? [] {
            #expect((source["key"] as? String)?.hasSuffix("/01") == true)
        }
        #expect((replies[2]["message"] as? String)?.contains("ordinal") == true)
    }
}
