import Artifacts
import Objects
import Refs
import Storage
import TestSupport
import Testing
@testable import TrainingPipeline

@Suite struct TrainingRunTests {
    private func configuration() -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        configuration.questions = "\(Handbook.folder)/questions.jsonl"
        configuration.preferences = "\(Handbook.folder)/preferences.jsonl"
        // Enough to see that training works; the defaults take long in an unoptimised build.
        configuration.retrieval.candidates = 40
        configuration.supervised.epochs = 25
        configuration.preference.epochs = 10
        return configuration
    }

    private func run(
        _ repository: Repository, _ configuration: TrainingConfiguration, threads: Int = 2
    ) throws -> TrainingReport {
        try TrainingRun(
            repository: repository, configuration: configuration, writer: Handbook.writer,
            version: "0", threads: threads
        ).run()
    }

    @Test(
        "training never makes the ranker worse, reports its result, and publishes three refs at once"
    )
    func publishes() throws {
        let repository = try Handbook.repository()
        let before = try repository.state()
        let report = try run(repository, configuration())
        #expect(report.stages.map(\.name) == ["base", "sft", "dpo"])
        let base = report.stages[0].measurement
        #expect(base.recallAtK.value > 0.6)
        #expect(
            base.recallAtK.low < base.recallAtK.value && base.recallAtK.value < base.recallAtK.high)
        let model = try published(report, in: repository)
        #expect((model.metrics["recall@5"] ?? 0) >= base.recallAtK.value - 0.03)
        #expect(model.metrics["base.recall@5"] == base.recallAtK.value)
        #expect(report.isUntrained == model.message.hasPrefix("the untrained rule"))
        #expect(report.questions.unresolved > 0)
        let unused = report.missing.filter { $0.kind == .question && !$0.isUsed }
        #expect(unused.count >= report.questions.unresolved)
        #expect(report.json["missing"]?.array?.count == report.missing.count)
        let missing = try #require(report.missing.first)
        #expect(report.lines.contains { $0.contains(missing.id) && $0.contains(missing.section) })
        #expect(
            report.questions.training + report.questions.heldOut + report.questions.unresolved
                == 138)

        let after = try repository.state()
        #expect(after.number == before.number + 1)
        #expect(
            after.refs.keys.map(\.text).sorted()
                == ["datasets/dpo", "datasets/sft", "features/prod", "models/candidate"])
        let objects = try repository.objects(in: after)
        #expect(model.kind == .model)
        #expect(
            model.inputs == [
                "dataset": report.supervisedDataset, "preferences": report.preferenceDataset,
                "features": report.features,
            ])
        #expect(model.space == report.space)
        #expect(model.parents.isEmpty)
        #expect(
            try Snapshot(report.supervisedDataset, in: objects).message
                == "\(report.questions.training) questions to train on, "
                + "\(report.questions.heldOut) held out")
        #expect(
            try Snapshot(report.preferenceDataset, in: objects).message
                == "\(report.preferences.training) preferences to train on, "
                + "\(report.preferences.heldOut) held out")
        let reader = TreeReader(objects)
        func file(_ name: String, of id: ObjectID) throws -> [UInt8] {
            let content = try Snapshot(id, in: objects).content
            let entry = try #require(try reader.entry(at: RelativePath(name), in: content.id))
            return try objects.read(entry.id, limit: 1 << 24)
        }
        let ranker = try Ranker(
            tensors: try file("ranker.safetensors", of: report.model),
            config: try file("config.json", of: report.model))
        #expect(ranker.space == report.space)
        #expect(ranker.retrieval.candidates == 40)
        #expect((ranker.reference == nil) == (report.isUntrained || report.droppedPreferences))
        for name in ["train", "heldout"] {
            try checkLines(try file("\(name).jsonl", of: report.supervisedDataset), ["messages"])
            try checkLines(
                try file("\(name).jsonl", of: report.preferenceDataset),
                ["chosen", "prompt", "rejected"])
        }
        try checkLines(
            try file("labels.jsonl", of: report.supervisedDataset),
            ["id", "index", "question", "rows", "split"])
        let readme = String(
            decoding: try file("README.md", of: report.preferenceDataset), as: UTF8.self)
        #expect(
            readme.hasPrefix(
                """
                ---
                configs:
                - config_name: default
                  data_files:
                  - split: train
                    path: train.jsonl
                  - split: test
                    path: heldout.jsonl
                ---
                """))
    }

    @Test("few short documents give the untrained ranker; constant signals keep their weight")
    func few() throws {
        let scale = SignalScale.of([
            CandidateSignals(values: [Double](repeating: 0.5, count: 2 * CandidateSignals.columns))
        ])
        #expect(scale.allSatisfy { $0 == 1 })
        let row = FeatureRow(
            document: "a.txt", title: "a", section: "", headings: [], ordinal: 0,
            text: "The gate opens at seven.")
        let repository = try Handbook.repository(of: [row])
        var configuration = configuration()
        configuration.questions = nil
        configuration.preferences = nil
        let report = try run(repository, configuration)
        #expect(report.isUntrained && report.questions.training == 0)
        #expect(report.lines.contains { $0.hasPrefix("too few documents") })
    }

    private func published(
        _ report: TrainingReport, in repository: Repository
    ) throws -> Snapshot {
        try Snapshot(report.model, in: try repository.objects(in: try repository.state()))
    }

    private func checkLines(_ bytes: [UInt8], _ keys: [String]) throws {
        let lines = bytes.split(separator: 0x0A)
        #expect(!lines.isEmpty)
        for line in lines {
            let text = Array(line)
            let json = try JSON(parsing: text.span)
            #expect(json.object?.keys == keys)
        }
    }

    @Test(
        "the same inputs give the same bytes with 1, 2 and 5 threads, and nothing new the second time"
    )
    func reproducible() throws {
        var models: Set<ObjectID> = []
        var configuration = configuration()
        configuration.retrieval.candidates = 20
        configuration.supervised.epochs = 4
        configuration.preference.epochs = 3
        for threads in [1, 2, 5] {
            let repository = try Handbook.repository()
            let report = try run(repository, configuration, threads: threads)
            models.insert(report.model)
            let number = try repository.state().number
            let again = try run(repository, configuration, threads: threads)
            #expect(again.transaction == nil)
            #expect(again.model == report.model)
            #expect(try repository.state().number == number)
        }
        #expect(models.count == 1)
    }

    @Test("another configuration gives a model whose parent is the first")
    func parents() throws {
        let repository = try Handbook.repository()
        let first = try run(repository, configuration())
        var changed = configuration()
        changed.supervised.l2 = 0.1
        let second = try run(repository, changed)
        #expect(second.model != first.model)
        #expect(second.supervisedDataset == first.supervisedDataset)
        let objects = try repository.objects(in: try repository.state())
        #expect(try Snapshot(second.model, in: objects).parents == [first.model])
    }

    @Test("without labels, questions come from the features, and their metrics satisfy no gate")
    func withoutLabels() throws {
        let repository = try Handbook.repository()
        var configuration = configuration()
        configuration.questions = nil
        configuration.preferences = nil
        configuration.supervised.epochs = 5
        let report = try run(repository, configuration)
        #expect(report.questions.unresolved == 0)
        #expect(report.questions.training > 50)
        #expect(report.preferences.training > 50)
        #expect(report.lines.contains { $0.contains("predict nothing") })
        let metrics = try published(report, in: repository).metrics
        #expect(metrics["generated.recall@5"] != nil && metrics["recall@5"] == nil)
        #expect(metrics.keys.allSatisfy { $0.hasPrefix("generated.") && !$0.hasSuffix("accuracy") })
        #expect(report.json["model"]?.string == report.model.hex)
    }

    @Test("with nothing held out, everything is trained on and nothing is reported as measured")
    func nothingHeldOut() throws {
        let repository = try Handbook.repository()
        var configuration = configuration()
        configuration.split.heldOut = 0
        configuration.supervised.epochs = 3
        let report = try run(repository, configuration)
        #expect(report.questions.heldOut == 0 && report.questions.training > 50)
        #expect(report.lines.contains { $0.hasPrefix("no evaluation") })
        #expect(try published(report, in: repository).metrics.isEmpty)
    }

    @Test("questions without answers move the threshold of answering, and do not count as labels")
    func unanswerable() throws {
        let repository = try Handbook.repository()
        let folder = try TemporaryDirectory()
        let labelled = try InputFile(opening: "\(Handbook.folder)/questions.jsonl")
        var text = String(
            decoding: try labelled.read(at: 0, count: labelled.size), as: UTF8.self)
        for number in 0..<40 {
            text +=
                #"{"id":"none\#(number)","question":"Who sang the song number \#(number)?","answers":[]}"#
            text += "\n"
        }
        var configuration = configuration()
        configuration.supervised.epochs = 3
        configuration.questions = try folder.write("questions.jsonl", text)
        let report = try run(repository, configuration)
        #expect(report.unanswerable.training + report.unanswerable.heldOut == 40)
        #expect(
            report.questions.training + report.questions.heldOut + report.questions.unresolved
                == 138)
        let objects = try repository.objects(in: try repository.state())
        let content = try Snapshot(report.model, in: objects).content
        let entry = try #require(
            try TreeReader(objects).entry(at: RelativePath("config.json"), in: content.id))
        let config = String(decoding: try objects.read(entry.id, limit: 1 << 20), as: UTF8.self)
        #expect(!config.contains(#""threshold":-0.814"#))
    }

    @Test("unusable input is refused, and nothing is published")
    func refusals() throws {
        let repository = try Handbook.repository()
        let number = try repository.state().number
        var configuration = configuration()
        configuration.features = "features/none"
        #expect(throws: TrainingError.self) { try run(repository, configuration) }
        configuration = self.configuration()
        configuration.questions = "\(Handbook.folder)/absent.jsonl"
        #expect(throws: TrainingError.self) { try run(repository, configuration) }
        configuration = self.configuration()
        configuration.split.heldOut = 1
        let error = try #require(throws: TrainingError.self) { try run(repository, configuration) }
        #expect(error.message.contains("question q") && error.message.contains("more; --json"))
        configuration = self.configuration()
        configuration.model = "datasets/sft"
        #expect(throws: TrainingError.self) { try run(repository, configuration) }
        #expect(try repository.state().number == number)
    }
}
