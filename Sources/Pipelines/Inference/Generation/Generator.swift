public import Artifacts
public import Objects
internal import Storage

/// The generate stage: writes the answer to a question from the chunks that were found for it.
///
/// Calls block, and may come from many threads at once.
public protocol Generator: Sendable {
    /// The name of the language model at its endpoint; nil for a generator without one.
    var model: String? { get }

    /// Makes the last question of a conversation self-contained, so that it can be searched for.
    ///
    /// A failure of a language model costs nothing but quality: a rule that needs none takes its place.
    ///
    /// - Parameter conversation: The turns before the question.
    /// - Throws: `late`, `cancelled`, once the deadline ends.
    func standalone(
        _ question: String, after conversation: [ChatMessage], by deadline: Deadline
    ) throws(GenerationError) -> String

    /// Writes the answer.
    ///
    /// - Parameters:
    ///   - deadline: When the answer must be complete; the call returns soon after it ends.
    ///   - part: Receives each part of the answer, on the calling thread; together they are the answer's text. A call
    ///     that fails may have passed some.
    func generate(
        _ request: GenerationRequest, by deadline: Deadline, part: (String) -> Void
    ) throws(GenerationError) -> GeneratedAnswer
}

/// A question and what was found for it.
public struct GenerationRequest: Sendable {
    /// The question as the person asked it.
    public let question: String
    /// The turns before the question.
    public let conversation: [ChatMessage]
    /// What was found for the question made self-contained.
    public let retrieval: Retrieval
    /// The maximum number of tokens of the answer; nil for the prompt's own limit, which always holds too.
    public var tokenLimit: Int?
    /// The randomness of the answer; nil for the generator's setting.
    public var temperature: Double?

    /// Makes a request.
    public init(
        _ question: String, after conversation: [ChatMessage] = [], retrieval: Retrieval
    ) {
        self.question = question
        self.conversation = conversation
        self.retrieval = retrieval
    }
}

/// An answer, and how it came about.
public struct GeneratedAnswer: Sendable {
    /// The text.
    public let text: String
    /// Whether it answers the question; false where it only says that nothing was found.
    public let isAnswered: Bool
    /// The chunks that it cites, by their number from 1.
    public let citations: Citations
    /// The number of chunks that the answer could come from: the first ones of the request.
    public let shown: Int
    /// What the language model was sent: no messages where the prompt declined to ask it. Nil without a language model.
    public let prompt: RenderedPrompt?
    /// Why the text ends.
    public let ending: ChatReply.Ending
    /// The tokens of the prompt, as the endpoint counts them; nil where it does not.
    public let promptTokens: Int?
    /// The tokens of the answer, as the endpoint counts them; nil where it does not.
    public let replyTokens: Int?

    init(
        text: String, isAnswered: Bool, citations: Citations = Citations(), shown: Int = 0,
        prompt: RenderedPrompt? = nil, reply: ChatReply? = nil
    ) {
        self.text = text
        self.isAnswered = isAnswered
        self.citations = citations
        self.shown = shown
        self.prompt = prompt
        ending = reply?.ending ?? .stop
        promptTokens = reply?.promptTokens
        replyTokens = reply?.replyTokens
    }
}

/// How the last question of a conversation is made self-contained without a language model.
enum Standalone {
    /// The most characters of an earlier question.
    private static let limit = 500

    /// The last question, after the person's previous one.
    ///
    /// A follow-up such as "And in timber?" lacks the words of its topic, which the previous question usually has.
    static func joined(_ question: String, after conversation: [ChatMessage]) -> String {
        let previous = conversation.last { message in
            message.role == .user && message.text.contains { !$0.isWhitespace }
        }
        guard let previous else { return question }
        return "\(previous.text.suffix(limit)) \(question)"
    }
}

extension Deadline {
    /// Refuses to go on once the deadline has ended.
    ///
    /// - Parameter name: What was not ready in time, for the error.
    func check(_ name: String) throws(GenerationError) {
        if isCancelled { throw .cancelled }
        if hasEnded { throw .late(name: name) }
    }
}
