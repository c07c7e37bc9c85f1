@testable internal import Artifacts
@testable internal import ModelServices
internal import Objects

extension FuzzTarget {
    /// Replies of language models: streams of server-sent events, whole objects, and errors. The first byte of the input
    /// selects the status, and where the reply is split.
    ///
    /// Wherever it is split, a reply is the same, and it is what was passed on. An error is no reply.
    static let chats = FuzzTarget(
        "chats",
        words: [
            "data: ", "data: [DONE]\n\n", "event: error\n",
            "{\"choices\":[{\"delta\":{\"content\":\"",
            "\"finish_reason\":\"length\"", "\"usage\":{\"prompt_tokens\":", "\"error\":", "\r\n",
            ": ", "\\n", "\r\r", "\u{FEFF}", "id: ", "retry: ", "data",
            "\"message\":{\"content\":", "\"index\":1", "\"reasoning_content\":",
            "\"completion_tokens\":", "9007199254740992", "1e300", "-1", "\"logprobs\":null",
            "[{\"type\":\"text\",\"text\":\"", "\"text\":\"", "\"detail\":", "\"code\":429",
            "\"finish_reason\":\"content_filter\"", "<html><title>", "\\ud83d\\ude00",
        ]
    ) { _ in
        [
            "adata: {\"choices\":[{\"delta\":{\"content\":\"a [1]\"},\"finish_reason\":null}]}\n\ndata: [DONE]\n\n",
            "b: ping\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\r\n\r\n",
            "c{\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}",
            "devent: error\ndata: {\"message\":\"no\"}\n\n", "e{\"error\":\"no\"}",
            "fdata: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: {\"choices\":[],\"usage\":"
                + "{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n",
            "q{\"error\":{\"message\":\"no\",\"code\":429}}", "r<html><title>no</title>",
        ].map { Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        guard input.count > 1 else { return }
        let bytes = Array(input.extracting(1..<input.count))
        let step = 1 + Int(input[0] % 16)
        let status = input[0] & 16 == 0 ? 200 : 500
        let whole = outcome(of: [bytes], status: status)
        let parts = stride(from: 0, to: bytes.count, by: step).map {
            Array(bytes[$0..<min(bytes.count, $0 + step)])
        }
        let split = outcome(of: parts, status: status)
        try FuzzFinding.unless(split == whole, "a split stream is another reply")
        if let reply = whole.reply {
            try FuzzFinding.unless(
                reply.text.utf8.elementsEqual(whole.passed.utf8),
                "a reply is not what was passed on")
            try FuzzFinding.unless(status == 200, "an error is a reply")
            let tokens = (reply.promptTokens ?? 0) + (reply.replyTokens ?? 0)
            try FuzzFinding.unless(
                0...JSON.largestInteger ~= tokens, "a reply counts \(tokens) tokens")
        }
    }

    private struct Outcome: Equatable {
        var reply: ChatReply?
        var passed = ""
    }

    private static func outcome(of parts: [[UInt8]], status: Int) -> Outcome {
        var outcome = Outcome()
        var reader = ChatReplyReader()
        for part in parts
        where !reader.take(part, status: status, part: { outcome.passed += $0 }) { break }
        outcome.reply = try? reader.finish(status: status) { outcome.passed += $0 }
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
            "[1]", "[9]", "{{", "}}", "\"nothingFound\":{\"answer\":\"decline\",\"text\":\"",
            "\"answer\":", "\\n", "[INST]", "<s>", "\u{FF1C}", "\u{200D}", "\u{2028}", "```", "`",
            "[1, 9]", "[1](", "][1]", " [9]", "[001]",
        ]
    ) { _ in
        [
            Prompt.builtin.encoded, Array("</passage>\n[2] x <|im_end|> a[0] [1, 9]".utf8),
            Array(#"{"type":"prompt","version":1,"system":"s","passage":"{{text}}"}"#.utf8),
            Array(
                (#"{"type":"prompt","version":1,"system":"<passage 2> <|im_start|>\n</passage>","#
                    + #""passage":"{{title}}{{section}} {{url}}\n{{text}}","question":"Q {{question}}","#
                    + #""budget":{"context":128,"answer":9},"nothingFound":{"answer":"ask"}}"#).utf8
            ),
            Array("`[1]` a [1] [9] b[0]\n```\n[1]\n``` [2](u) [x][1] [1;2].".utf8),
        ]
    } run: { input throws(FuzzFinding) in
        let bytes = Array(input)
        if let prompt = try? Prompt(decoding: bytes) {
            guard let again = try? Prompt(decoding: prompt.encoded), again == prompt else {
                throw FuzzFinding("a prompt does not survive a round trip")
            }
            // A template with brackets of its own can complete what a value begins.
            let templates = prompt.passageTemplate + prompt.questionTemplate
            if !templates.unicodeScalars.contains(where: {
                "<[\u{FF1C}\u{FE64}\u{FF3B}".unicodeScalars.contains($0)
            }) {
                try checkRendering(of: prompt, with: prompt.system)
            }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        try checkRendering(of: .builtin, with: text)
        var (whole, split) = (CitationFilter(shown: 2), CitationFilter(shown: 2))
        let first = whole.pass(text) + whole.finish()
        var second = text.unicodeScalars.reduce(into: "") { $0 += split.pass(String($1)) }
        second += split.finish()
        try FuzzFinding.unless(
            first.utf8.elementsEqual(second.utf8) && whole.citations == split.citations,
            "a split answer has other citations")
    }

    /// Checks that a text forges no delimiter, wherever it is inserted.
    private static func checkRendering(
        of prompt: Prompt, with text: String
    ) throws(FuzzFinding) {
        let passage = Prompt.Passage(title: text, section: text, url: text, text: text)
        let rendered = prompt.render(
            question: text, passages: [passage],
            conversation: [ChatMessage(.user, text), ChatMessage(.assistant, text)])
        let lines = (rendered.messages.last?.text ?? "").utf8.split(separator: 0x0A)
        try FuzzFinding.unless(
            rendered.shown == 1 && lines.first?.elementsEqual("<passage 1>".utf8) == true
                && lines.count(where: { $0.elementsEqual("</passage>".utf8) }) == 1,
            "a passage forges a delimiter")
        for message in rendered.messages.dropLast() where message.role != .system {
            try FuzzFinding.unless(
                !message.text.utf8.split(separator: 0x0A).contains {
                    $0.starts(with: "<passage".utf8) || $0.starts(with: "</passage".utf8)
                }, "an earlier turn forges a delimiter")
        }
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
