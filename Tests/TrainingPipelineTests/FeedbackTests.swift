import Objects
import Refs
import Storage
import TestSupport
import Testing

@testable import Artifacts
@testable import TrainingPipeline

@Suite("Training on feedback")
struct FeedbackTests {
    private static let drilling = "install/mounting.md#drilling-template/00"

    /// Stores rows of feedback, as a source of feedback makes them, and moves `features/feedback`.
    private func add(
        _ lines: [FeedbackLine], to repository: Repository, further: [TableRow] = []
    ) throws -> ObjectID {
        let transaction = try repository.begin(writer: Handbook.writer)
        let rows = try lines.map { line in
            TableRow(
                key: "\(line.id)#/00",
                attributes: JSONObject([
                    (Feedback.recordMember, try JSON(parsing: Array(try line.text().utf8).span))
                ]), vector: [])
        }
        let table = try Table.build(rows: rows + further, dimension: 0, in: transaction.objects)
        let snapshot = Snapshot(
            kind: .features, content: .table(table),
            producer: .init(pipeline: "test", version: "1"), created: Handbook.writer.now())
        let id = try transaction.objects.write(snapshot.encoded, hint: .structured)
        _ = try transaction.commit(
            [RefUpdate(try RefName("features/feedback"), new: id)], message: "feedback")
        return id
    }

    private func examples(_ lines: [FeedbackLine]) throws -> FeedbackExamples {
        let repository = try Repository.create(in: MemoryBucket(), writer: Handbook.writer)
        let id = try add(lines, to: repository)
        let objects = try repository.objects(in: try repository.state())
        let rows = try FeedbackRows.read(id, name: "features/feedback", in: objects)
        return FeedbackExamples(
            rows, FeedbackSplits(TrainingSet(), HeldOut(TrainingConfiguration().split)))
    }

    private func line(_ number: Int, _ change: (inout FeedbackLine) -> Void) -> FeedbackLine {
        var line = FeedbackLine(number)
        change(&line)
        return line
    }

    private func reasons(_ examples: FeedbackExamples) -> [String] {
        examples.unused.map { "\($0.use?.rawValue ?? "all"): \($0.reason.rawValue)" }
    }

    @Test("a good answer and a better one become conversations as the model saw them")
    func supervised() throws {
        let good = line(1) { $0.rating = "good" }
        let better = line(2) {
            $0.rating = "bad"
            $0.better = "6 mm."
        }
        let quoted = line(3) {
            $0.rating = "good"
            $0.system = nil
        }
        let examples = try examples([good, better, quoted])
        #expect(examples.supervised.map(\.target) == [good.answer, "6 mm.", good.answer])
        let messages = try #require(examples.supervised[0].json["messages"]?.array)
        #expect(messages.map { $0["role"] } == ["system", "user", "assistant"])
        #expect(messages[0]["content"] == "Answer from the passages.")
        #expect(messages[2]["content"]?.string == good.answer)
        #expect(
            examples.supervised[2].json["messages"]?.array?.map { $0["content"]?.string }
                == [good.question, good.answer])
        let label = examples.supervised[1].feedback.label
        #expect(label["id"]?.string == better.id && label["answer"]?.string == better.answerID)
        #expect(label["features"]?.string == FeedbackLine.hash)
        #expect(label["release"]?.string == FeedbackLine.hash)
        #expect(label["passages"]?.array?.map(\.string) == better.shown)
        #expect(examples.preferences.count == 1 && examples.unused.isEmpty)
    }

    @Test("a bad answer is rejected for the better one, or for a good one to the same question")
    func preferences() throws {
        func good(_ number: Int, _ system: String, _ second: Int) -> FeedbackLine {
            line(number) {
                $0.rating = "good"
                $0.answer = "Good \(number)."
                $0.system = system
                $0.time = "2026-08-01T09:30:0\(second).000Z"
            }
        }
        let bad = line(1) { $0.rating = "bad" }
        let better = line(2) { $0.better = "Better." }
        let lines = [
            bad, better, good(3, "Other.", 9), good(4, "Answer from the passages.", 1),
            good(5, "Answer from the passages.", 2),
        ]
        var examples = try examples(lines)
        #expect(examples.preferences.map(\.chosen) == ["Good 5.", "Better."])
        #expect(
            examples.preferences[0].json["rejected"]?.array?[0]["content"]?.string == bad.answer)
        #expect(examples.preferences[0].json["prompt"]?.array?.count == 2)
        #expect(examples.preferences[0].label["chosen"]?["id"]?.string == lines[4].id)
        #expect(examples.preferences[1].label["chosen"] == nil)
        #expect(reasons(examples) == ["sft: bad without a better answer"])
        // Without an answer to the same prompt, the newest is preferred.
        examples = try self.examples([bad, good(3, "Other.", 9), good(4, "Another.", 8)])
        #expect(examples.preferences.map(\.chosen) == ["Good 3."])
    }

    @Test("feedback that gives no example is counted by its reason")
    func unused() throws {
        let examples = try examples([
            line(1) { $0.comment = "hm" },
            line(2) { $0.rating = "bad" },
            line(3) {
                $0.rating = "good"
                $0.hasRecord = false
            },
            line(4) {
                $0.rating = "good"
                $0.question = "Disputed?"
            },
            line(5) {
                $0.rating = "bad"
                $0.answerNumber = 4
                $0.question = "Disputed?"
            },
            line(6) {
                $0.rating = "good"
                $0.answer = ""
            },
            line(7) {
                $0.better = "Same."
                $0.answer = "Same."
            },
            line(8) {
                $0.better = "Same."
                $0.answer = "Same."
                $0.answerNumber = 7
            },
        ])
        #expect(
            reasons(examples) == [
                "all: no record of the answer", "sft: neither rated nor corrected",
                "sft: bad without a better answer", "sft: rated both good and bad",
                "sft: rated both good and bad", "sft: an answer without text",
                "sft: the same as another example", "dpo: bad without a better answer",
                "dpo: rated both good and bad", "dpo: the better answer is the bad one",
                "dpo: the better answer is the bad one",
            ])
        #expect(examples.supervised.map(\.feedback.id) == [line(7) { _ in }.id])
        #expect(examples.count == 8 && examples.preferences.isEmpty)
    }

    private func configuration() -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        configuration.questions = "\(Handbook.folder)/questions.jsonl"
        configuration.feedback = "features/feedback"
        configuration.retrieval.candidates = 20
        configuration.supervised.epochs = 3
        configuration.preference.epochs = 2
        return configuration
    }

    private func run(
        _ repository: Repository, _ configuration: TrainingConfiguration
    ) throws -> TrainingReport {
        try TrainingRun(
            repository: repository, configuration: configuration, writer: Handbook.writer,
            version: "0", threads: 2
        ).run()
    }

    @Test("the ranker learns the passage that should have been cited, against those shown")
    func ranker() throws {
        let keys = FeatureKeys(all: ["a#s/00", "a#s/01", "b#/00", "c#/00"])
        let repository = try Repository.create(in: MemoryBucket(), writer: Handbook.writer)
        let lines = [
            line(1) {
                $0.passage = "a#s/01"
                $0.shown = ["c#/00", "a#s/00", "gone#/00", "b#/00", "c#/00"]
            },
            line(2) { $0.passage = "a#s/02" },
            line(3) {
                $0.passage = "b#/00"
                $0.shown = ["b#/00"]
            },
            line(4) {
                $0.passage = "b#/00"
                $0.question = "?!"
            },
        ]
        let id = try add(lines, to: repository)
        let objects = try repository.objects(in: try repository.state())
        let rows = try FeedbackRows.read(id, name: "f", in: objects)
        var set = TrainingSet()
        let heldOut = HeldOut(TrainingConfiguration().split)
        set.questions = [
            ResolvedQuestion(id: "q", question: lines[0].question, rows: [3], isHeldOut: true)
        ]
        set.add(rows, keys: keys, heldOut: heldOut)
        #expect(set.questions.map(\.id) == ["q", lines[0].id, lines[2].id])
        #expect(set.questions.map(\.rows) == [[3], [0, 1], [2]])
        // They have the text of a held-out question.
        #expect(set.questions.map(\.isHeldOut) == [true, true, true])
        #expect(set.preferences.map(\.chosen) == [[1]])
        #expect(set.preferences.map(\.rejected) == [[3, 2]])
        let feedback = try #require(set.feedback)
        #expect(feedback.rankerQuestions == 2)
        #expect(
            reasons(feedback).filter { $0.hasPrefix("ranker") } == [
                "ranker: a passage that is not in the features", "ranker: a question without words",
            ])
    }

    @Test("a run adds feedback to datasets and ranker, with inputs, lineage and a report")
    func endToEnd() throws {
        let repository = try Handbook.repository()
        let lines = (0..<12).map { number in
            line(number) {
                $0.question = "What about subject \(number)?"
                $0.rating = number % 2 == 0 ? "good" : "bad"
                if number % 3 == 0 { $0.better = "Better \(number)." }
                if number == 5 { $0.passage = Self.drilling }
                $0.shown = ["install/mounting.md#choosing-a-place/00"]
            }
        }
        let stray = TableRow(key: "docs/a#/00", attributes: JSONObject(), vector: [])
        let feedbackID = try add(lines, to: repository, further: [stray])
        let report = try run(repository, configuration())
        let found = try #require(report.feedback)
        #expect(found.features == feedbackID && found.rows == 13)
        #expect((found.supervised, found.preferences, found.rankerQuestions) == (8, 2, 1))
        #expect(
            report.questions.training + report.questions.heldOut + report.questions.unresolved
                == 139)
        #expect(report.hasGeneratedPreferences)
        let json = try #require(report.json["feedback"]?.object)
        #expect(json["leftOut"]?.array?.count == found.unused.count)
        #expect(
            json["reasons"]?.array?.first
                == ["use": .null, "reason": "not a row of feedback", "count": 1])
        #expect(report.lines.contains("feedback     13: 8 for SFT, 2 for DPO, 1 for the ranker"))
        #expect(report.lines.contains("  left out of SFT: 4 bad without a better answer"))

        let objects = try repository.objects(in: try repository.state())
        for (id, count) in [(report.supervisedDataset, 8.0), (report.preferenceDataset, 2)] {
            let snapshot = try Snapshot(id, in: objects)
            #expect(snapshot.inputs == ["features": report.features, "feedback": feedbackID])
            #expect(snapshot.metrics["feedback"] == count)
            #expect(snapshot.message.hasSuffix("; \(Int(count)) examples from feedback"))
        }
        #expect(try Snapshot(report.model, in: objects).inputs["feedback"] == feedbackID)

        func file(_ name: String, of id: ObjectID) throws -> [JSONObject] {
            let content = try Snapshot(id, in: objects).content
            let entry = try TreeReader(objects).entry(at: RelativePath(name), in: content.id)
            guard let entry else { return [] }
            return try objects.read(entry.id, limit: 1 << 24).split(separator: 0x0A).map { line in
                try #require(try JSON(parsing: Array(line).span).object)
            }
        }
        for id in [report.supervisedDataset, report.preferenceDataset] {
            let labels = try file("labels.jsonl", of: id).filter { $0["answer"] != nil }
            #expect(labels.count == (id == report.supervisedDataset ? 8 : 2))
            for label in labels {
                #expect(
                    label.keys.filter { $0 != "chosen" } == [
                        "answer", "features", "id", "index", "passages", "question", "release",
                        "split",
                    ])
                // The label leads to the example.
                let name = label["split"] == "train" ? "train.jsonl" : "heldout.jsonl"
                let examples = try file(name, of: id)
                let example = examples[try #require(label["index"]?.integer)]
                let prompt = try #require((example["messages"] ?? example["prompt"])?.array)
                let question = try #require(label["question"]?.string)
                #expect(prompt[1]["content"]?.string?.contains(question) == true)
            }
        }
        #expect(try run(repository, configuration()).transaction == nil)
    }

    @Test("feedback works without label files, and the preferences of people are measured")
    func withoutLabels() throws {
        let repository = try Handbook.repository()
        let lines = (0..<30).map { number in
            line(number) {
                $0.question = "What size holes do I drill in wall \(number)?"
                $0.passage = Self.drilling
                $0.shown = ["install/mounting.md#choosing-a-place/00"]
            }
        }
        _ = try add(lines, to: repository)
        var configuration = configuration()
        configuration.questions = nil
        let report = try run(repository, configuration)
        #expect(report.feedback?.rankerQuestions == 30)
        #expect(report.stages[0].measurement.preferenceAccuracy != nil)
        #expect(report.isGenerated && report.hasGeneratedPreferences)
        // Each question has one preference: its own, not one more that is generated.
        #expect(
            report.preferences.training + report.preferences.heldOut
                <= report.questions.training + report.questions.heldOut)
    }

    @Test("a revision that holds no features is refused, and the configuration names features")
    func refusals() throws {
        let repository = try Handbook.repository()
        var configuration = configuration()
        #expect(throws: TrainingError.self) { try run(repository, configuration) }
        configuration.feedback = "features/prod"
        let report = try run(repository, configuration)
        let feedback = try #require(report.feedback)
        #expect(feedback.unused.count == feedback.rows && feedback.supervised == 0)
        let read = try TrainingConfiguration(
            yaml: "feedback: {features: features/feedback}", path: "t.yaml")
        #expect(read.feedback == "features/feedback")
        for text in ["feedback: {}", "feedback: {features: f, other: 1}", "feedback: features/f"] {
            #expect(throws: TrainingError.self) {
                try TrainingConfiguration(yaml: text, path: "t.yaml")
            }
        }
    }
}
