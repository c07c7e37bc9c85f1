import Foundation
import TestSupport
import Testing

@Suite("Attributes of documents, on the command line")
struct AttributesTests {
    private let sandbox: Sandbox

    init() throws {
        sandbox = try Sandbox.withRepository()
        try sandbox.write(
            "features.yaml",
            """
            ref: features/a
            sources:
              - files: docs
                attributes:
                  url: https://docs.example.com/{path}
                  chapter: "{1}"
                  level: {type: integer, value: "{2}"}
            chunk: {size: 200, overlap: 0}
            embed: {dimension: 16}
            """)
        try sandbox.write("docs/install/1/a.md", "# A\n\nAlpha.\n")
        try sandbox.write("docs/install/2/b.md", "# B\n\nBeta.\n")
        try sandbox.write("docs/use/x/c.md", "# C\n\nGamma.\n")
    }

    @discardableResult
    private func feature(_ arguments: String...) throws -> Outcome {
        let program = Project.executable("fti-feature")
        let outcome = try sandbox.run(program, ["run", "features.yaml"] + arguments)
        #expect(outcome.status == 0, "\(outcome.error)")
        return outcome
    }

    private func keys(_ condition: String) throws -> [String] {
        let outcome = try sandbox.ftictl("ls", "features/a", "--where", condition)
        #expect(outcome.status == 0, "\(outcome.error)")
        return outcome.lines.map { String($0.prefix { $0 != "#" }) }
    }

    @Test("rows are selected, shown and compared by their attributes")
    func rows() throws {
        let report = try feature("--json").object()
        let notes = try #require(report["notes"] as? [[String: Any]])
        #expect(notes.map { $0["path"] as? String } == ["use/x/c.md"])
        #expect(try keys("chapter = 'install'") == ["install/1/a.md", "install/2/b.md"])
        #expect(try keys("level >= 2") == ["install/2/b.md"])
        #expect(try keys("level is null") == ["use/x/c.md"])
        let row = "features/a:use/x/c.md#c/00"
        let shown = try sandbox.ftictl("show", row)
        #expect(shown.output.contains("https://docs.example.com/use/x/c.md"), "\(shown.error)")
        #expect(try sandbox.ftictl("show", "features/a").output.contains("attributes.level"))
        let yaml = try sandbox.read("features.yaml")
        try sandbox.write("features.yaml", yaml.replacing("docs.example.com", with: "x.org"))
        let changed = try feature("--json").object()
        #expect(changed["embedded"] as? Int == 0 && changed["changed"] as? Int == 3)
        let diff = try sandbox.ftictl("diff", "features/a~1", "features/a", "--rows", "--json")
        let fields = try diff.objects().dropFirst().map { $0["fields"] as? [String] }
        #expect(fields == [["url"], ["url"], ["url"]])
    }

    @Test("the declared type wins over that of the first row")
    func declared() throws {
        let rows = [
            #"{"id":"a","stars":"many","when":"soon","tags":[]}"#,
            #"{"id":"b","stars":3,"when":"2026-02-01","tags":["a","b"]}"#,
            #"{"id":"c","stars":5,"when":"2026-01-31T08:00:00Z","tags":["b"]}"#,
        ]
        try sandbox.write("rows.jsonl", rows.joined(separator: "\n"))
        let put = try sandbox.ftictl(
            "put", "features/a", "rows.jsonl", "--key", "id", "--param-json",
            #"attributes={"stars":"number","when":"date","tags":"strings"}"#)
        #expect(put.status == 0, "\(put.error)")
        #expect(try keys("stars > 3") == ["c"])
        #expect(try keys("not (stars > 3)") == ["b"])
        #expect(try keys("when >= 2026-01-31T09:00") == ["b"])
        #expect(try keys("tags = 'b' and tags != 'a'") == ["c"])
        for (condition, part) in [
            ("stars = 'many'", "a number"), ("when = 'soon'", "a time"), ("tag = 'b'", "tags"),
        ] {
            let outcome = try sandbox.ftictl("ls", "features/a", "--where", condition)
            #expect(outcome.status == 64 && outcome.error.contains(part), "\(outcome.error)")
        }
    }
}
