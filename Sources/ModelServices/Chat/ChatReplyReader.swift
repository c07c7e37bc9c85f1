internal import Artifacts
internal import Objects

/// Reads a reply while it arrives: a stream of events, a single object, or the explanation of an error.
struct ChatReplyReader {
    /// What the bytes are.
    private enum Form {
        case unknown
        case stream(EventStream)
        /// JSON, a page or text, collected up to ``wholeLimit``.
        case whole
    }

    /// Why a reply cannot be used.
    enum Unusable: Error {
        /// The endpoint explains an error instead of answering.
        case refused(ServiceExplanation)
        /// The reply ends before it is complete.
        case incomplete
        /// The reply has another form; the endpoint may explain why.
        case invalid(String, ServiceExplanation? = nil)
        /// The reply is complete and without text.
        case empty(String, lacksTokens: Bool)
    }

    private var form = Form.unknown
    /// The white space before the reply.
    private var blank: [UInt8] = []
    private var whole: [UInt8] = []
    private var reply = ChatReply(text: "")
    private var ending: ChatReply.Ending?
    private var hasReasoning = false
    private var isEnded = false
    private var problem: Unusable?

    private static let blankLimit = 4096
    private static let wholeLimit = 8 << 20
    private static let errorLimit = 64 << 10
    private static let eventLimit = 1 << 20
    /// The most tokens of a prompt or a reply, so that sums of such numbers are exact in JSON.
    private static let tokenLimit = 1 << 40

    /// Takes some bytes; returns whether the reply needs more.
    ///
    /// - Parameter part: Receives the text in them.
    mutating func take(_ bytes: [UInt8], status: Int, part: (String) -> Void) -> Bool {
        var bytes = bytes
        if case .unknown = form {
            bytes = blank + bytes
            let first = bytes.first { $0 > 0x20 }
            guard let first = first ?? (bytes.count > Self.blankLimit ? 0 : nil) else {
                blank = bytes
                return true
            }
            // The type of the content would tell too, but proxies and small services get it wrong.
            let isWhole = status != 200 || "{[<\"".utf8.contains(first)
            form = isWhole ? .whole : .stream(EventStream(limit: Self.eventLimit))
        }
        guard case .stream(var events) = form else {
            let limit = status == 200 ? Self.wholeLimit : Self.errorLimit
            if status == 200, whole.count + bytes.count > limit {
                problem = .invalid("answers with more than \(limit) bytes")
                return false
            }
            whole += bytes.prefix(limit - whole.count)
            return whole.count < limit
        }
        // Text that is no stream explains an error, if anything.
        if reply.text.isEmpty { whole += bytes.prefix(max(0, 4096 - whole.count)) }
        form = .unknown
        defer { form = .stream(events) }
        do throws(EventStream.TooLong) {
            return try events.feed(bytes) { take($0, part: part) }
        } catch {
            problem = .invalid("answers with an event of more than \(error.limit) bytes")
            return false
        }
    }

    /// Takes an event; returns whether the reply needs more.
    private mutating func take(_ event: ServerEvent, part: (String) -> Void) -> Bool {
        if event.data.elementsEqual("[DONE]".utf8) {
            isEnded = true
            return false
        }
        guard let json = try? JSON(parsing: event.data.span, roundsNumbers: true),
            case .object(let object) = json
        else {
            let said = ServiceExplanation(event.data)
            problem =
                event.name == "error"
                ? .refused(said)
                : .invalid("answers with a stream of something other than chat completions", said)
            return false
        }
        if Self.isError(object) || event.name == "error" {
            problem = .refused(ServiceExplanation(event.data))
            return false
        }
        add(object, part: part)
        return true
    }

    /// Adds a whole completion, or a part of one.
    private mutating func add(_ object: JSONObject, part: (String) -> Void) {
        if let usage = object["usage"] {
            reply.promptTokens = Self.count(usage["prompt_tokens"]) ?? reply.promptTokens
            reply.replyTokens = Self.count(usage["completion_tokens"]) ?? reply.replyTokens
        }
        let choice = object["choices"]?.array?.first { ($0["index"]?.integer ?? 0) == 0 }
        guard let choice else { return }
        let message = choice["delta"] ?? choice["message"]
        let text = Self.text(message?["content"]) ?? Self.text(choice["text"]) ?? ""
        if !text.isEmpty {
            reply.text += text
            part(text)
        }
        for name in ["reasoning_content", "reasoning"] where message?[name]?.string != nil {
            hasReasoning = true
        }
        if let reason = choice["finish_reason"]?.string { ending = Self.ending(reason) }
    }

    /// Ends the reply.
    ///
    /// - Parameter part: Receives the text of a reply that was not streamed.
    mutating func finish(
        status: Int, part: (String) -> Void
    ) throws(Unusable) -> ChatReply {
        if let problem { throw problem }
        guard status == 200 else { throw .refused(ServiceExplanation(whole)) }
        switch form {
        case .unknown: throw .invalid("answers without text")
        case .stream(var events):
            do throws(EventStream.TooLong) {
                if !isEnded, let event = try events.finish() { _ = take(event, part: part) }
            } catch { throw .invalid("answers with an event of more than \(error.limit) bytes") }
            if let problem { throw problem }
            if !isEnded, ending == nil {
                throw looksLikeStream ? .incomplete : unexpected
            }
        case .whole:
            guard let json = try? JSON(parsing: whole.span, roundsNumbers: true),
                case .object(let object) = json,
                !Self.isError(object), object["choices"]?.array != nil
            else { throw unexpected }
            add(object, part: part)
        }
        reply.ending = ending ?? .stop
        guard reply.text.contains(where: { !$0.isWhitespace }) else { throw empty }
        return reply
    }

    /// Whether the first bytes are a field or a comment of a stream, rather than plain text.
    private var looksLikeStream: Bool {
        let first = whole.drop { $0 <= 0x20 }
        return ["data:", "event:", "id:", "retry:", ":"].contains { first.starts(with: $0.utf8) }
    }

    /// The text so far, also of a reply that failed.
    var text: String { reply.text }

    /// The failure of an answer of another form, which explains an error if anything.
    private var unexpected: Unusable {
        let said = ServiceExplanation(whole)
        return said.text.isEmpty
            ? .invalid("answers with something other than a chat completion") : .refused(said)
    }

    private var empty: Unusable {
        switch reply.ending {
        case .filtered: .empty("withholds its answer (content_filter)", lacksTokens: false)
        case .length where hasReasoning:
            .empty("reached the limit of tokens while it was reasoning", lacksTokens: true)
        case .length, .stop: .empty("answers without text", lacksTokens: false)
        }
    }

    private static func isError(_ object: JSONObject) -> Bool {
        if let error = object["error"], error != .null { return true }
        guard object["choices"] == nil else { return false }
        return object["object"] == "error" || object["detail"] != nil || object["message"] != nil
    }

    /// The text of a message's content: a string, or a list of parts.
    private static func text(_ content: JSON?) -> String? {
        content?.string ?? content?.array?.compactMap { $0["text"]?.string }.joined()
    }

    /// A number of tokens; nil if the value is not a count, or is more than any model can read or write.
    private static func count(_ json: JSON?) -> Int? {
        json?.integer.flatMap { 0...Self.tokenLimit ~= $0 ? $0 : nil }
    }

    private static func ending(_ reason: String) -> ChatReply.Ending {
        switch reason {
        case "length", "max_tokens", "model_length": .length
        case "content_filter", "safety", "SAFETY": .filtered
        default: .stop
        }
    }
}
