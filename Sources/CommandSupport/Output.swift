public import Objects

/// Where a command's results go: text for people, or one JSON object per line.
public final class Output {
    /// Whether results are JSON.
    public let isJSON: Bool
    /// What is known of the terminal behind standard output.
    public let terminal: Terminal
    /// How text is coloured.
    public let style: Style
    private let isQuiet: Bool
    private let results: StandardStream
    private let notes: StandardStream

    /// Makes the outputs of a command.
    public init(
        options: GlobalOptions, terminal: Terminal, results: StandardStream = .output(),
        notes: StandardStream = .error()
    ) {
        isJSON = options.json
        isQuiet = options.quiet
        self.terminal = terminal
        style = Style(isEnabled: terminal.hasColor && !options.json)
        self.results = results
        self.notes = notes
    }

    /// Writes a line of text as a result.
    public func line(_ text: String = "") throws {
        try results.write(text.utf8)
        try results.write(CollectionOfOne(0x0A))
    }

    /// Writes a result as one line of canonical JSON.
    public func emit(_ object: JSONObject) throws {
        try results.write(JSON.object(object).canonicalBytes)
        try results.write(CollectionOfOne(0x0A))
    }

    /// Writes a result as one line of canonical JSON.
    public func emit(_ json: JSON) throws {
        try results.write(json.canonicalBytes)
        try results.write(CollectionOfOne(0x0A))
    }

    /// Writes a result's bytes as they are.
    public func raw(_ bytes: some Sequence<UInt8>) throws { try results.write(bytes) }

    /// Says something that is not a result, on standard error, unless `--quiet` or `--json` is given.
    public func note(_ text: String) throws {
        guard !isQuiet, !isJSON else { return }
        try results.flush()
        try notes.write("\(text)\n".utf8)
        try notes.flush()
    }

    /// Writes everything that is waiting.
    public func flush() throws { try results.flush() }
}
