internal import Glibc
internal import Storage

/// Reads lines of standard input, each up to a limit, so that an endless line cannot fill memory.
public struct InputLines {
    /// A line, without its line ending.
    public enum Line: Equatable {
        /// Its text; invalid UTF-8 is replaced.
        case text(String)
        /// The line exceeds the limit and was skipped.
        case tooLong
    }

    private let limit: Int
    private var buffer: [UInt8]
    private var waiting: ArraySlice<UInt8> = []
    private var hasEnded = false
    private var hasBegun = false

    /// Creates a reader.
    ///
    /// - Parameter limit: The maximum length of a line in bytes.
    public init(limit: Int) {
        self.limit = limit
        buffer = [UInt8](repeating: 0, count: 64 << 10)
    }

    /// Waits for the next line; nil at the end of the input, or if it cannot be read.
    public mutating func next() -> Line? {
        var line: [UInt8] = []
        var isTooLong = false
        while true {
            if let end = waiting.firstIndex(of: 0x0A) {
                let rest = waiting[..<end]
                waiting = waiting[(end + 1)...]
                guard !isTooLong, line.count + rest.count <= limit else { return .tooLong }
                line += rest
                if line.last == 0x0D { line.removeLast() }
                return text(line)
            }
            if line.count + waiting.count > limit { isTooLong = true }
            if isTooLong { line = [] } else { line += waiting }
            guard fill() else {
                if isTooLong { return .tooLong }
                return line.isEmpty ? nil : text(line)
            }
        }
    }

    /// A line as text, without the byte-order mark that the first one may have.
    private mutating func text(_ line: [UInt8]) -> Line {
        defer { hasBegun = true }
        return .text(
            String(decoding: hasBegun ? line : ByteOrderMark.skipped(line), as: UTF8.self))
    }

    /// Waits for more input; false at its end, or if it cannot be read.
    private mutating func fill() -> Bool {
        waiting = []
        while !hasEnded {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count > 0 {
                waiting = buffer[..<count]
                return true
            }
            if count == 0 || errno != EINTR { hasEnded = true }
        }
        return false
    }
}
