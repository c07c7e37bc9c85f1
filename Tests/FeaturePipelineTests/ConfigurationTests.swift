import Conditions
import Documents
import FeaturePipeline
import Glibc
import Objects
import Refs
import Storage
import Testing
import TextAnalysis

@Suite("The configuration")
struct ConfigurationTests {
    private func read(_ yaml: String) throws -> FeatureConfiguration {
        try FeatureConfiguration(yaml: yaml, path: "f.yaml", folder: "/project")
    }

    @Test("an oversized configuration file is refused, and the error names it")
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

    @Test("the language that a source declares is in the snapshot")
    func language() throws {
        func language(_ word: String) throws -> LanguageChoice? {
            try read("sources: [{files: x, language: \(word)}]").sources[0].language
        }
        #expect(try language("de-AT") == Language(code: "de").map { .declared($0) })
        #expect(try language("auto") == .detected)
        #expect(try read("sources: [{files: x}]").sources[0].language == nil)
        let params = try read("sources: [{files: x, language: DE}]").params
        #expect(params["sources"]?.array?.first?.object?["language"] == "de")
        for word in ["german", "d", "''"] {
            #expect(throws: FeatureError.self) { try language(word) }
        }
        #expect(throws: FeatureError.self) {
            try read("sources: [{files: x, language: de, attributes: {language: string}}]")
        }
        #expect(
            try read("sources: [{files: x, attributes: {language: string}}]").sources[0].attributes
                .map(\.name) == ["language"])
    }

    @Test("every key")
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
        #expect(configuration.embedder == .builtin(dimension: 128))
    }

    @Test("missing keys have defaults")
    func defaults() throws {
        let configuration = try read("sources: [{files: .}]")
        #expect(configuration.ref.text == "features/staging")
        #expect(configuration.repository == nil)
        #expect(configuration.sources.map(\.location) == ["/project"])
        #expect(configuration.sources.map(\.prefix) == [""])
        #expect((configuration.chunkSize, configuration.chunkOverlap) == (1000, 100))
        #expect(configuration.embedder == .builtin(dimension: 384))
    }

    @Test(
        "mistakes are reported with their line",
        arguments: [
            ("", nil, "empty"), ("- a", 1, "mapping"), ("a: [", 2, "not YAML"),
            ("ref: features/x", 1, "sources is missing"),
            ("sources: []", 1, "sources is missing"), ("sources: x", 1, "must be a list"),
            ("sources:\n  - include: []", 2, "files is missing"),
            ("sources:\n  - files: [x]", 2, "sources.files must be text"),
            ("sources:\n  - files: x\n    pattern: y", 3, "unknown key sources.pattern"),
            ("sources: [{files: x}]\nchunks: {}", 2, "unknown key chunks"),
            ("sources: [{files: x}]\nchunk: {size: big}", 2, "chunk.size must be a whole number"),
            ("sources: [{files: x}]\nchunk: {size: 5}", 2, "chunk.size is 5"),
            ("sources: [{files: x}]\nchunk:\n  size: 100\n  overlap: 80", 4, "chunk.overlap is 80"),
            ("sources: [{files: x}]\nembed: {name: other}", 2, "embed.name is other"),
            ("sources: [{files: x}]\nembed: {dimension: 7}", 2, "dimension 7"),
            ("sources: [{files: a/x}, {files: b/x}]", 1, "its own name"),
            ("sources: [{files: a}, {files: b, name: a/c}]", 1, "its own name"),
            ("sources:\n  - files: x\n    format: pdfx", 3, "sources.format is pdfx"),
            ("sources:\n  - files: x\n    encoding: utf-9", 3, "utf-9, which is unknown"),
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

    private func sources(_ yaml: String) throws -> [DocumentSource] {
        try read("sources:\n  - files: x\n    " + yaml.replacing("\n", with: "\n    ")).sources
    }

    @Test("attributes are types, values and mappings")
    func attributes() throws {
        let source = try #require(
            try sources(
                """
                attributes:
                  author: string
                  tags: strings
                  url: https://docs.example.com/{path}
                  product: Hub
                  edition: 2
                  public: true
                  version: "5.10"
                  updated: {type: date, from: [lastmod, date]}
                  seen: {type: date, from: file.modified}
                  level: {type: integer, value: "{2}"}
                  kind: {value: date}
                  owner: {from: meta.owner}
                """
            ).first)
        let expected: [AttributeRule] = [
            AttributeRule("author", .string), AttributeRule("tags", .strings),
            AttributeRule(
                "url", .string,
                from: .template(try ValueTemplate("https://docs.example.com/{path}"))),
            AttributeRule("product", .string, from: .template(try ValueTemplate("Hub"))),
            AttributeRule("edition", .integer, from: .constant(.number(2))),
            AttributeRule("public", .boolean, from: .constant(.truth(true))),
            AttributeRule("version", .string, from: .template(try ValueTemplate("5.10"))),
            AttributeRule("updated", .date, from: .members(["lastmod", "date"])),
            AttributeRule("seen", .date, from: .fileTime),
            AttributeRule("level", .integer, from: .template(try ValueTemplate("{2}"))),
            AttributeRule("kind", .string, from: .template(try ValueTemplate("date"))),
            AttributeRule("owner", .string, from: .members(["meta.owner"])),
        ]
        #expect(source.attributes == expected)
        let params = try read(
            "sources: [{files: x, attributes: {author: string, updated: date}}]"
        ).params
        #expect(params["attributes"] == ["author": "string", "updated": "date"])
    }

    @Test("members of records are named; those that are not part of the document are attributes")
    func fields() throws {
        let source = try #require(
            try sources(
                """
                fields: {text: page_content, id: _id, title: name, url: link, updated: meta.time}
                attributes: {updated: date, stars: integer}
                format: html
                """
            ).first)
        #expect(source.fields.text == ["page_content"] && source.fields.id == ["_id"])
        #expect(source.fields.title == ["name"] && source.fields.format == .html)
        let expected = [
            AttributeRule("updated", .date, from: .members(["meta.time"])),
            AttributeRule("stars", .integer),
            AttributeRule("url", .string, from: .members(["link"])),
        ]
        #expect(source.attributes == expected)
    }

    @Test(
        "mistakes in attributes are reported with their line",
        arguments: [
            ("attributes: {text: string}", 3, "built-in member of every row"),
            ("attributes:\n  a: string\n  score: number", 5, "built-in member of every row"),
            ("attributes: {_a: string}", 3, "must begin with a letter"),
            ("attributes: {a.b: string}", 3, "must begin with a letter"),
            ("attributes: {a: strng}", 3, "the types are string"),
            ("attributes: {a: String}", 3, "the types are string"),
            ("attributes: {a: datetime}", 3, "{value: datetime}"),
            ("attributes: {a: [x]}", 3, "must be a single value or a mapping"),
            ("attributes: {a: }", 3, "is empty"), ("attributes: {a: 5.10}", 3, "quotes"),
            ("attributes:\n  a: x{pth}", 4, "unknown placeholder {pth}"),
            ("attributes: {a: 'x{'}", 3, "not closed"),
            ("attributes: {a: {type: day}}", 3, "the types are string"),
            ("attributes: {a: {from: x, value: y}}", 3, "leave one out"),
            ("attributes: {a: {form: x}}", 3, "unknown key"),
            ("attributes: {a: {from: []}}", 3, "empty list"),
            ("attributes: {a: {from: file.modified}}", 3, "is a date"),
            (
                "attributes: {a: {type: date, from: [file.modified, x]}}", 3,
                "must be the only entry"
            ),
            ("fields: {headings: x}", 3, "built-in member of every row"),
            ("attributes: {u: {from: x}}\nfields: {u: y}", 4, "leave one out"),
            ("format: klingon", 3, "format is klingon"),
        ])
    func attributeMistakes(yaml: String, line: Int, text: String) {
        do {
            _ = try sources(yaml)
            Issue.record("accepted")
        } catch {
            guard case .configuration(_, let found, let reason) = error as? FeatureError else {
                Issue.record("\(error)")
                return
            }
            #expect(reason.contains(text) && found == line, "\(reason)")
        }
    }

    @Test("an attribute has one type in all sources")
    func types() throws {
        let error = #expect(throws: FeatureError.self) {
            try read(
                """
                sources:
                  - {files: x, attributes: {a: date, b: string}}
                  - {files: y, attributes: {b: string, a: string}}
                """)
        }
        #expect(error?.message.contains("a is date in one source and string in another") == true)
    }

    @Test("the ref must be one of features")
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
    func patterns(pattern: String, path: String, fits: Bool) throws {
        #expect(try GlobPattern(pattern).matches(path) == fits)
    }

    @Test(
        "braces, sets and endings in any case",
        arguments: [
            ("**/*.{html,txt}", "a/b.txt", true), ("**/*.{html,txt}", "a/b.md", false),
            ("{docs,src/{a,b}}/**", "src/b/c.md", true),
            ("{docs,src/{a,b}}/**", "src/c/c.md", false),
            ("x{,.gz}", "x", true), ("x{,.gz}", "x.gz", true), ("a,b", "a,b", true),
            ("[abc]x", "bx", true), ("[abc]x", "dx", false), ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false), ("[^a]x", "bx", true), ("[]]x", "]x", true),
            ("[a-]x", "-x", true), ("[é-ü]x", "öx", true), ("[a]", "/", false),
            ("*.md", "README.MD", true), ("*.M[dx]", "a.mx", true), ("*.md", "a.MDX", false),
            ("Docs/*.md", "docs/a.md", false), ("README.md", "readme.md", false),
            ("/docs/*.md", "docs/a.md", true), ("a\\{b\\}", "a{b}", true), ("\\[a]", "[a]", true),
            ("*.tar.gz", "x.tar.GZ", true), ("*.tar.gz", "x.TAR.gz", false),
        ])
    func forms(pattern: String, path: String, fits: Bool) throws {
        #expect(try GlobPattern(pattern).matches(path) == fits)
    }

    @Test(
        "a malformed pattern is refused with its line",
        arguments: [
            "*.{md", "*.md}", "*.{md}", "[abc", "[z-a]", "a[/]b", "!drafts/**", "!(a).md",
            "docs\\a",
            "../x", "/", String(repeating: "{a,b}", count: 12), String(repeating: "{", count: 4000),
            String(repeating: "a", count: 5000),
        ])
    func malformed(pattern: String) throws {
        #expect(throws: GlobPattern.Malformed.self) { try GlobPattern(pattern) }
        let yaml = "sources:\n  - files: x\n    exclude:\n      - a\n      - '\(pattern)'"
        do {
            _ = try read(yaml)
            Issue.record("accepted")
        } catch FeatureError.configuration(_, let line, let reason) {
            #expect(line == 5)
            #expect(reason.contains("exclude"))
        }
    }

    @Test("how files are read is part of a source")
    func reading() throws {
        let source = try read("sources: [{files: x, format: text, encoding: Shift_JIS}]").sources[0]
        #expect(source.format == .text)
        #expect(source.encoding == "Shift_JIS")
    }
}
