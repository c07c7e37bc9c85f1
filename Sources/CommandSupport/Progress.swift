internal import Glibc
internal import Synchronization

/// One line on a terminal that says how far a long operation is; nothing anywhere else.
public final class Progress: Sendable {
    private struct Line {
        var begin: ContinuousClock.Instant
        var lastDrawn: ContinuousClock.Instant?
    }

    private let isShown: Bool
    private let width: Int
    private let line: Mutex<Line>
    /// What is over sooner needs no progress line.
    private static let delay = Duration.seconds(1)
    private static let interval = Duration.milliseconds(100)

    /// Makes a line that is shown, after a second, when `isShown`.
    public init(isShown: Bool, width: Int) {
        self.isShown = isShown
        self.width = width
        line = Mutex(Line(begin: .now))
    }

    /// Says how far the operation is; may be called often and from any thread.
    public func update(_ text: @autoclosure () -> String) {
        guard isShown else { return }
        let now = ContinuousClock.now
        let isDue = line.withLock { line in
            guard line.begin.duration(to: now) >= Self.delay,
                line.lastDrawn.map({ $0.duration(to: now) >= Self.interval }) ?? true
            else { return false }
            line.lastDrawn = now
            return true
        }
        if isDue { draw(text().printable().truncated(to: width - 1)) }
    }

    /// Says how many of a number of bytes are done.
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
        let wasDrawn = line.withLock { line in
            defer { line.lastDrawn = nil }
            return line.lastDrawn != nil
        }
        if wasDrawn { draw("") }
    }

    private func draw(_ text: String) {
        let bytes = Array("\r\u{1B}[K\(text)".utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
