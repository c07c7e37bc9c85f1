internal import Glibc
internal import Objects
internal import Refs
internal import Storage

/// Standard output or standard error, buffered.
///
/// ``write(line:hasColor:)`` and ``write(json:)`` escape everything that a terminal would interpret.
public final class StandardStream {
    /// The reader of a pipe has closed it.
    struct ReaderGone: Error {}

    private let descriptor: Int32
    private let name: String
    private let isTerminal: Bool
    private var buffer: [UInt8] = []
    /// Called once, before the first write.
    var beforeFirstWrite: (() -> Void)?
    /// Large enough that the cost of system calls is negligible.
    private static let flushSize = 64 << 10

    init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
        isTerminal = isatty(descriptor) == 1
    }

    /// Standard output, for results.
    public static func output() -> StandardStream {
        StandardStream(descriptor: STDOUT_FILENO, name: "standard output")
    }

    /// Standard error, for everything else.
    public static func error() -> StandardStream {
        StandardStream(descriptor: STDERR_FILENO, name: "standard error")
    }

    /// Opens `/dev/null` for each standard descriptor that is closed: otherwise the next file that the process opens
    /// would take its number, and results would overwrite that file.
    static func openMissing() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
        where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // open(2) returns the lowest free number, which is this one.
            _ = open("/dev/null", O_RDWR)
        }
    }

    /// Appends a line of text with control characters escaped.
    ///
    /// - Parameter hasColor: Whether the marks of a ``Style`` become colours.
    func write(line text: String, hasColor: Bool = false) throws {
        try write(TerminalText.line(text, hasColor: hasColor))
    }

    /// Appends a message of one or more lines. Indents the lines after the first, so that none looks like another
    /// message.
    func write(lines text: String) throws {
        for (index, line) in text.split(separator: "\n").enumerated() {
            try write(line: index == 0 ? String(line) : "  \(line)")
        }
    }

    /// Appends a line of canonical JSON.
    func write(json: JSON) throws { try write(TerminalText.line(json, isTerminal: isTerminal)) }

    /// Appends a warning, with secrets in URLs redacted.
    func write(warning text: String, isJSON: Bool) throws {
        let text = Secrets.redacted(text)
        guard isJSON else { return try write(lines: "warning: \(text)") }
        try write(json: ["warning": .string(text)])
    }

    /// Appends bytes unchanged; flushes when the buffer is full.
    public func write(_ bytes: some Sequence<UInt8>) throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.flushSize { try flush() }
    }

    /// Writes the buffer.
    ///
    /// - Throws: `ReaderGone` if the other end of a pipe is closed; a ``StorageError`` for any other failure.
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

/// Escapes text that a terminal may show.
///
/// Control characters, and marks that reorder or hide text, become escapes; only the colours of ``Style`` reach the
/// terminal. ``StandardStream`` passes every line of text and JSON through here, so that no command can forget to.
enum TerminalText {
    /// The bytes of one line and its line feed. Escapes line feeds within the text too.
    ///
    /// - Parameter hasColor: Whether the marks of ``Style`` become colours.
    static func line(_ text: String, hasColor: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 1)
        if text.isPlain {
            bytes += text.utf8
        } else {
            append(text, to: &bytes, keeping: "\t", hasColor: hasColor)
        }
        bytes.append(0x0A)
        return bytes
    }

    /// The bytes of canonical JSON (RFC 8785) and a line feed. For a terminal, control characters are escaped, which
    /// leaves the value the same.
    static func line(_ json: JSON, isTerminal: Bool) -> [UInt8] {
        let bytes = json.canonicalBytes
        guard isTerminal else { return bytes + [0x0A] }
        return Array(String(decoding: bytes, as: UTF8.self).escapedInJSON.utf8) + [0x0A]
    }

    /// Appends a text and escapes everything that is not harmless, except the wanted control characters.
    static func append(
        _ text: String, to bytes: inout [UInt8], keeping wanted: String, hasColor: Bool
    ) {
        let wanted = wanted.unicodeScalars
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            if scalar.isHarmless(after: previous) || wanted.contains(scalar) {
                bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            } else if hasColor, let code = Style.code(of: scalar) {
                bytes += "\u{1B}[\(code)m".utf8
            } else {
                bytes += "\\u{\(String(scalar.value, radix: 16))}".utf8
            }
            previous = scalar
        }
    }
}

extension Unicode.Scalar {
    /// Whether a terminal displays this scalar and does nothing else, if it follows the previous one.
    func isHarmless(after previous: Unicode.Scalar) -> Bool {
        switch value {
        case 0x20..<0x7F: true
        // Control characters, bidirectional and zero-width marks, line separators, tags.
        case 0..<0x20, 0x7F...0x9F, 0x061C, 0x180E, 0x200B, 0x200E...0x200F, 0x2028...0x202E,
            0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F:
            false
        // The marks of `Style`.
        case 0xFDD0...0xFDEF: false
        // Joiners are legitimate only after scripts that need them, such as Persian and Indic ones, and after emoji.
        case 0x200C...0x200D:
            previous.value >= 0x0600 && !(0x2000...0x206F).contains(previous.value)
                && previous.isHarmless(after: " ")
        default: true
        }
    }
}

extension String {
    /// Whether this is all printable ASCII, as most text is.
    fileprivate var isPlain: Bool { utf8.allSatisfy { (0x20..<0x7F).contains($0) } }

    /// This text with control characters, and marks that reorder or hide text, replaced by escapes. Keeps line feeds
    /// and tabs if `multiline` is true.
    public func printable(multiline: Bool = false) -> String {
        guard !isPlain else { return self }
        var bytes: [UInt8] = []
        TerminalText.append(
            self, to: &bytes, keeping: multiline ? "\n\t" : "", hasColor: false)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// This JSON with `\uXXXX` in place of everything that a terminal would interpret; the value stays the same.
    public var escapedInJSON: String {
        guard !isPlain else { return self }
        var result = ""
        var previous: Unicode.Scalar = " "
        for scalar in unicodeScalars {
            if scalar.isHarmless(after: previous) {
                result.unicodeScalars.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
            previous = scalar
        }
        return result
    }
}
