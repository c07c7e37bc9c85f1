public import Documents
internal import Objects

/// Something about a document, a file or a folder that a person should know.
public struct Remark: Hashable, Sendable {
    /// What it is about: a path below the sources, or a source.
    public let path: String
    /// What there is to say: the end of a sentence that begins with the path.
    public let reason: String

    /// What it counts, when it is about the text of a document.
    public let finding: Finding?

    /// Makes a remark.
    public init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
        finding = nil
    }

    /// The remark as `--json` prints it.
    var json: JSON {
        var object = JSONObject()
        object["path"] = .string(path)
        object["reason"] = .string(reason)
        if let finding {
            object["fate"] = .string(finding.fate.rawValue)
            object["kind"] = .string(finding.reason)
            object["count"] = .integer(finding.count)
            object["unit"] = .string(finding.unit)
            if let detail = finding.detail { object["detail"] = .string(detail) }
        }
        return .object(object)
    }

    /// The remark as a sentence.
    var sentence: String { "\(path.isEmpty ? "the source" : path) \(reason)" }

    /// Makes a remark of what was found in a document.
    public init(_ path: String, _ finding: Finding) {
        self.path = path
        self.finding = finding
        reason = finding.sentence
    }
}
