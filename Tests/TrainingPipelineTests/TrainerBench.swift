import Artifacts
import Foundation
import Objects
import Refs
import Storage
import TestSupport
import Testing
@testable import TrainingPipeline

/// A repository with a dataset and a base model, and trainers written in shell.
final class TrainerBench {
    let files: TemporaryDirectory
    let repository: Repository
    /// What the trainers see of the environment of this process.
    var environment: [String: String]
    var grace = Duration.milliseconds(500)

    init() throws {
        files = try TemporaryDirectory()
        try files.makeDirectory("work")
        try files.makeDirectory("tmp")
        environment = ["PATH": "/usr/bin:/bin", "TMPDIR": files("tmp"), "LC_ALL": "C.UTF-8"]
        repository = try Repository.create(in: MemoryBucket(), writer: Handbook.writer)
        try put("datasets/sft", ["train.jsonl": "{\"messages\":[]}\n", "sub/more.txt": "more"])
        try put("models/base", ["weights.bin": "base weights"])
    }

    /// Publishes files at a ref.
    func put(
        _ name: String, _ contents: [String: String], params: JSONObject = JSONObject()
    ) throws {
        let ref = try RefName(name)
        let transaction = try repository.begin(writer: Handbook.writer)
        var builder = TreeBuilder()
        for (path, text) in contents {
            let id = try transaction.objects.write(Array(text.utf8), hint: .bulk)
            builder.add(try RelativePath(path), size: text.utf8.count, id: id)
        }
        let tree = try builder.write(into: transaction.objects)
        let snapshot = Snapshot(
            kind: ref.namespace.kind, content: tree.content,
            producer: .init(pipeline: "test", version: "1"), params: params,
            created: Handbook.writer.now())
        let version = try transaction.store(NextVersion(of: ref, snapshot))
        _ = try transaction.publish([version], message: "")
    }

    /// Runs a trainer that is a shell script.
    ///
    /// - Parameters:
    ///   - top: Further lines of the configuration.
    ///   - options: Further lines of `trainer`.
    func run(
        _ script: String, top: String = "", options: String = "timeout: 1m",
        isResumed: Bool = false
    ) throws -> TrainerReport {
        try files.write("work/train.sh", script)
        let lines = options.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        let yaml = """
            dataset: datasets/sft
            model: models/sft
            \(top)
            trainer:
              command: [sh, train.sh]
            \(lines)
            """
        return try run(yaml: yaml, isResumed: isResumed)
    }

    func run(yaml: String, isResumed: Bool = false) throws -> TrainerReport {
        let plan = try TrainingPlan(yaml: yaml, path: files("work/trainer.yaml"))
        guard case .trainer(let configuration) = plan else { throw NotATrainer() }
        var surroundings = TrainerRun.Surroundings(
            environment: environment, logs: files("state/runs"))
        surroundings.grace = grace
        return try TrainerRun(
            repository: repository, configuration: configuration, writer: Handbook.writer,
            version: "0", isResumed: isResumed, surroundings: surroundings
        ).run()
    }

    /// Runs a trainer that must fail; returns the failure.
    func fail(
        _ script: String, top: String = "", options: String = "timeout: 1m",
        isResumed: Bool = false
    ) throws -> TrainerFailure {
        let number = try repository.state().target(of: try RefName("models/sft"))
        let error = try #require(throws: TrainingError.self) {
            try run(script, top: top, options: options, isResumed: isResumed)
        }
        #expect(try repository.state().target(of: try RefName("models/sft")) == number)
        #expect(try files.names(in: "tmp/fti-training-\(geteuid())").isEmpty)
        guard case .trainer(let failure) = error else { throw error }
        #expect(error.fault == .program)
        return failure
    }

    struct NotATrainer: Error {}

    /// The snapshot that a ref points at; nil if there is no ref.
    func snapshot(_ name: String) throws -> Snapshot? {
        let state = try repository.state()
        return try state.target(of: try RefName(name)).map {
            try Snapshot($0, in: try repository.objects(in: state))
        }
    }

    /// A file of the version that a ref points at, as text; nil if there is none.
    func text(_ path: String, of name: String) throws -> String? {
        let objects = try repository.objects(in: try repository.state())
        guard let content = try snapshot(name)?.content,
            let entry = try TreeReader(objects).entry(at: RelativePath(path), in: content.id)
        else { return nil }
        return String(decoding: try objects.read(entry.id, limit: 1 << 24), as: UTF8.self)
    }

    /// The paths of all files of the version that a ref points at.
    func paths(of name: String) throws -> [String] {
        let objects = try repository.objects(in: try repository.state())
        guard let content = try snapshot(name)?.content else { return [] }
        var walk = try TreeWalk(content.id, in: objects)
        var paths: [String] = []
        while let element = try walk.next() {
            if element.entry.mode != .directory { paths.append(element.path.description) }
        }
        return paths.sorted()
    }

    /// The record of the run that made a model.
    func record(of name: String = "models/sft") throws -> JSON {
        let text = try #require(try text("training/run.json", of: name))
        return try JSON(parsing: Array(text.utf8).span)
    }
}
