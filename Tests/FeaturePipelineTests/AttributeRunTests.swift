@testable import Conditions
import Artifacts
import Documents
import FeaturePipeline
import Foundation
import Objects
import TestSupport
import Testing

@Suite("Attributes in runs")
struct AttributeRunTests {
    private func source(
        _ bench: Bench, _ attributes: [AttributeRule], fields: RecordFields = RecordFields()
    ) -> FeatureConfiguration {
        var source = DocumentSource(location: "\(bench.folder.path)/docs")
        source.attributes = attributes
        source.fields = fields
        return bench.configuration([source])
    }

    private func members(_ bench: Bench, _ key: String) throws -> JSONObject {
        try #require(try bench.rows().first { $0.key == key }).attributes
    }

    private func template(_ text: String) throws -> AttributeRule.Origin {
        .template(try ValueTemplate(text))
    }

    @Test("attributes are members of every row, and their types are in the snapshot")
    func rows() throws {
        let bench = try Bench()
        try bench.folder.write("docs/install/a b.md", "# A\n\nAlpha.\n\n## Sub\n\nMore.\n")
        try bench.folder.write("docs/c.txt", "Gamma text.")
        let configuration = source(
            bench,
            [
                AttributeRule(
                    "url", .string, from: try template("https://docs.example.com/{path}")),
                AttributeRule("chapter", .string, from: try template("{1}")),
                AttributeRule("second", .string, from: try template("{2}")),
                AttributeRule("edition", .integer, from: .constant(.number(2))),
                AttributeRule("author", .string),
            ])
        try bench.run(configuration)
        let row = try members(bench, "install/a b.md#sub/00")
        #expect(row["url"] == "https://docs.example.com/install/a%20b.md")
        #expect(row["chapter"] == "install" && row["second"] == "a b.md" && row["edition"] == 2)
        #expect(row["author"] == .null)
        #expect(try members(bench, "c.txt#/00")["second"] == .null)
        #expect(
            AttributeSchema(params: try bench.snapshot().params).types == [
                "url": .string, "chapter": .string, "second": .string, "edition": .integer,
                "author": .string,
            ])
    }

    @Test("changed attributes change rows without new embeddings; without a change no row changes")
    func change() throws {
        let bench = try Bench()
        try bench.folder.write("docs/a.md", "# A\n\nAlpha.\n\n## Sub\n\nMore.\n")
        try bench.folder.write("docs/b.md", "# B\n\nBeta.\n")
        try bench.run(source(bench, []))
        let plain = try bench.rows()
        let first = [AttributeRule("product", .string, from: try template("Hub"))]
        let report = try bench.run(source(bench, first))
        #expect((report.documents.changed, report.embedded, report.reused) == (2, 0, 3))
        #expect((report.rows.changed, report.rows.added, report.rows.removed) == (3, 0, 0))
        #expect(try bench.rows().map(\.vector) == plain.map(\.vector))
        #expect(try members(bench, "b.md#b/00")["product"] == "Hub")
        let again = try bench.run(source(bench, first))
        #expect(again.transaction == nil && again.documents.unchanged == 2)
        let second = [AttributeRule("product", .string, from: try template("Gate"))]
        #expect(try bench.run(source(bench, second)).embedded == 0)
        #expect(try members(bench, "a.md#a/00")["product"] == "Gate")
        // A declared attribute without any value is a change too.
        let empty = [AttributeRule("author", .string)]
        #expect(try bench.run(source(bench, empty)).transaction != nil)
        let typed = try bench.run(source(bench, [AttributeRule("author", .strings)]))
        #expect(typed.transaction != nil)
        let back = try bench.run(source(bench, []))
        #expect(back.embedded == 0)
        #expect(try bench.rows() == plain)
    }

    @Test("a file's time is a value where configured, and a new time changes only rows")
    func fileTime() throws {
        let bench = try Bench()
        try bench.folder.write("docs/a.md", "# A\n\nAlpha.\n")
        func touch(_ seconds: Double) throws {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: seconds)],
                ofItemAtPath: "\(bench.folder.path)/docs/a.md")
        }
        try touch(1_769_853_600.9)
        let configuration = source(bench, [AttributeRule("seen", .date, from: .fileTime)])
        try bench.run(configuration)
        #expect(try members(bench, "a.md#a/00")["seen"] == "2026-01-31T10:00:00Z")
        #expect(try bench.run(configuration).transaction == nil)
        try touch(-1)
        let report = try bench.run(configuration)
        #expect((report.documents.changed, report.embedded) == (1, 0))
        #expect(try members(bench, "a.md#a/00")["seen"] == "1969-12-31T23:59:59Z")
        // Where no attribute uses the time, it changes nothing.
        try bench.run(source(bench, []))
        try touch(0)
        #expect(try bench.run(source(bench, [])).transaction == nil)
    }

    @Test("records keep their parts and attributes under their own names")
    func records() throws {
        let bench = try Bench()
        var lines: [String] = []
        lines.append(
            #"{"_id":"k 1","body":{"html":"<h1>T</h1><p>One &amp; two.</p>"},"name":"Title","#
                + #""link":"https://x.org/1","meta":{"when":"31 Jan 2026","labels":[{"name":"a"},{"name":"b"}]}}"#
        )
        lines.append(
            #"{"_id":2,"body":{"html":"<p>Two.</p>"},"meta":{"when":"soon","labels":[1,[2]]}}"#)
        lines.append(#"{"_id":3,"text":"No body."}"#)
        try bench.folder.write("docs/kb.jsonl", lines.joined(separator: "\n"))
        var fields = RecordFields()
        (fields.text, fields.id, fields.title) = (["body.html"], ["_id"], ["name"])
        fields.format = .html
        let configuration = source(
            bench,
            [
                AttributeRule("url", .string, from: .members(["link"])),
                AttributeRule("updated", .date, from: .members(["meta.when"])),
                AttributeRule("tags", .strings, from: .members(["meta.labels.name"])),
                AttributeRule("record", .string, from: try template("{name}")),
            ], fields: fields)
        let report = try bench.run(configuration)
        let rows = try bench.rows()
        let one = try #require(rows.first { $0.key.hasPrefix("kb.jsonl/k 1#") }).attributes
        #expect(one["title"] == "Title" && one["url"] == "https://x.org/1")
        #expect(one["text"]?.string?.contains("One & two.") == true)
        #expect(one["updated"] == "2026-01-31" && one["tags"] == ["a", "b"])
        #expect(one["record"] == "k 1")
        let two = try #require(rows.first { $0.key.hasPrefix("kb.jsonl/2#") }).attributes
        #expect(two["updated"] == .null && two["url"] == .null && two["tags"] == .null)
        #expect(report.skipped.map(\.path) == ["kb.jsonl"])
        #expect(report.skipped.first?.reason.contains(#""body.html""#) == true)
        let findings = report.notes.filter { $0.path == "kb.jsonl/2" }.compactMap(\.finding)
        #expect(findings.map(\.fate) == [.notUnderstood])
        #expect(findings.first?.reason == "attribute")
        #expect(findings.first?.detail?.contains("updated is not a date: soon") == true)
    }
}
