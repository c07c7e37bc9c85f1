internal import Objects
internal import Refs
internal import Storage

/// How an error is told: a line that says what and where, and below it what to do next.
struct ErrorReport {
    let word: String
    let message: String
    let remedy: String?
    let status: ExitStatus
    /// What the report in JSON has besides.
    let details: JSONObject

    init(_ error: any Diagnosable) {
        word = error.fault.word
        message = Secrets.redacted(error.message)
        remedy = error.remedy.map { Secrets.redacted($0) }
        details = (error as? any DetailedFailure)?.details ?? JSONObject()
        status = ExitStatus(error.fault)
    }

    init(usage message: String, remedy: String?) {
        word = Fault.usage.word
        self.message = Secrets.redacted(Self.sentence(message))
        self.remedy = remedy.map { Secrets.redacted($0) }
        details = JSONObject()
        status = .usage
    }

    /// The parser's sentences begin with a capital and may have several lines; a message is one line
    /// and continues one.
    private static func sentence(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map { line in
            line.drop { $0 == " " }
        }
        let text = lines.joined(separator: ", ")
        guard let first = text.utf8.first, (0x41...0x5A).contains(first) else { return text }
        return String(decoding: [first | 0x20], as: UTF8.self) + text.dropFirst()
    }

    /// A line that says what and where, those that continue it, and a line of remedy.
    ///
    /// - Parameter width: The columns of the terminal; nil where lines may be of any length.
    func lines(_ style: Style, width: Int?) -> [String] {
        let lines = message.split(separator: "\n", omittingEmptySubsequences: true)
        var result = [
            "\(style.red("error:")) \(lines.first.map { String($0).printable() } ?? "unknown")"
        ]
        for line in lines.dropFirst() { result.append("  \(String(line).printable())") }
        if let remedy { result.append("  try: \(remedy.printable())") }
        return width.map { width in result.flatMap { $0.wrapped(to: width) } } ?? result
    }

    var json: JSON {
        var object = details
        object["error"] = .string(word)
        object["message"] = .string(message)
        object["remedy"] = remedy.map { .string($0) } ?? .null
        object["exit"] = .integer(Int(status.rawValue))
        return .object(object)
    }
}
