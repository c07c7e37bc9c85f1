public import Objects
public import Storage

/// Recorded greedy answers of an engine, which tell it apart from every other one.
///
/// A release binds one as `canary.json`. A service asks the questions before it uses an engine; one that answers
/// otherwise runs another model, another quantisation or another chat template.
///
/// The rule is plain equality: without randomness, an engine repeats itself, and two that differ in any weight diverge
/// within a few dozen tokens of open-ended text. White space at the end does not count. An answer that differs is asked
/// for a second time, because an engine that computes several replies together may break a near tie differently.
public struct Canary: Hashable, Sendable {
    /// A conversation and the answer to it.
    public struct Item: Hashable, Sendable {
        /// The conversation.
        public let messages: [ChatMessage]
        /// The maximum number of tokens of the answer.
        public let tokenLimit: Int
        /// The answer.
        public let text: String

        /// Makes an item.
        public init(messages: [ChatMessage], tokenLimit: Int, text: String) {
            self.messages = messages
            self.tokenLimit = tokenLimit
            self.text = text
        }

        fileprivate var request: ChatRequest {
            ChatRequest(messages, tokenLimit: tokenLimit, temperature: 0)
        }
    }

    /// The model's name when the answers were recorded; a service may call it by another.
    public let model: String
    /// The answers.
    public let items: [Item]

    /// The name of a canary in the tree of a release.
    public static let fileName = "canary.json"
    /// The maximum number of bytes of a stored canary.
    public static let byteLimit = 1 << 20
    /// The supported numbers of answers.
    public static let counts = 1...64
    /// The number of answers that are recorded unless the caller asks for another.
    public static let usualCount = 6
    /// The maximum number of tokens of a recorded answer.
    private static let tokenLimit = 32
    private static let tokenLimits = 1...1024

    /// Makes a canary.
    public init(model: String, items: [Item]) {
        self.model = model
        self.items = items
    }

    /// The identity of the object whose bytes are ``encoded``.
    public var id: ObjectID { ObjectID(of: encoded.span) }

    /// What is asked when answers are recorded.
    ///
    /// The questions are open-ended and differ in kind, so that small differences between weights soon lead to other words.
    public static let questions = [
        "Write the first two sentences of a story about a lighthouse keeper who finds a map.",
        "List five unusual uses for a brick, separated by commas.",
        "Explain in one sentence why the sky is blue at noon and red at dusk.",
        "Continue this text: The pump had been silent for three days when",
        "Write a Python function that returns the second largest number of a list.",
        "Schreibe einen Satz über einen alten Baum und den Wind.",
        "Invent a name and a slogan for a shop that repairs umbrellas.",
        "What is 17 times 23? Show each step.",
        "Describe the taste of a lemon to somebody who has never eaten one.",
        "Write four lines of a poem about a railway station at night.",
        "Give three reasons to keep a diary, the least obvious one first.",
        "Translate into French: The greenhouse door stays open until the frost alarm rings.",
    ]
}

/// Whether an engine answers as a canary records.
public enum CanaryOutcome: Hashable, Sendable {
    /// It does.
    case same
    /// It does not.
    case differs(CanaryDifference)
}

/// The first place where an answer differs from the expected one.
public struct CanaryDifference: Hashable, Sendable, CustomStringConvertible {
    /// The number of the item, from 1.
    public let item: Int
    /// The number of characters that agree.
    public let offset: Int
    /// The expected text, from that place.
    public let expected: String
    /// The text that came instead.
    public let found: String

    /// The most characters of a text that a difference shows.
    private static let shown = 40

    /// The difference between two texts; nil when they differ in nothing but white space at the end.
    init?(in item: Int, expected: String, found: String) {
        let (wanted, given) = (Self.trimmed(expected), Self.trimmed(found))
        guard !wanted.utf8.elementsEqual(given.utf8) else { return nil }
        let (left, right) = (Array(wanted), Array(given))
        let offset = zip(left, right).enumerated().first {
            !String($0.element.0).utf8.elementsEqual(String($0.element.1).utf8)
        }?.offset
        self.item = item
        self.offset = offset ?? min(left.count, right.count)
        self.expected = String(left[self.offset...].prefix(Self.shown))
        self.found = String(right[self.offset...].prefix(Self.shown))
    }

    /// The difference in one line.
    public var description: String {
        func quoted(_ text: String) -> String {
            text.isEmpty ? "the end" : JSON.string(text).canonicalText
        }
        return "answer \(item) differs after \(offset) characters: expected \(quoted(expected)), "
            + "got \(quoted(found))"
    }

    private static func trimmed(_ text: String) -> String {
        var text = text
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return text
    }
}

extension Canary {
    /// Why no canary was recorded.
    public enum RecordingError: Diagnosable, Hashable {
        /// The engine gave another answer when it was asked again.
        case unsteady(name: String, CanaryDifference)
        /// The engine gave no answer.
        case generation(GenerationError)

        /// See ``Diagnosable``.
        public var fault: Fault {
            switch self {
            case .unsteady: .refused
            case .generation(let error): error.fault
            }
        }

        /// See ``Diagnosable``.
        public var message: String {
            switch self {
            case .unsteady(let name, let difference):
                "the model \(name) does not repeat itself at temperature 0: \(difference)"
            case .generation(let error): error.message
            }
        }

        /// See ``Diagnosable``.
        public var remedy: String? {
            switch self {
            case .unsteady:
                "turn off sampling, speculative decoding or batching that depends on load, and repeat"
            case .generation(let error): error.remedy
            }
        }
    }

    /// Records the answers of an engine to the first of ``questions``; asks all of them twice.
    ///
    /// - Throws: `unsteady` when the engine does not repeat itself; `generation`.
    public static func record(
        from model: any ChatModel, count: Int = usualCount, by deadline: Deadline
    ) throws(RecordingError) -> Canary {
        let blank = Canary(
            model: model.name,
            items: questions.prefix(max(1, count)).map {
                Item(messages: [ChatMessage(.user, $0)], tokenLimit: tokenLimit, text: "")
            })
        return try wrapping(as: RecordingError.generation) { () throws(GenerationError) in
            Canary(
                model: model.name,
                items: try blank.items.map { (item) throws(GenerationError) in
                    Item(
                        messages: item.messages, tokenLimit: item.tokenLimit,
                        text: try model.text(item.request, by: deadline))
                })
        }.repeated(by: model, deadline)
    }

    /// This canary, once an engine has given the same answers again.
    private func repeated(
        by model: any ChatModel, _ deadline: Deadline
    ) throws(RecordingError) -> Canary {
        for (index, item) in items.enumerated() {
            let again = try wrapping(
                model.text(item.request, by: deadline), as: RecordingError.generation)
            if let difference = CanaryDifference(
                in: index + 1, expected: item.text, found: again)
            {
                throw .unsteady(name: model.name, difference)
            }
        }
        return self
    }

    /// Asks an engine what the canary asked, until an answer differs twice.
    ///
    /// - Throws: The errors of ``ChatModel``: the engine is then neither verified nor refuted.
    public func check(
        _ model: any ChatModel, by deadline: Deadline
    ) throws(GenerationError) -> CanaryOutcome {
        for (index, item) in items.enumerated() {
            var difference: CanaryDifference?
            for _ in 0..<2 {
                let found = try model.text(item.request, by: deadline)
                difference = CanaryDifference(in: index + 1, expected: item.text, found: found)
                if difference == nil { break }
            }
            if let difference { return .differs(difference) }
        }
        return .same
    }
}

extension ChatModel {
    /// The whole text of a reply.
    fileprivate func text(
        _ request: ChatRequest, by deadline: Deadline
    ) throws(GenerationError) -> String {
        var request = request
        request.isCharged = false
        return try reply(to: request, by: deadline) { _ in }.text
    }
}

extension Canary {
    private static let type = "canary"
    private static let version = 1

    /// The stored bytes: canonical JSON.
    public var encoded: [UInt8] {
        let json: JSON = [
            "type": .string(Self.type), "version": .integer(Self.version),
            "model": .string(model),
            "items": .array(
                items.map { item in
                    [
                        "messages": .array(item.messages.map(\.json)),
                        "tokenLimit": .integer(item.tokenLimit), "text": .string(item.text),
                    ]
                }),
        ]
        return json.canonicalBytes
    }

    /// Reads a `canary.json`, in any form that JSON allows.
    ///
    /// - Throws: An error with the path of the member at fault.
    public init(decoding bytes: [UInt8]) throws(JSONSchemaError) {
        var reader = try JSONObjectReader(file: bytes)
        try reader.expect(type: Self.type, version: Self.version)
        model = try reader.string("model")
        let list = try reader.array("items")
        guard Self.counts.contains(list.count) else {
            throw reader.error(
                "items", "must be from \(Self.counts.lowerBound) to \(Self.counts.upperBound)")
        }
        items = try list.enumerated().map { (place) throws(JSONSchemaError) in
            let (path, object) = try reader.item(place.element, "items", place.offset)
            var inner = JSONObjectReader(object, path: path)
            let item = try Item(&inner)
            try inner.finish()
            return item
        }
        try reader.finish()
    }
}

extension Canary.Item {
    fileprivate init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        messages = try reader.messages(try reader.array("messages"), "messages")
        guard !messages.isEmpty else { throw reader.error("messages", "must not be empty") }
        tokenLimit = try reader.count("tokenLimit")
        text = try reader.string("text")
        guard Canary.tokenLimits.contains(tokenLimit) else {
            throw reader.error("tokenLimit", "must be from 1 to 1024")
        }
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw reader.error("text", "must not be empty")
        }
    }
}
