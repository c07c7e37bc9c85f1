import Artifacts
import InferencePipeline
import Objects
import Storage
import Synchronization
import Testing

/// A language model that answers by a function of the request, and remembers the requests.
private final class ScriptedModel: ChatModel {
    typealias Answer = @Sendable (ChatRequest, Deadline) throws(GenerationError) -> ChatReply

    let name = "scripted"
    private let asked = Mutex<[ChatRequest]>([])
    private let answer: Answer

    init(_ answer: @escaping Answer) { self.answer = answer }

    convenience init(_ text: String, _ ending: ChatReply.Ending = .stop) {
        self.init { _, _ in ChatReply(text: text, ending: ending, promptTokens: 9, replyTokens: 4) }
    }

    var requests: [ChatRequest] { asked.withLock { $0 } }

    func reply(
        to request: ChatRequest, by deadline: Deadline, part: (String) -> Void
    ) throws(GenerationError) -> ChatReply {
        asked.withLock { $0.append(request) }
        let reply = try answer(request, deadline)
        for character in reply.text { part(String(character)) }
        return reply
    }
}

@Suite("Generators of answers")
struct GeneratorTests {
    private let service: QuestionAnswering
    private let deadline = Deadline(after: .seconds(100))
    private let holes = "What size holes do I drill in brick?"
    private let conversation = [
        ChatMessage(.user, "What size holes do I drill in brick?"),
        ChatMessage(.assistant, "6 mm. [1]"),
    ]

    init() throws { service = try Fixture().answering() }

    private func answer(
        _ question: String, by generator: some Generator, after conversation: [ChatMessage] = [],
        change: (inout GenerationRequest) -> Void = { _ in }
    ) throws -> (answer: GeneratedAnswer, parts: String) {
        var parts = ""
        var request = GenerationRequest(
            question, after: conversation, retrieval: try service.retrieve(question, count: 3))
        change(&request)
        let answer = try generator.generate(request, by: deadline) { parts += $0 }
        return (answer, parts)
    }

    private func prompt(_ members: String) throws -> Prompt {
        try Prompt(
            decoding: Array(#"{"type":"prompt","version":1,"system":"S",\#(members)}"#.utf8))
    }

    @Test("the extractive generator quotes what ask quotes, and cites the chunk")
    func extractive() throws {
        let (answer, parts) = try answer(holes, by: ExtractiveGenerator())
        let quoted = try service.answer(holes, count: 3).answer
        #expect(answer.text == quoted + " [1]" && parts == answer.text)
        #expect(answer.isAnswered && answer.citations == Citations(shown: [1]))
        #expect(answer.prompt == nil && answer.promptTokens == nil && answer.ending == .stop)
        let nothing = try self.answer(
            "Who won the cup in 1974?", by: ExtractiveGenerator(nothingFound: "Not here."))
        #expect(nothing.answer.text == "Not here." && nothing.parts == "Not here.")
        #expect(!nothing.answer.isAnswered && nothing.answer.citations == Citations())
    }

    @Test("a language model gets the chunks as passages, and its false citations are removed")
    func chat() throws {
        let model = ScriptedModel("Drill 6 mm [1], or less [8].")
        let (answer, parts) = try answer(
            holes, by: ChatGenerator(model: model), after: conversation)
        #expect(answer.text == "Drill 6 mm [1], or less." && parts == answer.text)
        #expect(answer.citations == Citations(shown: [1], removed: 1) && answer.isAnswered)
        #expect(answer.promptTokens == 9 && answer.replyTokens == 4)
        let prompt = try #require(answer.prompt)
        #expect(prompt.prompt == Prompt.builtin.id && prompt.shown == answer.shown)
        let request = try #require(model.requests.first)
        #expect(request.messages == prompt.messages && request.temperature == 0)
        #expect(request.tokenLimit == Prompt.builtin.budget.answer)
        #expect(request.messages.count == 4)
        let body = try #require(request.messages.last).text
        #expect(body.hasPrefix("<passage 1>\n[1] mounting.md | holes\nDrill 6 mm holes in brick."))
        #expect(body.hasSuffix("Question: \(holes)"))
    }

    @Test("a client may ask for less, not for more")
    func limits() throws {
        let model = ScriptedModel("x")
        for (limit, expected) in [(5, 5), (100_000, 384)] {
            _ = try answer(holes, by: ChatGenerator(model: model)) {
                ($0.tokenLimit, $0.temperature) = (limit, 0.5)
            }
            #expect(model.requests.last?.tokenLimit == expected)
            #expect(model.requests.last?.temperature == 0.5)
        }
    }

    @Test("when nothing answers, the prompt decides whether the model is asked")
    func nothingFound() throws {
        let model = ScriptedModel("I do not know.")
        let question = "Who won the cup in 1974?"
        let declining = ChatGenerator(
            model: model, prompt: try prompt(#""nothingFound":{"answer":"decline","text":"No."}"#))
        let declined = try answer(question, by: declining)
        #expect(declined.answer.text == "No." && declined.parts == "No.")
        #expect(!declined.answer.isAnswered && model.requests.isEmpty)
        let unasked = try #require(declined.answer.prompt)
        #expect(unasked.prompt == declining.prompt.id && unasked.messages.isEmpty)
        let asking = ChatGenerator(
            model: model, prompt: try prompt(#""nothingFound":{"answer":"ask"}"#))
        #expect(try answer(question, by: asking).answer.text == "I do not know.")
        #expect(model.requests.count == 1)
    }

    @Test("a reply of nothing but false citations answers nothing")
    func onlyFalse() throws {
        let (answer, parts) = try answer(holes, by: ChatGenerator(model: ScriptedModel("[7] [8]")))
        #expect(answer.text.hasSuffix(Prompt.builtin.nothingFound.text) && parts == answer.text)
        #expect(!answer.isAnswered && answer.citations == Citations(removed: 2))
    }

    @Test("errors of the model pass through")
    func errors() throws {
        let model = ScriptedModel { _, _ throws(GenerationError) in
            throw .busy(name: "scripted", atOnce: 1)
        }
        #expect(throws: GenerationError.busy(name: "scripted", atOnce: 1)) {
            try answer(holes, by: ChatGenerator(model: model))
        }
    }

    @Test("without an earlier question, a question is taken as it is")
    func first() throws {
        let model = ScriptedModel("x")
        for generator in [ExtractiveGenerator(), ChatGenerator(model: model)] as [any Generator] {
            for earlier in [[], [ChatMessage(.system, "x")], [ChatMessage(.assistant, "Hello.")]] {
                #expect(
                    try generator.standalone(holes, after: earlier, by: deadline) == holes)
            }
        }
        #expect(model.requests.isEmpty)
    }

    @Test("the extractive generator puts the previous question before a follow-up")
    func followUp() throws {
        let asked = try ExtractiveGenerator().standalone(
            "And in timber?", after: conversation, by: deadline)
        #expect(asked == "\(holes) And in timber?")
    }

    @Test("a language model rewrites a follow-up, without randomness")
    func rewritten() throws {
        let model = ScriptedModel("\"What size holes\n do I drill in timber?\"\n")
        let asked = try ChatGenerator(model: model, temperature: 0.9).standalone(
            "And in timber?", after: conversation, by: deadline)
        #expect(asked == "What size holes do I drill in timber?")
        let request = try #require(model.requests.first)
        #expect(request.temperature == 0 && request.tokenLimit != nil)
        let text = try #require(request.messages.last).text
        #expect(
            text == "User: \(holes)\nAssistant: 6 mm. [1]\nLast question: And in timber?")
    }

    @Test(
        "a rewriting that is empty, too long or unfinished is not used; nor is a failure reported")
    func unusable() throws {
        let replies: [ScriptedModel] = [
            ScriptedModel(" \n"), ScriptedModel(String(repeating: "word ", count: 200)),
            ScriptedModel("What size", .length), ScriptedModel("..."),
            ScriptedModel { _, _ throws(GenerationError) in
                throw .service(name: "scripted", reason: "fails", .io)
            },
            ScriptedModel { _, _ throws(GenerationError) in throw .late(name: "scripted") },
        ]
        for model in replies {
            let asked = try ChatGenerator(model: model).standalone(
                "And in timber?", after: conversation, by: deadline)
            #expect(asked == "\(holes) And in timber?")
        }
    }

    @Test("rewriting leaves time for the answer, and ends when the client leaves")
    func time() throws {
        let left = Mutex(Duration.zero)
        let model = ScriptedModel { _, deadline throws(GenerationError) in
            left.withLock { $0 = deadline.remaining }
            throw .late(name: "scripted")
        }
        _ = try ChatGenerator(model: model).standalone(
            "And in timber?", after: conversation, by: deadline)
        #expect(left.withLock { $0 } <= .seconds(34))
        let gone = Deadline(after: .seconds(100))
        gone.cancel()
        #expect(throws: GenerationError.cancelled) {
            try ChatGenerator(model: model).standalone(
                "And in timber?", after: conversation, by: gone)
        }
    }
}
