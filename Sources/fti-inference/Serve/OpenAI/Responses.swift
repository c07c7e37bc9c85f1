import Artifacts
import HTTPTypes
import InferencePipeline
import Objects
import Serving

/// A request to `POST /v1/responses`.
struct ResponseRequest {
    let ask: AnswerRequest
    /// The model that the client names.
    let model: String
    let instructions: String?
    let isStreamed: Bool

    init(_ body: JSON) throws {
        let request = try APIRequest(body)
        model = try request.requiredText("model")
        if request.member("previous_response_id") != nil {
            throw request.failure(
                "previous_response_id",
                "is not supported: this server keeps no conversations; send the earlier messages",
                code: "unsupported_parameter")
        }
        try request.refuse([
            ("tools", [.array([])]), ("tool_choice", ["none", "auto"]), ("conversation", []),
            ("background", [false]), ("include", [.array([])]), ("prompt", []),
            ("top_logprobs", [.number(0)]),
        ])
        // Its other member, verbosity, is a wish that a model may ignore.
        try request.nested("text")?.refuse([("format", [["type": "text"]])])
        let conversation: AskedConversation
        instructions = try request.text("instructions")
        if let text = request.member("input")?.string {
            conversation = try AskedConversation(
                [["role": "user", "content": .string(text)]], of: request, key: "input",
                instructions: instructions)
        } else {
            guard let items = try request.list("input") else {
                throw request.failure("input", "is missing")
            }
            conversation = try AskedConversation(
                items, of: request, key: "input", instructions: instructions)
        }
        isStreamed = try request.flag("stream") ?? false
        ask = conversation.ask(
            try request.integer("max_output_tokens", in: 1...1_000_000),
            try request.number("temperature", in: 0...2))
    }
}

/// The bodies of answers of `POST /v1/responses`.
struct ResponseForm {
    let request: ResponseRequest
    let model: String
    /// The name of the response, and that of its only message.
    let id: String
    let messageID: String
    /// Seconds since 1970.
    let created: Int

    /// The response before there is any text.
    var begun: JSON { .object(members("in_progress", output: [])) }

    /// The response that failed.
    func failed(_ failure: HTTPFailure) -> JSON {
        var object = members("failed", output: [])
        // Clients know only few codes here; the message has the rest.
        object["error"] = [
            "code": failure.status == .tooManyRequests ? "rate_limit_exceeded" : "server_error",
            "message": .string(failure.message),
        ]
        return .object(object)
    }

    /// The whole response.
    func body(_ record: AnswerRecord) -> JSON {
        let isWhole = record.ending == .stop
        var object = members(
            isWhole ? "completed" : "incomplete",
            output: [
                message(isWhole ? "completed" : "incomplete", [part(record)])
            ])
        if !isWhole {
            object["incomplete_details"] = [
                "reason": record.ending == .length ? "max_output_tokens" : "content_filter"
            ]
        }
        object["usage"] = Usage(of: record).responses
        object["fti"] = .object(record.json)
        return .object(object)
    }

    /// The only message of the response.
    func message(_ status: String, _ content: [JSON]) -> JSON {
        [
            "id": .string(messageID), "type": "message", "role": "assistant",
            "status": .string(status), "content": .array(content),
        ]
    }

    /// The message's only part, without text.
    var emptyPart: JSON { Self.part("", []) }

    /// The message's only part.
    func part(_ record: AnswerRecord) -> JSON {
        Self.part(
            record.answer,
            CitedAddress.all(in: record).map { cited in
                [
                    "type": "url_citation", "start_index": .integer(cited.range.lowerBound),
                    "end_index": .integer(cited.range.upperBound),
                    "title": .string(cited.title), "url": .string(cited.url),
                ]
            })
    }

    private static func part(_ text: String, _ annotations: [JSON]) -> JSON {
        [
            "type": "output_text", "text": .string(text), "annotations": .array(annotations),
            "logprobs": [],
        ]
    }

    private func members(_ status: String, output: [JSON]) -> JSONObject {
        var object = JSONObject()
        object["id"] = .string(id)
        object["object"] = "response"
        object["created_at"] = .integer(created)
        object["status"] = .string(status)
        object["error"] = .null
        object["incomplete_details"] = .null
        object["instructions"] = request.instructions.map { .string($0) } ?? .null
        object["max_output_tokens"] = request.ask.tokenLimit.map { .integer($0) } ?? .null
        object["model"] = .string(model)
        object["output"] = .array(output)
        object["parallel_tool_calls"] = false
        object["previous_response_id"] = .null
        object["store"] = false
        object["temperature"] = request.ask.temperature.map { .number($0) } ?? .null
        object["text"] = ["format": ["type": "text"]]
        object["tool_choice"] = "none"
        object["tools"] = []
        object["top_p"] = .null
        object["truncation"] = "disabled"
        object["usage"] = .null
        object["metadata"] = [:]
        return object
    }
}

/// The events of a streamed response, each with its number.
struct ResponseEvents: AnswerForm {
    private let form: ResponseForm
    private var number = 0

    init(_ form: ResponseForm) { self.form = form }

    /// The whole response.
    func body(_ record: AnswerRecord) -> JSON { form.body(record) }

    /// The events before the first part of the text.
    mutating func opening() -> [[UInt8]] {
        [
            event("response.created", ["response": form.begun]),
            event("response.in_progress", ["response": form.begun]),
            event(
                "response.output_item.added",
                ["output_index": 0, "item": form.message("in_progress", [])]),
            place("response.content_part.added", ["part": form.emptyPart]),
        ]
    }

    /// A part of the text.
    mutating func part(_ text: String) -> [UInt8] {
        place("response.output_text.delta", ["delta": .string(text), "logprobs": []])
    }

    /// The events after the last part.
    mutating func closing(_ record: AnswerRecord) -> [[UInt8]] {
        let whole = form.body(record)
        let isWhole = record.ending == .stop
        return [
            place(
                "response.output_text.done", ["text": .string(record.answer), "logprobs": []]),
            place("response.content_part.done", ["part": form.part(record)]),
            event(
                "response.output_item.done",
                ["output_index": 0, "item": whole["output"]?.array?.first ?? .null]),
            event(
                isWhole ? "response.completed" : "response.incomplete", ["response": whole]),
        ]
    }

    /// The event of the response that failed.
    func failed(_ failure: HTTPFailure, after count: Int) -> [UInt8] {
        var events = self
        events.number = count
        return events.event("response.failed", ["response": form.failed(failure)])
    }

    /// An event about the only part of the only message.
    private mutating func place(
        _ name: String, _ members: KeyValuePairs<String, JSON>
    ) -> [UInt8] {
        event(
            name,
            ["item_id": .string(form.messageID), "output_index": 0, "content_index": 0], members)
    }

    private mutating func event(
        _ name: String, _ members: KeyValuePairs<String, JSON>,
        _ more: KeyValuePairs<String, JSON> = [:]
    ) -> [UInt8] {
        var object = JSONObject()
        object["type"] = .string(name)
        object["sequence_number"] = .integer(number)
        number += 1
        for (key, value) in Array(members) + Array(more) { object[key] = value }
        return ResponseStream.event(.object(object), named: name)
    }
}
