import Glibc
import Processes
import TestSupport
import Testing

@Suite("Programs run under a supervisor")
struct SupervisedProcessTests {
    private func start(
        _ script: String, in directory: String = "/", environment: [String] = ["A=1"]
    ) throws -> SupervisedProcess {
        try SupervisedProcess(
            .init(
                path: "/bin/sh", arguments: ["sh", "-c", script], environment: environment,
                directory: directory))
    }

    /// Waits for the end; returns it with all output.
    private func finish(_ process: SupervisedProcess) -> (end: ProcessEnd, output: String) {
        var output: [UInt8] = []
        while true {
            switch process.next(waiting: 1000) {
            case .output(let bytes): output += bytes
            case .end(let end): return (end, String(decoding: output, as: UTF8.self))
            case .pause, .interrupt: continue
            }
        }
    }

    /// Waits for a number that a program writes as a line.
    private func number(_ process: SupervisedProcess) -> pid_t {
        var text: [UInt8] = []
        while text.last != 0x0A {
            if case .output(let bytes) = process.next(waiting: 1000) { text += bytes }
        }
        return pid_t(String(decoding: text.dropLast(), as: UTF8.self)) ?? -1
    }

    private func isAlive(_ process: pid_t) -> Bool { process > 1 && kill(process, 0) == 0 }

    @Test("a program gets its folder and environment, and no descriptors and no terminal")
    func surroundings() throws {
        let process = try start(
            "pwd; env | sort; ls /proc/self/fd | wc -l; (: </dev/tty) 2>/dev/null || echo none",
            in: "/usr", environment: ["B=2", "PATH=/usr/bin:/bin"])
        let (end, output) = finish(process)
        #expect(end == .exited(0))
        #expect(output == "/usr\nB=2\nPATH=/usr/bin:/bin\nPWD=/usr\n4\nnone\n")
    }

    @Test("how a program ended is reported")
    func ends() throws {
        #expect(finish(try start("exit 7")).end == .exited(7))
        #expect(finish(try start("kill -9 $$")).end == .signalled(9))
        let absent = try SupervisedProcess(
            .init(path: "/absent", arguments: ["absent"], environment: [], directory: "/"))
        #expect(finish(absent).end == .missing)
        let misplaced = try start("exit 0", in: "/absent")
        #expect(finish(misplaced).end == .missing)
    }

    @Test("the output of a program that writes much arrives whole")
    func output() throws {
        let (end, output) = finish(try start("head -c 3000000 /dev/zero | tr '\\0' x; echo >&2"))
        #expect(end == .exited(0))
        #expect(output.utf8.count == 3_000_001)
    }

    @Test("signals reach the process group, and descendants that ignore them are killed")
    func signals() throws {
        let process = try start(
            "trap 'echo caught' TERM; setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 60' & "
                + "while :; do wait; done")
        let inner = number(process)
        #expect(isAlive(inner))
        process.send(SIGTERM)
        var output: [UInt8] = []
        while output.isEmpty {
            if case .output(let bytes) = process.next(waiting: 1000) { output += bytes }
        }
        #expect(String(decoding: output, as: UTF8.self) == "caught\n")
        process.end()
        #expect(finish(process).end == .signalled(SIGKILL))
        #expect(!isAlive(inner))
    }

    @Test("descendants do not outlive the program, nor the last reference to it")
    func descendants() throws {
        let background = try start("setsid sleep 60 & echo $!")
        let first = number(background)
        #expect(finish(background).end == .exited(0))
        #expect(!isAlive(first))
        var dropped: SupervisedProcess? = try start("setsid sleep 60 & echo $!; wait")
        let second = number(try #require(dropped))
        #expect(isAlive(second))
        dropped = nil
        #expect(!isAlive(second))
    }
}
