internal import Glibc
public import Objects

/// What a command works with.
public struct CommandContext {
    /// The options before or behind the command's name.
    public let options: GlobalOptions
    /// The process.
    public let environment: Environment
    /// Where results go.
    public let output: Output
    /// The line that shows how far a long operation is.
    public let progress: Progress

    /// Makes the context of this process.
    public init(options: GlobalOptions, environment: Environment = .process) {
        self.options = options
        self.environment = environment
        output = Output(
            options: options,
            terminal: Terminal(descriptor: STDOUT_FILENO, environment: environment))
        let errors = Terminal(descriptor: STDERR_FILENO, environment: environment)
        progress = Progress(
            isShown: errors.isTerminal && !options.noProgress && !options.quiet && !options.json,
            width: errors.width)
    }

    /// The present time.
    public var now: Timestamp { environment.now() }

    /// Where the repository is.
    ///
    /// - Throws: `missing` when there is none.
    public func repositoryLocation() throws(CommandError) -> String {
        try RepositoryLocation.find(option: options.repo, environment: environment)
    }
}
