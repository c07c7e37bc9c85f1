import Artifacts
import Foundation
import InferencePipeline
import Objects
import Refs
import Storage
import Synchronization
import TestSupport
import Testing

/// A language model that always answers with the same text, until it is told another.
private final class FixedModel: ChatModel {
    let name = "fixed"
    private let text: Mutex<Result<String, GenerationError>>
    private let calls = Atomic(0)

    init(_ text: String) { self.text = Mutex(.success(text)) }

    /// The number of requests.
    var count: Int { calls.load(ordering: .relaxed) }

    func answer(_ result: Result<String, GenerationError>) { text.withLock { $0 = result } }

    func reply(
        to request: ChatRequest, by deadline: Deadline, part: (String) -> Void
    ) throws(GenerationError) -> ChatReply {
        calls.wrappingAdd(1, ordering: .relaxed)
        let text = try self.text.withLock { $0 }.get()
        part(text)
        return ChatReply(text: text)
    }
}

@Suite("A service that answers and follows a release")
struct AnswerServiceTests {
    private let fixture: Fixture
    private let ref: RefName
    private let deadline = Deadline(after: .seconds(100))
    private let question = "When does the frost alarm ring?"

    init() throws {
        fixture = try Fixture()
        ref = try RefName("releases/prod")
    }

    /// Points the ref at a release.
    @discardableResult
    private func release(
        canary text: String? = nil, prompt: String? = nil, ranker: Bool = true, message: String
    ) throws -> ObjectID {
        let transaction = try fixture.repository.begin(writer: Fixture.writer)
        var roles = Release.Roles(features: fixture.features)
        if ranker { roles.ranker = fixture.model }
        if let text {
            let canary = Canary(
                model: "fixed",
                items: [.init(messages: [ChatMessage(.user, "Hi")], tokenLimit: 8, text: text)])
            roles.canary = try transaction.objects.write(canary.encoded, hint: .structured)
            roles.generator = try generator(in: transaction)
        }
        if let prompt {
            let bytes = Array(#"{"type":"prompt","version":1,"system":"\#(prompt)"}"#.utf8)
            roles.prompt = .init(
                .template, try transaction.objects.write(bytes, hint: .structured))
        }
        return try transaction.publish(
            try transaction.bind(roles), as: ref,
            by: .init(pipeline: "test", version: "1"), created: Fixture.writer.now(),
            description: message, message: message
        ).id
    }

    /// Stores a model that is no ranker.
    private func generator(in transaction: Transaction) throws -> ObjectID {
        var builder = TreeBuilder()
        let weights = try transaction.objects.write(Array("weights".utf8), hint: .bulk)
        builder.add(try RelativePath("model.bin"), size: 7, id: weights)
        let snapshot = Snapshot(
            kind: .model, content: try builder.write(into: transaction.objects).content,
            producer: .init(pipeline: "test", version: "1"), created: Fixture.writer.now())
        return try transaction.objects.write(snapshot.encoded, hint: .structured)
    }

    private func service(_ engine: Engine = .extractive) throws -> AnswerService {
        var settings = AnswerService.Settings(
            .release("releases/prod"), loading: Fixture.options(), now: Fixture.writer.now)
        settings.engine = engine
        settings.replica = Replica(name: "a", follows: "releases/prod")
        return try AnswerService(settings, in: fixture.repository)
    }

    private func engine(_ model: FixedModel) -> Engine {
        .model(model, temperature: 0, canaryTimeout: .seconds(10))
    }

    private func answer(
        _ service: AnswerService, _ text: String? = nil
    ) throws -> AnswerRecord {
        try service.answer(
            AnswerRequest(text ?? question), as: service.newAnswerID(), from: service.current,
            by: deadline
        ) { _ in }
    }

    @Test("a record names the versions that gave the answer, and stands alone")
    func record() throws {
        let id = try release(message: "first")
        let service = try service()
        var parts = ""
        let name = service.newAnswerID()
        let record = try service.answer(
            AnswerRequest(question), as: name, from: service.current, by: deadline
        ) { parts += $0 }
        #expect(record.id == name.description && name.isOf("a") && !name.isOf("b"))
        #expect(record.answer == parts && record.isAnswered && record.isVerified)
        #expect(record.versions.release == id && record.versions.features == fixture.features)
        #expect(record.versions.ranker == fixture.model && record.ref == "releases/prod")
        #expect(record.passages.first?.document == "frost.md")
        #expect(record.passages.map(\.number) == Array(1...record.passages.count))
        let read = try AnswerRecord(parsing: JSON.object(record.json).canonicalBytes)
        #expect(read == record)
        service.stop()
    }

    @Test("requests keep the versions with which they began, and a lease protects those")
    func drains() throws {
        let first = try release(message: "first")
        let service = try service()
        let before = service.current
        let second = try release(prompt: "Other.", message: "second")
        guard case .switched = service.follow() else {
            Issue.record("not switched")
            return
        }
        let old = try service.answer(
            AnswerRequest(question), as: service.newAnswerID(), from: before, by: deadline
        ) { _ in }
        #expect(old.versions.release == first)
        #expect(try answer(service).versions.release == second)
        #expect(service.drainingCount == 1)
        let leased = try fixture.repository.leases().flatMap(\.snapshots)
        #expect(leased.contains(first) && leased.contains(second))
        service.stop()
    }

    @Test("without a canary nothing is verified; with one, only the engine that it records answers")
    func canary() throws {
        let model = FixedModel("Hello. [1]")
        try release(message: "no canary")
        let plain = try service(engine(model))
        let record = try answer(plain)
        #expect(!record.isVerified && record.answer == "Hello. [1]")
        #expect(record.prompt?.id == Prompt.builtin.id)
        plain.stop()

        try release(canary: "Hello. [1]", message: "right")
        let verified = try service(engine(model))
        #expect(try answer(verified).isVerified)
        verified.stop()

        try release(canary: "Good day.", message: "wrong")
        let refused = try service(engine(model))
        #expect(throws: InferenceError.self) { try answer(refused) }
        #expect(try refused.retrieve(question, from: refused.current).chunks.isEmpty == false)
        // The right engine is found by the next check.
        model.answer(.success("Good day."))
        guard case .checked(.passed)? = refused.follow() else {
            Issue.record("not checked again")
            return
        }
        #expect(try answer(refused).isVerified)
        refused.stop()
    }

    @Test("a release that records another engine is parked, and the old one answers on")
    func parkedEngine() throws {
        let model = FixedModel("Hello.")
        let first = try release(canary: "Hello.", message: "first")
        let service = try service(engine(model))
        let second = try release(canary: "Good day.", message: "second")
        guard case .parked(let parked)? = service.follow() else {
            Issue.record("not parked")
            return
        }
        #expect(parked.snapshots["release"] == second)
        guard case .engine = parked.error else {
            Issue.record("\(parked.error)")
            return
        }
        #expect(try answer(service).versions.release == first)
        let serving = try fixture.repository.leases().compactMap(\.serving)
        #expect(serving.first?.parked?.snapshots["release"] == second)
        service.stop()
    }

    @Test("a release without a ranker is answered by the untrained one")
    func untrained() throws {
        try release(canary: "Hello.", ranker: false, message: "no ranker")
        let service = try service()
        let record = try answer(service)
        #expect(record.versions.ranker == nil)
        #expect(record.passages.first?.document == "frost.md")
        service.stop()
    }

    @Test("a failing language model is an error, and costs no lease")
    func failing() throws {
        let model = FixedModel("Hello.")
        try release(message: "first")
        let service = try service(engine(model))
        model.answer(.failure(.late(name: "fixed")))
        #expect(throws: InferenceError.self) { try answer(service) }
        model.answer(.success("Hello."))
        #expect(try answer(service).answer == "Hello.")
        service.stop()
        #expect(try fixture.repository.leases().isEmpty)
    }
}

@Suite("Answers that are kept")
struct AnswerStoreTests {
    @Test("the newest answers are kept, and older ones are not found any more")
    func bounded() throws {
        let store = AnswerStore(in: .memory(count: 2))
        let ids = (0..<3).map { _ in AnswerID(of: "a") }
        for (index, id) in ids.enumerated() { try store.keep(id, [UInt8(index)], on: "2026-08-01") }
        #expect(store.count == 2)
        #expect(try store.record(ids[0]) == nil)
        #expect(try store.record(ids[2]) == [2])
        let none = AnswerStore(in: .memory(count: 0))
        try none.keep(ids[0], [1], on: "2026-08-01")
        #expect(try none.record(ids[0]) == nil)
    }

    @Test("answers in files are found across days")
    func files() throws {
        let folder = try TemporaryDirectory()
        let store = AnswerStore(
            in: .files(try DailyLines(in: folder.path + "/answers", prefix: "a", isSynced: false)))
        let ids = try (0..<4).map { try keep($0, in: store) }
        for (index, id) in ids.enumerated() {
            #expect(try store.record(id) == record(index, id))
        }
    }

    @Test("answers of earlier processes are found in their files, the newest first")
    func restarted() throws {
        let folder = try TemporaryDirectory()
        func store() throws -> AnswerStore {
            AnswerStore(in: .files(try DailyLines(in: folder.path, prefix: "a", isSynced: false)))
        }
        let first = try store()
        let ids = try (0..<6).map { try keep($0, in: first) }
        let file = try #require(FileHandle(forWritingAtPath: folder.path + "/a-2026-08-02.jsonl"))
        try file.seekToEnd()
        try file.write(contentsOf: Data("[]\n{\"id\":\"ans-\"}\n\n{\"id\":7}\n{\"a".utf8))
        let second = try store()
        let own = try keep(5, in: second)
        #expect(try second.record(own) == record(5, own))
        #expect(second.count == 1)
        #expect(try second.record(ids[4]) == record(4, ids[4]))
        #expect(second.count == 3)
        for (index, id) in ids.enumerated() {
            #expect(try second.record(id) == record(index, id))
        }
        #expect(try second.record(AnswerID(of: "a")) == nil)
        #expect(second.count == 7)
        // Another file in the place of the first one has other answers.
        try Data(String(repeating: "{\"id\":\"\(own)\"}\n", count: 9).utf8)
            .write(to: URL(fileURLWithPath: folder.path + "/a-2026-08-01.jsonl"))
        #expect(try second.record(ids[0]) == nil)
    }

    /// Keeps an answer, two a day.
    private func keep(_ index: Int, in store: AnswerStore) throws -> AnswerID {
        let id = AnswerID(of: "a")
        try store.keep(id, record(index, id), on: "2026-08-0\(1 + index / 2)")
        return id
    }

    /// A line in which a text looks like the name of another answer.
    private func record(_ index: Int, _ id: AnswerID) -> [UInt8] {
        let other = "ans-" + String(repeating: "0", count: 32)
        let record: JSON = [
            "answer": .string("\"id\":\"\(other)\""), "id": .string(id.description),
            "passages": [["id": .string(other)]], "question": .integer(index),
        ]
        return record.canonicalBytes
    }

    @Test("ids are told from other text", arguments: ["", "ans-", "ans-0", "ANS-" + "0", "fb-0"])
    func ids(text: String) {
        #expect(AnswerID(text) == nil)
        let id = AnswerID(of: "replica")
        #expect(AnswerID(id.description) == id)
        #expect(AnswerRecord.isID(id.description))
        #expect(id.isOf("replica") && !id.isOf("another"))
        let low = "ans-" + String(repeating: "0", count: 31) + "f"
        #expect(AnswerID(low)?.description == low)
    }
}
