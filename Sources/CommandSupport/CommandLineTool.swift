public import ArgumentParser
internal import Glibc
internal import Objects
public import Storage

/// The way from a process's arguments to its exit.
public enum CommandLineTool {
    /// Parses the arguments, runs the command they name, tells what went wrong, and exits.
    ///
    /// - Parameters:
    ///   - root: The command that has all others below it.
    ///   - arguments: The arguments without the name of the executable.
    public static func main(_ root: any ParsableCommand.Type, _ arguments: [String]) -> Never {
        begin()
        // The parser asks for the width itself, and stops the process where there is no room to indent.
        if Terminal(descriptor: STDOUT_FILENO, environment: .process).width < narrowest {
            setenv("COLUMNS", String(narrowest), 1)
        }
        var rest = arguments
        if GlobalOptions(extractedFrom: &rest).json, rest == ["--version"] {
            let version: JSON = [
                "name": .string(root._commandName), "version": .string(Version.text),
            ]
            exit(show(version.canonicalText))
        }
        do {
            let hoisted = GlobalOptions.hoisted(arguments, root: root)
            run(try root.parseAsRoot(ArgumentRuns.joined(hoisted)), root, arguments)
        } catch {
            exit(status(of: error, root: root, arguments: arguments))
        }
    }

    /// Runs a command whose arguments were parsed already, tells what went wrong, and exits.
    public static func run(
        _ command: any ParsableCommand, _ root: any ParsableCommand.Type, _ arguments: [String]
    ) -> Never {
        begin()
        do {
            var command = command
            try command.run()
            exit(ExitStatus.success.rawValue)
        } catch {
            exit(status(of: error, root: root, arguments: arguments))
        }
    }

    private static func begin() {
        signal(SIGPIPE, SIG_IGN)
        // A write beyond the limit on file sizes fails, and that is told.
        signal(SIGXFSZ, SIG_IGN)
        StandardStream.openMissing()
        // A pack in use that another program cuts short: nothing of it can be read, and there is no way back.
        signal(SIGBUS) { _ in
            let text: StaticString = """
                error: a file of the repository was cut short while it was read
                  try: ftictl verify

                """
            write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
            _exit(5)
        }
        ProcessLimits.keepFreedMemory()
        ProcessLimits.raiseOpenFiles()
    }

    /// Tells about an error on standard error and exits with its code.
    public static func fail(_ error: any Diagnosable, arguments: [String]) -> Never {
        signal(SIGPIPE, SIG_IGN)
        StandardStream.openMissing()
        exit(tell(ErrorReport(error), arguments: arguments))
    }

    private static func status(
        of error: any Error, root: any ParsableCommand.Type, arguments: [String]
    ) -> Int32 {
        if error is StandardStream.ReaderGone { return ExitStatus.success.rawValue }
        if let error = error as? any Diagnosable {
            return tell(ErrorReport(error), arguments: arguments)
        }
        if let code = error as? ExitCode { return code.rawValue }
        switch root.exitCode(for: error) {
        case .success:
            return show(laidOut(root.fullMessage(for: error, columns: columns)))
        case .validationFailure:
            let path = root.commandPath(in: GlobalOptions.hoisted(arguments, root: root))
            let help = ([root._commandName] + path + ["--help"]).joined(separator: " ")
            let message = root.message(for: error)
            return tell(ErrorReport(usage: message, remedy: help), arguments: arguments)
        default:
            let report = ErrorReport(CommandError(.io, root.message(for: error)))
            return tell(report, arguments: arguments)
        }
    }

    /// Help for narrower terminals than this is laid out for this width.
    private static let narrowest = 40

    /// Help is as wide as the terminal, but never so wide that it is hard to read.
    private static var columns: Int {
        max(narrowest, min(100, Terminal(descriptor: STDOUT_FILENO, environment: .process).width))
    }

    /// Help with its usage, which the parser leaves on one line, broken between arguments.
    private static func laidOut(_ help: String) -> String {
        let mark = "USAGE: "
        guard let start = help.utf8.firstRange(of: mark.utf8)?.lowerBound else { return help }
        let end = help[start...].utf8.firstIndex(of: 0x0A) ?? help.endIndex
        var depth = 0
        // What stands in brackets stays together.
        let usage = help[start..<end].reduce(into: "") { usage, character in
            if character == "[" || character == "<" { depth += 1 }
            if character == "]" || character == ">" { depth -= 1 }
            usage.append(character == " " && depth > 0 ? "\u{A0}" : character)
        }
        let lines = usage.wrapped(to: columns).joined(separator: "\n")
        return help[..<start] + String(lines.map { $0 == "\u{A0}" ? " " : $0 }) + help[end...]
    }

    private static func show(_ text: String) -> Int32 {
        do {
            let output = StandardStream.output()
            // Help has many lines, and nothing from outside in it.
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                try output.write(line: String(line))
            }
            try output.flush()
            return ExitStatus.success.rawValue
        } catch is StandardStream.ReaderGone {
            return ExitStatus.success.rawValue
        } catch {
            return ExitStatus.inputOutput.rawValue
        }
    }

    private static func tell(_ report: ErrorReport, arguments: [String]) -> Int32 {
        let stream = StandardStream.error()
        let terminal = Terminal(descriptor: STDERR_FILENO, environment: .process)
        let style = Style(isEnabled: terminal.hasColor)
        // The parsed options may not exist: the command line itself may be what is wrong.
        let isJSON = arguments.prefix { $0 != "--" }.contains("--json")
        // A failure of standard error cannot be reported anywhere.
        if isJSON {
            try? stream.write(json: report.json)
        } else {
            for line in report.lines(style, width: terminal.isTerminal ? terminal.width : nil) {
                try? stream.write(line: line, hasColor: style.isEnabled)
            }
        }
        try? stream.flush()
        return report.status.rawValue
    }
}
