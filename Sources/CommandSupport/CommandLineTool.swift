public import ArgumentParser
internal import Glibc
internal import Objects
public import Storage

/// Runs an executable, from its arguments to its exit code.
public enum CommandLineTool {
    /// Parses the arguments, runs the command, reports any error and exits.
    ///
    /// - Parameters:
    ///   - root: The root command.
    ///   - arguments: The command line without the executable's name.
    public static func main(_ root: any ParsableCommand.Type, _ arguments: [String]) -> Never {
        begin()
        // ArgumentParser reads the terminal's width itself, and traps if that leaves no room to indent.
        if Terminal(descriptor: STDOUT_FILENO).width < narrowest {
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

    /// Runs a command that is already parsed, reports any error and exits.
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
        // A write past the file size limit then fails with EFBIG, which is reported.
        signal(SIGXFSZ, SIG_IGN)
        StandardStream.openMissing()
        // Another program truncated a mapped pack: the read cannot continue.
        signal(SIGBUS) { _ in
            let text: StaticString = """
                error: a repository file was truncated while it was being read
                  try: ftictl verify

                """
            write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
            _exit(5)
        }
        ProcessLimits.keepFreedMemory()
        ProcessLimits.raiseOpenFiles()
    }

    /// Reports an error on standard error and exits with its code.
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

    /// Help is never laid out for fewer columns than this.
    private static let narrowest = 40

    /// The columns of help: those of the terminal, but at most a readable length of line.
    private static var columns: Int {
        max(narrowest, min(100, Terminal(descriptor: STDOUT_FILENO).width))
    }

    /// Wraps the usage line of a help text between arguments; the parser leaves it on one line.
    private static func laidOut(_ help: String) -> String {
        let mark = "USAGE: "
        guard let start = help.utf8.firstRange(of: mark.utf8)?.lowerBound else { return help }
        let end = help[start...].utf8.firstIndex(of: 0x0A) ?? help.endIndex
        var depth = 0
        // Bracketed groups stay on one line.
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
            // Help contains no untrusted text, so every line feed in it is a real one.
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
        let terminal = Terminal(descriptor: STDERR_FILENO)
        let style = Style(isEnabled: terminal.hasColor)
        // Parsing may have failed, so look for the option in the raw arguments.
        let isJSON = arguments.prefix { $0 != "--" }.contains("--json")
        // A failure of standard error has nowhere to be reported.
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

/// Joins long runs of arguments: the parser's time grows with the square of their number, and a shell may expand one
/// `*` to twenty thousand.
///
/// A NUL, which no argument of a process can contain, joins the values of a run and the values of a repeated option.
/// Commands that take any number of values split them again with ``Swift/Array/separated``.
enum ArgumentRuns {
    /// Command lines and runs up to this length parse fast enough.
    private static let threshold = 64

    static func joined(_ arguments: [String]) -> [String] {
        let arguments = attached(arguments)
        guard arguments.count > threshold else { return arguments }
        let end = arguments.firstIndex(of: "--") ?? arguments.count
        let options = joinedOptions(arguments[..<end])
        return joinedValues(options[...]) + arguments[end...].prefix(1)
            + joinedValues(arguments[end...].dropFirst())
    }

    /// Attaches values that begin with a dash to their options (`--message=- x`); otherwise the parser would
    /// take those values for options.
    private static func attached(_ arguments: [String]) -> [String] {
        var result: [String] = []
        var index = 0
        while index < arguments.count, arguments[index] != "--" {
            if let option = texts[arguments[index]], index + 1 < arguments.count,
                isText(arguments[index + 1])
            {
                result.append("\(option)=\(arguments[index + 1])")
                index += 2
            } else {
                result.append(arguments[index])
                index += 1
            }
        }
        return result + arguments[index...]
    }

    /// The options that take free text, each with the long name that accepts an attached value.
    private static let texts: [String: String] = [
        "-m": "--message", "--message": "--message", "--override": "--override",
        "--metric": "--metric", "--param": "--param", "--param-json": "--param-json",
        "--where": "--where",
    ]

    /// Whether an argument begins with a dash but does not look like an option.
    private static func isText(_ argument: String) -> Bool {
        guard argument.utf8.first == UInt8(ascii: "-") else { return false }
        let name = argument.utf8.dropFirst(argument.hasPrefix("--") ? 2 : 1)
        return name.isEmpty
            || !name.allSatisfy { 0x61...0x7A ~= $0 || $0 == UInt8(ascii: "-") }
            || name.first == UInt8(ascii: "-")
    }

    /// Joins the values of each repeated option where it first occurs.
    private static func joinedOptions(_ arguments: ArraySlice<String>) -> [String] {
        var result: [String] = []
        var places: [String: Int] = [:]
        var rest = arguments
        while let argument = rest.popFirst() {
            guard repeated.contains(argument), let value = rest.popFirst() else {
                result.append(argument)
                continue
            }
            if let place = places[argument] {
                result[place] += "\0" + value
            } else {
                places[argument] = result.count + 1
                result += [argument, value]
            }
        }
        return result
    }

    /// The options whose repeated values are joined.
    private static let repeated: Set<String> = ["--metric", "--param", "--param-json", "--input"]

    /// How many leading values of a run stay separate: they may be subcommands, an option's value, or single arguments
    /// before the repeated one.
    private static let head = 8

    /// Joins long runs of values, except their leading ones.
    private static func joinedValues(_ arguments: ArraySlice<String>) -> [String] {
        var result: [String] = []
        var rest = arguments
        while !rest.isEmpty {
            let run = rest.prefix { $0.utf8.first != UInt8(ascii: "-") }
            if run.count > threshold {
                result += run.prefix(head) + [run.dropFirst(head).joined(separator: "\0")]
                rest = rest.dropFirst(run.count)
            } else {
                // An option, or a short run.
                result += rest.prefix(max(1, run.count))
                rest = rest.dropFirst(max(1, run.count))
            }
        }
        return result
    }
}

extension [String] {
    /// The values as typed, split where long runs were joined.
    public var separated: [String] {
        contains { $0.utf8.contains(0) }
            ? flatMap {
                $0.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
            }
            : self
    }
}

/// The version of all executables.
public enum Version {
    /// The version as text; snapshots record it as the version of their producer.
    public static let text = "0.1.0"
}
