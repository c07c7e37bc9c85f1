import Processes
import Testing

@Suite("Programs run within limits")
struct LimitedProcessTests {
    private func shell(_ script: String, _ limits: LimitedProcess.Limits = .init())
        -> LimitedProcess
    {
        LimitedProcess.run("sh", ["-c", script], input: Array("input".utf8), limits: limits)
    }

    @Test("a program sees its input and nothing else of this process")
    func input() {
        let process = shell(
            "cat /dev/stdin; cat; env | sed 's/=.*//' | sort | tr '\\n' ' '; ls /proc/self/fd | wc -l"
        )
        #expect(process.end == .exited(0))
        let output = String(decoding: process.output, as: UTF8.self)
        #expect(output.hasPrefix("inputinput"))
        #expect(output.contains("LC_ALL"))
        #expect(!output.contains("HOME"))
    }

    @Test("the outcome of a program is reported")
    func ends() {
        #expect(shell("exit 3").end == .exited(3))
        #expect(shell("kill -9 $$").end == .signalled(9))
        #expect(LimitedProcess.run("no-such-program", [], input: []).end == .missing)
    }

    @Test("a program that takes too long, writes too much or needs too much memory is stopped")
    func limits() {
        #expect(shell("sleep 60", .init(seconds: 1)).end == .timedOut)
        let endless = shell("while :; do echo 0123456789; done", .init(output: 100_000))
        #expect(endless.end == .wroteTooMuch)
        #expect(endless.output.count == 100_000)
        #expect(shell("while :; do :; done", .init(processorSeconds: 1)).end != .exited(0))
        #expect(shell("exec >&- 2>&-; sleep 60", .init(seconds: 1)).end == .timedOut)
        let greedy = shell(
            "head -c 400000000 /dev/zero | tail -n 1 | wc -c", .init(memory: 100 << 20))
        #expect(String(decoding: greedy.output, as: UTF8.self) != "400000000\n")
    }
}
