internal import Glibc
internal import Storage

/// A program that does one thing and ends.
public enum Program {
    /// Runs it with the arguments of the process; says what went wrong and ends with 1 when it throws.
    public static func run(_ body: (Arguments) throws -> Void) {
        do {
            try body(Arguments())
        } catch {
            let reason = (error as? any Diagnosable)?.message ?? "\(error)"
            let line = Array("\(CommandLine.arguments[0]): \(reason)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            exit(1)
        }
    }
}
