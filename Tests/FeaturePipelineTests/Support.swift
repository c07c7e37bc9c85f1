import FeaturePipeline
import Foundation
import Objects
import Refs
import Storage
import Synchronization
import Testing

/// A folder that is gone after the test.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/fti-feature-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        chmod("\(path)/locked", 0o755)
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let url = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }

    func move(_ name: String, to new: String) throws {
        try FileManager.default.moveItem(atPath: "\(path)/\(name)", toPath: "\(path)/\(new)")
    }
}

/// A repository in memory, and runs of the pipeline on it.
struct Bench {
    let repository: Repository
    let folder: TemporaryFolder
    let ref: RefName
    private let writer: Writer

    init() throws {
        let generator = Mutex(SeededGenerator(seed: 3))
        let time = try #require(Timestamp("2026-08-01T09:30:00.000Z"))
        writer = Writer(
            name: "ada@test", now: { time }, random: { generator.withLock { $0.next() } },
            pause: { _ in })
        repository = try Repository.create(in: MemoryBucket(), writer: writer)
        folder = try TemporaryFolder()
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
/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
