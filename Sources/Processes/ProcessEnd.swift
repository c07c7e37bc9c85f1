internal import Glibc

/// How a program ended.
public enum ProcessEnd: Hashable, Sendable {
    /// It exited with a status.
    case exited(Int32)
    /// A signal ended it: it crashed, was killed, or used up its time or memory.
    case signalled(Int32)
    /// It was killed because it took too long.
    case timedOut
    /// It was killed because it wrote too much.
    case wroteTooMuch
    /// It is not installed.
    case missing
    /// It could not be started or watched; the value is `errno`.
    case failed(Int32)

    /// Decodes the status of `waitpid(2)`.
    init(waitStatus status: Int32) {
        let signal = status & 0x7F
        self = signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
    }
}

/// Names of signals, and texts of error numbers, for messages.
public enum SystemNames {
    private static let names: [Int32: String] = [
        SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL",
        SIGTRAP: "SIGTRAP", SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE",
        SIGKILL: "SIGKILL", SIGSEGV: "SIGSEGV", SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM",
        SIGTERM: "SIGTERM", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ", SIGSYS: "SIGSYS",
    ]

    /// The name of a signal, such as `SIGTERM`.
    public static func signal(_ number: Int32) -> String {
        names[number] ?? "signal \(number)"
    }

    /// The number of the signal that asks a program to end: SIGTERM.
    public static let terminate = SIGTERM

    /// The C library's text for an error number.
    public static func error(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }
}

/// A moment of a clock that nobody sets, in milliseconds.
enum MonotonicClock {
    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
