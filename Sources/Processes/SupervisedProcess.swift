internal import CPosix
internal import Glibc

/// A program that runs under a supervisor, which ends it with all its descendants.
///
/// Descendants end when the program itself has ended, on ``end()``, with the last reference to this value, and when
/// this process dies in any way, even by SIGKILL; also those that left the process group. The program has its own
/// session without a terminal, an empty standard input, no other descriptors, and exactly the environment that it is
/// given. Not for use by several threads at once.
public final class SupervisedProcess {
    /// What to run.
    public struct Program: Sendable {
        /// The path of the program.
        public var path: String
        /// Its arguments, beginning with its name.
        public var arguments: [String]
        /// Its whole environment, as `NAME=VALUE`.
        public var environment: [String]
        /// The directory that it runs in.
        public var directory: String
        /// How many processes that the program starts, each the first child of the one before, only wrap the one that
        /// signals are meant for.
        public var wrappers: Int

        /// Describes a program.
        public init(
            path: String, arguments: [String], environment: [String], directory: String,
            wrappers: Int = 0
        ) {
            self.path = path
            self.arguments = arguments
            self.environment = environment
            self.directory = directory
            self.wrappers = wrappers
        }
    }

    /// What happened while a program ran.
    public enum Event: Sendable {
        /// It wrote some bytes to its standard output or its standard error.
        case output([UInt8])
        /// This process got a signal that asks it to end.
        case interrupt(Int32)
        /// The time to wait has passed.
        case pause
        /// The program and all its descendants have ended, and all output was delivered.
        case end(ProcessEnd)
    }

    private let supervisor: pid_t
    private let channel: Int32
    private let output: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private var ended: ProcessEnd?
    private var isOutputOpen = true

    /// Starts a program.
    ///
    /// That the program itself cannot be executed is reported by ``next(waiting:interrupts:)``.
    ///
    /// - Throws: ``StartError`` if the system has no resources left.
    public init(_ program: Program) throws(StartError) {
        var ends: [Int32] = [-1, -1]
        guard fti_pipe(&ends) == 0 else { throw StartError(code: errno) }
        var channel: Int32 = -1
        supervisor = Self.start(program, output: ends[1], &channel)
        let code = errno
        close(ends[1])
        self.channel = channel
        output = ends[0]
        guard supervisor > 0 else {
            isOutputOpen = false
            throw StartError(code: code)
        }
    }

    private static func start(
        _ program: Program, output: Int32, _ channel: inout Int32
    ) -> pid_t {
        var number: Int32 = -1
        defer { channel = number }
        return withCStrings(program.arguments) { arguments in
            withCStrings(program.environment) { environment in
                withCStrings([program.path, program.directory]) { places in
                    var description = fti_program(
                        path: places[0], arguments: arguments, variables: environment,
                        directory: places[1], output: output,
                        wrappers: Int32(clamping: program.wrappers))
                    return fti_supervise(&description, &number)
                }
            }
        }
    }

    /// The system could not start a process; the value is `errno`.
    public struct StartError: Error, Sendable {
        /// The error number.
        public let code: Int32
    }

    deinit {
        close(output)
        guard channel >= 0 else { return }
        // The supervisor takes this as the order to end everything.
        close(channel)
        while waitpid(supervisor, nil, 0) < 0, errno == EINTR {}
    }

    /// Sends a signal to the program's process group.
    public func send(_ signal: Int32) { _ = fti_tell(channel, UInt8(clamping: signal)) }

    /// Kills the program and all its descendants.
    public func end() { send(SIGKILL) }

    /// Waits for the next event, at most a number of milliseconds. After ``Event/end(_:)`` nothing more happens.
    public func next(waiting milliseconds: Int, interrupts: Interrupts? = nil) -> Event {
        if let ended, !isOutputOpen { return .end(ended) }
        var polled = [
            pollfd(fd: isOutputOpen ? output : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: ended == nil ? channel : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: interrupts?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        // Only a descendant that could not be killed keeps the output open after the end.
        let limit = ended == nil ? milliseconds : min(milliseconds, 1000)
        guard poll(&polled, 3, Int32(clamping: max(0, limit))) > 0 else {
            if ended != nil { isOutputOpen = false }
            return .pause
        }
        if polled[2].revents != 0, let signal = interrupts?.next() { return .interrupt(signal) }
        if polled[0].revents != 0 {
            let count = read(output, &buffer, buffer.count)
            if count > 0 { return .output(Array(buffer[..<count])) }
            if count == 0 { isOutputOpen = false }
        }
        if polled[1].revents != 0 { receiveEnd() }
        return .pause
    }

    private func receiveEnd() {
        var report = fti_program_end()
        let count = recv(channel, &report, MemoryLayout<fti_program_end>.size, 0)
        if count < 0, errno == EINTR { return }
        // Without a report, somebody killed the supervisor.
        guard count == MemoryLayout<fti_program_end>.size else {
            ended = .signalled(SIGKILL)
            return
        }
        switch report.kind {
        case FTI_EXITED: ended = .exited(report.value)
        case FTI_SIGNALLED: ended = .signalled(report.value)
        default: ended = report.value == ENOENT ? .missing : .failed(report.value)
        }
    }
}

/// Catches the signals that ask this process to end: SIGINT, SIGTERM and SIGHUP, for as long as the value exists.
///
/// A signal that was ignored before stays ignored.
public final class Interrupts: Sendable {
    let descriptor: Int32

    /// Begins to catch the signals; nil if they are caught already.
    public init?() {
        descriptor = fti_catch_interrupts()
        guard descriptor >= 0 else { return nil }
    }

    deinit { if descriptor >= 0 { fti_release_interrupts() } }

    /// The next signal that came; nil if none did.
    public func next() -> Int32? {
        var number: UInt8 = 0
        return read(descriptor, &number, 1) == 1 ? Int32(number) : nil
    }
}
