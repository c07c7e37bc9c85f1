internal import CPosix
internal import Glibc

/// Runs a program that reads a document or answers a question about the machine, within limits.
///
/// Hostile bytes may take over the program, so it gets only the time, memory and output that a large document needs.
/// Its standard input is a private file, which it may reopen as `/dev/stdin`. Besides its three standard streams it
/// inherits no descriptor, and of the environment it gets only `PATH`, `LC_ALL` and what the caller names.
public struct LimitedProcess {
    /// The resources that a program may use.
    public struct Limits: Sendable {
        /// Processor time, in seconds.
        public var processorSeconds: Int
        /// Wall-clock time, in seconds, after which it is killed.
        public var seconds: Int
        /// Address space, in bytes.
        public var memory: Int
        /// Bytes of output; it is killed when it has written this many.
        public var output: Int

        /// Chooses limits; omitted ones are those of a large document.
        public init(
            processorSeconds: Int = 300, seconds: Int = 600, memory: Int = 2 << 30,
            output: Int = 256 << 20
        ) {
            self.processorSeconds = processorSeconds
            self.seconds = seconds
            self.memory = memory
            self.output = output
        }
    }

    /// Its standard output, up to the limit.
    public private(set) var output: [UInt8] = []
    /// The beginning of its standard error.
    public private(set) var complaint: [UInt8] = []
    /// How it ended.
    public private(set) var end = ProcessEnd.failed(0)

    private static let complaintLimit = 4096

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - program: Its name, looked up on the path.
    ///   - arguments: Its arguments, without its name.
    ///   - input: The content of its standard input.
    ///   - variables: The names of further variables of this process that it gets.
    public static func run(
        _ program: String, _ arguments: [String], input: [UInt8], limits: Limits = Limits(),
        variables: [String] = []
    ) -> LimitedProcess {
        var process = LimitedProcess()
        process.run(program, arguments, input: input, limits: limits, variables)
        return process
    }

    private init() {}

    private mutating func run(
        _ program: String, _ arguments: [String], input: [UInt8], limits: Limits,
        _ variables: [String]
    ) {
        let file = Self.privateFile(input)
        guard file >= 0 else {
            end = .failed(errno)
            return
        }
        defer { close(file) }
        var standardOutput: [Int32] = [-1, -1]
        var standardError: [Int32] = [-1, -1]
        guard fti_pipe(&standardOutput) == 0 else {
            end = .failed(errno)
            return
        }
        defer { close(standardOutput[0]) }
        guard fti_pipe(&standardError) == 0 else {
            end = .failed(errno)
            close(standardOutput[1])
            return
        }
        defer { close(standardError[0]) }
        let child = Self.spawn(
            program, arguments, limits, variables, [file, standardOutput[1], standardError[1]])
        close(standardOutput[1])
        close(standardError[1])
        guard child.code == 0 else {
            end = .failed(child.code)
            return
        }
        let deadline = MonotonicClock.now + limits.seconds * 1000
        let stopped = read(standardOutput[0], standardError[0], limits, until: deadline)
        end = Self.wait(for: child.identifier, stopped: stopped, until: deadline)
    }

    /// Creates an anonymous file with some content; -1 on failure.
    private static func privateFile(_ bytes: [UInt8]) -> Int32 {
        let file = fti_memory_file()
        guard file >= 0 else { return -1 }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                write(file, buffer.baseAddress.map { $0 + written }, buffer.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                close(file)
                return -1
            }
            written += count
        }
        lseek(file, 0, SEEK_SET)
        return file
    }

    /// Starts a shell that sets the limits and then executes the program.
    private static func spawn(
        _ program: String, _ arguments: [String], _ limits: Limits, _ variables: [String],
        _ streams: [Int32]
    ) -> (identifier: pid_t, code: Int32) {
        // If lower limits are already set, the shell complains and they stay.
        let script = """
            ulimit -c 0
            ulimit -t \(limits.processorSeconds)
            ulimit -v \(limits.memory >> 10)
            exec "$@"
            """
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        let command: [String] = ["sh", "-c", script, "sh", program] + arguments
        let further = variables.compactMap { name in
            getenv(name).map { "\(name)=\(String(cString: $0))" }
        }
        var child: pid_t = 0
        let code = withCStrings(command) { words in
            withCStrings(["PATH=\(path)", "LC_ALL=C.UTF-8"] + further) { environment in
                fti_spawn(&child, "/bin/sh", words, environment, streams)
            }
        }
        return (child, code)
    }

    /// Reads the program's output until it closes both streams; returns why reading stopped early, or nil.
    private mutating func read(
        _ standardOutput: Int32, _ standardError: Int32, _ limits: Limits, until deadline: Int
    ) -> ProcessEnd? {
        var streams = [
            pollfd(fd: standardOutput, events: Int16(POLLIN), revents: 0),
            pollfd(fd: standardError, events: Int16(POLLIN), revents: 0),
        ]
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while streams.contains(where: { $0.fd >= 0 }) {
            let left = deadline - MonotonicClock.now
            guard left > 0 else { return .timedOut }
            let ready = poll(&streams, 2, Int32(clamping: left))
            if ready < 0, errno != EINTR { return .failed(errno) }
            guard ready > 0 else { continue }
            for index in streams.indices where streams[index].fd >= 0 && streams[index].revents != 0
            {
                let count = Glibc.read(streams[index].fd, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    streams[index].fd = -1
                    continue
                }
                if index == 0 {
                    output += buffer.prefix(min(count, limits.output - output.count))
                    if output.count >= limits.output { return .wroteTooMuch }
                } else {
                    complaint += buffer.prefix(min(count, Self.complaintLimit - complaint.count))
                }
            }
        }
        return nil
    }

    /// Waits for the program; kills it if reading stopped early or the deadline has passed.
    private static func wait(for child: pid_t, stopped: ProcessEnd?, until deadline: Int)
        -> ProcessEnd
    {
        var stopped = stopped
        var status: Int32 = 0
        while true {
            if stopped == nil, MonotonicClock.now >= deadline { stopped = .timedOut }
            if stopped != nil { kill(child, SIGKILL) }
            let found = waitpid(child, &status, stopped == nil ? WNOHANG : 0)
            if found == child { break }
            if found < 0, errno != EINTR { return .failed(errno) }
            if found == 0 { usleep(2000) }
        }
        if let stopped { return stopped }
        let end = ProcessEnd(waitStatus: status)
        return end == .exited(127) ? .missing : end
    }
}
