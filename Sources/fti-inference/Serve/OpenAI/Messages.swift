import Artifacts
import InferencePipeline
import Objects
import Serving

/// A question with the conversation before it, from either of OpenAI's two APIs of conversation.
struct AskedConversation {
    /// The turns before the question; instructions of the client have the role `system`.
    var earlier: [ChatMessage] = []
    /// The last message of the user.
    var question = ""

    /// The most messages of a conversation.
    static let messageLimit = 1000
    /// The most bytes of a conversation.
    static let byteLimit = 1 << 20

    /// Reads a list of messages; the last one of the user is the question.
    ///
    /// - Parameters:
    ///   - key: The member with the list.
    ///   - instructions: The client's instructions; nil where there are none.
    init(
        _ messages: [JSON], of request: APIRequest, key: String, instructions: String? = nil
    ) throws {
        guard !messages.isEmpty else { throw request.failure(key, "is empty") }
        guard messages.count <= Self.messageLimit else {
            throw request.failure(key, "has more than \(Self.messageLimit) messages")
        }
        var turns = instructions.map { [ChatMessage(.system, $0)] } ?? []
        for (index, message) in messages.enumerated() {
            let place = "\(key)[\(index)]"
            guard let object = message.object else {
                throw request.failure(place, "must be an object")
            }
            turns.append(try Self.turn(APIRequest(object, at: request.name(place))))
        }
        guard turns.reduce(0, { $0 + $1.text.utf8.count }) <= Self.byteLimit else {
            throw request.failure(key, "has more than \(Self.byteLimit) bytes of text")
        }
        // Some clients put their instructions last.
        guard let place = turns.lastIndex(where: { $0.role != .system }),
            turns[place].role == .user
        else {
            throw request.failure(key, "must end with a message of the user")
        }
        let last = turns.remove(at: place)
        guard last.text.contains(where: { $0.isLetter || $0.isNumber }) else {
            throw request.failure(key, "ends with a message that has no words")
        }
        (earlier, question) = (turns, last.text)
    }

    /// The question for the service.
    func ask(_ tokenLimit: Int?, _ temperature: Double?) -> AnswerRequest {
        var ask = AnswerRequest(question, after: earlier)
        ask.tokenLimit = tokenLimit
        ask.temperature = temperature
        return ask
    }

    private static let parts: Set<String> = ["text", "input_text", "output_text", "refusal"]

    private static func turn(_ message: APIRequest) throws -> ChatMessage {
        // The Responses API leaves the type out of a message's short form.
        guard try message.text("type").map({ $0 == "message" }) ?? true else {
            throw message.failure(
                "type", "must be message: only text is supported", code: "unsupported_content")
        }
        let role: ChatMessage.Role =
            switch try message.requiredText("role") {
            case "system", "developer": .system
            case "user": .user
            case "assistant": .assistant
            default:
                throw message.failure("role", "must be system, developer, user or assistant")
            }
        return ChatMessage(role, try message.content("content", kinds: parts))
    }
}
