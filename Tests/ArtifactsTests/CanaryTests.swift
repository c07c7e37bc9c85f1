import Objects
import Storage
import Synchronization
import Testing

@testable import Artifacts

/// A language model that answers by a function of the question and the number of the call.
private final class ScriptedModel: ChatModel {
    let name = "scripted"
    private let calls = Mutex(0)
    private let answer: @Sendable (String, Int) -> String

    init(_ answer: @escaping @Sendable (String, Int) -> String) { self.answer = answer }

    var count: Int { calls.withLock { $0 } }

    func reply(
        to request: ChatRequest, by deadline: Deadline, part: (String) -> Void
    ) throws(GenerationError) -> ChatReply {
        let call = calls.withLock {
            $0 += 1
            return $0
        }
        guard request.temperature == 0, request.tokenLimit == 32 else { throw .cancelled }
        if deadline.hasEnded { throw .late(name: name) }
        let text = answer(request.messages.last?.text ?? "", call)
        part(text)
        return ChatReply(text: text)
    }
}

@Suite("Canaries")
struct CanaryTests {
    private let deadline = Deadline(after: .seconds(60))

    @Test("an engine that repeats itself is recorded, and recognised")
    func same() throws {
        let model = ScriptedModel { question, _ in "About \(question) " }
        let canary = try Canary.record(from: model, count: 3, by: deadline)
        #expect(canary.items.count == 3 && model.count == 6)
        #expect(try canary.check(model, by: deadline) == .same)
        #expect(model.count == 9)
        let trimmed = ScriptedModel { question, _ in "About \(question)\n\n" }
        #expect(try canary.check(trimmed, by: deadline) == .same)
        let again = try Canary(decoding: canary.encoded)
        #expect(again == canary && again.id == canary.id)
    }

    @Test("an engine that does not repeat itself is not recorded, and the answer is named")
    func unsteady() throws {
        let model = ScriptedModel { question, call in call == 5 ? "other" : question }
        let error = try #require(throws: Canary.RecordingError.self) {
            try Canary.record(from: model, count: 3, by: deadline)
        }
        guard case .unsteady("scripted", let difference) = error else { throw error }
        #expect(difference.item == 2 && error.fault == .refused)
        #expect(error.message.contains("answer 2 differs after 0 characters"))
        #expect(throws: Canary.RecordingError.generation(.late(name: "scripted"))) {
            try Canary.record(from: model, by: Deadline(after: .zero))
        }
    }

    @Test("any other answer is a difference, and is shown")
    func differs() throws {
        let canary = try Canary.record(
            from: ScriptedModel { question, _ in question }, count: 3, by: deadline)
        let second = Canary.questions[1]
        for (text, offset, found) in [
            (String(second.dropLast(1)), second.count - 1, "the end"),
            (second + "!", second.count, "\"!\""),
            ("", 0, "the end"), (" " + second, 0, "\" List"), (second.lowercased(), 0, "\"list"),
        ] {
            let model = ScriptedModel { question, _ in question == second ? text : question }
            guard case .differs(let difference) = try canary.check(model, by: deadline) else {
                Issue.record("\(text) differs")
                continue
            }
            #expect(difference.item == 2 && difference.offset == offset, "\(difference)")
            #expect("\(difference)".contains("got \(found)"), "\(difference)")
            #expect(model.count == 3, "the first answer, and the second one twice")
        }
    }

    @Test("a near tie that breaks otherwise once is no difference")
    func tie() throws {
        let canary = try Canary.record(
            from: ScriptedModel { question, _ in question }, count: 3, by: deadline)
        let model = ScriptedModel { question, call in call == 2 ? "other" : question }
        #expect(try canary.check(model, by: deadline) == .same && model.count == 4)
    }

    @Test("an engine that fails is neither verified nor refuted")
    func fails() throws {
        let model = ScriptedModel { question, _ in question }
        let canary = try Canary.record(from: model, count: 1, by: deadline)
        #expect(throws: GenerationError.late(name: "scripted")) {
            try canary.check(model, by: Deadline(after: .zero))
        }
    }

    @Test(
        "what is wrong with a file is named with its member",
        arguments: [
            (#"{"type":"prompt"}"#, "type"), (#"{"version":2}"#, "version"),
            (#"{"items":[]}"#, "items"),
            (#"{"items":[7]}"#, "items[0]"), (#"{"model":null}"#, "model"),
            (#"{"extra":1}"#, "extra"),
            (#"{"items":[{"messages":[],"tokenLimit":1,"text":"a"}]}"#, "items[0].messages"),
            (
                #"{"items":[{"messages":[{"role":"tool","content":"a"}],"tokenLimit":1,"text":"a"}]}"#,
                "items[0].messages[0].role"
            ),
            (
                #"{"items":[{"messages":[{"role":"user","content":"a"}],"tokenLimit":0,"text":"a"}]}"#,
                "items[0].tokenLimit"
            ),
            (
                #"{"items":[{"messages":[{"role":"user","content":"a"}],"tokenLimit":1,"text":" "}]}"#,
                "items[0].text"
            ),
        ])
    func errors(change: String, path: String) throws {
        let canary = Canary(
            model: "m",
            items: [.init(messages: [ChatMessage(.user, "a")], tokenLimit: 8, text: "b")])
        var object = try #require(try JSON(parsing: canary.encoded.span).object)
        for member in try #require(try JSON(parsing: Array(change.utf8).span).object) {
            object[member.key] = member.value
        }
        let error = try #require(throws: JSONSchemaError.self) {
            try Canary(decoding: JSON.object(object).canonicalBytes)
        }
        #expect(error.path == path)
    }
}
