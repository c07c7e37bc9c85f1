internal import Foundation
internal import Testing

/// The inputs that once broke a property, and those that fuzzing begins with, keep every property.
@Suite("Fuzz targets")
struct ReplayTests {
    private static let project = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test("what fuzzing begins with breaks no property", arguments: FuzzTarget.all.map(\.name))
    func seeds(name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let example = try ExampleBytes(
            repository: Self.project.appending(path: ".fti-example").path)
        let seeds = try target.seeds(example)
        #expect(!seeds.isEmpty)
        for seed in seeds { try target.check(seed) }
    }

    @Test("what once broke a property does not any more", arguments: FuzzTarget.all.map(\.name))
    func corpus(name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let folder = Self.project.appending(path: "Tests/Fixtures/corpus/\(name)")
        let files = try? FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil)
        for file in files ?? [] {
            let input = [UInt8](try Data(contentsOf: file))
            try target.check(input)
        }
    }
}
