public import ArgumentParser

/// A command: it parses, calls a library function, and renders what that returns.
public protocol Command: ParsableCommand {
    /// The options that every command takes; declared with `@OptionGroup`.
    var options: GlobalOptions { get }

    /// Whether results are shown through a pager on a terminal.
    static var isPaged: Bool { get }

    /// Does the work. An error that is `Diagnosable` is told and decides the exit code; an
    /// `ExitCode` ends the process with that code and without a word.
    func run(_ context: CommandContext) throws
}

extension Command {
    /// Most results are short.
    public static var isPaged: Bool { false }

    /// Runs with the context of this process.
    public mutating func run() throws {
        let context = CommandContext(options: options, isPaged: Self.isPaged)
        do {
            try run(context)
        } catch {
            context.progress.finish()
            // A reader that goes away, such as a pager that is quit, changes nothing about how the command ended.
            do { try context.output.finish() } catch is StandardStream.ReaderGone {}
            throw error
        }
        context.progress.finish()
        try context.output.finish()
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
