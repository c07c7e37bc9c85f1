internal import Glibc
internal import Storage

/// Runs the body of a benchmark program.
public enum Program {
    /// Calls `body` with the arguments of the process; if it throws, prints the error and exits with 1.
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
