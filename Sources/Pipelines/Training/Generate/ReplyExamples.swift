internal import Objects

/// Reads the examples in a model's reply, whose JSON may stand in a code fence, between other words, or one object a
/// line, and may be cut off at the end.
struct ReplyExamples: Equatable {
    /// An example, as the model wrote it.
    struct Example: Equatable {
        var question: String
        var answer: String
        var worse: String?
    }

    /// The examples in order.
    private(set) var examples: [Example] = []
    /// The objects that are no examples.
    private(set) var malformed = 0
    /// Whether the reply has any JSON.
    private(set) var hasJSON = false

    private static let byteLimit = 1 << 18
    /// The most places where JSON is looked for, which bounds the time for hostile replies.
    private static let tries = 200
    private static let deepest = 4

    private static let questionNames = ["question", "q", "query"]
    private static let answerNames = ["answer", "a", "chosen", "good", "better"]
    private static let worseNames = [
        "worse", "worse_answer", "worseAnswer", "bad", "wrong", "rejected",
    ]

    init(_ reply: String) {
        let bytes = Array(reply.utf8.prefix(Self.byteLimit))
        var at = 0
        var tries = 0
        while at < bytes.count, tries < Self.tries {
            guard bytes[at] == UInt8(ascii: "{") || bytes[at] == UInt8(ascii: "[") else {
                at += 1
                continue
            }
            tries += 1
            if let end = Self.end(of: bytes, from: at),
                case let part = Array(bytes[at..<end]),
                let json = try? JSON(parsing: part.span, roundsNumbers: true)
            {
                hasJSON = true
                add(json, depth: 0)
                at = end
            } else {
                at += 1
            }
        }
    }

    /// The end of the JSON value that begins at a bracket; nil if its brackets are not balanced.
    private static func end(of bytes: [UInt8], from start: Int) -> Int? {
        var depth = 0
        var isText = false
        var at = start
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\\") where isText: at += 1
            case UInt8(ascii: "\""): isText.toggle()
            case UInt8(ascii: "{") where !isText, UInt8(ascii: "[") where !isText: depth += 1
            case UInt8(ascii: "}") where !isText, UInt8(ascii: "]") where !isText:
                depth -= 1
                if depth == 0 { return at + 1 }
            default: break
            }
            at += 1
        }
        return nil
    }

    private mutating func add(_ json: JSON, depth: Int) {
        guard depth < Self.deepest else { return }
        if let items = json.array {
            for item in items { add(item, depth: depth + 1) }
            return
        }
        guard let object = json.object else { return }
        let lists = object.filter { $0.value.array?.contains { $0.object != nil } ?? false }
        guard lists.isEmpty else {
            for list in lists { add(list.value, depth: depth + 1) }
            return
        }
        func text(_ names: [String]) -> String? {
            names.lazy.compactMap { object[$0]?.string }.first.map(Self.trimmed)
        }
        guard let question = text(Self.questionNames), let answer = text(Self.answerNames) else {
            malformed += 1
            return
        }
        examples.append(
            Example(question: question, answer: answer, worse: text(Self.worseNames)))
    }

    /// A text without white space at both ends.
    private static func trimmed(_ text: String) -> String {
        let start = text.firstIndex { !$0.isWhitespace } ?? text.endIndex
        let end = text.lastIndex { !$0.isWhitespace }.map { text.index(after: $0) } ?? start
        return String(text[start..<end])
    }
}
