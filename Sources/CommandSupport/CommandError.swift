public import Storage

/// A failure that a command itself finds, before or beside what the libraries report.
public struct CommandError: Diagnosable, Hashable {
    /// See ``Diagnosable``.
    public let fault: Fault
    /// See ``Diagnosable``.
    public let message: String
    /// See ``Diagnosable``.
    public let remedy: String?

    /// Makes an error; the message says what and where, the remedy what to do next.
    public init(_ fault: Fault, _ message: String, remedy: String? = nil) {
        self.fault = fault
        self.message = message
        self.remedy = remedy
    }

    /// The command line is wrong.
    public static func usage(_ message: String, remedy: String? = nil) -> CommandError {
        CommandError(.usage, message, remedy: remedy)
    }

    /// Something that the command line names is not there.
    public static func missing(_ message: String, remedy: String? = nil) -> CommandError {
        CommandError(.missing, message, remedy: remedy)
    }
}
