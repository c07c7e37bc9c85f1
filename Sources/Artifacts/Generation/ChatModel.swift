public import Objects
public import Storage

/// A message of a conversation with a language model.
public struct ChatMessage: Hashable, Sendable {
    /// Who wrote a message.
    public enum Role: String, CaseIterable, Sendable {
        /// The operator: instructions that precede the conversation.
        case system
        /// The person who asks.
        case user
        /// The language model.
        case assistant
    }

    /// Who wrote it.
    public let role: Role
    /// The text.
    public let text: String

    /// Makes a message.
    public init(_ role: Role, _ text: String) {
        self.role = role
        self.text = text
    }

    /// The message in the form of OpenAI's API.
    public var json: JSON { ["role": .string(role.rawValue), "content": .string(text)] }
}

/// A conversation for a language model to continue.
public struct ChatRequest: Hashable, Sendable {
    /// The conversation so far.
    public var messages: [ChatMessage]
    /// The maximum number of tokens of the reply; nil for the model's own limit.
    public var tokenLimit: Int?
    /// The randomness of the reply, from 0, where the likeliest token is always chosen; nil for the endpoint's setting.
    public var temperature: Double?
    /// The seed of the randomness, for endpoints that take one; nil to send none.
    public var seed: Int?
    /// Whether it counts towards a budget of tokens: what checks the model itself does not.
    public var isCharged = true

    /// Makes a request.
    public init(_ messages: [ChatMessage], tokenLimit: Int? = nil, temperature: Double? = nil) {
        self.messages = messages
        self.tokenLimit = tokenLimit
        self.temperature = temperature
    }
}

/// What a language model wrote.
public struct ChatReply: Hashable, Sendable {
    /// Why a reply ends.
    public enum Ending: String, Sendable {
        /// The model ended it.
        case stop
        /// It reached the limit of its tokens.
        case length
        /// The endpoint withheld text.
        case filtered = "content_filter"
    }

    /// The text.
    public var text: String
    /// Why it ends.
    public var ending: Ending
    /// The tokens of the conversation, as the endpoint counts them; nil where it does not.
    public var promptTokens: Int?
    /// The tokens of the reply, as the endpoint counts them; nil where it does not.
    public var replyTokens: Int?

    /// Makes a reply.
    public init(
        text: String, ending: Ending = .stop, promptTokens: Int? = nil, replyTokens: Int? = nil
    ) {
        self.text = text
        self.ending = ending
        self.promptTokens = promptTokens
        self.replyTokens = replyTokens
    }
}

/// A language model that continues conversations.
///
/// Calls block, and may come from many threads at once.
public protocol ChatModel: Sendable {
    /// The model's name at its endpoint.
    var name: String { get }

    /// Continues a conversation.
    ///
    /// - Parameters:
    ///   - deadline: When the reply must be complete; the call returns soon after it has ended or was cancelled.
    ///   - part: Receives each part of the text as it arrives, on the calling thread; together they are the reply's
    ///     text. Nothing is repeated after the first part, so a call that fails then is not retried.
    func reply(
        to request: ChatRequest, by deadline: Deadline, part: (String) -> Void
    ) throws(GenerationError) -> ChatReply
}

/// Why a language model gave no answer.
public enum GenerationError: Diagnosable, Hashable {
    /// The endpoint failed or refused the request; neither the name nor the reason holds a password or key. `said` is the
    /// endpoint's own explanation, which may repeat what it was asked; empty where it gives none.
    case service(name: String, reason: String, Fault, remedy: String? = nil, said: String = "")
    /// The endpoint received too many requests; some seconds from now it may take more. 0 where it does not say when.
    case limited(name: String, seconds: Int, said: String = "")
    /// As many requests as are allowed at once are waiting for the endpoint.
    case busy(name: String, atOnce: Int)
    /// The budget of tokens is spent until some seconds from now.
    case spent(name: String, tokens: Int, seconds: Int)
    /// The deadline passed before the reply was complete.
    case late(name: String)
    /// Nobody waits for the reply any more.
    case cancelled

    /// See ``Diagnosable``.
    public var fault: Fault {
        switch self {
        case .service(_, _, let fault, _, _): fault
        case .limited, .busy, .spent, .late, .cancelled: .io
        }
    }

    /// See ``Diagnosable``.
    public var message: String {
        switch self {
        case .service(_, _, _, _, let said) where !said.isEmpty,
            .limited(_, _, let said) where !said.isEmpty:
            "\(logMessage): \(said)"
        default: logMessage
        }
    }

    /// The message without the endpoint's own words, which may repeat a question.
    public var logMessage: String {
        switch self {
        case .service(let name, _, _, _, _), .limited(let name, _, _), .busy(let name, _),
            .spent(let name, _, _), .late(let name):
            message(of: "the language model at \(name)")
        case .cancelled: publicMessage
        }
    }

    /// The message without the endpoint's own words and without its address.
    public var publicMessage: String { message(of: "the language model") }

    private func message(of model: String) -> String {
        switch self {
        case .service(_, let reason, _, _, _): "\(model) \(reason)"
        case .limited: "\(model) received too many requests (status 429)"
        case .busy(_, let atOnce):
            "\(model) is busy: \(atOnce) requests are already waiting for it"
        case .spent(_, let tokens, let seconds):
            "the budget of \(tokens) tokens for \(model) is spent; it renews in \(seconds) s"
        case .late: "\(model) did not finish in time"
        case .cancelled: "the request was cancelled"
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .service(_, _, _, let remedy, _): remedy
        case .limited: "ask again later"
        case .busy: "ask again, or raise generator.atOnce"
        case .spent: "ask again later, or raise generator.budget"
        case .late: "ask again, or raise generator.timeout"
        case .cancelled: nil
        }
    }
}
