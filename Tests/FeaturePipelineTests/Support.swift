import FeaturePipeline
import Foundation
import Objects
import Refs
import Storage
import Synchronization
import TestSupport
import Testing

/// A repository in memory, and runs of the pipeline on it.
struct Bench {
    let repository: Repository
    let folder: TemporaryDirectory
    let ref: RefName
    private let writer: Writer

    init() throws {
        let generator = Mutex(SeededGenerator(seed: 3))
        let time = try #require(Timestamp("2026-08-01T09:30:00.000Z"))
        writer = Writer(
            name: "ada@test", now: { time }, random: { generator.withLock { $0.next() } },
            pause: { _ in })
        repository = try Repository.create(in: MemoryBucket(), writer: writer)
        folder = try TemporaryDirectory()
        ref = try RefName("features/staging")
    }

    func configuration(
        _ sources: [DocumentSource]? = nil, size: Int = 200, dimension: Int = 16
    ) -> FeatureConfiguration {
        FeatureConfiguration(
            ref: ref, sources: sources ?? [DocumentSource(location: "\(folder.path)/docs")],
            chunkSize: size, chunkOverlap: 20, embedder: .builtin(dimension: dimension))
    }

    @discardableResult
    func run(
        _ configuration: FeatureConfiguration? = nil, rebuild: Bool = false,
        checks: SourceChecks = SourceChecks()
    ) throws -> RunReport {
        try FeaturePipeline(configuration ?? self.configuration(), in: repository, by: writer)
            .run(rebuild: rebuild, checks: checks)
    }

    func preview(
        _ configuration: FeatureConfiguration? = nil, rebuild: Bool = false
    ) throws -> RunReport {
        try FeaturePipeline(configuration ?? self.configuration(), in: repository, by: writer)
            .preview(rebuild: rebuild)
    }

    /// The rows that the ref points at, in key order.
    func rows() throws -> [TableRow] {
        let state = try repository.state()
        let objects = try repository.objects(in: state)
        let snapshot = try Snapshot(try #require(state.target(of: ref)), in: objects)
        var reader = TableCursor(try Table(root: snapshot.content.id, in: objects), in: objects)
        var result: [TableRow] = []
        while let row = try reader.next() { result.append(row) }
        return result
    }

    func snapshot() throws -> Snapshot {
        let state = try repository.state()
        return try Snapshot(
            try #require(state.target(of: ref)), in: try repository.objects(in: state))
    }
}
