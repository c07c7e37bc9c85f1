internal import Glibc
internal import Objects
internal import Refs
internal import Storage

/// Standard output or standard error, written in large pieces.
///
/// Text goes through ``write(line:hasColor:)`` or ``write(json:)``, which let nothing through that a terminal would obey.
public final class StandardStream {
    /// The reader of a pipe went away: there is nobody left to tell.
    struct ReaderGone: Error {}

    private let descriptor: Int32
    private let name: String
    private let isTerminal: Bool
    private var buffer: [UInt8] = []
    /// What is done once, before anything is written.
    var beforeFirstWrite: (() -> Void)?
    /// Enough that a system call is a small part of the cost of what it writes.
    private static let flushSize = 64 << 10

    init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
        isTerminal = isatty(descriptor) == 1
    }

    /// The results of a command.
    public static func output() -> StandardStream {
        StandardStream(descriptor: STDOUT_FILENO, name: "standard output")
    }

    /// Everything that is not a result.
    public static func error() -> StandardStream {
        StandardStream(descriptor: STDERR_FILENO, name: "standard error")
    }

    /// Makes sure that the three standard descriptors are open: the first file that a process opens takes the place
    /// of one that is closed, and would be written over with results.
    static func openMissing() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
        where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // The lowest number that is free is this one.
            _ = open("/dev/null", O_RDWR)
        }
    }

    /// Appends a line of text: what a terminal would obey is spelled as escapes.
    ///
    /// - Parameter hasColor: Whether the looks of a ``Style`` become colours.
    func write(line text: String, hasColor: Bool = false) throws {
        try write(TerminalText.line(text, hasColor: hasColor))
    }

    /// Appends what may have several lines; those behind the first are indented, so that none looks like another
    /// message.
    func write(lines text: String) throws {
        for (index, line) in text.split(separator: "\n").enumerated() {
            try write(line: index == 0 ? String(line) : "  \(line)")
        }
    }

    /// Appends a line of canonical JSON.
    func write(json: JSON) throws { try write(TerminalText.line(json, isTerminal: isTerminal)) }

    /// Appends a warning, without any secret of a URL that is in it.
    func write(warning text: String, isJSON: Bool) throws {
        let text = Secrets.redacted(text)
        guard isJSON else { return try write(lines: "warning: \(text)") }
        try write(json: ["warning": .string(text)])
    }

    /// Appends bytes as they are, and writes when enough have come together.
    public func write(_ bytes: some Sequence<UInt8>) throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.flushSize { try flush() }
    }

    /// Writes what is waiting.
    ///
    /// - Throws: `ReaderGone` when the other end of a pipe is closed; a ``CommandError`` otherwise.
    public func flush() throws {
        if !buffer.isEmpty, let prepare = beforeFirstWrite {
            beforeFirstWrite = nil
            prepare()
        }
        var written = 0
        defer { buffer.removeAll(keepingCapacity: true) }
        while written < buffer.count {
            let count = buffer.withUnsafeBytes { bytes in
                Glibc.write(
                    descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count >= 0 {
                written += count
            } else if errno == EPIPE {
                throw ReaderGone()
            } else if errno != EINTR {
                throw StorageError.system(operation: "write to", path: name, errno: errno)
            }
        }
    }
}
