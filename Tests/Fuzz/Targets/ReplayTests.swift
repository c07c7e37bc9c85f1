internal import Foundation
internal import Testing

/// Every property holds for the seeds, and for the inputs that once broke it.
@Suite("Fuzz targets")
struct ReplayTests {
    private static let project = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let corpus = project.appending(path: "Tests/Fixtures/corpus")

    @Test("no seed breaks a property", arguments: FuzzTarget.all.map(\.name))
    func seeds(name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let example = try ExampleBytes(
            repository: Self.project.appending(path: ".fti-example").path)
        let seeds = try target.seeds(example)
        #expect(!seeds.isEmpty)
        for seed in seeds { try target.check(seed) }
    }

    @Test(
        "no input that once broke a property breaks it again", arguments: FuzzTarget.all.map(\.name)
    )
    func corpus(name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let folder = Self.corpus.appending(path: name)
        guard FileManager.default.fileExists(atPath: folder.path) else { return }
        let files = try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let input = [UInt8](try Data(contentsOf: file))
            try target.check(input)
        }
    }

    @Test("every folder of the corpus belongs to a target")
    func corpusFolders() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path)
        #expect(!folders.isEmpty)
        #expect(Set(folders).isSubset(of: FuzzTarget.all.map(\.name)))
    }
}
