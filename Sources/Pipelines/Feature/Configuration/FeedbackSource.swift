internal import Artifacts
internal import Conditions
internal import Objects
internal import YAML

/// How a source reads the feedback that inference wrote: each line of its files becomes a row.
public struct FeedbackSource: Hashable, Sendable {
    /// The members of a line that rows do not have, not even in `record`.
    public var leftOut: [String]

    /// Makes settings; `leftOut` names members of a line.
    public init(leavingOut leftOut: [String] = []) { self.leftOut = leftOut }

    /// The version of the rows; a change to it makes runs rebuild them.
    private static let version = 1
    /// The members of a line that may be left out.
    static let optionalMembers = ["answer", "better", "comment", "from", "passage", "rating"]

    /// The settings as snapshots record them.
    var params: JSONObject {
        var object = JSONObject()
        object["kind"] = .string(DocumentSource.feedbackKind)
        object["version"] = .integer(Self.version)
        if !leftOut.isEmpty { object["leaveOut"] = .array(leftOut.map { .string($0) }) }
        return object
    }

    /// The line without the members that the source leaves out; they are null.
    func reduced(_ line: JSONObject) -> JSONObject {
        var line = line
        for name in leftOut where line[name] != nil { line[name] = .null }
        return line
    }

    /// The attributes of the rows, from the members of a line.
    static let attributes = [
        AttributeRule("answerId", .string), AttributeRule("better", .string),
        AttributeRule("comment", .string),
        AttributeRule("features", .string, from: .members(["answer.features"])),
        AttributeRule("from", .string), AttributeRule("passage", .string),
        AttributeRule("rating", .string),
        AttributeRule("release", .string, from: .members(["answer.release"])),
        AttributeRule("time", .date, from: .members(["time"])),
    ]
}

extension DocumentSource {
    /// The value of `kind` for documents, the default.
    private static let documentsKind = "documents"
    /// The value of `kind` for feedback.
    static let feedbackKind = "feedback"
    /// The files of a source of feedback unless the configuration says otherwise.
    static let feedbackInclude = [GlobPattern(ending: "jsonl")]

    /// Makes a source of feedback.
    public init(prefix: String = "", feedback: FeedbackSource, location: String) {
        self.init(prefix: prefix, location: location, include: Self.feedbackInclude)
        kind = .feedback(feedback)
        attributes = FeedbackSource.attributes
    }

    /// Whether the source holds feedback.
    var isFeedback: Bool {
        if case .feedback = kind { true } else { false }
    }

    /// Reads what the files of a source hold and which of them it reads, and checks that no other key is left.
    ///
    /// - Throws: `configuration`, with the line of the mistake.
    mutating func readContents(_ item: inout YAMLMapping) throws(ConfigurationError) {
        let common = ["files", "name", "kind"]
        let word = try item.text("kind")
        switch word?.value ?? Self.documentsKind {
        case Self.documentsKind:
            try readSelection(&item)
            try readMetadata(&item)
            try item.finish(known: common + Self.selectionKeys + Self.metadataKeys)
        case Self.feedbackKind:
            var feedback = FeedbackSource()
            for name in try item.texts("leaveOut") ?? [] {
                guard FeedbackSource.optionalMembers.contains(name.value) else {
                    throw item.error(
                        "sources.leaveOut names \(name.value): it may name "
                            + FeedbackSource.optionalMembers.joined(separator: ", "),
                        line: name.line)
                }
                feedback.leftOut.append(name.value)
            }
            self = DocumentSource(prefix: prefix, feedback: feedback, location: location)
            try readPatterns(&item)
            try item.finish(known: common + Self.patternKeys + ["leaveOut"])
        default:
            throw item.error(
                "sources.kind is \(word?.value ?? ""): it must be documents or feedback",
                line: word?.line)
        }
    }
}
