import Artifacts
import Hummingbird
import InferencePipeline
import NIOCore
import Objects
import Serving

/// A request to `POST /v1/chat/completions`.
struct ChatCompletionRequest {
    let ask: AnswerRequest
    /// The model that the client names.
    let model: String
    let isStreamed: Bool
    /// Whether a streamed answer ends with a chunk that counts tokens.
    let countsTokens: Bool

    init(_ body: JSON) throws {
        let request = try APIRequest(body)
        model = try request.requiredText("model")
        try request.refuse([
            ("n", [.number(1)]), ("tools", [.array([])]), ("functions", [.array([])]),
            ("tool_choice", ["none", "auto"]), ("function_call", ["none", "auto"]),
            ("stop", [.array([])]), ("logprobs", [false]), ("top_logprobs", [.number(0)]),
            ("audio", []), ("modalities", [["text"]]), ("prediction", []),
            ("response_format", [["type": "text"]]), ("web_search_options", []),
        ])
        guard let messages = try request.list("messages") else {
            throw request.failure("messages", "is missing")
        }
        let conversation = try AskedConversation(messages, of: request, key: "messages")
        isStreamed = try request.flag("stream") ?? false
        countsTokens = try request.nested("stream_options")?.flag("include_usage") ?? false
        let newer = try request.integer("max_completion_tokens", in: 1...1_000_000)
        ask = conversation.ask(
            try request.integer("max_tokens", in: 1...1_000_000) ?? newer,
            try request.number("temperature", in: 0...2))
    }
}

/// The bodies of answers of `POST /v1/chat/completions`.
struct ChatCompletion: AnswerForm {
    let model: String
    let id: String
    /// Seconds since 1970.
    let created: Int
    /// Whether a streamed answer ends with a chunk that counts tokens.
    let countsTokens: Bool

    /// The whole answer.
    func body(_ record: AnswerRecord) -> JSON {
        .object(
            members("chat.completion") {
                $0["choices"] = [
                    [
                        "index": 0,
                        "message": [
                            "role": "assistant", "content": .string(record.answer),
                            "refusal": .null, "annotations": .array(annotations(record)),
                        ],
                        "logprobs": .null,
                        "finish_reason": .string(record.ending.rawValue),
                    ]
                ]
                $0["usage"] = Usage(of: record).chat
                $0["fti"] = .object(record.json)
            })
    }

    /// The first chunk of a streamed answer: whose turn it is.
    func opening() -> [[UInt8]] {
        [ResponseStream.event(chunk(["role": "assistant", "content": ""]))]
    }

    /// A chunk with a part of the text.
    func part(_ text: String) -> [UInt8] {
        ResponseStream.event(chunk(["content": .string(text)]))
    }

    /// The last chunk with a choice, which carries the record; the chunk that counts tokens; and the end.
    func closing(_ record: AnswerRecord) -> [[UInt8]] {
        var chunks = [
            chunk([:], ending: record.ending) { $0["fti"] = .object(record.json) }
        ]
        if countsTokens {
            chunks.append(
                .object(
                    members("chat.completion.chunk") {
                        $0["choices"] = []
                        $0["usage"] = Usage(of: record).chat
                    }))
        }
        return chunks.map { ResponseStream.event($0) } + [ResponseStream.event("[DONE]")]
    }

    private func chunk(
        _ delta: JSON, ending: ChatReply.Ending? = nil,
        adding: (inout JSONObject) -> Void = { _ in }
    ) -> JSON {
        .object(
            members("chat.completion.chunk") {
                $0["choices"] = [
                    [
                        "index": 0, "delta": delta, "logprobs": .null,
                        "finish_reason": ending.map { .string($0.rawValue) } ?? .null,
                    ]
                ]
                adding(&$0)
            })
    }

    private func members(
        _ kind: String, _ adding: (inout JSONObject) -> Void
    ) -> JSONObject {
        var object = JSONObject()
        object["id"] = .string(id)
        object["object"] = .string(kind)
        object["created"] = .integer(created)
        object["model"] = .string(model)
        adding(&object)
        return object
    }

    /// The cited passages that have an address, in the form of citations of web pages.
    private func annotations(_ record: AnswerRecord) -> [JSON] {
        CitedAddress.all(in: record).map { cited in
            [
                "type": "url_citation",
                "url_citation": [
                    "start_index": .integer(cited.range.lowerBound),
                    "end_index": .integer(cited.range.upperBound),
                    "title": .string(cited.title), "url": .string(cited.url),
                ],
            ]
        }
    }
}

/// A citation in an answer, of a passage that has an address of HTTP; clients make links of it.
struct CitedAddress {
    /// The place of the citation in the text, in code points, as clients in Python count.
    let range: Range<Int>
    let title: String
    let url: String

    /// The citations of an answer whose passages have such an address.
    static func all(in record: AnswerRecord) -> [CitedAddress] {
        var addresses: [Int: (title: String, url: String)] = [:]
        for passage in record.passages {
            guard let url = PageLink.outside(passage.url) else { continue }
            addresses[passage.number] = (passage.title, url)
        }
        guard !addresses.isEmpty else { return [] }
        let text = Array(record.answer.unicodeScalars)
        var found: [CitedAddress] = []
        var open: Int?
        for (index, scalar) in text.enumerated() {
            if scalar == "[" {
                open = index
            } else if scalar == "]", let start = open {
                open = nil
                let inner = String(String.UnicodeScalarView(text[(start + 1)..<index]))
                for word in inner.split(whereSeparator: { ",; ".contains($0) }) {
                    guard let number = Int(word), let passage = addresses[number] else {
                        continue
                    }
                    found.append(
                        CitedAddress(
                            range: start..<index + 1, title: passage.title, url: passage.url))
                }
            }
        }
        return found
    }
}

/// The number of tokens of an answer: counted by the endpoint, or else estimated.
struct Usage {
    let prompt: Int
    let answer: Int

    init(of record: AnswerRecord) {
        var (prompt, answer): (Int?, Int?) = (nil, nil)
        if case .openAI(_, _, _, let asked, let replied) = record.generator {
            (prompt, answer) = (asked, replied)
        }
        let rendered =
            record.prompt?.messages.map(\.text)
            ?? (record.conversation.map(\.text) + [record.question])
        self.prompt = prompt ?? rendered.reduce(0) { $0 + TokenEstimate.tokens(of: $1) }
        self.answer = answer ?? TokenEstimate.tokens(of: record.answer)
    }

    /// In the form of chat completions.
    var chat: JSON {
        [
            "prompt_tokens": .integer(prompt), "completion_tokens": .integer(answer),
            "total_tokens": .integer(prompt + answer),
        ]
    }

    /// In the form of responses.
    var responses: JSON {
        [
            "input_tokens": .integer(prompt), "output_tokens": .integer(answer),
            "total_tokens": .integer(prompt + answer),
            "input_tokens_details": ["cached_tokens": 0],
            "output_tokens_details": ["reasoning_tokens": 0],
        ]
    }
}

extension AnswerRecord {
    /// Why the answer ends.
    var ending: ChatReply.Ending {
        if case .openAI(_, _, let ending, _, _) = generator { ending } else { .stop }
    }
}
