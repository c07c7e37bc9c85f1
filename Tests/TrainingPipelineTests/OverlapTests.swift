import Artifacts
import Objects
import Refs
import Storage
import TestSupport
import Testing

@testable import TrainingPipeline

@Suite("Overlap of training and evaluation")
struct OverlapTests {
    private func example(
        _ id: String, _ question: String, _ conversation: String? = nil
    ) -> DatasetOverlap.Example {
        .init(place: "questions", id: id, question: question, conversation: conversation)
    }

    @Test(
        "exact overlap ignores case, Unicode form and white space; near-duplicates have a similarity"
    )
    func pairs() throws {
        let long = "which of the two valves has to be opened first when the pump starts in spring"
        let overlap = DatasetOverlap.find(
            training: [
                example("t1", "  what SIZE holes do I drill? "),
                example("t2", "\(long) again"), example("t3", "Something else entirely?"),
                example("t4", "unlike", "the same\nconversation"),
            ],
            evaluation: [
                example("e1", "What size holes do I drill?"), example("e2", long),
                example("e3", "other", "The same conversation"),
            ])
        #expect(overlap.exact.map(\.training.id) == ["t1", "t4"])
        #expect(overlap.exact.map(\.evaluation.id) == ["e1", "e3"])
        #expect(overlap.near.map(\.training.id) == ["t2"])
        let near = try #require(overlap.near.first)
        #expect(near.evaluation.id == "e2" && 0.8..<1 ~= near.similarity)
        #expect(overlap.json["near"]?.array?.first?["similarity"]?.number == near.similarity)
        #expect(overlap.json["exact"]?.array?.count == 2)
    }

    /// A repository with two datasets, each a tree of files.
    private func datasets(
        _ training: [String: String], _ evaluation: [String: String]
    ) throws -> (ids: [ObjectID], objects: PackStore) {
        let repository = try Repository.create(in: MemoryBucket(), writer: Handbook.writer)
        let transaction = try repository.begin(writer: Handbook.writer)
        let ids = try [training, evaluation].map { files in
            var builder = TreeBuilder()
            for (name, text) in files {
                let id = try transaction.objects.write(Array(text.utf8), hint: .bulk)
                builder.add(try RelativePath(name), size: text.utf8.count, id: id)
            }
            let snapshot = Snapshot(
                kind: .dataset, content: try builder.write(into: transaction.objects).content,
                producer: .init(pipeline: "test", version: "1"), created: Handbook.writer.now())
            return try transaction.objects.write(snapshot.encoded, hint: .structured)
        }
        _ = try transaction.commit(
            zip(["datasets/a", "datasets/b"], ids).map { name, id in
                RefUpdate(try RefName(name), new: id)
            }, message: "")
        return (ids, try repository.objects(in: try repository.state()))
    }

    private func find(
        _ training: [String: String], _ evaluation: [String: String]
    ) throws -> DatasetOverlap {
        let (ids, objects) = try datasets(training, evaluation)
        return try DatasetOverlap.find(training: ids[0], evaluation: ids[1], in: objects)
    }

    private static let chat =
        #"{"messages":[{"role":"system","content":"Answer."},{"role":"user","content":"Why?"},{"role":"assistant","content":"So."}]}"#
    private static let pair =
        #"{"prompt":[{"role":"user","content":"why? "}],"chosen":[{"role":"assistant","content":"x"}],"rejected":[]}"#

    @Test("datasets of conversations, pairs and questions are compared with each other")
    func forms() throws {
        let question = #"{"id":"q1","question":"WHY?","answers":[]}"#
        for (left, right) in [
            (Self.chat, Self.pair), (Self.pair, Self.chat), (Self.chat, question),
            (question, Self.pair), (Self.chat, Self.chat), (#"{"prompt":"why?"}"#, question),
        ] {
            let overlap = try find(["train.jsonl": left], ["data/test.jsonl": right])
            #expect(overlap.exact.count == 1, "\(left) \(right)")
            #expect(overlap.exact.first?.evaluation.place == "data/test.jsonl")
            #expect(overlap.exact.first?.training.id == "line 1")
        }
    }

    @Test("held-out examples evaluate, the others train, and labels give the question of a prompt")
    func splits() throws {
        let files = [
            "train.jsonl": Self.chat.replacing("Why?", with: "Passages. Question: how?"),
            "heldout.jsonl": Self.chat,
            "labels.jsonl": """
            {"id":"q7","index":0,"question":"How?","split":"train"}
            {"id":"q8","index":0,"question":"Why?","split":"test"}
            """,
            "README.md": "why?",
        ]
        #expect(try find(files, files).exact.isEmpty)
        let asked = try find(files, ["eval.jsonl": #"{"question":"how?"}"#])
        #expect(asked.exact.map(\.training.id) == ["q7"])
        let reversed = try find(["t.jsonl": #"{"question":"why?"}"#], files)
        #expect(reversed.exact.map(\.evaluation.id) == ["q8"])
    }

    @Test("what holds no examples is refused, and a broken line is named")
    func refused() throws {
        let good = ["a.jsonl": #"{"question":"why?"}"#]
        let other = #expect(throws: TrainingError.self) {
            _ = try find(["a.jsonl": #"{"text":"why?"}"#], good)
        }
        #expect(other?.fault == .refused)
        let broken = #expect(throws: TrainingError.self) {
            _ = try find(["a.jsonl": "{}\n[1]\n"], good)
        }
        #expect(broken?.message.contains("a.jsonl, line 2") == true)
        #expect(try find([:], good).exact.isEmpty)
    }

    // MARK: In a run

    private func run(
        questions: [String], preferences: [String] = [], evaluation: [String]? = nil
    ) throws -> (report: TrainingReport, repository: Repository) {
        let folder = try TemporaryDirectory()
        let repository = try Handbook.repository(of: Self.rows)
        var configuration = TrainingConfiguration()
        configuration.questions = try folder.write(
            "q.jsonl", questions.joined(separator: "\n"))
        if !preferences.isEmpty {
            configuration.preferences = try folder.write(
                "p.jsonl", preferences.joined(separator: "\n"))
        }
        configuration.evaluationQuestions = try evaluation.map {
            try folder.write("e.jsonl", $0.joined(separator: "\n"))
        }
        configuration.split.heldOut = evaluation == nil ? 0.5 : 0
        configuration.supervised.epochs = 2
        configuration.preference.epochs = 0
        let report = try TrainingRun(
            repository: repository, configuration: configuration, writer: Handbook.writer,
            version: "0", threads: 2
        ).run()
        return (report, repository)
    }

    private static let rows = (0..<6).map { number in
        FeatureRow(
            document: "d\(number).md", title: "Page \(number)", section: "s", headings: ["Head"],
            ordinal: 0, text: "The gate number \(number) opens at \(number + 5) in the morning.")
    }

    private func label(_ id: String, _ question: String, _ document: Int) -> String {
        #"{"id":"\#(id)","question":"\#(question)","answers":[{"document":"d\#(document).md","section":"s"}]}"#
    }

    @Test(
        "labels with one question on both sides are refused with the pairs, and nothing is published"
    )
    func refusesLabels() throws {
        let heldOut = HeldOut(
            {
                var split = TrainingConfiguration.Split()
                split.heldOut = 0.5
                return split
            }())
        let ids = (0..<60).map { "q\($0)" }
        let (out, kept) = (
            ids.filter { heldOut.contains($0) }, ids.filter { !heldOut.contains($0) }
        )
        let distinct = (0..<12).map { label(kept[$0], "When does gate \($0) open?", $0 % 6) }
        let repeated = (0..<12).map { label(out[$0], "when does  GATE \($0) open?", $0 % 6) }
        let error = #expect(throws: TrainingError.self) {
            _ = try run(questions: distinct + repeated)
        }
        guard case .overlap(let overlap)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(overlap.exact.count == 12 && error?.fault == .refused)
        #expect(error?.remedy?.isEmpty == false)
        #expect(error?.message.split(separator: "\n").count == 12)
        #expect(error?.message.contains("and 2 more") == true)
        #expect(error?.details["overlap"]?["exact"]?.array?.count == 12)
        // Without the repetitions, the same labels are trained on.
        let other = (0..<3).map { label(out[$0], "Which morning hour is it for \($0)?", $0) }
        #expect(try run(questions: distinct + other).report.nearDuplicates.isEmpty)
    }

    @Test("preferences share the split of a question, however it is spelled")
    func preferences() throws {
        let questions = (0..<12).map { label("q\($0)", "When does gate \($0) open?", $0 % 6) }
        let preferences = (0..<12).map { number in
            #"{"id":"p\#(number)","question":" when does GATE \#(number) open?","chosen":{"document":"d\#(number % 6).md","section":"s"},"rejected":{"document":"d\#((number + 1) % 6).md","section":"s"}}"#
        }
        let report = try run(questions: questions, preferences: preferences).report
        #expect(report.preferences.training == report.questions.training)
        #expect(report.preferences.heldOut == report.questions.heldOut)
    }

    @Test(
        "a file of evaluation questions is all held out, refused where it repeats, and near-duplicates warn"
    )
    func evaluationFile() throws {
        let questions = (0..<5).map {
            label(
                "q\($0)", "At what hour of the morning does somebody open gate \($0) for us all?",
                $0)
        }
        let near = label(
            "e1", "At what hour of the morning does somebody open gate 3 for us all today?", 3)
        let (report, _) = try run(
            questions: questions, evaluation: [near, label("e2", "Which page is second?", 2)])
        #expect(report.questions.heldOut == 2 && report.questions.training == 5)
        #expect(report.nearDuplicates.map(\.training.id) == ["q3"])
        #expect(report.warnings.contains { $0.contains("nearly repeat") })
        #expect(report.lines.contains { $0.contains("questions e1 and questions q3") })
        #expect(report.json["nearDuplicates"]?.array?.count == 1)
        #expect(throws: TrainingError.self) {
            _ = try run(
                questions: questions,
                evaluation: [
                    label(
                        "e1",
                        "at what hour of the morning does somebody open gate 2 for us all?", 2)
                ])
        }
    }
}
