internal import Objects
internal import Refs
public import Storage

/// The report of an error: what failed and where, and what to do next.
struct ErrorReport {
    let word: String
    let message: String
    let remedy: String?
    let status: ExitStatus
    /// Further members of the JSON report.
    let details: JSONObject

    init(_ error: any Diagnosable) {
        word = error.fault.word
        message = Secrets.redacted(error.message)
        remedy = error.remedy.map { Secrets.redacted($0) }
        details = (error as? any DetailedFailure)?.details ?? JSONObject()
        status = ExitStatus(error.fault)
    }

    /// Creates the report of a command line that the parser refuses.
    ///
    /// Joins the lines of the parser's message into one, and makes its first letter lower-case.
    init(usage message: String, remedy: String?) {
        let lines = message.split(whereSeparator: \.isNewline).map { line in
            line.drop { $0 == " " }
        }
        var text = Array(lines.joined(separator: ", ").utf8)
        if let first = text.first, (0x41...0x5A).contains(first) { text[0] = first | 0x20 }
        self.init(CommandError.usage(String(decoding: text, as: UTF8.self), remedy: remedy))
    }

    /// The lines of the report: the message, its continuation lines, and the remedy.
    ///
    /// - Parameter width: The columns of the terminal; nil to leave lines unwrapped.
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

/// The exit codes of all executables.
public enum ExitStatus: Int32, Sendable, CaseIterable {
    /// Success.
    case success = 0
    /// The answer is no: for instance, `diff --exit-code` found differences.
    case negative = 1
    /// No such ref, object, path or repository.
    case missing = 2
    /// Another writer moved the ref first.
    case conflict = 3
    /// The access policy, a gate or the ref's kind forbids the move.
    case refused = 4
    /// The repository is damaged.
    case damaged = 5
    /// The command line or an input is invalid.
    case usage = 64
    /// A program that the command ran failed.
    case program = 70
    /// Input or output failed.
    case inputOutput = 74

    /// The meaning of the code, for manual pages.
    public var meaning: String {
        switch self {
        case .success: "Success."
        case .negative: "The answer is no: there are differences, damage, or changed pins."
        case .missing: "No such ref, object, path or repository."
        case .conflict: "Another writer moved the ref first."
        case .refused: "The access policy, a gate or the ref's kind forbids the move."
        case .damaged: "The repository is damaged."
        case .usage: "The command line or an input is invalid."
        case .program: "A program that the command ran failed, was stopped, or took too long."
        case .inputOutput: "Input or output failed."
        }
    }

    /// The code for a class of failure.
    public init(_ fault: Fault) {
        self =
            switch fault {
            case .usage: .usage
            case .missing: .missing
            case .conflict: .conflict
            case .refused: .refused
            case .damaged: .damaged
            case .io: .inputOutput
            case .program: .program
            }
    }
}

extension Fault {
    /// The member `error` of a JSON report.
    public var word: String {
        switch self {
        case .usage: "usage"
        case .missing: "missing"
        case .conflict: "conflict"
        case .refused: "refused"
        case .damaged: "damaged"
        case .io: "io"
        case .program: "program"
        }
    }
}

/// A failure that a command detects itself.
public struct CommandError: Diagnosable, Hashable {
    /// See ``Diagnosable``.
    public let fault: Fault
    /// See ``Diagnosable``.
    public let message: String
    /// See ``Diagnosable``.
    public let remedy: String?

    /// Creates an error: the message says what failed and where, the remedy what to do next.
    public init(_ fault: Fault, _ message: String, remedy: String? = nil) {
        self.fault = fault
        self.message = message
        self.remedy = remedy
    }

    /// An error in the command line or in an input.
    public static func usage(_ message: String, remedy: String? = nil) -> CommandError {
        CommandError(.usage, message, remedy: remedy)
    }

    /// An error about something that a command needs and that does not exist.
    public static func missing(_ message: String, remedy: String? = nil) -> CommandError {
        CommandError(.missing, message, remedy: remedy)
    }
}
