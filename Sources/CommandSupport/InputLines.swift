internal import Glibc
internal import Storage

/// Lines of standard input, without a byte-order mark, each of which is read up to a limit only, so that an endless one does not fill the memory.
public struct InputLines {
    /// A line, without what ends it.
    public enum Line: Equatable {
        /// Its text; bytes that are no UTF-8 are replaced.
        case text(String)
        /// It is longer than the limit, and was passed over.
        case tooLong
    }

    private let limit: Int
    private var buffer: [UInt8]
    private var waiting: ArraySlice<UInt8> = []
    private var hasEnded = false
    private var hasBegun = false

    /// Begins to read.
    ///
    /// - Parameter limit: The most bytes that a line may have.
    public init(limit: Int) {
        self.limit = limit
        buffer = [UInt8](repeating: 0, count: 64 << 10)
    }

    /// Waits for the next line; nil when there is none.
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

    /// A line as text; the first one may begin with a mark.
    private mutating func text(_ line: [UInt8]) -> Line {
        defer { hasBegun = true }
        return .text(
            String(decoding: hasBegun ? line : ByteOrderMark.skipped(line), as: UTF8.self))
    }

    /// Waits for more; false at the end.
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
