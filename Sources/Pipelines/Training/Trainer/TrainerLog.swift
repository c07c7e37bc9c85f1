internal import Refs

/// What a trainer wrote to its standard output and standard error: the beginning and the end, in bounded memory.
struct TrainerLog {
    private var head: [UInt8] = []
    /// The bytes after the head; the older half is dropped when it is full.
    private var tail: [UInt8] = []
    /// The number of all bytes.
    private(set) var size = 0
    private let headLimit: Int
    private let tailLimit: Int

    init(headLimit: Int = 256 << 10, tailLimit: Int = 768 << 10) {
        self.headLimit = headLimit
        self.tailLimit = tailLimit
    }

    mutating func append(_ bytes: [UInt8]) {
        size += bytes.count
        let first = bytes.prefix(headLimit - head.count)
        head += first
        tail += bytes.dropFirst(first.count)
        if tail.count > 2 * tailLimit { tail.removeFirst(tail.count - tailLimit) }
    }

    /// The number of bytes between the beginning and the end that were dropped.
    var omitted: Int { size - head.count - min(tail.count, tailLimit) }

    /// The log as it is kept: without secret keys and credentials, and with a line in the place of what was dropped.
    var kept: [UInt8] {
        let end = tail.suffix(tailLimit)
        guard omitted > 0 else { return Self.redacted(head + end) }
        let mark = "\n[\(omitted) bytes of the log were left out here]\n"
        return Self.redacted(head) + Array(mark.utf8) + Self.redacted(Array(end))
    }

    private static func redacted(_ bytes: [UInt8]) -> [UInt8] {
        Array(Secrets.redacted(String(decoding: bytes, as: UTF8.self)).utf8)
    }

    /// The last lines that are not empty.
    func lastLines(_ count: Int) -> [String] {
        let end = (tail.isEmpty ? head : tail).suffix(16 << 10)
        // A progress bar overwrites its line after each carriage return.
        let lines = end.split { $0 == 0x0A || $0 == 0x0D }.suffix(count)
        return lines.map { line in
            Secrets.redacted(String(decoding: line.prefix(500), as: UTF8.self))
        }
    }
}
