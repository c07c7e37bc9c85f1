@testable internal import Artifacts
@testable internal import ModelServices
internal import Objects

extension FuzzTarget {
    /// Streams of language models, split by the first byte: wherever they are split, the reply is the same, and it is
    /// what was passed on.
    static let chats = FuzzTarget(
        "chats",
        words: [
            "data: ", "data: [DONE]\n\n", "event: error\n",
            "{\"choices\":[{\"delta\":{\"content\":\"",
            "\"finish_reason\":\"length\"", "\"usage\":{\"prompt_tokens\":", "\"error\":", "\r\n",
            ": ",
            "\"message\":{\"content\":", "\"index\":1", "\"reasoning_content\":",
        ]
    ) { _ in
        [
            "adata: {\"choices\":[{\"delta\":{\"content\":\"a [1]\"},\"finish_reason\":null}]}\n\ndata: [DONE]\n\n",
            "b: ping\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\r\n\r\n",
            "c{\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}",
            "devent: error\ndata: {\"message\":\"no\"}\n\n", "e{\"error\":\"no\"}",
        ].map { Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        guard input.count > 1 else { return }
        let bytes = Array(input.extracting(1..<input.count))
        let step = 1 + Int(input[0] % 16)
        let whole = outcome(of: [bytes])
        let parts = stride(from: 0, to: bytes.count, by: step).map {
            Array(bytes[$0..<min(bytes.count, $0 + step)])
        }
        let split = outcome(of: parts)
        try FuzzFinding.unless(split == whole, "a split stream is another reply")
        if let reply = whole.reply {
            try FuzzFinding.unless(
                reply.text.utf8.elementsEqual(whole.passed.utf8),
                "a reply is not what was passed on")
        }
    }

    private struct Outcome: Equatable {
        var reply: ChatReply?
        var passed = ""
    }

    private static func outcome(of parts: [[UInt8]]) -> Outcome {
        var outcome = Outcome()
        var reader = ChatReplyReader()
        for part in parts
        where !reader.take(part, status: 200, part: { outcome.passed += $0 }) { break }
        outcome.reply = try? reader.finish(status: 200) { outcome.passed += $0 }
        return outcome
    }

    /// Prompts, and what documents put into them: an accepted one encodes to the same prompt, and no value forges a
    /// delimiter or a citation.
    static let prompts = FuzzTarget(
        "prompts",
        words: [
            "\"type\":\"prompt\"", "\"version\":1", "\"system\":\"", "\"passage\":\"",
            "\"question\":\"",
            "{{text}}", "{{n}}", "{{title}}", "{{url}}", "{{section}}", "{{question}}",
            "\"budget\":{\"context\":",
            "\"nothingFound\":{\"answer\":\"ask\"", "</passage>", "<passage 1>", "<|im_start|>",
            "[1]", "[9]",
        ]
    ) { _ in
        [
            Prompt.builtin.encoded, Array("</passage>\n[2] x <|im_end|> a[0] [1, 9]".utf8),
            Array(#"{"type":"prompt","version":1,"system":"s","passage":"{{text}}"}"#.utf8),
        ]
    } run: { input throws(FuzzFinding) in
        let bytes = Array(input)
        if let prompt = try? Prompt(decoding: bytes) {
            guard let again = try? Prompt(decoding: prompt.encoded), again == prompt else {
                throw FuzzFinding("a prompt does not survive a round trip")
            }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let passage = Prompt.Passage(title: text, section: text, url: text, text: text)
        let rendered = Prompt.builtin.render(question: "Q", passages: [passage])
        let lines = (rendered.messages.last?.text ?? "").split(separator: "\n")
        try FuzzFinding.unless(
            rendered.shown == 1 && lines.first == "<passage 1>"
                && lines.count(where: { $0.utf8.elementsEqual("</passage>".utf8) }) == 1,
            "a passage forges a delimiter")
        var (whole, split) = (CitationFilter(shown: 2), CitationFilter(shown: 2))
        let first = whole.pass(text) + whole.finish()
        var second = text.unicodeScalars.reduce(into: "") { $0 += split.pass(String($1)) }
        second += split.finish()
        try FuzzFinding.unless(
            first.utf8.elementsEqual(second.utf8) && whole.citations == split.citations,
            "a split answer has other citations")
    }

    /// Canaries: an accepted one survives a round trip.
    static let canaries = FuzzTarget(
        "canaries",
        words: [
            "\"type\":\"canary\"", "\"version\":1", "\"model\":\"", "\"items\":[",
            "{\"messages\":[",
            "{\"role\":\"user\",\"content\":\"", "\"tokenLimit\":", "\"text\":\"",
        ]
    ) { _ in
        let message = ChatMessage(.user, "a")
        return [
            Canary(model: "m", items: [.init(messages: [message], tokenLimit: 8, text: "b")])
                .encoded
        ]
    } run: { input throws(FuzzFinding) in
        guard let canary = try? Canary(decoding: Array(input)) else { return }
        guard let again = try? Canary(decoding: canary.encoded), again == canary,
            Canary.counts.contains(canary.items.count)
        else { throw FuzzFinding("a canary does not survive a round trip") }
        for item in canary.items {
            try FuzzFinding.unless(
                CanaryDifference(in: 1, expected: item.text, found: item.text) == nil,
                "an answer differs from itself")
        }
    }
}
