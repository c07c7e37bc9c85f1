public import Conditions
public import ArgumentParser
internal import Objects

/// A command: parses its arguments, calls the library and prints the result.
public protocol Command: ParsableCommand {
    /// The options that every command takes, declared with `@OptionGroup`.
    var options: GlobalOptions { get }

    /// Whether results go through a pager on a terminal.
    static var isPaged: Bool { get }

    /// Does the work. A `Diagnosable` error is reported and decides the exit code; an `ExitCode` exits silently.
    func run(_ context: CommandContext) throws
}

extension Command {
    /// False: most results are short.
    public static var isPaged: Bool { false }

    /// Runs the command with the context of this process, then flushes its output.
    public mutating func run() throws {
        let context = CommandContext(options: options, isPaged: Self.isPaged)
        do {
            try run(context)
        } catch {
            context.progress.finish()
            // A reader that has gone, such as a pager the user quit, does not change how the command ended.
            do { try context.output.finish() } catch is StandardStream.ReaderGone {}
            throw error
        }
        context.progress.finish()
        try context.output.finish()
    }
}

extension ExitCode {
    /// Exits with 1. The answer is no: for instance, `diff --exit-code` found differences.
    public static let negative = ExitCode(ExitStatus.negative.rawValue)
}

extension CommandConfiguration {
    /// Configures a command whose help ends with examples, one command line each.
    public init(
        _ name: String, abstract: String, discussion: String = "", examples: [String],
        subcommands: [any ParsableCommand.Type] = []
    ) {
        self.init(
            commandName: name, abstract: abstract,
            discussion: ArgumentHelp.discussion(discussion, examples: examples),
            subcommands: subcommands)
    }
}

extension ArgumentHelp {
    /// The discussion in a command's help: its text, then its examples, one command line each.
    public static func discussion(_ text: String, examples: [String]) -> String {
        let shown = examples.map { "  $ \($0)" }.joined(separator: "\n")
        return text + (text.isEmpty ? "" : "\n\n")
            + (examples.count == 1 ? "Example:" : "Examples:")
            + "\n" + shown
    }
}

/// The options that every command takes, before or after its name.
public struct GlobalOptions: ParsableArguments {
    /// The path of the repository.
    @Option(
        help: ArgumentHelp(
            "The repository (default: $FTI_REPO, else the nearest .fti in or above the working directory).",
            valueName: "path"))
    public var repo: String?

    /// Whether results and errors are JSON.
    @Flag(help: "Print results and errors as JSON, one object per line.")
    public var json = false

    /// Whether to omit notes on standard error.
    @Flag(help: "Print only results, warnings and errors.")
    public var quiet = false

    /// Whether to hide progress.
    @Flag(name: .customLong("no-progress"), help: "Do not show progress.")
    public var noProgress = false

    /// Whether to bypass the pager.
    @Flag(name: .customLong("no-pager"), help: "Do not use a pager.")
    public var noPager = false

    /// Whether to accept a log that contradicts what this client has seen.
    @Flag(
        name: .customLong("accept-rollback"),
        help: "Accept a log that contradicts the one that this client saw before.")
    public var acceptRollback = false

    /// Creates options for the parser to fill in; they have no values before that.
    public init() {}

    /// Extracts these options without the parser, whose setup takes longer than a small command.
    ///
    /// - Parameter arguments: The command line; everything but these options remains. Arguments after `--` stay as
    ///   they are.
    public init(extractedFrom arguments: inout [String]) {
        repo = nil
        json = false
        quiet = false
        noProgress = false
        noPager = false
        acceptRollback = false
        var rest: [String] = []
        var index = 0
        while index < arguments.count, arguments[index] != "--" {
            let argument = arguments[index]
            switch argument {
            case "--json": json = true
            case "--quiet": quiet = true
            case "--no-progress": noProgress = true
            case "--no-pager": noPager = true
            case "--accept-rollback": acceptRollback = true
            case "--repo" where index + 1 < arguments.count:
                index += 1
                repo = arguments[index]
            default:
                if argument.utf8.starts(with: "--repo=".utf8) {
                    repo = String(argument.dropFirst("--repo=".count))
                } else {
                    rest.append(argument)
                }
            }
            index += 1
        }
        arguments = rest + arguments[index...]
    }

    /// How many arguments one of these options takes up with its value; nil for any other argument.
    private static func length(of argument: String) -> Int? {
        switch argument {
        case "--repo": 2
        case "--json", "--quiet", "--no-progress", "--no-pager", "--accept-rollback": 1
        default: argument.utf8.starts(with: "--repo=".utf8) ? 1 : nil
        }
    }

    /// The number of leading arguments that are these options and their values.
    public static func leadingCount(in arguments: [String]) -> Int {
        var count = 0
        while count < arguments.count, let length = length(of: arguments[count]) { count += length }
        return min(count, arguments.count)
    }

    /// Moves these options from before the command's name to after it, where the parser expects them.
    public static func hoisted(
        _ arguments: [String], root: any ParsableCommand.Type
    ) -> [String] {
        let count = leadingCount(in: arguments)
        let rest = Array(arguments[count...])
        let depth = root.commandPath(in: rest).count
        return Array(rest[..<depth] + arguments[..<count] + rest[depth...])
    }
}

extension ParsableCommand {
    /// The leading arguments that name a subcommand, a subcommand of that one, and so on.
    public static func commandPath(in arguments: [String]) -> [String] {
        var path: [String] = []
        var command: any ParsableCommand.Type = Self.self
        for argument in arguments {
            let next = command.configuration.subcommands.first {
                $0._commandName == argument || $0.configuration.aliases.contains(argument)
            }
            guard let next else { break }
            path.append(argument)
            command = next
        }
        return path
    }
}

/// The option `--where`, which filters a listing.
public struct ConditionOption: ParsableArguments {
    /// The text of the condition.
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Select only items that match a condition, such as \"author = 'ada'\".",
            valueName: "condition"))
    public var text: String?

    /// Creates an option for the parser to fill in; it has no value before that.
    public init() {}

    /// The parsed condition; nil when none is given.
    ///
    /// - Throws: ``ConditionError`` for a syntax error.
    public var condition: Condition? {
        get throws { try text.map { try Condition($0) } }
    }
}
