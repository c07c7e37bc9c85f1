import Artifacts
import Documents
import FeaturePipeline
import Foundation
import Objects
import TestSupport
import Testing

@Suite("Feedback as a source")
struct FeedbackTests {
    private let bench: Bench

    init() throws { bench = try Bench() }

    @discardableResult
    private func run(
        leavingOut: [String] = [], checks: SourceChecks = SourceChecks()
    ) throws -> RunReport {
        let source = DocumentSource(
            feedback: FeedbackSource(leavingOut: leavingOut),
            location: "\(bench.folder.path)/feedback")
        return try bench.run(bench.configuration([source]), checks: checks)
    }

    private func line(_ number: Int, _ change: (inout FeedbackLine) -> Void = { _ in })
        -> FeedbackLine
    {
        var line = FeedbackLine(number)
        line.rating = "good"
        change(&line)
        return line
    }

    private func write(_ name: String, _ lines: [FeedbackLine]) throws {
        try bench.folder.write("feedback/\(name)", lines)
    }

    /// The ids that have a row, in order.
    private func ids() throws -> [String] {
        try bench.rows().map { String($0.key.prefix { $0 != "#" }) }
    }

    private func reasons(_ report: RunReport) -> [String: Int] {
        Dictionary(
            report.notes.compactMap(\.finding).map { ($0.reason, $0.count) },
            uniquingKeysWith: +)
    }

    @Test("a line becomes one row, with attributes and the whole line")
    func rows() throws {
        let line = line(7) {
            $0.rating = "bad"
            $0.better = "Drill 6 mm holes,\n45 mm deep."
            $0.passage = "install/mounting.md#drilling-template/00"
            $0.from = "web"
            $0.answer = String(repeating: "A long answer. ", count: 100)
        }
        try write("web-1-2026-08-01.jsonl", [line])
        let report = try run()
        #expect((report.documents.added, report.chunks, report.embedded) == (1, 1, 1))
        #expect(report.skipped.isEmpty && report.notes.isEmpty)
        let row = try #require(try bench.rows().first)
        #expect(row.key == "\(line.id)#/00")
        let feature = try FeatureRow(attributes: row.attributes)
        #expect("\(line.question)\n\n\(line.answer)".hasPrefix(feature.text))
        #expect(feature.text.count == 200 && feature.embeddingText == feature.text)
        for (name, value) in [
            ("rating", "bad"), ("better", "Drill 6 mm holes, 45 mm deep."),
            ("passage", "install/mounting.md#drilling-template/00"), ("from", "web"),
            ("time", "2026-08-01T09:30:00Z"), ("answerId", line.answerID),
            ("release", FeedbackLine.hash), ("features", FeedbackLine.hash),
        ] { #expect(row.attributes[name]?.string == value, "\(name)") }
        #expect(row.attributes["comment"] == .null)
        #expect(
            row.attributes[Feedback.recordMember]
                == (try JSON(parsing: Array(try line.text().utf8).span)))
        let schema = try #require(try bench.snapshot().params["attributes"]?.object)
        #expect(schema["time"] == "date" && schema["rating"] == "string")
    }

    @Test("only new lines are embedded, and a run without new lines makes no transaction")
    func incremental() throws {
        try write("web-1-2026-08-01.jsonl", [line(1), line(2)])
        try run()
        let before = try bench.rows()
        #expect(try run().transaction == nil)
        try write(
            "web-1-2026-08-01.jsonl", [line(1), line(2), line(3) { $0.question = "Another?" }])
        try write("web-2-2026-08-01.jsonl", [line(4) { $0.answer = "Another." }])
        let report = try run()
        #expect((report.documents.added, report.documents.unchanged) == (2, 2))
        #expect((report.embedded, report.reused) == (2, 2))
        #expect(try bench.rows().filter { before.contains($0) }.count == 2)
        #expect(try ids().count == 4)

        let again = try Bench()
        let source = DocumentSource(
            feedback: FeedbackSource(), location: "\(bench.folder.path)/feedback")
        try again.run(again.configuration([source]))
        #expect(try again.snapshot().content == bench.snapshot().content)
        #expect(try again.snapshot().cursor == bench.snapshot().cursor)
    }

    @Test("a half last line is left for the next run; a whole one counts without its line feed")
    func halfLine() throws {
        let whole = try line(1).text() + "\n"
        let next = Array(try line(2).text().utf8)
        for end in [1, next.count / 2, next.count - 1] {
            try bench.folder.write("feedback/a.jsonl", Array(whole.utf8) + next[..<end])
            let report = try run()
            #expect(try ids() == [line(1).id])
            #expect(reasons(report) == ["unfinished line": 1] && report.skipped.isEmpty)
            #expect(report.notes.first?.path == "a.jsonl")
            #expect(report.notes.first?.finding?.detail == "line 2")
        }
        try bench.folder.write("feedback/a.jsonl", Array(whole.utf8) + next)
        #expect(try run().documents.added == 1)
        try bench.folder.write("feedback/a.jsonl", Array(whole.utf8) + next + [0x0A])
        let report = try run()
        #expect(report.transaction == nil && report.notes.isEmpty)
        #expect(try ids() == [line(1).id, line(2).id])
    }

    @Test("broken lines are listed with file and line, and the others count")
    func brokenLines() throws {
        let good = try line(1).text()
        var deep = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)
        deep.append(0x0A)
        let invalid = good.replacingOccurrences(of: "brick", with: "br\u{1}ck")
        let other = try line(2).text().replacingOccurrences(of: "\"good\"", with: "7")
        let numbers =
            try line(3).text().dropLast() + ",\"x\":["
            + String(repeating: "1e20,", count: 900_000) + "1]}"
        var bytes = Array("{}\n\n\(other)\nnull\n\(invalid)\n\(numbers)\n".utf8) + deep
        bytes += [0x22, 0xFF, 0xFE, 0x22, 0x0A]
        bytes += [UInt8](repeating: 0x20, count: Feedback.lineLimit + 1) + Array("{}\n".utf8)
        bytes += Array("\(good)\n".utf8)
        try bench.folder.write("feedback/a.jsonl", bytes)
        let report = try run()
        #expect(try ids() == [line(1).id])
        #expect(report.skipped.allSatisfy { $0.path == "a.jsonl" })
        let numbersOfLines = report.skipped.map { $0.reason.split(separator: " ")[1] }
        #expect(numbersOfLines == ["1", "3", "4", "5", "6", "7", "8", "9"])
        let texts = report.skipped.map(\.reason)
        #expect(texts[0] == "line 1 is not feedback: type is missing")
        #expect(texts[1].contains("rating must be a string or null"))
        #expect(texts[2] == "line 4 is not a JSON object")
        #expect(texts[4].contains("8 MiB") && texts[7].contains("more than 8 MiB"))
        #expect(report.json["skipped"]?.array?.count == 8)
    }

    @Test("a line that is nested as deeply as a row allows is stored; one level more is refused")
    func depth() throws {
        func nested(_ number: Int, _ levels: Int) throws -> String {
            try line(number).text().dropLast() + ",\"x\":"
                + String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
                + "}\n"
        }
        // The row and the member `record` add a level to those of the line.
        try bench.folder.write(
            "feedback/a.jsonl", try nested(1, JSON.depthLimit - 2) + nested(2, JSON.depthLimit - 1))
        let report = try run()
        #expect(report.skipped.map(\.reason) == ["line 2 is nested too deeply for a row"])
        #expect(try ids() == [line(1).id])
        #expect(try run().documents.unchanged == 1)
    }

    @Test("a feedback id counts once, wherever else it stands")
    func repeated() throws {
        try write("a.jsonl", [line(1), line(1), line(2)])
        try write("b/a.jsonl", [line(2), line(3)])
        let report = try run()
        #expect(try ids() == [line(1).id, line(2).id, line(3).id])
        #expect(reasons(report) == ["repeated": 2])
        #expect(report.json["report"]?.array?.first?["count"] == 2)
        // The copy takes the place of the file that is gone, under the same key.
        try bench.folder.remove("feedback/a.jsonl")
        let rows = try bench.rows()
        let next = try run()
        #expect(next.documents.removed == 1 && next.embedded == 0)
        #expect(try bench.rows() == Array(rows[1...]))
    }

    @Test("later feedback of one name on one answer replaces the earlier, in any order of lines")
    func replaced() throws {
        func at(_ number: Int, _ second: Int, _ from: String?, answer: Int = 1) -> FeedbackLine {
            line(number) {
                $0.time = "2026-08-01T09:30:0\(second).000Z"
                $0.from = from
                $0.answerNumber = answer
            }
        }
        try write("a.jsonl", [at(1, 5, "web"), at(2, 3, "web"), at(3, 1, "app"), at(4, 1, nil)])
        var report = try run()
        #expect(try ids() == [line(1).id, line(3).id, line(4).id])
        #expect(reasons(report) == ["replaced by later feedback": 1])
        // A broken line keeps what it may hold, but not what is known to be replaced.
        try write("b.jsonl", [at(5, 6, "web"), at(6, 1, "web", answer: 2), at(7, 2, nil)])
        try bench.folder.write("feedback/c.jsonl", "{]\n")
        report = try run()
        #expect(try ids() == [line(3).id, line(5).id, line(6).id, line(7).id])
        #expect(report.documents.removed == 2 && report.skipped.count == 1)
        #expect(reasons(report) == ["replaced by later feedback": 3])
    }

    @Test("a file that is gone takes its rows along; a file that cannot be read keeps them")
    func removal() throws {
        try write("a.jsonl", [line(1), line(2)])
        try write("b.jsonl", [line(3)])
        try run()
        // Of a file with a broken line, every row stays; of another file, none does.
        try bench.folder.write("feedback/a.jsonl", "{]\n")
        try bench.folder.remove("feedback/b.jsonl")
        let report = try run()
        #expect(report.documents.kept == 2 && report.documents.removed == 1)
        #expect(try ids() == [line(1).id, line(2).id])
        try write("a.jsonl", [line(2)])
        #expect(try run().documents.removed == 1)
        #expect(try ids() == [line(2).id])
    }

    @Test("members that a source leaves out are nowhere in its rows")
    func leftOut() throws {
        let secret = line(1) {
            $0.from = "ada lovelace"
            $0.comment = "call me at 555"
        }
        try write("web-1-2026-08-01.jsonl", [secret])
        try run()
        #expect(try bench.rows()[0].attributes["from"] == "ada lovelace")
        let report = try run(leavingOut: ["from", "comment"])
        #expect(report.documents.changed == 1 && report.embedded == 0)
        let row = try #require(try bench.rows().first)
        let text = JSON.object(row.attributes).canonicalText
        #expect(!text.contains("lovelace") && !text.contains("555"))
        let record = try #require(row.attributes[Feedback.recordMember]?.object)
        #expect(try Feedback(record).answer != nil)
        #expect(record["from"] == .null)
        // Without the answer's record, the text is what the person wrote.
        try run(leavingOut: ["answer"])
        let bare = try FeatureRow(attributes: try bench.rows()[0].attributes)
        #expect(bare.text == secret.comment)
    }

    @Test("documents and feedback share a table, each source with its own attributes")
    func mixed() throws {
        try write("web-1-2026-08-01.jsonl", [line(1)])
        try bench.folder.write("docs/a.md", "# A\n\nAlpha.\n")
        let sources = [
            DocumentSource(prefix: "docs", location: "\(bench.folder.path)/docs"),
            DocumentSource(
                prefix: "said#", feedback: FeedbackSource(),
                location: "\(bench.folder.path)/feedback"),
        ]
        try bench.run(bench.configuration(sources))
        #expect(
            try bench.rows().map(\.key) == ["docs/a.md#a/00", "said%23/\(line(1).id)#/00"])
        #expect(try bench.run(bench.configuration(sources)).transaction == nil)
    }

    @Test("ten thousand lines make ten thousand rows, and a second run embeds none")
    func many() throws {
        let lines = (0..<10_000).map { number in
            line(number) { $0.question = "Question number \(number % 50)?" }
        }
        try write("a.jsonl", Array(lines[..<9000]))
        try write("b.jsonl", Array(lines[9000...]))
        #expect(try run().chunks == 10_000)
        let again = try run()
        #expect((again.documents.unchanged, again.embedded) == (10_000, 0))
        #expect(again.transaction == nil)
    }

    @Test("a configuration names the kind of a source, and what feedback leaves out")
    func configuration() throws {
        func read(_ source: String) throws -> FeatureConfiguration {
            try FeatureConfiguration(
                yaml: "ref: features/feedback\nsources:\n  - \(source)\n", path: "f.yaml",
                folder: "/data")
        }
        let plain = try read("{files: fb, kind: feedback, leaveOut: [from, comment]}")
        let source = try #require(plain.sources.first)
        #expect(source.kind == .feedback(FeedbackSource(leavingOut: ["from", "comment"])))
        #expect(source.location == "/data/fb")
        let recorded = try #require(plain.params["sources"]?.array?.first)
        #expect(recorded["kind"] == "feedback" && recorded["leaveOut"] == ["from", "comment"])
        #expect(try read("{files: d, kind: documents, format: html}").sources[0].kind == .documents)
        for (text, part) in [
            ("{files: fb, kind: other}", "documents or feedback"),
            ("{files: fb, kind: feedback, leaveOut: [id]}", "it may name answer"),
            ("{files: fb, kind: feedback, attributes: {a: string}}", "unknown key"),
            ("{files: fb, leaveOut: [from]}", "unknown key"),
        ] {
            let error = try #require(throws: FeatureError.self) { try read(text) }
            #expect(error.message.contains(part) && error.message.hasPrefix("f.yaml:3"))
        }
    }
}
