import Foundation
import Objects
import TestSupport
import Testing
@testable import TrainingPipeline

@Suite("The metrics and the log of a trainer")
struct TrainerMetricsTests {
    private let files: TemporaryDirectory

    init() throws { files = try TemporaryDirectory() }

    private func metrics(_ text: String) throws -> TrainerMetrics {
        var metrics = TrainerMetrics(at: try files.write("metrics", text))
        _ = metrics.update(isAtEnd: true)
        return metrics
    }

    @Test("numbers are curves, their last values metrics, and final values win")
    func values() throws {
        let found = try metrics(
            """
            {"step": 1, "total": 4, "loss": 2.5, "phase": "warm up", "deep": {"x": 1}}

            {"step": 4, "loss": 1.5, "rate": 1e-3, "final": {"loss": 1.25, "name": "x"}}
            """)
        #expect(found.step == 4 && found.total == 4)
        #expect(found.values == ["loss": 1.25, "rate": 0.001])
        #expect(found.lines == 2 && found.ignored.count == 0)
        #expect(
            String(decoding: found.keptLines, as: UTF8.self).hasPrefix(
                "{\"deep\":{\"x\":1},\"loss\":2.5,\"phase\":\"warm up\",\"step\":1,\"total\":4}\n"))
    }

    @Test(
        "hostile lines are counted and left out",
        arguments: [
            "not JSON", "[1]", "7", "{\"loss\": NaN}", "{\"loss\": 1e999}", "{\"loss\": 1",
            "{\"\": 1}", "{\"a b\": 1}", "{\"\\u0007\": 1}", "\u{1}", "{\"loss\": 1}}",
            "{\"\(String(repeating: "x", count: 200))\": 1}",
            "{\"loss\": \"\(String(repeating: "y", count: 70_000))\"}",
            String(repeating: "[", count: 1000),
        ])
    func hostile(line: String) throws {
        let found = try metrics("{\"loss\": 1}\n\(line)\n{\"gain\": 2}\n")
        #expect(found.values == ["loss": 1, "gain": 2])
        #expect(found.ignored.count == 1 && found.ignored.reason.contains("line 2"))
        #expect(found.keptLines.count < 300)
    }

    @Test("steps out of range, endless lines, links and special files are harmless")
    func odd() throws {
        #expect(try metrics("{\"step\": -1}\n{\"step\": 1e300}\n{\"step\": 1.5}\n").step == nil)
        let endless = try metrics(String(repeating: "x", count: 3_000_000) + "\n{\"a\": 1}\n")
        #expect(endless.values == ["a": 1] && endless.ignored.count == 1)
        try files.link("link", to: files("metrics"))
        var linked = TrainerMetrics(at: files("link"))
        let hasLinked = linked.update(isAtEnd: true)
        #expect(!hasLinked)
        var absent = TrainerMetrics(at: files("absent"))
        let hasAbsent = absent.update()
        #expect(!hasAbsent)
        var device = TrainerMetrics(at: "/dev/zero")
        let hasDevice = device.update()
        #expect(!hasDevice)
    }

    @Test("a file that grows is read on, whatever parts its lines arrive in")
    func growth() throws {
        let path = try files.write("metrics", "")
        let handle = try #require(FileHandle(forWritingAtPath: path))
        var metrics = TrainerMetrics(at: path)
        let hasGrown = metrics.update()
        #expect(!hasGrown)
        for part in [
            "{\"step\": 1,", " \"loss\": 3}\n{\"st", "ep\": 2, \"loss\": 2}\n", "{\"loss\": 9}",
        ] {
            try handle.write(contentsOf: Data(part.utf8))
            let hasGrown = metrics.update()
            #expect(hasGrown)
        }
        #expect(metrics.step == 2 && metrics.values == ["loss": 2])
        _ = metrics.update(isAtEnd: true)
        #expect(metrics.values == ["loss": 9] && metrics.lines == 3)
    }

    @Test("of very many lines, an even selection and the last are kept; curves have a limit")
    func bounds() throws {
        let many = try metrics((1...100_000).map { "{\"step\":\($0)}\n" }.joined())
        let lines = String(decoding: many.keptLines, as: UTF8.self).split(separator: "\n")
        #expect(lines.count <= TrainerMetrics.keptLimit + 1 && lines.count > 5000)
        #expect(lines.first == "{\"step\":1}" && lines.last == "{\"step\":100000}")
        let curves = try metrics((0..<1000).map { "{\"c\($0)\":1}\n" }.joined())
        #expect(curves.values.count == TrainerMetrics.curveLimit)
        #expect(curves.ignored.count == 1000 - TrainerMetrics.curveLimit)
    }

    @Test("progress names the step, the loss, the rate and the time left")
    func progress() throws {
        #expect(try metrics("{\"loss\": 1}\n").progress() == nil)
        var found = TrainerMetrics(
            at: try files.write("metrics", "{\"step\": 0, \"total\": 12, \"loss\": 2.3125}\n"))
        _ = found.update()
        #expect(found.progress() == "step 0 of 12, loss 2.31")
        let handle = try #require(FileHandle(forWritingAtPath: files("metrics")))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"step\": 4}\n".utf8))
        _ = found.update()
        let first = try #require(found.first)
        #expect(
            found.progress(at: first.moment + .seconds(2))
                == "step 4 of 12, loss 2.31, 2.0 steps/s, 4 s left")
        #expect(TrainerMetrics.time(90) == "90 s" && TrainerMetrics.time(600) == "10 min")
        #expect(TrainerMetrics.time(11_100) == "3 h 5 min")
    }

    @Test("a log keeps its beginning and its end, without secrets")
    func log() {
        var log = TrainerLog(headLimit: 10, tailLimit: 20)
        for part in 0..<100 { log.append(Array("line \(part)\n".utf8)) }
        #expect(log.omitted == log.size - 30)
        let kept = String(decoding: log.kept, as: UTF8.self)
        #expect(kept.hasPrefix("line 0\nlin\n[\(log.omitted) bytes") && kept.hasSuffix("line 99\n"))
        #expect(log.lastLines(2) == ["line 98", "line 99"])
        let key = "sk-proj-" + String(repeating: "a1B2", count: 10)
        var secret = TrainerLog()
        secret.append(Array("10%\r20%\rkey \(key)\n".utf8))
        #expect(!String(decoding: secret.kept, as: UTF8.self).contains("a1B2a1B2"))
        #expect(secret.lastLines(2)[0] == "20%" && !secret.lastLines(1)[0].contains("a1B2a1B2"))
    }
}
