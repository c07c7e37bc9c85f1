internal import CPosix
internal import Glibc
public import Objects
internal import Refs
internal import Storage
internal import Synchronization

/// Writes a command's results as text or as one JSON object per line, and its notes and warnings to standard error.
public final class Output {
    /// Whether results are JSON.
    public let isJSON: Bool
    /// The terminal behind standard output.
    public let terminal: Terminal
    /// Colours text where standard output is a terminal that shows colours.
    public let style: Style
    private let isQuiet: Bool
    private let results = StandardStream.output()
    private let notes = StandardStream.error()
    /// The transaction that the command has committed; nil before.
    private var transaction: Int?
    /// Whether a write has failed after a commit; from then on nothing is written.
    private var isGone = false
    /// The pager that shows results; nil when they go straight to standard output.
    private var pager: Pager?
    /// Notes held back until the pager ends, because it owns the terminal.
    private var waitingNotes: [String] = []
    /// The columns of the terminal behind standard error; nil if that is not a terminal.
    private let notesWidth: Int?

    /// Creates the output of a command.
    init(options: GlobalOptions, terminal: Terminal, errors: Terminal) {
        isJSON = options.json
        isQuiet = options.quiet
        self.terminal = terminal
        notesWidth = errors.isTerminal ? errors.width : nil
        style = Style(isEnabled: terminal.hasColor && !options.json)
    }

    /// Records that the command has committed a transaction. The command has then succeeded: an output that fails later
    /// only causes a warning.
    public func made(transaction: Int?) { self.transaction = transaction }

    /// Sends results through a pager from here on, if they go to a terminal and the user has not declined.
    func usePager(_ options: GlobalOptions) {
        guard terminal.isTerminal, !options.json, !options.noPager else { return }
        pager = Pager()
        if let pager { results.beforeFirstWrite = { pager.start() } }
    }

    /// Whether results go through a pager.
    var isPaged: Bool { pager != nil }

    /// Flushes everything and waits for the pager to end.
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
            // A failure of standard error has nowhere to be reported.
            try? notes.write(
                line:
                    "warning: transaction \(transaction) is committed, but its report cannot be written: "
                    + error.message)
            try? notes.flush()
        }
    }

    /// Writes a line of text as a result, with control characters and line feeds escaped. On a terminal, wraps it
    /// between words.
    public func line(_ text: String = "") throws {
        let lines = terminal.isTerminal ? text.wrapped(to: terminal.width) : [text]
        try write {
            for line in lines { try results.write(line: line, hasColor: style.isEnabled) }
        }
    }

    /// Writes a result as one line of canonical JSON.
    public func emit(_ object: JSONObject) throws { try emit(JSON.object(object)) }

    /// Writes a result as one line of canonical JSON; on a terminal, with control characters escaped.
    public func emit(_ json: JSON) throws { try write { try results.write(json: json) } }

    /// Writes a result, as JSON or as a line of text.
    public func result(
        _ json: @autoclosure () throws -> JSON, _ text: @autoclosure () throws -> String
    ) throws {
        try result(try json(), lines: [try text()])
    }

    /// Writes a result, as JSON or as lines of text.
    public func result(
        _ json: @autoclosure () throws -> JSON, lines: @autoclosure () throws -> [String]
    ) throws {
        guard !isJSON else { return try emit(try json()) }
        for text in try lines() { try line(text) }
    }

    /// Writes bytes unchanged: the content of files, and scripts that this program generates.
    public func raw(_ bytes: some Sequence<UInt8>) throws { try write { try results.write(bytes) } }

    /// Prints a note on standard error, unless `--quiet` or `--json` is given.
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

    /// Flushes the results.
    public func flush() throws { try write { try results.flush() } }
}

/// The program that shows results on a terminal page by page, as in git: `$FTI_PAGER`, else `$PAGER`, else `less`.
///
/// The pager starts before the first result is written; standard output is then a pipe to it until ``finish()``. When
/// the user quits the pager, the pipe closes, and the command ends without an error.
final class Pager {
    private let command: String
    private var process: pid_t = 0
    private var terminal: Int32 = -1

    /// Whether the pager is running.
    var isRunning: Bool { process > 0 }

    /// Chooses the pager; nil if it is `cat`, empty or not installed.
    init?() {
        let named = ["FTI_PAGER", "PAGER"].first { Environment.isSet($0) }
        let command = named.map { Environment.variable($0) ?? "" } ?? "less"
        guard let program = command.split(separator: " ").first, program != "cat",
            Self.isInstalled(String(program))
        else { return nil }
        self.command = command
    }

    /// Whether a program can be run. Assumes so for a text that a shell must expand first.
    private static func isInstalled(_ program: String) -> Bool {
        let isPlain = program.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                || "/._-+".utf8.contains(byte)
        }
        guard isPlain else { return true }
        guard !program.utf8.contains(UInt8(ascii: "/")) else { return access(program, X_OK) == 0 }
        let path = Environment.variable("PATH") ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    /// Starts the pager, once. If that fails, results go to the terminal.
    func start() {
        guard process == 0 else { return }
        // Marks a failed start, so that nothing tries again.
        process = -1
        // As git does: less exits if everything fits on the screen, shows colours, and does not clear the screen.
        setenv("LESS", "FRX", 0)
        setenv("LV", "-c", 0)
        terminal = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        guard terminal >= 0 else { return }
        process = fti_start_pager(command)
        // The pager owns the keyboard and handles interrupts; this process ends when the user quits the pager.
        if process > 0 { signal(SIGINT, SIG_IGN) }
    }

    /// Closes the pipe and waits until the user quits the pager.
    func finish() {
        guard process > 0 else { return }
        dup2(terminal, STDOUT_FILENO)
        close(terminal)
        while waitpid(process, nil, 0) < 0, errno == EINTR {}
        process = -1
        signal(SIGINT, SIG_DFL)
    }
}

/// Shows the progress of a long operation on one line of a terminal; does nothing elsewhere.
public final class Progress: Sendable {
    private let isShown: Bool
    private let width: Int
    private let begin = ContinuousClock.now
    private let lastDrawn = Mutex<ContinuousClock.Instant?>(nil)
    private let bytes = Atomic<Int>(0)
    /// Operations shorter than this show no progress.
    private static let delay = Duration.seconds(1)
    private static let interval = Duration.milliseconds(100)

    /// Creates a progress line, which appears after a second if `isShown`.
    init(isShown: Bool, width: Int) {
        self.isShown = isShown
        self.width = width
    }

    /// Updates the line at most ten times a second. May be called from any thread.
    public func update(_ text: @autoclosure () -> String) {
        guard isShown else { return }
        let now = ContinuousClock.now
        guard begin.duration(to: now) >= Self.delay else { return }
        let isDue = lastDrawn.withLock { last in
            guard last.map({ $0.duration(to: now) >= Self.interval }) ?? true else { return false }
            last = now
            return true
        }
        if isDue { draw(text().printable().truncated(to: width - 1)) }
    }

    /// Adds to the number of bytes done, and updates the line. May be called from any thread.
    public func advance(_ verb: String, by count: Int, of total: Int?) {
        let sum = bytes.add(count, ordering: .relaxed).newValue
        update(verb, bytes: sum, of: total.map { max($0, sum) })
    }

    /// Updates the line with the number of bytes done and, if the total is known, their share of it.
    public func update(_ verb: String, bytes: Int, of total: Int?) {
        update(
            "\(verb) \(Quantity.bytes(bytes))"
                + (total.map { total in
                    total > 0
                        ? " of \(Quantity.bytes(total)) (\(min(100, bytes * 100 / total)) %)" : ""
                } ?? ""))
    }

    /// Removes the line.
    public func finish() {
        guard isShown else { return }
        let wasDrawn = lastDrawn.withLock { last in
            defer { last = nil }
            return last != nil
        }
        if wasDrawn { draw("") }
    }

    private func draw(_ text: String) {
        let bytes = Array("\r\u{1B}[K\(text)".utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
