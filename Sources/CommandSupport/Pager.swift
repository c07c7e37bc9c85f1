internal import CPosix
internal import Glibc

/// The program that shows results on a terminal a page at a time, as git has one: `$FTI_PAGER`, else `$PAGER`, else
/// `less`.
///
/// It is started before the first result is written, and standard output is a pipe to it until ``finish()``. A pager
/// that is quit closes the pipe, which ends a command without an error.
final class Pager {
    private let command: String
    private var process: pid_t = 0
    private var terminal: Int32 = -1

    /// Whether results are going to it.
    var isRunning: Bool { process > 0 }

    /// Returns nil if the pager is `cat`, is empty, or is not installed.
    init?(environment: Environment) {
        let named = ["FTI_PAGER", "PAGER"].first { environment.isSet($0) }
        let command = named.map { environment.variable($0) ?? "" } ?? "less"
        guard let program = command.split(separator: " ").first, program != "cat",
            Self.isThere(String(program), environment)
        else { return nil }
        self.command = command
    }

    /// Whether a program is on the path; what a shell has to make sense of first may be.
    private static func isThere(_ program: String, _ environment: Environment) -> Bool {
        let isPlain = program.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                || "/._-+".utf8.contains(byte)
        }
        guard isPlain else { return true }
        guard !program.utf8.contains(UInt8(ascii: "/")) else { return access(program, X_OK) == 0 }
        let path = environment.variable("PATH") ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    /// Starts the program, unless it is running; where that fails results go on to the terminal.
    func start() {
        guard process == 0 else { return }
        // Once is enough: a pager that cannot be started is not tried again.
        process = -1
        // What git sets: less ends where everything fits the screen, shows colours, and leaves the text there.
        setenv("LESS", "FRX", 0)
        setenv("LV", "-c", 0)
        terminal = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        guard terminal >= 0 else { return }
        process = fti_start_pager(command)
        // The pager has the keyboard: an interrupt is its own matter, and it ends this process by being quit.
        if process > 0 { signal(SIGINT, SIG_IGN) }
    }

    /// Ends the results and waits until the person has seen them.
    func finish() {
        guard process > 0 else { return }
        dup2(terminal, STDOUT_FILENO)
        close(terminal)
        while waitpid(process, nil, 0) < 0, errno == EINTR {}
        process = -1
        signal(SIGINT, SIG_DFL)
    }
}
