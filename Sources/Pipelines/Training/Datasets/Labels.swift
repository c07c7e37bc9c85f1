internal import Artifacts
internal import Objects
internal import Storage

/// A section of a document, as a label names it.
public struct SectionLabel: Hashable, Sendable {
    /// The document's path, as rows spell it; see ``FeatureRow/document``.
    public var document: String
    /// The anchor of the section.
    public var section: String
    /// The path exactly as the label has it, if that differs from ``document``.
    public var otherwise: String?

    /// Makes a label; `otherwise` is the path as written, if that differs from `document`.
    public init(document: String, section: String, otherwise: String? = nil) {
        self.document = document
        self.section = section
        self.otherwise = otherwise
    }

    /// The document as the label spells it.
    public var spelled: String { otherwise ?? document }
}

/// A question and the sections that answer it.
public struct LabelledQuestion: Hashable, Sendable {
    /// The id, which decides whether the question is held out.
    public var id: String
    /// The text to search for.
    public var question: String
    /// The sections, each of which answers the question; empty if the documents do not answer it.
    public var answers: [SectionLabel]
    /// The answer that someone wrote, for the dataset; nil to quote a section.
    public var answer: String?

    /// Makes a question; it has no answers if the documents do not answer it.
    public init(id: String, question: String, answers: [SectionLabel], answer: String? = nil) {
        self.id = id
        self.question = question
        self.answers = answers
        self.answer = answer
    }
}

/// A question and two answers, one of which a person prefers: two sections, or two texts about a section.
public struct LabelledPreference: Hashable, Sendable {
    /// The id, which decides whether the preference is held out.
    public var id: String
    /// The text to search for.
    public var question: String
    /// The better section.
    public var chosen: SectionLabel
    /// The worse section; nil if only ``worse`` is known, so that the ranker learns nothing.
    public var rejected: SectionLabel?
    /// The better answer as text, for the dataset; nil to quote the section.
    public var answer: String?
    /// The worse answer as text, for the dataset; nil to quote the section.
    public var worse: String?

    /// Makes a preference; without texts, its sections must differ.
    public init(
        id: String, question: String, chosen: SectionLabel, rejected: SectionLabel?,
        answer: String? = nil, worse: String? = nil
    ) {
        self.id = id
        self.question = question
        self.chosen = chosen
        self.rejected = rejected
        self.answer = answer
        self.worse = worse
    }
}

/// Reads files of labels: one JSON object per line; blank lines are skipped.
public enum LabelFile {
    /// The maximum number of bytes of a file, which must fit in memory together with the features.
    private static let byteLimit = 256 << 20

    /// Parses lines of the form `{"id", "question", "answers": [{"document", "section"}], "answer"}`, where `answer` is
    /// optional.
    ///
    /// - Throws: `labels`, with the line of the mistake, which may be a repeated id.
    public static func questions(
        _ bytes: [UInt8], path: String
    ) throws(TrainingError) -> [LabelledQuestion] {
        var questions: [LabelledQuestion] = []
        try forEachObject(bytes, path: path) { (reader) throws(JSONSchemaError) in
            let id = try reader.string("id")
            let question = try question(&reader)
            var answers: [SectionLabel] = []
            for (index, json) in try reader.array("answers").enumerated() {
                guard let object = json.object else {
                    throw reader.error("answers[\(index)]", "must be an object")
                }
                var inner = JSONObjectReader(object, path: "answers[\(index)]")
                answers.append(try section(&inner))
            }
            questions.append(
                LabelledQuestion(
                    id: id, question: question, answers: answers,
                    answer: try text("answer", &reader)))
            return id
        }
        return questions
    }

    /// Parses lines of the form `{"id", "question", "chosen": {"document", "section"}, "rejected": {...}, "answer",
    /// "worse"}`, where `answer` and `worse` are optional, and `worse` makes `rejected` optional.
    ///
    /// - Throws: `labels`, with the line of the mistake, which may be a repeated id.
    public static func preferences(
        _ bytes: [UInt8], path: String
    ) throws(TrainingError) -> [LabelledPreference] {
        var preferences: [LabelledPreference] = []
        try forEachObject(bytes, path: path) { (reader) throws(JSONSchemaError) in
            let preference = LabelledPreference(
                id: try reader.string("id"), question: try question(&reader),
                chosen: try reader.nested("chosen") { (inner) throws(JSONSchemaError) in
                    try section(&inner)
                },
                rejected: reader.has("worse") && !reader.has("rejected")
                    ? nil
                    : try reader.nested("rejected") { (inner) throws(JSONSchemaError) in
                        try section(&inner)
                    },
                answer: try text("answer", &reader), worse: try text("worse", &reader))
            preferences.append(preference)
            return preference.id
        }
        return preferences
    }

    private static func question(
        _ reader: inout JSONObjectReader
    ) throws(JSONSchemaError) -> String {
        let question = try reader.string("question")
        guard question.contains(where: { $0.isLetter || $0.isNumber }) else {
            throw reader.error("question", "has no words")
        }
        return question
    }

    /// Reads an optional text, which must have words.
    private static func text(
        _ member: String, _ reader: inout JSONObjectReader
    ) throws(JSONSchemaError) -> String? {
        guard reader.has(member) else { return nil }
        let text = try reader.string(member)
        guard text.contains(where: { $0.isLetter || $0.isNumber }) else {
            throw reader.error(member, "has no words")
        }
        return text
    }

    /// Reads a whole file of labels.
    ///
    /// - Throws: `storage`, also for a file of more than ``byteLimit`` bytes.
    static func read(_ path: String) throws(TrainingError) -> [UInt8] {
        try wrapping(LocalFile.read(path, limit: byteLimit), as: TrainingError.storage)
    }

    private static func section(
        _ reader: inout JSONObjectReader
    ) throws(JSONSchemaError) -> SectionLabel {
        let document = try reader.string("document")
        let encoded = DocumentPath.encode(document) ?? document
        return SectionLabel(
            document: encoded, section: try reader.string("section"),
            otherwise: encoded.utf8.elementsEqual(document.utf8) ? nil : document)
    }

    /// Parses each object with `read`, which returns its id.
    private static func forEachObject(
        _ bytes: [UInt8], path: String,
        _ read: (inout JSONObjectReader) throws(JSONSchemaError) -> String
    ) throws(TrainingError) {
        var lines: [[UInt8]: Int] = [:]
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
            .enumerated() where line.contains(where: { $0 > 0x20 })
        {
            let number = index + 1
            let json: JSON
            do {
                let text = Array(line)
                json = try JSON(parsing: text.span)
            } catch {
                throw .labels(
                    path: path, line: number, reason: "\(error.reason) at byte \(error.offset)")
            }
            guard let object = json.object else {
                throw .labels(path: path, line: number, reason: "it is not a JSON object")
            }
            let id: String
            do {
                var reader = JSONObjectReader(object)
                id = try read(&reader)
            } catch {
                throw .labels(path: path, line: number, reason: "\(error.path) \(error.reason)")
            }
            if let first = lines.updateValue(number, forKey: Array(id.utf8)) {
                throw .labels(
                    path: path, line: number, reason: "line \(first) has the same id \(id)")
            }
        }
    }
}

/// A labelled section that training cannot use.
public struct MissingLabel: Hashable, Sendable {
    /// The kinds of labels.
    public enum Kind: String, Sendable {
        case question
        case preference
    }

    /// Whether the label is a question or a preference.
    public let kind: Kind
    /// The id of the question or the preference.
    public let id: String
    /// The document, as the label spells it.
    public let document: String
    /// The anchor of the section.
    public let section: String
    /// Whether the label is still used, for its other sections.
    public let isUsed: Bool
    /// Whether the features have the section but a preference both chooses and rejects it.
    public let isChosenToo: Bool

    init(
        _ kind: Kind, id: String, _ label: SectionLabel, isUsed: Bool, isChosenToo: Bool = false
    ) {
        self.kind = kind
        self.id = id
        document = label.spelled
        section = label.section
        self.isUsed = isUsed
        self.isChosenToo = isChosenToo
    }

    /// The label on one line, for people.
    public var text: String {
        "\(kind.rawValue) \(id): \(document)#\(section)"
            + (isChosenToo ? " is both chosen and rejected" : "")
            + (isUsed ? " (its other answers are used)" : "")
    }

    /// How many labels ``lines(_:)`` shows.
    static let shown = 10

    /// The first labels as lines of text, and the number of further ones.
    static func lines(_ missing: [MissingLabel]) -> [String] {
        missing.prefix(shown).map(\.text)
            + (missing.count > shown
                ? ["and \(missing.count - shown) more; --json lists all"] : [])
    }

    var json: JSON {
        [
            "kind": .string(kind.rawValue), "id": .string(id), "document": .string(document),
            "section": .string(section),
            "reason": .string(isChosenToo ? "both chosen and rejected" : "not in the features"),
            "used": .bool(isUsed),
        ]
    }
}
