import Foundation
import TestSupport
import Testing

@Suite("Exit codes and errors")
struct ExitCodeTests {
    @Test(
        "a wrong command line exits with 64, a missing object with 2",
        arguments: [
            (["put", "models/a"], 64), (["put", "widgets/a", "x"], 64),
            (["put", "models/a b", "x"], 64), (["put", "models/a", "x", "--metric", "m=nan"], 64),
            (["put", "models/a", "x", "--metric", "m=inf"], 64),
            (["put", "models/a", "x", "--metric", "m"], 64), (["promote", "models/a"], 64),
            (["log", "models/none"], 2), (["resolve", "models/none"], 2),
            (["resolve", "0123456789ab"], 2), (["cat", "models/none:file"], 2),
            (["rollback", "models/none"], 2), (["undo"], 2), (["nonsense"], 64),
            (["refs", "--nonsense"], 64), (["put", "models/a", "missing"], 74),
            (["pin", "--check", "missing.lock"], 74), (["completion", "tcsh"], 64),
            (["put", "models/a", "x", "--input", "base=models/none"], 2),
            (["put", "models/a", "x", "--vector", "v"], 64), (["log", "-n", "0"], 64),
        ] as [([String], Int32)])
    func codes(arguments: [String], status: Int32) throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("x", "x")
        let outcome = try sandbox.ftictl(arguments)
        #expect(outcome.status == status, "\(outcome.error)")
        #expect(outcome.output.isEmpty)
        #expect(outcome.error.hasPrefix("error: "))
        let json = try sandbox.ftictl(arguments + ["--json"])
        #expect(json.status == status)
        let object = try json.errorObject()
        #expect(object["exit"] as? Int == Int(status))
        #expect((object["message"] as? String)?.isEmpty == false)
        #expect(object.keys.sorted() == ["error", "exit", "message", "remedy"])
        #expect(try sandbox.ftictl("stats", "--json").object()["transactions"] as? Int == 1)
    }

    @Test("without a repository the error says how to create one")
    func noRepository() throws {
        let sandbox = try Sandbox()
        for arguments in [["refs"], ["put", "models/a", "x"], ["verify"], ["stats"]] {
            let outcome = try sandbox.ftictl(arguments)
            #expect(outcome.status == 2)
            #expect(outcome.error.contains("try: ftictl init"))
        }
    }

    @Test("a file and an empty directory are not repositories")
    func notARepository() throws {
        let sandbox = try Sandbox()
        try sandbox.write("file", "x")
        _ = try sandbox.shell("mkdir empty")
        for place in ["file", "empty", "nowhere"] {
            #expect(try sandbox.ftictl("refs", "--repo", place).status == 2)
        }
        #expect(try sandbox.ftictl("init", "file").status == 64)
    }

    @Test("a repository cannot be created twice")
    func initTwice() throws {
        let sandbox = try Sandbox.withRepository()
        #expect(try sandbox.ftictl("init").status == 64)
    }

    @Test("a repository of a newer format is left alone")
    func newerFormat() throws {
        let sandbox = try Sandbox.withRepository()
        let entry = ".fti/log/00000000000000000000.json"
        let text = try sandbox.read(entry)
        _ = try sandbox.shell("chmod u+w \(entry)")
        try sandbox.write(entry, text.replacing("\"version\":1", with: "\"version\":99"))
        #expect([5, 74].contains(try sandbox.ftictl("refs").status))
    }

    @Test("a closed pipe ends the command silently")
    func closedPipe() throws {
        let sandbox = try Sandbox.withRepository()
        try sandbox.write("big", Data(repeating: 7, count: 4 << 20))
        #expect(try sandbox.ftictl("put", "models/a", "big").status == 0)
        let outcome = try sandbox.shell(
            "$FTICTL cat models/a:big | head -c 10 | wc -c; exit ${PIPESTATUS[0]}")
        #expect(outcome.status == 0)
        #expect(outcome.error.isEmpty)
    }

    @Test("a full device is an error of output")
    func fullDevice() throws {
        let sandbox = try Sandbox.withRepository()
        let outcome = try sandbox.shell("$FTICTL stats > /dev/full")
        #expect(outcome.status == 74)
        #expect(outcome.error.contains("standard output"))
    }
}
