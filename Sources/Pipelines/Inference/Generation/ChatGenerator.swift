public import Artifacts
public import Objects
internal import Storage

/// Asks a language model, which gets the chunks as numbered passages and cites them.
public struct ChatGenerator: Generator {
    private let chat: any ChatModel
    /// The prompt.
    public let prompt: Prompt
    private let temperature: Double?

    /// The most tokens of a question that the model makes self-contained.
    private static let standaloneTokens = 96
    /// The most characters of such a question; a longer one is an answer or a loop.
    private static let standaloneLength = 600
    /// The most characters of each turn, and the number of turns, that this model sees.
    private static let turnLength = 600
    private static let turns = 6
    /// The share of the remaining time that making the question self-contained may take.
    private static let standaloneShare = 3

    /// Makes a generator.
    ///
    /// - Parameter temperature: The randomness of answers; nil for the endpoint's setting.
    public init(model: any ChatModel, prompt: Prompt = .builtin, temperature: Double? = 0) {
        chat = model
        self.prompt = prompt
        self.temperature = temperature
    }

    /// The name of the language model.
    public var model: String? { chat.name }

    /// Asks the model to rewrite the question; see ``Generator``.
    ///
    /// Without an earlier turn, the question is used as it is. If the model fails, writes nothing or writes far too
    /// much, the previous question and this one take its place.
    public func standalone(
        _ question: String, after conversation: [ChatMessage], by deadline: Deadline
    ) throws(GenerationError) -> String {
        let earlier = conversation.filter { message in
            message.role != .system && message.text.contains { !$0.isWhitespace }
        }
        guard earlier.contains(where: { $0.role == .user }) else { return question }
        let turns = earlier.suffix(Self.turns).map { message in
            let speaker = message.role == .user ? "User" : "Assistant"
            return "\(speaker): \(Self.line(message.text.prefix(Self.turnLength)))"
        }
        let request = ChatRequest(
            [
                ChatMessage(
                    .system,
                    "Rewrite the user's last question so that it can be understood without the "
                        + "conversation: put the names that it refers to into it. Keep its language. "
                        + "Do not answer it. Reply with the question only."),
                ChatMessage(
                    .user,
                    turns.joined(separator: "\n") + "\nLast question: \(Self.line(question[...]))"
                ),
            ], tokenLimit: Self.standaloneTokens, temperature: 0)
        do throws(GenerationError) {
            let reply = try chat.reply(
                to: request, by: deadline.part(of: deadline.remaining / Self.standaloneShare)
            ) { _ in }
            if reply.ending == .stop, let rewritten = Self.question(in: reply.text) {
                return rewritten
            }
        } catch {
            try deadline.check(chat.name)
        }
        return Standalone.joined(question, after: conversation)
    }

    /// A text on one line, without what models would read as the start of another message.
    private static func line(_ text: Substring) -> String {
        Prompt.inserted(String(text)).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// The question in a reply; nil where it cannot be one.
    private static func question(in reply: String) -> String? {
        var text = reply.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if text.utf8.count > 2, text.first == "\"", text.last == "\"" {
            text = String(text.dropFirst().dropLast())
        }
        guard text.count <= standaloneLength, text.contains(where: { $0.isLetter || $0.isNumber })
        else { return nil }
        return text
    }

    /// Asks the model with as many chunks as fit; see ``Generator``.
    ///
    /// Where no chunk was found or none answers, ``Prompt/nothingFound`` decides.
    public func generate(
        _ request: GenerationRequest, by deadline: Deadline, part: (String) -> Void
    ) throws(GenerationError) -> GeneratedAnswer {
        if !request.retrieval.isAnswered, prompt.nothingFound.answer == .decline {
            part(prompt.nothingFound.text)
            let shown = request.retrieval.chunks.count
            return GeneratedAnswer(
                text: prompt.nothingFound.text, isAnswered: false, shown: shown,
                prompt: prompt.unasked(passages: shown))
        }
        let rendered = prompt.render(
            question: request.retrieval.text,
            passages: request.retrieval.chunks.map { Prompt.Passage($0.row) },
            conversation: request.conversation)
        var filter = CitationFilter(shown: rendered.shown)
        var text = ""
        func add(_ more: String) {
            guard !more.isEmpty else { return }
            text += more
            part(more)
        }
        let reply = try chat.reply(
            to: ChatRequest(
                rendered.messages,
                tokenLimit: min(prompt.budget.answer, request.tokenLimit ?? .max),
                temperature: request.temperature ?? temperature),
            by: deadline
        ) { add(filter.pass($0)) }
        add(filter.finish())
        let isAnswered = text.contains { !$0.isWhitespace }
        // Nothing is left of a reply that only cites what the model did not see.
        if !isAnswered { add(prompt.nothingFound.text) }
        return GeneratedAnswer(
            text: text, isAnswered: isAnswered, citations: filter.citations, shown: rendered.shown,
            prompt: rendered, reply: reply)
    }
}
