public import ArgumentParser

/// A command: it parses, calls a library function, and renders what that returns.
public protocol Command: ParsableCommand {
    /// The options that every command takes; declared with `@OptionGroup`.
    var options: GlobalOptions { get }

    /// Does the work. An error that is `Diagnosable` is told and decides the exit code; an
    /// `ExitCode` ends the process with that code and without a word.
    func run(_ context: CommandContext) throws
}

extension Command {
    /// Runs with the context of this process.
    public mutating func run() throws {
        let context = CommandContext(options: options)
        do {
            try run(context)
        } catch {
            context.progress.finish()
            try context.output.flush()
            throw error
        }
        context.progress.finish()
        try context.output.flush()
    }
}

extension ExitCode {
    /// The negative answer that was asked for.
    public static let negative = ExitCode(ExitStatus.negative.rawValue)
}

extension ArgumentHelp {
    /// The text below a command's usage: sentences, then examples, one command line each.
    public static func discussion(_ text: String, examples: [String]) -> String {
        let shown = examples.map { "  $ \($0)" }.joined(separator: "\n")
        return text + (text.isEmpty ? "" : "\n\n")
            + (examples.count == 1 ? "Example:" : "Examples:")
            + "\n" + shown
    }
}
