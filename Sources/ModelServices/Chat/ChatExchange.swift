internal import Artifacts
internal import Objects

/// Which of the members that endpoints disagree about a request has.
struct ChatDialect: Equatable {
    /// Whether a stream is asked to end with the number of tokens.
    var asksForUsage = true
    /// The member with the limit of the reply's tokens.
    var limitMember = "max_tokens"

    /// The dialect to try after an endpoint refused a request; nil when none is left.
    ///
    /// - Parameter isKnown: Whether the endpoint has accepted this dialect before, so that the fault is elsewhere.
    func alternative(after problem: ServiceProblem, isKnown: Bool) -> ChatDialect? {
        guard problem.status == 400 || problem.status == 422 else { return nil }
        var next = self
        if limitMember == "max_tokens", problem.said.contains("max_completion_tokens") {
            next.limitMember = "max_completion_tokens"
        } else if asksForUsage,
            !isKnown || problem.said.contains("stream_options")
                || problem.said.contains("include_usage")
        {
            next.asksForUsage = false
        } else {
            return nil
        }
        return next
    }
}

/// One request for a reply of a language model, in the format of OpenAI's API for chat completions.
struct ChatExchange {
    let model: String
    let request: ChatRequest
    let dialect: ChatDialect

    /// The most bytes of the reply.
    ///
    /// A streamed token takes about 300 bytes, and several times that from services that add much to each.
    var limit: Int { (1 << 20) + (request.tokenLimit ?? 16_384) * 4096 }

    /// The body of the request.
    var body: [UInt8] {
        var object = JSONObject()
        object["model"] = .string(model)
        object["messages"] = .array(request.messages.map(\.json))
        object["stream"] = true
        if dialect.asksForUsage { object["stream_options"] = ["include_usage": true] }
        if let limit = request.tokenLimit { object[dialect.limitMember] = .integer(limit) }
        if let temperature = request.temperature { object["temperature"] = .number(temperature) }
        if let seed = request.seed { object["seed"] = .integer(seed) }
        return JSON.object(object).canonicalBytes
    }
}
