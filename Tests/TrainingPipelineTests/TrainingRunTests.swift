import Artifacts
import Objects
import Refs
import Storage
import Testing
import TrainingPipeline

@Suite struct TrainingRunTests {
    private func configuration() -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        configuration.questions = "\(Handbook.folder)/questions.jsonl"
        configuration.preferences = "\(Handbook.folder)/preferences.jsonl"
        // Enough to see that training works; the defaults take long in an unoptimised build.
        configuration.candidates = 40
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

    @Test("training improves recall on questions it has not seen, and publishes three refs at once")
    func improves() throws {
        let repository = try Handbook.repository()
        let before = try repository.state()
        let report = try run(repository, configuration())
        #expect(report.stages.map(\.name) == ["base", "sft", "dpo"])
        let base = report.stages[0].measurement
        let last = report.stages[2].measurement
        #expect(last.recallAtK > base.recallAtK + 0.05)
        #expect(last.meanReciprocalRank > base.meanReciprocalRank + 0.05)
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
        let model = try Snapshot(report.model, in: objects)
        #expect(model.kind == .model)
        #expect(
            model.inputs == [
                "dataset": report.supervisedDataset, "preferences": report.preferenceDataset,
                "features": report.features,
            ])
        #expect(model.space == report.space)
        #expect(model.metrics["recall@5"] == last.recallAtK)
        #expect(model.metrics["base.recall@5"] == base.recallAtK)
        #expect(model.parents.isEmpty)
        #expect(
            model.message == "SFT on \(report.questions.training) questions, "
                + "DPO on \(report.preferences.training) preferences")
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
        let policy = try RetrievalPolicy(
            tensors: try file("policy.safetensors", of: report.model),
            config: try file("config.json", of: report.model))
        #expect(policy.space == report.space)
        #expect(policy.reference != nil && policy.reference != policy.weights)
        for name in ["train", "test"] {
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
                    path: test.jsonl
                ---
                """))
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
        configuration.candidates = 20
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

    @Test("another configuration gives a model with the first as its parent")
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

    @Test("without labels, questions come from headings and rejected sections from mistakes")
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
        #expect(report.lines.count > 8)
        #expect(report.json["model"]?.string == report.model.hex)
    }

    @Test("what cannot be trained on is refused, and nothing is published")
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
        configuration.split.heldOut = 0
        let error = try #require(throws: TrainingError.self) { try run(repository, configuration) }
        #expect(error.message.contains("question q") && error.message.contains("more; --json"))
        configuration = self.configuration()
        configuration.model = "datasets/sft"
        #expect(throws: TrainingError.self) { try run(repository, configuration) }
        #expect(try repository.state().number == number)
    }
}
