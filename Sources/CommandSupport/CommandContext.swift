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
    ///
    /// - Parameter isPaged: Whether results are long enough to read that they go through a pager on a terminal.
    public init(
        options: GlobalOptions, environment: Environment = .process, isPaged: Bool = false
    ) {
        self.options = options
        self.environment = environment
        let errors = Terminal(descriptor: STDERR_FILENO, environment: environment)
        output = Output(
            options: options,
            terminal: Terminal(descriptor: STDOUT_FILENO, environment: environment), errors: errors)
        if isPaged { output.usePager(environment, options: options) }
        progress = Progress(
            // A pager has the terminal.
            isShown: errors.isTerminal && !options.noProgress && !options.quiet && !options.json
                && !output.isPaged,
            width: errors.width)
    }

    /// The present time.
    public var now: Timestamp { environment.now() }

    /// Where programs of this user keep what can be lost at any time: `$XDG_CACHE_HOME/fti`, else `~/.cache/fti`; nil when
    /// the user has no home directory.
    public var cacheFolder: String? { UserFolder.cache.path(environment) }

    /// Where the repository is.
    ///
    /// - Throws: `missing` when there is none.
    public func repositoryLocation() throws(CommandError) -> String {
        try RepositoryLocation.find(option: options.repo, environment: environment)
    }
}
