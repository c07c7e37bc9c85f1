internal import Glibc
internal import Storage

/// Standard output or standard error, written in large pieces.
public final class StandardStream {
    /// The reader of a pipe went away: there is nobody left to tell.
    struct ReaderGone: Error {}

    private let descriptor: Int32
    private let name: String
    private var buffer: [UInt8] = []
    /// Enough that a system call is a small part of the cost of what it writes.
    private static let flushSize = 64 << 10

    init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
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

    /// Appends bytes, and writes when enough have come together.
    public func write(_ bytes: some Sequence<UInt8>) throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.flushSize { try flush() }
    }

    /// Writes what is waiting.
    ///
    /// - Throws: `ReaderGone` when the other end of a pipe is closed; a ``CommandError`` otherwise.
    public func flush() throws {
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
