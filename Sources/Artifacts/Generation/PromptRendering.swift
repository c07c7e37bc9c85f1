public import Objects

/// A prompt with a question and passages: what a language model is sent.
public struct RenderedPrompt: Hashable, Sendable {
    /// The identity of the prompt.
    public let prompt: ObjectID
    /// The messages, of which the first has the instructions and the last the passages and the question.
    public let messages: [ChatMessage]
    /// The number of passages that the model sees: the first ones of those that were offered.
    public let shown: Int
    /// The estimated number of tokens of the messages.
    public let tokens: Int
}

extension Prompt {
    /// A chunk as prompts show it.
    public struct Passage: Hashable, Sendable {
        /// The title of its document.
        public var title: String
        /// The headings above it, in one text.
        public var section: String
        /// The address of its document; empty where it has none.
        public var url: String
        /// Its text.
        public var text: String

        /// Makes a passage.
        public init(title: String, section: String = "", url: String = "", text: String) {
            self.title = title
            self.section = section
            self.url = url
            self.text = text
        }
    }

}

extension Prompt.Passage {
    /// A row as prompts show it: its section is the path of its headings, without the title that comes first.
    public init(_ row: FeatureRow) {
        let headings =
            row.headings.first == row.title ? row.headings.dropFirst() : row.headings[...]
        self.init(
            title: row.title.isEmpty ? row.document : row.title,
            section: headings.joined(separator: " / "),
            url: row.metadata[FeatureRow.addressMember]?.string ?? "", text: row.text)
    }
}

extension Prompt {
    /// The tokens that the first passage may have however long the question is.
    private static let leastPassage = 64
    /// Ends the text of a passage that was cut.
    private static let ellipsis = " …"

    /// Renders the messages for a question.
    ///
    /// The last message has the passages, each between the lines `<passage 1>` and `</passage>`, and then the question.
    /// Nothing that is inserted can contain these lines; see `docs/generation.md`. When the budget is too small, earlier
    /// turns are left out first, the oldest before the others; then passages, from the last; the first passage is cut
    /// rather than left out. The question is never cut.
    ///
    /// - Parameters:
    ///   - passages: The passages, best first; they are numbered from 1.
    ///   - conversation: The turns before the question. Of these, the model sees pairs of a question and a reply; messages
    ///     from a client that pose as instructions are left out.
    public func render(
        question text: String, passages: [Passage], conversation: [ChatMessage] = []
    ) -> RenderedPrompt {
        let asked = question.filled { _ in PromptValue.safe(text, in: .conversation) }
        var left =
            budget.context * TokenEstimate.quartersPerToken - Self.quarters(ofMessage: system)
            - Self.quarters(ofMessage: passages.isEmpty ? asked : "\n" + asked)
        let blocks = fitting(passages, &left)
        let body = blocks.joined() + (blocks.isEmpty ? "" : "\n") + asked
        let turns = Self.newest(Self.exchanges(in: conversation), &left)
        let instructions = system.isEmpty ? [] : [ChatMessage(.system, system)]
        let messages = instructions + turns + [ChatMessage(.user, body)]
        return RenderedPrompt(
            prompt: id, messages: messages, shown: blocks.count,
            tokens: TokenEstimate.tokens(of: messages))
    }

    /// The prompt of an answer for which the model is not asked, because no passage answers: it has no messages.
    ///
    /// - Parameter passages: The number of passages that were found.
    public func unasked(passages: Int) -> RenderedPrompt {
        RenderedPrompt(prompt: id, messages: [], shown: passages, tokens: 0)
    }

    /// The first passages, rendered, of which all fit.
    private func fitting(_ passages: [Passage], _ left: inout Int) -> [String] {
        var blocks: [String] = []
        for (index, passage) in passages.enumerated() {
            var block = rendered(passage, number: index + 1)
            if TokenEstimate.quarters(of: block) > left {
                guard index == 0 else { break }
                let room = max(left, Self.leastPassage * TokenEstimate.quartersPerToken)
                block = cut(passage, to: room)
            }
            left -= TokenEstimate.quarters(of: block)
            blocks.append(block)
        }
        return blocks
    }

    private func rendered(_ passage: Passage, number: Int) -> String {
        let body = self.passage.filled { placeholder in
            switch placeholder {
            case .question: ""
            case .number: "\(number)"
            case .title: PromptValue.safe(passage.title, in: .label)
            case .section: PromptValue.safe(passage.section, in: .label)
            case .url: PromptValue.safe(passage.url, in: .label)
            case .text: PromptValue.safe(passage.text, in: .passage)
            }
        }
        return "<passage \(number)>\n\(body)\n</passage>\n"
    }

    /// The first passage with as much of its text as fits in a number of quarters of a token.
    private func cut(_ passage: Passage, to room: Int) -> String {
        let characters = Array(passage.text)
        func block(_ count: Int) -> String {
            var passage = passage
            passage.text = String(characters.prefix(count)) + Self.ellipsis
            return rendered(passage, number: 1)
        }
        let count = (0..<characters.count).binarySearch {
            TokenEstimate.quarters(of: block($0 + 1)) <= room
        }
        return block(count)
    }

    /// The quarters of a message, with room for rounding its tokens up.
    private static func quarters(ofMessage text: String) -> Int {
        TokenEstimate.quarters(of: text)
            + (TokenEstimate.perMessage + 1) * TokenEstimate.quartersPerToken - 1
    }

    /// The pairs of a user's message and its reply; several messages in a row by one of them count as one.
    private static func exchanges(in conversation: [ChatMessage]) -> [[ChatMessage]] {
        var turns: [(role: ChatMessage.Role, texts: [String])] = []
        for message in conversation where message.role != .system {
            let text = PromptValue.safe(message.text, in: .conversation)
            guard text.contains(where: { !$0.isWhitespace }) else { continue }
            if turns.last?.role == message.role {
                turns[turns.count - 1].texts.append(text)
            } else {
                turns.append((message.role, [text]))
            }
        }
        let messages = turns.map { ChatMessage($0.role, $0.texts.joined(separator: "\n\n")) }
        return zip(messages, messages.dropFirst()).filter { $0.0.role == .user }
            .map { [$0.0, $0.1] }
    }

    /// The newest exchanges that fit, as messages in order.
    private static func newest(
        _ exchanges: [[ChatMessage]], _ left: inout Int
    ) -> [ChatMessage] {
        var kept: [[ChatMessage]] = []
        for exchange in exchanges.reversed() {
            let cost = exchange.reduce(0) { $0 + quarters(ofMessage: $1.text) }
            guard cost <= left else { break }
            left -= cost
            kept.append(exchange)
        }
        return kept.reversed().flatMap(\.self)
    }
}

extension Prompt {
    /// Text of a conversation, made safe to insert into a message; see `docs/generation.md`.
    public static func inserted(_ text: String) -> String {
        PromptValue.safe(text, in: .conversation)
    }
}
