public import Objects
internal import Refs
internal import Storage

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
    /// The transaction that the command made, once it has.
    private var transaction: Int?
    /// Whether results have nowhere to go, and nothing more is written.
    private var isGone = false

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

    /// Says that the command has made a transaction, so that it is done whatever becomes of its results: from here on
    /// an output that fails is a warning.
    public func made(transaction: Int?) { self.transaction = transaction }

    private func write(_ body: () throws -> Void) throws {
        guard !isGone else { return }
        do { try body() } catch let error as StorageError {
            guard let transaction else { throw error }
            isGone = true
            // Nobody can be told that standard error does not work either.
            try? notes.write(
                "warning: transaction \(transaction) is made, and nothing else is told of it: \(error.message)\n"
                    .utf8)
            try? notes.flush()
        }
    }

    /// Writes a line of text as a result.
    public func line(_ text: String = "") throws { try raw(Array("\(text)\n".utf8)) }

    /// Writes a result as one line of canonical JSON.
    public func emit(_ object: JSONObject) throws { try emit(JSON.object(object)) }

    /// Writes a result as one line of canonical JSON.
    public func emit(_ json: JSON) throws { try raw(json.canonicalBytes + [0x0A]) }

    /// Writes a result's bytes as they are.
    public func raw(_ bytes: some Sequence<UInt8>) throws { try write { try results.write(bytes) } }

    /// Says something that is not a result, on standard error, unless `--quiet` or `--json` is given.
    public func note(_ text: String) throws {
        guard !isQuiet, !isJSON else { return }
        try flush()
        try write {
            try notes.write("\(Secrets.redacted(text))\n".utf8)
            try notes.flush()
        }
    }

    /// Warns on standard error, of what nobody may miss: as JSON with `--json`, and also with `--quiet`.
    public func warn(_ text: String) throws {
        let text = Secrets.redacted(text)
        let warning: JSON = ["warning": .string(text)]
        try flush()
        try write {
            try notes.write("\(isJSON ? warning.canonicalText : "warning: \(text)")\n".utf8)
            try notes.flush()
        }
    }

    /// Writes everything that is waiting.
    public func flush() throws { try write { try results.flush() } }
}
