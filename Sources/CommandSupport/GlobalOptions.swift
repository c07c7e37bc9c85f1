public import ArgumentParser

/// The options that every command takes, before or after its name.
public struct GlobalOptions: ParsableArguments {
    /// Where the repository is.
    @Option(
        help: ArgumentHelp(
            "The repository; else $FTI_REPO, else the nearest .fti above here.",
            valueName: "path"))
    public var repo: String?

    /// Whether results and errors are JSON.
    @Flag(help: "Print results as JSON, one object per line.")
    public var json = false

    /// Whether notes to standard error are left out.
    @Flag(help: "Print results and errors only.")
    public var quiet = false

    /// Whether progress is never shown.
    @Flag(name: .customLong("no-progress"), help: "Never show progress.")
    public var noProgress = false

    /// Whether results go to the terminal themselves, and not through a pager.
    @Flag(name: .customLong("no-pager"), help: "Never show results through a pager.")
    public var noPager = false

    /// Whether a log is accepted that is not the one seen before.
    @Flag(
        name: .customLong("accept-rollback"),
        help: "Go on with a log that went backwards or is not the one seen here before.")
    public var acceptRollback = false

    /// No options given; for the parser, which fills them in.
    public init() {}

    /// Takes these options out of arguments without the parser, which takes longer to set up than a
    /// small command to run.
    ///
    /// - Parameter arguments: What is left is everything else. Nothing behind `--` is looked at.
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

    /// Whether an argument is one of these options, and whether the next argument is its value.
    private static func form(of argument: String) -> Form? {
        switch argument {
        case "--repo": .optionWithValue
        case "--json", "--quiet", "--no-progress", "--no-pager", "--accept-rollback": .flag
        default: argument.utf8.starts(with: "--repo=".utf8) ? .flag : nil
        }
    }

    private enum Form { case flag, optionWithValue }

    /// The number of leading arguments that are these options and their values.
    public static func leadingCount(in arguments: [String]) -> Int {
        var count = 0
        while count < arguments.count, let form = form(of: arguments[count]) {
            count += form == .flag ? 1 : 2
        }
        return min(count, arguments.count)
    }

    /// Moves these options from before the name of a command to behind it, where they are parsed.
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
    /// The leading arguments that name a subcommand, its subcommand, and so on.
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
