@testable import Conditions
import Artifacts
import InferencePipeline
import Objects
import Refs
import Storage
import Testing

@Suite("Answers from rows that fit a condition")
struct ConditionedAnswerTests {
    private func answering(
        _ fixture: Fixture, _ condition: String, approximately: Bool = false
    ) throws -> QuestionAnswering {
        var options = Fixture.options(where: try Condition(condition))
        options.isApproximate = approximately
        return try QuestionAnswering(
            Fixture.current, in: fixture.repository, now: Fixture.writer.now(), loading: options)
    }

    @Test(
        "the best chunks are found among the rows that fit, however near the others are",
        arguments: [
            ("author = 'ada'", ["frost.md"]), ("tags in ('pump.md', 'export.md')", nil),
            ("updated is null", ["export.md"]), ("updated >= 2026-02-01", []),
            ("author != 'ada' and updated >= 2026-01-01", ["mounting.md", "pump.md"]),
            ("headings = 'holes'", ["mounting.md"]), ("key >= 'pump'", ["pump.md"]),
        ] as [(String, [String]?)], [false, true])
    func fitting(_ test: (condition: String, documents: [String]?), approximately: Bool) throws {
        let answering = try answering(
            try Fixture(), test.condition, approximately: approximately)
        let reply = try answering.answer("When does the frost alarm ring?", count: 4)
        let documents = Set(reply.sources.map(\.row.document))
        #expect(documents == Set(test.documents ?? ["pump.md", "export.md"]))
        #expect(reply.json["where"]?.string == (try Condition(test.condition)).description)
        #expect(reply.lines.contains { $0.hasPrefix("where ") })
        if documents.isEmpty {
            #expect(!reply.isAnswered && reply.sources.isEmpty)
        }
    }

    @Test("a question's own condition adds to the common one, for that question only")
    func own() throws {
        let answering = try answering(try Fixture(), "author = 'bob'")
        let own = try Condition("tags = 'frost.md' or tags = 'pump.md'")
        for _ in 0..<2 {
            let reply = try answering.answer("frost alarm", count: 4, where: own)
            #expect(reply.sources.map(\.row.document) == ["pump.md"])
            #expect(
                reply.json["where"]?.string
                    == "author = 'bob' and (tags = 'frost.md' or tags = 'pump.md')")
        }
        #expect(try answering.answer("frost alarm", count: 4).sources.count == 3)
        // More conditions than the cache holds.
        for number in 0..<40 {
            let other = try Condition("ordinal < \(number)")
            let count = try answering.answer("frost", count: 4, where: other).sources.count
            #expect(count == (number == 0 ? 0 : 3))
        }
    }

    @Test(
        "an unknown name, or a value of another type, is a usage error that lists the names",
        arguments: ["autor = 'x'", "author = 5", "tags < 'x'", "updated = 'soon'", "ordinal = 'x'"])
    func misfits(condition: String) throws {
        let fixture = try Fixture()
        for body in [
            { _ = try answering(fixture, condition) },
            {
                let answering = try fixture.answering()
                _ = try answering.answer("frost", count: 1, where: try Condition(condition))
            },
        ] as [() throws -> Void] {
            let error = #expect(throws: InferenceError.self) { try body() }
            #expect(error?.fault == .usage)
            if condition.hasPrefix("autor") {
                #expect(error?.message.contains("author") == true)
                #expect(error?.message.contains("headings") == true)
            }
        }
    }

    @Test("a source has the metadata of its document, flattened, and its address in the text")
    func metadata() throws {
        let reply = try Fixture().answering().answer("When does the frost alarm ring?", count: 1)
        let source = try #require(reply.json["sources"]?.array?.first?.object)
        #expect(source["url"] == "https://docs.example.com/frost.md")
        #expect(source["author"] == "ada" && source["updated"] == "2026-01-31")
        #expect(source["tags"] == ["all", "frost.md"])
        #expect(source["score"]?.number != nil && source["key"]?.string == "frost.md#alarm/00")
        #expect(reply.lines.contains("   https://docs.example.com/frost.md"))
        #expect(
            reply.lines.contains("   author: ada; tags: all, frost.md; updated: 2026-01-31"))
    }

    @Test("features whose rows lack an attribute of the condition are rejected")
    func parked() throws {
        let fixture = try Fixture()
        let service = try AnswerService(
            .init(
                Fixture.current, loading: Fixture.options(where: try Condition("author = 'ada'")),
                now: Fixture.writer.now), in: fixture.repository)
        let transaction = try fixture.repository.begin(writer: Fixture.writer)
        var other = try Snapshot(fixture.features, in: transaction.objects)
        let embedder = try BuiltinEmbedder(dimension: 64)
        let plain = FeatureRow(
            document: "a", title: "a", section: "", headings: [], ordinal: 0, text: "frost")
        let table = try Table.build(
            rows: [
                TableRow(
                    key: plain.key, attributes: plain.attributes,
                    vector: embedder.embed("frost", as: .document))
            ], dimension: 64, in: transaction.objects)
        other.content = .table(table)
        other.params = JSONObject()
        let id = try transaction.objects.write(other.encoded, hint: .structured)
        _ = try transaction.commit([RefUpdate(try RefName("features/prod"), new: id)])
        guard case .parked(let parked) = service.follow() else {
            Issue.record("not parked")
            return
        }
        #expect(parked.error.fault == .usage)
        #expect(try service.quote("frost", count: 3).sources.map(\.row.document) == ["frost.md"])
        service.stop()
    }
}
