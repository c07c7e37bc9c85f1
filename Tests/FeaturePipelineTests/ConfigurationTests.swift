import FeaturePipeline
import Glibc
import Refs
import Storage
import Testing

@Suite("The configuration")
struct ConfigurationTests {
    private func read(_ yaml: String) throws -> FeatureConfiguration {
        try FeatureConfiguration(yaml: yaml, path: "f.yaml", folder: "/project")
    }

    @Test("a file that is larger than a configuration may be is refused by its name")
    func large() throws {
        let path = "/tmp/feature-\(UInt64.random(in: 0...UInt64.max)).yaml"
        fclose(fopen(path, "w"))
        defer { unlink(path) }
        truncate(path, 1 << 20 + 1)
        let error = #expect(throws: FeatureError.self) {
            _ = try FeatureConfiguration(reading: path)
        }
        #expect(error?.fault == .usage)
        #expect(error?.message.contains(path) == true)
    }

    @Test("everything that can be said")
    func full() throws {
        let configuration = try read(
            """
            repo: .fti
            ref: features/next
            sources:
              - files: ./handbook
                include: ["**/*.md", "**/*.html"]
              - files: /srv/faq.jsonl
                name: faq/en
                exclude: [drafts]
            chunk: {size: 500, overlap: 50}
            embed: {name: builtin, dimension: 128}
            """)
        #expect(configuration.repository == "/project/.fti")
        #expect(configuration.ref.text == "features/next")
        #expect(configuration.sources.map(\.location) == ["/project/handbook", "/srv/faq.jsonl"])
        #expect(configuration.sources.map(\.prefix) == ["handbook", "faq/en"])
        #expect(configuration.sources[0].include.map(\.text) == ["**/*.md", "**/*.html"])
        #expect((configuration.chunkSize, configuration.chunkOverlap) == (500, 50))
        #expect(configuration.embedder.dimension == 128)
    }

    @Test("what is not said has defaults")
    func defaults() throws {
        let configuration = try read("sources: [{files: .}]")
        #expect(configuration.ref.text == "features/staging")
        #expect(configuration.repository == nil)
        #expect(configuration.sources.map(\.location) == ["/project"])
        #expect(configuration.sources.map(\.prefix) == [""])
        #expect((configuration.chunkSize, configuration.chunkOverlap) == (1000, 100))
        #expect(configuration.embedder.dimension == 384)
    }

    @Test(
        "mistakes are named with their line",
        arguments: [
            ("", nil, "empty"), ("- a", 1, "mapping"), ("a: [", 2, "not YAML"),
            ("ref: features/x", 1, "sources is missing"),
            ("sources: []", 1, "sources is missing"), ("sources: x", 1, "must be a list"),
            ("sources:\n  - include: []", 2, "files is missing"),
            ("sources:\n  - files: [x]", 2, "sources.files must be text"),
            ("sources:\n  - files: x\n    pattern: y", 3, "sources.pattern is not known"),
            ("sources: [{files: x}]\nchunks: {}", 2, "chunks is not known"),
            ("sources: [{files: x}]\nchunk: {size: big}", 2, "chunk.size must be a whole number"),
            ("sources: [{files: x}]\nchunk: {size: 5}", 2, "chunk.size is 5"),
            ("sources: [{files: x}]\nchunk:\n  size: 100\n  overlap: 80", 4, "chunk.overlap is 80"),
            ("sources: [{files: x}]\nembed: {name: other}", 2, "embed.name is other"),
            ("sources: [{files: x}]\nembed: {dimension: 7}", 2, "dimension 7"),
            ("sources: [{files: a/x}, {files: b/x}]", 1, "a name of its own"),
            ("sources: [{files: a}, {files: b, name: a/c}]", 1, "a name of its own"),
            ("ref: nothing\nsources: [{files: x}]", 1, "nothing"),
        ] as [(String, Int?, String)])
    func mistakes(yaml: String, line: Int?, text: String) {
        do {
            _ = try read(yaml)
            Issue.record("accepted")
        } catch {
            guard case .configuration(_, let found, let reason) = error as? FeatureError else {
                Issue.record("\(error)")
                return
            }
            #expect(found == line)
            #expect(reason.contains(text), "\(reason)")
        }
    }

    @Test("only features can be advanced")
    func namespace() {
        #expect(throws: FeatureError.self) { try read("ref: models/x\nsources: [{files: x}]") }
    }

    @Test(
        "patterns",
        arguments: [
            ("**/*.md", "a.md", true), ("**/*.md", "x/y/a.md", true), ("*.md", "x/a.md", false),
            ("**", "x/y", true), ("x/**", "x/y/z", true), ("x/**", "y/x", false),
            ("x/**/z", "x/z", true),
            ("a?c", "aéc", true), ("a?c", "ac", false),
            ("*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaac", false),
            ("./docs/*.md", "docs/a.md", true), ("*", "", false), ("a*", "a", true),
        ])
    func patterns(pattern: String, path: String, fits: Bool) {
        #expect(GlobPattern(pattern).matches(path) == fits)
    }
}
