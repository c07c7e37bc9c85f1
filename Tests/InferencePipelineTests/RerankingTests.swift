import Artifacts
import InferencePipeline
import Objects
import Refs
import Storage
import Synchronization
import Testing

/// Opens rerankers that score passages by the words in them, and counts.
private final class WordRerankers: RerankerProvider {
    private struct Counts {
        var opened: [ObjectID] = []
        var refused: Set<ObjectID> = []
        var passages = 0
    }

    private let counts = Mutex(Counts())
    private let favourites: [String]

    /// Passages with the first word score best, then those with the second, and so on.
    init(_ favourites: String...) { self.favourites = favourites }

    /// The models that were opened.
    var opened: [ObjectID] { counts.withLock { $0.opened } }
    /// The number of passages that were scored.
    var passages: Int { counts.withLock { $0.passages } }

    func refuse(_ model: ObjectID) { counts.withLock { _ = $0.refused.insert(model) } }

    func open(
        _ model: ObjectID, in source: any ObjectSource
    ) throws(RerankerError) -> any Reranker {
        let isRefused = counts.withLock { counts in
            counts.opened.append(model)
            return counts.refused.contains(model)
        }
        guard !isRefused else {
            throw RerankerError(model, "no such architecture", .refused, remedy: "another")
        }
        return WordReranker(provider: self)
    }

    fileprivate func score(_ passage: String) -> Float {
        counts.withLock { $0.passages += 1 }
        let place = favourites.firstIndex { passage.contains($0) } ?? favourites.count
        return Float(-place)
    }
}

private struct WordReranker: Reranker {
    let provider: WordRerankers

    func scores(of passages: [String], for question: String, threads: Int) -> [Float] {
        passages.map { provider.score($0) }
    }
}

@Suite("Answers whose passages a reranker orders")
struct RerankedAnswerTests {
    private let fixture: Fixture
    private let rerankers = WordRerankers("CSV", "tank")
    private let question = "When does the frost alarm ring?"
    private let deadline = Deadline(after: .seconds(100))

    init() throws { fixture = try Fixture() }

    /// Publishes a cross-encoder, as far as a release looks at it.
    @discardableResult
    private func put(_ name: String = "models/reranker", weights: String = "1") throws -> ObjectID {
        let transaction = try fixture.repository.begin(writer: Fixture.writer)
        var builder = TreeBuilder()
        for (name, text) in [("config.json", "{}"), ("model.safetensors", weights)] {
            let bytes = Array(text.utf8)
            builder.add(
                try RelativePath(name), size: bytes.count,
                id: try transaction.objects.write(bytes, hint: .bulk))
        }
        let snapshot = Snapshot(
            kind: .model, content: try builder.write(into: transaction.objects).content,
            producer: .init(pipeline: "test", version: "1"), created: Fixture.writer.now())
        let id = try transaction.objects.write(snapshot.encoded, hint: .structured)
        _ = try transaction.commit([RefUpdate(try RefName(name), new: id)])
        return id
    }

    @discardableResult
    private func release(_ reranker: ObjectID?, message: String = "release") throws -> ObjectID {
        let transaction = try fixture.repository.begin(writer: Fixture.writer)
        let roles = Release.Roles(
            features: fixture.features, ranker: fixture.model, reranker: reranker)
        return try transaction.publish(
            try transaction.bind(roles), as: try RefName("releases/prod"),
            by: .init(pipeline: "test", version: "1"), created: Fixture.writer.now(),
            description: message, message: message
        ).id
    }

    private func options(_ model: String? = nil, candidates: Int = 50) -> LoadingOptions {
        var options = Fixture.options()
        options.reranking.model = model
        options.reranking.candidates = candidates
        options.reranking.provider = rerankers
        return options
    }

    private func answering(
        _ options: LoadingOptions, of selection: Selection = Fixture.current
    ) throws -> QuestionAnswering {
        try QuestionAnswering(
            selection, in: fixture.repository, now: Fixture.writer.now(), loading: options)
    }

    private func service(_ selection: Selection, _ options: LoadingOptions) throws -> AnswerService
    {
        let settings = AnswerService.Settings(
            selection, loading: options, now: Fixture.writer.now)
        return try AnswerService(settings, in: fixture.repository)
    }

    @Test(
        "a model beside features and a ranker reorders; whether it is answered stays the ranker's")
    func revisions() throws {
        let model = try put()
        let plain = try answering(options()).retrieve(question)
        #expect(plain.chunks.allSatisfy { $0.rerank == nil } && plain.reranking == nil)
        let reranked = try answering(options("models/reranker")).retrieve(question)
        #expect(reranked.chunks.prefix(2).map(\.row.document) == ["export.md", "pump.md"])
        #expect(reranked.chunks.map(\.rerank) == [0, -1, -2, -2])
        #expect(reranked.reranking?.model == model)
        #expect(reranked.isAnswered == plain.isAnswered)
        for chunk in reranked.chunks {
            let before = plain.chunks.first { $0.row.key == chunk.row.key }
            #expect(before?.score == chunk.score && before?.signals == chunk.signals)
        }
        // Equal scores keep the ranker's order.
        let others = plain.chunks.map(\.row.document).filter {
            !["export.md", "pump.md"].contains($0)
        }
        #expect(reranked.chunks.dropFirst(2).map(\.row.document) == others)
    }

    @Test("only so many passages are scored; one that is not found by the ranker does not come up")
    func candidates() throws {
        try put()
        let plain = try answering(options()).retrieve(question)
        let some = try answering(options("models/reranker", candidates: 2))
        let found = try some.retrieve(question)
        #expect(rerankers.passages == 2)
        #expect(found.chunks.map { $0.rerank == nil } == [false, false, true, true])
        #expect(
            found.chunks.dropFirst(2).map(\.row.key) == plain.chunks.dropFirst(2).map(\.row.key))
        // Fewer passages than are reranked may be wanted, and none may be.
        #expect(try some.retrieve(question, count: 1).chunks.map { $0.rerank == nil } == [false])
        let unranked = try some.retrieve(question, isReranked: false)
        #expect(unranked.chunks.map(\.row.key) == plain.chunks.map(\.row.key))
        #expect(rerankers.passages == 4)
    }

    @Test("the reply, its explanation and its text have the reranker and its scores")
    func reply() throws {
        let model = try put()
        let reply = try answering(options("models/reranker", candidates: 2)).answer(question)
        #expect(reply.json["reranker"] == .string(model.hex))
        let sources = try #require(reply.json["sources"]?.array)
        #expect(sources.map { $0.object?["rerank"] == nil } == [false, false, true, true])
        let explained = try #require(reply.explanation["candidates"]?.array)
        #expect(explained.map { $0.object?["rerank"] == nil } == [false, false, true, true])
        #expect(reply.lines.contains { $0.contains(", reranked ") })
        #expect(reply.lines.contains("reranker     \(model.hex)"))
        #expect(reply.explanationLines.contains { $0.contains("orders the first 2 chunks") })
        let plain = try answering(options()).answer(question)
        #expect(plain.json["reranker"] == nil && plain.lines.allSatisfy { !$0.contains("rerank") })
    }

    @Test("a request that ends while passages are scored fails, and scores no more of them")
    func late() throws {
        try put()
        let answering = try answering(options("models/reranker"))
        let ended = Deadline(after: .seconds(100))
        ended.cancel()
        let error = #expect(throws: InferenceError.self) {
            try answering.retrieve(question, by: ended)
        }
        guard case .late? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(rerankers.passages == 0)
    }

    @Test("a release decides its reranker, and a service names it in every answer")
    func releases() throws {
        let model = try put()
        try release(model)
        let service = try service(.release("releases/prod"), options(candidates: 3))
        defer { service.stop() }
        #expect(service.current.versions.snapshots["reranker"] == model)
        let leased = try fixture.repository.leases().flatMap(\.snapshots)
        #expect(leased.contains(model))
        let record = try service.answer(
            AnswerRequest(question), as: service.newAnswerID(), from: service.current,
            by: deadline
        ) { _ in }
        #expect(record.rerank == .init(model: model, candidates: 3))
        #expect(record.passages.map { $0.rerank == nil } == [false, false, false, true])
        #expect(try AnswerRecord(parsing: JSON.object(record.json).canonicalBytes) == record)
    }

    @Test("versions with the same reranker share it, and the next one is opened once")
    func shared() throws {
        let (first, second) = (try put(), try put(weights: "2"))
        try release(first)
        let service = try service(.release("releases/prod"), options())
        defer { service.stop() }
        for (model, opened) in [
            (first, [first]), (second, [first, second]), (nil, [first, second]),
        ]
            as [(ObjectID?, [ObjectID])]
        {
            try release(model, message: "next")
            guard case .switched = service.follow() else {
                Issue.record("not switched")
                return
            }
            #expect(rerankers.opened == opened)
            let chunks = try service.retrieve(question, from: service.current).chunks
            #expect(chunks.allSatisfy { ($0.rerank == nil) == (model == nil) })
        }
    }

    @Test("a reranker that cannot be run parks the release; the one before answers on")
    func parked() throws {
        let (good, bad) = (try put(), try put("models/other", weights: "2"))
        rerankers.refuse(bad)
        try release(good)
        let service = try service(.release("releases/prod"), options())
        defer { service.stop() }
        try release(bad, message: "bad")
        guard case .parked(let parked)? = service.follow() else {
            Issue.record("not parked")
            return
        }
        #expect(parked.snapshots["reranker"] == bad)
        #expect(
            parked.error.message
                == "the reranker \(bad.short) cannot be used: no such architecture")
        #expect(parked.error.remedy == "another" && parked.error.fault == .refused)
        #expect(service.current.versions.roles.reranker == good)
        // Without anything that opens rerankers, there is no answer in the ranker's order instead.
        #expect(throws: InferenceError.self) {
            try answering(Fixture.options(), of: .release("releases/prod"))
        }
    }

    @Test("a reranker that is not the release's is an error; the release's own may be named")
    func named() throws {
        try put("models/other", weights: "2")
        let model = try put()
        let selection = Selection.release("releases/prod")
        for bound in [nil, model] {
            try release(bound)
            let error = #expect(throws: InferenceError.self) {
                try answering(options("models/other"), of: selection)
            }
            #expect(error?.fault == .usage)
            #expect(error?.message.contains("models/other is not the one of releases/prod") == true)
            #expect(error?.message.contains(bound?.short ?? "binds none") == true)
        }
        let own = try answering(options("models/reranker"), of: selection).retrieve(question)
        #expect(own.reranking?.model == model)
    }

    @Test("the reranker beside features and a ranker is followed as they are")
    func followed() throws {
        let first = try put()
        let service = try service(Fixture.current, options("models/reranker"))
        defer { service.stop() }
        #expect(service.current.versions.roles.reranker == first)
        let second = try put(weights: "2")
        guard case .switched = service.follow() else {
            Issue.record("not switched")
            return
        }
        #expect(service.current.versions.roles.reranker == second)
        #expect(rerankers.opened == [first, second])
    }
}
