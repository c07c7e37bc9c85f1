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
    /// What shows results a page at a time; nil for results that go where they go themselves.
    private var pager: Pager?
    /// Notes for when the pager has ended: it has the terminal.
    private var waitingNotes: [String] = []
    /// The columns of the terminal behind standard error; nil where none is.
    private let notesWidth: Int?

    /// Makes the outputs of a command.
    public init(
        options: GlobalOptions, terminal: Terminal, errors: Terminal,
        results: StandardStream = .output(),
        notes: StandardStream = .error()
    ) {
        isJSON = options.json
        isQuiet = options.quiet
        self.terminal = terminal
        notesWidth = errors.isTerminal ? errors.width : nil
        style = Style(isEnabled: terminal.hasColor && !options.json)
        self.results = results
        self.notes = notes
    }

    /// Says that the command has made a transaction, so that it is done whatever becomes of its results: from here on
    /// an output that fails is a warning.
    public func made(transaction: Int?) { self.transaction = transaction }

    /// Shows results through a pager from here on, on a terminal, unless the user wants none.
    func usePager(_ environment: Environment, options: GlobalOptions) {
        guard terminal.isTerminal, !options.json, !options.noPager else { return }
        pager = Pager(environment: environment)
        if let pager { results.beforeFirstWrite = { pager.start() } }
    }

    /// Whether results go through a pager.
    var isPaged: Bool { pager != nil }

    /// Writes everything that is waiting, and waits for the pager.
    func finish() throws {
        defer {
            pager?.finish()
            for note in waitingNotes { try? notes.write(lines: note) }
            waitingNotes = []
            try? notes.flush()
        }
        try flush()
    }

    private func write(_ body: () throws -> Void) throws {
        guard !isGone else { return }
        do { try body() } catch let error as StorageError {
            guard let transaction else { throw error }
            isGone = true
            // Nobody can be told that standard error does not work either.
            try? notes.write(
                line:
                    "warning: transaction \(transaction) is made, and nothing else is told of it: "
                    + error.message)
            try? notes.flush()
        }
    }

    /// Writes a line of text as a result; what a terminal would obey, and a line feed, are spelled as escapes. On a terminal
    /// it is broken between words where it is longer than a line.
    public func line(_ text: String = "") throws {
        let lines = terminal.isTerminal ? text.wrapped(to: terminal.width) : [text]
        try write {
            for line in lines { try results.write(line: line, hasColor: style.isEnabled) }
        }
    }

    /// Writes a result as one line of canonical JSON.
    public func emit(_ object: JSONObject) throws { try emit(JSON.object(object)) }

    /// Writes a result as one line of canonical JSON; on a terminal, what that would obey is escaped.
    public func emit(_ json: JSON) throws { try write { try results.write(json: json) } }

    /// Writes a result's bytes as they are: the content of files, and scripts of this program's own.
    public func raw(_ bytes: some Sequence<UInt8>) throws { try write { try results.write(bytes) } }

    /// Says something that is not a result, on standard error, unless `--quiet` or `--json` is given.
    public func note(_ text: String) throws {
        guard !isQuiet, !isJSON else { return }
        try tell(Secrets.redacted(text))
    }

    /// Prints a warning on standard error, even with `--quiet`; as JSON with `--json`.
    public func warn(_ text: String) throws {
        guard isJSON else { return try tell("warning: \(Secrets.redacted(text))") }
        try flush()
        try write {
            try notes.write(warning: text, isJSON: true)
            try notes.flush()
        }
    }

    private func tell(_ text: String) throws {
        try flush()
        let lines = notesWidth.map { text.wrapped(to: $0) } ?? [text]
        if pager?.isRunning ?? false { return waitingNotes += lines }
        try write {
            for line in lines { try notes.write(lines: line) }
            try notes.flush()
        }
    }

    /// Writes everything that is waiting.
    public func flush() throws { try write { try results.flush() } }
}
