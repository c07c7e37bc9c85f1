import Foundation
import TestSupport
import Testing

@Suite("Feedback comes back")
struct FeedbackTests {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    private func write(_ name: String, _ text: String) throws {
        let url = bench.directory.appending(path: name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func run(_ line: String) throws -> String {
        let outcome = try bench.run("FTI_REPO=.fti-example \(line)")
        try #require(outcome.status == 0, "\(line)\n\(outcome.error)")
        return outcome.output
    }

    private func json(_ line: String) throws -> [String: Any] {
        let output = try run("\(line) --json")
        let first = try #require(output.split(separator: "\n").first)
        return try #require(
            try JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any])
    }

    private func lines(_ name: String) throws -> [[String: Any]] {
        try String(contentsOf: bench.directory.appending(path: name), encoding: .utf8)
            .split(separator: "\n").map { line in
                try #require(
                    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
    }

    @Test("a line that is appended becomes a row, an example, and leads back to its chunks")
    func loop() throws {
        var bad = FeedbackLine(1)
        bad.rating = "bad"
        bad.better = "Drill 6 mm holes. [1]"
        bad.passage = "install/mounting.md#drilling-template/00"
        bad.from = "web"
        var good = FeedbackLine(2)
        good.rating = "good"
        good.question = "When does the frost alarm go off?"
        let first = try bad.text() + "\n"
        let second = try good.text()
        let file = "feedback/web-1-2026-08-01.jsonl"
        try write(
            "feedback.yaml",
            """
            ref: features/feedback
            sources:
              - {files: feedback, kind: feedback, leaveOut: [from]}
            embed: {name: builtin, dimension: 64}

            """)
        try write(file, "not JSON\n" + first + second.prefix(second.count / 2))
        var report = try json("fti-feature run feedback.yaml")
        #expect(report["added"] as? Int == 1)
        #expect(
            (report["skipped"] as? [[String: Any]])?.first?["path"] as? String
                == "web-1-2026-08-01.jsonl")
        #expect((report["notes"] as? [[String: Any]])?.first?["detail"] as? String == "line 3")
        try write(file, "not JSON\n" + first + second + "\n")
        report = try json("fti-feature run feedback.yaml")
        #expect(report["added"] as? Int == 1 && report["unchanged"] as? Int == 1)

        #expect(
            try run("ftictl log features/feedback").contains("2 chunks of 2 documents; 1 added"))
        let difference = try run("ftictl diff features/feedback~1 features/feedback")
        #expect(difference.contains("+ \(good.id)#/00") && difference.contains(good.question))
        #expect(
            try run("ftictl ls features/feedback --where \"rating = 'bad'\"") == "\(bad.id)#/00\n")
        let row = try run("ftictl cat features/feedback:'\(bad.id)#/00'")
        #expect(row.contains(bad.answerID) && !row.contains("\"web\""))

        try write(
            "training.yaml",
            """
            features: features/prod
            questions: Examples/handbook/questions.jsonl
            feedback: {features: features/feedback}
            retrieval: {candidates: 20}
            split: {heldout: 0}
            sft: {epochs: 2}
            dpo: {epochs: 2}

            """)
        report = try json("fti-training run training.yaml")
        let feedback = try #require(report["feedback"] as? [String: Any])
        #expect(feedback["sft"] as? Int == 2 && feedback["dpo"] as? Int == 1)
        #expect(feedback["ranker"] as? Int == 1)
        let snapshot = try json("ftictl show datasets/sft")
        let inputs = try #require(snapshot["inputs"] as? [String: Any])
        #expect(inputs.keys.sorted() == ["features", "feedback"])
        #expect(try run("ftictl log models/candidate --graph").contains("feedback"))

        for name in ["sft", "dpo"] { _ = try run("ftictl get datasets/\(name) -o \(name)") }
        let label = try #require(
            try lines("sft/labels.jsonl").first { $0["answer"] as? String == bad.answerID })
        #expect(label["id"] as? String == bad.id && label["passages"] as? [String] == bad.shown)
        #expect(label["features"] as? String == FeedbackLine.hash)
        let example = try lines("sft/train.jsonl")[try #require(label["index"] as? Int)]
        let messages = try #require(example["messages"] as? [[String: String]])
        #expect(messages.map { $0["role"] } == ["system", "user", "assistant"])
        #expect(messages.last?["content"] == bad.better)
        let pair = try #require(try lines("dpo/train.jsonl").last)
        #expect((pair["rejected"] as? [[String: String]])?.first?["content"] == bad.answer)
    }
}
