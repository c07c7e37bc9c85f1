import Artifacts
@testable import InferencePipeline
import Objects
import Refs
import Storage
import Synchronization
import TestSupport
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
        #expect(reply.isAnswered && reply.answer.hasPrefix(sentence))
        #expect(reply.sources.first?.row.document == document)
        #expect(reply.sources.count == 3)
        #expect(reply.json["quotedFrom"] == 1)
        #expect(reply.lines.first?.hasSuffix("[1]") == true)
        #expect(reply.features == fixture.features)
        #expect(reply.model == fixture.model)
        #expect(reply.transaction == 1)
        #expect(reply.json["model"]?.string == fixture.model.hex)
        #expect(reply.lines.contains { $0.hasSuffix(fixture.features.hex) })
    }

    @Test("an approximate search reports itself and its recall")
    func approximate() throws {
        let fixture = try Fixture()
        let exact = try fixture.answering().answer("dry pump", count: 4)
        #expect(exact.retrieval.search == .exact)
        #expect(exact.json["search"]?.object?["mode"]?.string == "exact")
        let reply = try fixture.answering(approximately: true).answer("dry pump", count: 4)
        // All rows of a small table are ranked.
        #expect(reply.sources.map(\.row) == exact.sources.map(\.row))
        let search = try #require(reply.json["search"]?.object)
        #expect(search["mode"]?.string == "approximate")
        #expect(search["recall"] == .number(1))
        #expect(reply.lines.last?.hasPrefix("search       approximate: finds 100.0 %") == true)
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

    @Test("features and a model of different spaces are refused, and both are named")
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

    /// Moves refs of the fixture's repository.
    private func move(_ fixture: Fixture, _ names: [String: ObjectID?]) throws {
        let transaction = try fixture.repository.begin(writer: Fixture.writer)
        _ = try transaction.commit(
            try names.map { RefUpdate(try RefName($0.key), new: $0.value) }, message: "move")
    }

    @Test(
        "versions that do not fit are rejected and the previous ones keep answering until others fit"
    )
    func follows() throws {
        let fixture = try Fixture()
        try move(fixture, ["features/next": fixture.features, "models/next": fixture.model])
        let service = try AnswerService(
            .init(
                .revisions(features: "features/next", model: "models/next"),
                loading: Fixture.options(), now: Fixture.writer.now), in: fixture.repository)
        #expect(
            try fixture.repository.leases().map(\.snapshots) == [[fixture.features, fixture.model]])
        #expect(service.follow().isNothing)
        let transaction = try fixture.repository.begin(writer: Fixture.writer)
        var misfit = try Snapshot(fixture.model, in: transaction.objects)
        misfit.space = try BuiltinEmbedder(dimension: 128).space.write(to: transaction.objects)
        let wrong = try transaction.objects.write(misfit.encoded, hint: .structured)
        var fit = try Snapshot(fixture.model, in: transaction.objects)
        fit.message = "another"
        let right = try transaction.objects.write(fit.encoded, hint: .structured)
        _ = try transaction.commit(
            [
                RefUpdate(try RefName("models/next"), new: wrong),
                RefUpdate(try RefName("models/right"), new: right),
            ], message: "a model of another space")
        guard case .parked(let parked) = service.follow() else {
            Issue.record("not parked")
            return
        }
        #expect(parked.snapshots["model"] == wrong)
        #expect(parked.error.fault == .refused)
        #expect(try service.quote("frost alarm", count: 1).model == fixture.model)
        // It is reported once, then remembered.
        #expect(service.follow().isNothing)
        #expect(service.parked?.snapshots["model"] == wrong)
        try move(fixture, ["models/next": right])
        guard case .switched = service.follow() else {
            Issue.record("not switched")
            return
        }
        #expect(service.parked == nil)
        #expect(try service.quote("frost alarm", count: 1).model == right)
        #expect(try fixture.repository.leases().map(\.snapshots) == [[fixture.features, right]])
        try move(fixture, ["models/next": nil])
        guard case .parked = service.follow() else {
            Issue.record("a ref that is gone is parked")
            return
        }
        #expect(try service.quote("frost alarm", count: 1).model == right)
        service.stop()
        #expect(try fixture.repository.leases().isEmpty)
    }

    @Test("a version that is collected between resolving and reading is resolved again")
    func collectedMeanwhile() throws {
        let fixture = try Fixture()
        // In a pack of its own, so that nothing keeps it.
        let first = try fixture.replaceModel(message: "first")
        let bucket = HookedBucket(fixture.bucket)
        let replaced = Mutex<ObjectID?>(nil)
        bucket.before(.packs) {
            let id = try fixture.replaceModel()
            replaced.withLock { $0 = id }
        }
        let reply = try QuestionAnswering.reply(
            to: "frost alarm", count: 1, Fixture.current, in: Repository(in: bucket),
            now: Fixture.writer.now(), loading: Fixture.options())
        #expect(bucket.hasHappened)
        #expect(reply.model == replaced.withLock { $0 })
        // Without a newer state there is nothing else to try.
        let gone = Repository(in: fixture.bucket)
        #expect(throws: InferenceError.self) {
            try QuestionAnswering.reply(
                to: "frost alarm", count: 1,
                .revisions(features: "features/prod", model: first.hex), in: gone,
                now: Fixture.writer.now(), loading: Fixture.options())
        }
    }

    @Test("versions that can no longer be leased are rejected, and the previous ones stay leased")
    func lostLease() throws {
        let fixture = try Fixture()
        _ = try fixture.bucket.list(.packs)
        let transaction = try fixture.repository.begin(writer: Fixture.writer)
        var next = try Snapshot(fixture.model, in: transaction.objects)
        next.message = "next"
        let id = try transaction.objects.write(next.encoded, hint: .structured)
        let ref = try RefName("models/next")
        _ = try transaction.commit([RefUpdate(ref, new: fixture.model)])
        let bucket = HookedBucket(fixture.bucket)
        let service = try AnswerService(
            .init(
                .revisions(features: "features/prod", model: "models/next"),
                loading: Fixture.options(), now: Fixture.writer.now), in: Repository(in: bucket))
        let second = try fixture.repository.begin(writer: Fixture.writer)
        _ = try second.objects.write(next.encoded, hint: .structured)
        _ = try second.commit([RefUpdate(ref, new: id)])
        bucket.before(.leases) { _ = try fixture.replaceModel("models/next") }
        guard case .parked(let parked) = service.follow() else {
            Issue.record("not parked")
            return
        }
        #expect(bucket.hasHappened)
        #expect(parked.snapshots["model"] == id)
        #expect(parked.error.message.contains("collected"), "\(parked.error.message)")
        #expect(try service.quote("frost alarm", count: 1).model == fixture.model)
        #expect(
            try fixture.repository.leases().map(\.snapshots) == [[fixture.features, fixture.model]])
        // Its replacement answers the next question.
        guard case .switched = service.follow() else {
            Issue.record("not switched")
            return
        }
        #expect(service.parked == nil)
    }

    @Test("answers come from what a release binds, also through a pin of it")
    func release() throws {
        let fixture = try Fixture()
        let transaction = try fixture.repository.begin(writer: Fixture.writer)
        let bound = try Release(
            .init(features: fixture.features, ranker: fixture.model), in: transaction.objects)
        let snapshot = try bound.snapshot(
            into: transaction.objects, producer: .init(pipeline: "test", version: "1"),
            created: Fixture.writer.now(), message: "")
        let id = try transaction.objects.write(snapshot.encoded, hint: .structured)
        _ = try transaction.commit([RefUpdate(try RefName("releases/prod"), new: id)])
        let reply = try fixture.answering(.release("releases/prod")).answer("frost", count: 1)
        #expect(reply.release == id)
        #expect(reply.json["release"]?.string == id.hex)
        let state = try fixture.repository.state()
        let lock = LockFile(
            repository: state.repositoryID, transaction: state.number,
            pins: [.init(revision: "releases/prod", id: id, kind: .release)])
        let pinned = try fixture.answering(.pinned(lock, path: "fti.lock"))
        #expect(try pinned.answer("frost", count: 1).model == fixture.model)
        #expect(throws: InferenceError.self) {
            try fixture.answering(.release("models/current"))
        }
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

    @Test(
        "a question that the documents do not answer gets no answer, only the nearest chunks",
        arguments: ["zzz", "What is the capital of France?", "Who painted the Mona Lisa in Paris?"])
    func unanswered(question: String) throws {
        let reply = try Fixture().answering().answer(question, count: 2)
        #expect(!reply.isAnswered && reply.answer.isEmpty)
        #expect(reply.sources.count == 2)
        #expect(reply.json["answered"] == false && reply.json["answer"] == "")
        #expect(reply.json["reason"]?.string?.isEmpty == false)
        #expect(reply.lines.first?.hasPrefix("The documents do not say") == true)
    }

    @Test("a quoted phrase must occur; if it does not, only the rest of the question is answered")
    func phrases() throws {
        let answering = try Fixture().answering()
        let found = try answering.answer(
            #"When is "the tank is dry" and the frost alarm rings?"#, count: 4)
        #expect(found.sources.map(\.row.document) == ["pump.md"])
        let none = try answering.answer(#"Why does "the tank rings" dry?"#, count: 4)
        #expect(!none.isAnswered && none.sources.count == 4)
        #expect(none.json["reason"]?.string?.contains("the tank rings") == true)
        let rest = try answering.answer(
            #"When does the frost alarm ring by default, at 3.0 °C or as "heaters ring"?"#, count: 4
        )
        #expect(rest.isAnswered, "\(rest.explanation)")
        #expect(rest.sources.first?.row.document == "frost.md")
        #expect(rest.json["missingPhrases"] == ["heaters ring"])
        #expect(
            rest.lines.contains { $0.contains("no chunk contains \u{201C}heaters ring") })
    }

    @Test(
        "candidates come from the sources that the request names",
        arguments: ["hybrid", "vector", "lexical"])
    func modes(name: String) throws {
        var options = Fixture.options()
        options.retrieval.mode = RetrievalSettings.Mode(rawValue: name)
        options.retrieval.candidates = 2
        let fixture = try Fixture()
        let reply = try QuestionAnswering(
            Fixture.current, in: fixture.repository, now: Fixture.writer.now(), loading: options
        ).answer("When does the frost alarm ring?", count: 4)
        #expect(reply.sources.first?.row.document == "frost.md")
        #expect(
            reply.sources.allSatisfy {
                ($0.vectorRank == nil) == (name == "lexical") || name == "hybrid"
            })
        #expect(
            reply.sources.allSatisfy {
                ($0.wordsRank == nil) == (name == "vector") || name == "hybrid"
            })
        let explanation = reply.explanation
        #expect(explanation["retrieval"]?.object?["mode"]?.string == name)
        #expect(explanation["candidates"]?.array?.count == reply.sources.count)
        #expect(explanation["judgement"]?.object?["evidence"]?.object?["coverage"] != nil)
        #expect(reply.explanationLines.count == 2 * reply.sources.count + 2)
    }

    @Test("code is quoted whole, and quotes end where sentences end")
    func units() {
        let text = """
            Use it, e.g. like this: it is short. See os.path for more. Then run:

            for x in y:
                print(x)

            - first item
            - second item. With more.
            """
        #expect(
            QuotedUnit.units(of: text).map(\.text) == [
                "Use it, e.g. like this: it is short.", "See os.path for more.", "Then run:",
                "for x in y:\n    print(x)", "- first item", "- second item.", "With more.",
            ])
    }
}

extension AnswerService.Change? {
    fileprivate var isNothing: Bool { if case .none = self { true } else { false } }
}
