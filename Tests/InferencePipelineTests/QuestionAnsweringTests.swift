import Artifacts
import InferencePipeline
import Objects
import Refs
import Storage
import Testing

@Suite struct QuestionAnsweringTests {
    @Test(
        "an answer quotes the right sentence and names its source and hashes",
        arguments: [
            (
                "When does the frost alarm ring?", "The frost alarm rings at 3.0 °C by default.",
                "frost.md"
            ),
            ("What holes do I drill in brick?", "Drill 6 mm holes in brick.", "mounting.md"),
            ("Why did the pump stop?", "The pump stops when the tank is dry.", "pump.md"),
        ])
    func answers(question: String, sentence: String, document: String) throws {
        let fixture = try Fixture()
        let reply = try fixture.answering().answer(question, count: 3)
        #expect(reply.sentences.first == sentence)
        #expect(reply.sources.first?.row.document == document)
        #expect(reply.sources.count == 3)
        #expect(reply.features == fixture.features)
        #expect(reply.model == fixture.model)
        #expect(reply.transaction == 1)
        #expect(reply.json["model"]?.string == fixture.model.hex)
        #expect(reply.lines.contains { $0.hasSuffix(fixture.features.hex) })
    }

    @Test("an approximate search says so, and how much of what is nearest it finds")
    func approximate() throws {
        let fixture = try Fixture()
        let exact = try fixture.answering().answer("dry pump", count: 4)
        #expect(exact.search == .exact)
        #expect(exact.json["search"]?.object?["mode"]?.string == "exact")
        let reply = try fixture.answering(approximately: true).answer("dry pump", count: 4)
        // All rows of a small table are ranked.
        #expect(reply.sources == exact.sources)
        let search = try #require(reply.json["search"]?.object)
        #expect(search["mode"]?.string == "approximate")
        #expect(search["recall"] == .number(1))
        #expect(reply.lines.last?.hasPrefix("search       approximate; 100.0 %") == true)
    }

    @Test("replies are the same for any number of threads, and nothing is written")
    func pure() throws {
        let fixture = try Fixture()
        let number = try fixture.repository.state().number
        let one = try fixture.answering(threads: 1).answer("dry pump", count: 4)
        let five = try fixture.answering(threads: 5).answer("dry pump", count: 4)
        #expect(one.json == five.json)
        #expect(try fixture.repository.state().number == number)
    }

    @Test("features and a model of different spaces are refused by identity, with both named")
    func spaces() throws {
        let fixture = try Fixture(modelDimension: 128)
        do {
            _ = try fixture.answering()
            Issue.record("answered from two spaces")
        } catch let error as InferenceError {
            #expect(error.fault == .refused)
            let ids = [try BuiltinEmbedder(dimension: 64), try BuiltinEmbedder(dimension: 128)]
                .map(\.space.id.hex)
            for id in ids { #expect(error.message.contains(id)) }
            #expect(error.remedy != nil)
        }
    }

    @Test("an embedder that does not reproduce the canaries is refused")
    func canaries() throws {
        let fixture = try Fixture(canaryShift: 0.25)
        do {
            _ = try fixture.answering()
            Issue.record("answered with another embedder")
        } catch let error as InferenceError {
            #expect(error.fault == .refused)
        }
    }

    @Test("a lock file answers from what it pins after the refs have moved")
    func pinned() throws {
        let fixture = try Fixture()
        let state = try fixture.repository.state()
        let lock = LockFile(
            repository: state.repositoryID, transaction: state.number,
            pins: [
                .init(revision: "features/prod", id: fixture.features, kind: .features),
                .init(revision: "models/current", id: fixture.model, kind: .model),
            ])
        let transaction = try fixture.repository.begin(writer: Fixture.writer)
        _ = try transaction.commit(
            [RefUpdate(try RefName("models/current"), new: nil)], message: "remove")
        #expect(throws: InferenceError.self) { try fixture.answering() }
        let reply = try fixture.answering(.pinned(lock, path: "fti.lock")).answer("frost", count: 1)
        #expect(reply.model == fixture.model)
        #expect(reply.transaction == state.number)
    }

    @Test("lock files of other repositories, and those without a model, are refused")
    func wrongPins() throws {
        let fixture = try Fixture()
        let other = try Fixture()
        let pin = LockFile.Pin(revision: "features/prod", id: fixture.features, kind: .features)
        let foreign = LockFile(
            repository: try other.repository.state().repositoryID, transaction: 1, pins: [pin])
        let incomplete = LockFile(
            repository: try fixture.repository.state().repositoryID, transaction: 1, pins: [pin])
        for lock in [foreign, incomplete] {
            #expect(throws: InferenceError.self) {
                try fixture.answering(.pinned(lock, path: "fti.lock"))
            }
        }
        #expect(throws: InferenceError.self) { try Selection.pinned(by: "/no/such/fti.lock") }
    }

    @Test("refs of the wrong kind are refused")
    func kinds() throws {
        let fixture = try Fixture()
        #expect(throws: InferenceError.self) {
            try fixture.answering(.revisions(features: "models/current", model: "models/current"))
        }
        #expect(throws: InferenceError.self) {
            try fixture.answering(.revisions(features: "features/prod", model: "features/prod"))
        }
    }

    @Test("a question without known words still gets passages")
    func unknownWords() throws {
        let reply = try Fixture().answering().answer("zzz", count: 2)
        #expect(reply.sources.count == 2)
        #expect(reply.sentences.count == 1)
    }
}
