import Artifacts
import FeaturePipeline
import Foundation
import Objects
import Refs
import Storage
import TestSupport
import Testing

@Suite("Runs of the pipeline")
struct RunTests {
    private func handbook(_ bench: Bench) throws {
        try bench.folder.write("docs/a.md", "# A\n\nAlpha text.\n\n## Sub\n\nMore alpha.\n")
        try bench.folder.write("docs/b/b.html", "<h1 id=b>B</h1><p>Beta text.</p>")
        try bench.folder.write("docs/c.txt", "Gamma text.")
        try bench.folder.write(
            "docs/d.jsonl",
            "{\"id\": 1, \"text\": \"Delta one.\"}\n\n{\"id\": \"x\", \"text\": \"Two.\"}\n")
        try bench.folder.write("docs/ignored.bin", [0, 1, 2])
        try bench.folder.write("docs/.git/x.md", "hidden")
    }

    @Test("a first run makes one transaction with a row for every chunk")
    func first() throws {
        let bench = try Bench()
        try handbook(bench)
        let report = try bench.run()
        #expect(report.transaction == 1)
        #expect(report.documents.added == 5)
        #expect(report.documents.total == 5)
        #expect((report.chunks, report.embedded, report.reused) == (6, 6, 0))
        #expect(report.skipped.isEmpty && report.gaps.isEmpty)
        let rows = try bench.rows()
        #expect(
            rows.map(\.key) == [
                "a.md#a/00", "a.md#sub/00", "b/b.html#b/00", "c.txt#/00", "d.jsonl/1#/00",
                "d.jsonl/x#/00",
            ])
        let embedder = try BuiltinEmbedder(dimension: 16)
        for row in rows {
            let feature = try FeatureRow(attributes: row.attributes)
            #expect(feature.key == row.key)
            #expect(row.vector == embedder.embed(feature.embeddingText, as: .document))
        }
        let snapshot = try bench.snapshot()
        #expect(snapshot.space == embedder.space.id)
        #expect(snapshot.message == "6 chunks of 5 documents; 5 added")
        #expect(snapshot.metrics["documents"] == 5)
        #expect(snapshot.parents.isEmpty)
        #expect(snapshot.producer.pipeline == "fti-feature")
    }

    @Test("a run without changes makes no transaction")
    func unchanged() throws {
        let bench = try Bench()
        try handbook(bench)
        let first = try bench.run()
        let second = try bench.run()
        #expect(second.transaction == nil)
        #expect(second.snapshot == first.snapshot)
        #expect(second.documents.unchanged == 5)
        #expect((second.embedded, second.reused) == (0, 6))
        #expect(try bench.repository.state().number == 1)
    }

    @Test("an edited section is embedded again, and no row of another section is renamed")
    func edit() throws {
        let bench = try Bench()
        try handbook(bench)
        try bench.run()
        let before = try bench.rows()
        try bench.folder.write("docs/a.md", "# A\n\nAlpha text.\n\n## Sub\n\nOther words.\n")
        let report = try bench.run()
        #expect((report.documents.changed, report.documents.unchanged) == (1, 4))
        #expect((report.embedded, report.reused) == (1, 5))
        #expect((report.rows.added, report.rows.changed, report.rows.removed) == (0, 1, 0))
        let after = try bench.rows()
        #expect(after.map(\.key) == before.map(\.key))
        #expect(after[0] == before[0])
        #expect(after[1].vector != before[1].vector)
        #expect(Array(after[2...]) == Array(before[2...]))
        #expect(try bench.snapshot().parents == [try #require(report.previous)])
    }

    @Test("incremental runs end with the same table as a first run")
    func sameAsFirst() throws {
        var generator = SeededGenerator(seed: 5)
        let bench = try Bench()
        for step in 0..<6 {
            for number in 0..<12 where step == 0 || Bool.random(using: &generator) {
                let words = (0..<Int.random(in: 0..<80, using: &generator)).map { "word\($0)." }
                try bench.folder.write(
                    "docs/\(number % 3)/\(number).md",
                    "# H\(number)\n\n" + words.joined(separator: " ") + "\n\n## S\n\n\(step)\n")
            }
            if step == 1 || step == 4 { try bench.folder.remove("docs/1/\(step).md") }
            try bench.run()
        }
        let again = try Bench()
        let source = [DocumentSource(location: "\(bench.folder.path)/docs")]
        try again.run(again.configuration(source))
        #expect(try again.snapshot().content == bench.snapshot().content)
        #expect(try again.snapshot().cursor == bench.snapshot().cursor)
    }

    @Test("a moved document keeps its vectors")
    func move() throws {
        let bench = try Bench()
        try handbook(bench)
        try bench.run()
        try bench.folder.move("docs/a.md", to: "docs/b/new.md")
        let report = try bench.run()
        #expect(
            (report.documents.moved, report.documents.added, report.documents.removed) == (1, 0, 0))
        #expect((report.embedded, report.reused) == (0, 6))
        #expect((report.rows.moved, report.rows.added, report.rows.removed) == (2, 0, 0))
        #expect(try bench.rows().map(\.key).contains("b/new.md#sub/00"))
    }

    @Test("a document that is gone loses its rows")
    func remove() throws {
        let bench = try Bench()
        try handbook(bench)
        try bench.run()
        try bench.folder.remove("docs/c.txt")
        try bench.folder.write("docs/d.jsonl", "{\"id\": \"x\", \"text\": \"Two.\"}\n")
        let report = try bench.run()
        #expect(report.documents.removed == 2)
        #expect(report.rows.removed == 2)
        #expect(try bench.rows().count == 4)
    }

    @Test("an incomplete listing removes nothing")
    func incomplete() throws {
        let bench = try Bench()
        try handbook(bench)
        let sources = ["a", "b"].map {
            DocumentSource(prefix: $0, location: "\(bench.folder.path)/\($0)")
        }
        try bench.folder.write("a/one.md", "One.")
        try bench.folder.write("a/two.md", "Two.")
        try bench.folder.write("b/three.md", "Three.")
        let configuration = bench.configuration(sources)
        try bench.run(configuration)
        try bench.folder.move("a", to: "elsewhere")
        try bench.folder.remove("b/three.md")
        try bench.folder.write("b/four.md", "Four.")
        #expect(
            throws: FeatureError.sourceMissing(location: "\(bench.folder.path)/a", bench.ref)
        ) { try bench.run(configuration) }
        let missing = try bench.run(configuration, checks: SourceChecks(allowsMissing: true))
        #expect(missing.gaps.map(\.path) == ["a"])
        #expect(
            (missing.documents.kept, missing.documents.added, missing.documents.removed) == (
                2, 1, 1
            ))
        #expect(try bench.rows().map(\.key) == ["a/one.md#/00", "a/two.md#/00", "b/four.md#/00"])
        // An empty folder is as suspicious as a missing one.
        try bench.folder.write("a/.keep", "")
        let empty = try bench.run(configuration)
        #expect(empty.documents.kept == 2)
        #expect(empty.transaction == nil)
        try bench.folder.write("a/one.md", "One.")
        let back = try bench.run(configuration)
        #expect(back.gaps.isEmpty)
        #expect((back.documents.removed, back.documents.unchanged) == (1, 2))
    }

    @Test("a file that cannot be read keeps its rows, and the run says so")
    func skipped() throws {
        let bench = try Bench()
        try handbook(bench)
        try bench.run()
        try bench.folder.write("docs/c.txt", [0x47, 0, 0x61])
        try bench.folder.write(
            "docs/d.jsonl", "{\"id\": \"x\", \"text\": \"Two.\"}\nnot json\n{\"text\": \"no id\"}\n"
        )
        symlink("/etc/passwd", "\(bench.folder.path)/docs/link.txt")
        mkfifo("\(bench.folder.path)/docs/pipe.txt", 0o600)
        let report = try bench.run()
        #expect(
            report.skipped.map(\.path).sorted() == [
                "c.txt", "d.jsonl", "d.jsonl", "link.txt", "pipe.txt",
            ])
        #expect(report.documents.kept == 2)
        #expect(report.transaction == nil)
        #expect(try bench.rows().count == 6)
    }

    @Test("a change of chunking or of the space rebuilds every document")
    func rules() throws {
        let bench = try Bench()
        try handbook(bench)
        try bench.run()
        let chunks = try bench.run(bench.configuration(size: 100))
        #expect((chunks.documents.changed, chunks.embedded) == (5, 0))
        do {
            try bench.run(bench.configuration(dimension: 32))
            Issue.record("rows of two spaces in one table")
        } catch let error as FeatureError {
            #expect(error.fault == .refused)
            #expect(error.message.contains("dimension 16, not 32"))
            #expect(error.remedy?.contains("--rebuild") == true)
        }
        let space = try bench.run(bench.configuration(dimension: 32), rebuild: true)
        #expect((space.documents.changed, space.embedded, space.chunks) == (5, 6, 6))
        #expect(try bench.rows().allSatisfy { $0.vector.count == 32 })
        try bench.folder.move("docs", to: "elsewhere")
        #expect(throws: FeatureError.self) {
            try bench.run(
                bench.configuration(dimension: 16), rebuild: true,
                checks: SourceChecks(allowsMissing: true))
        }
        #expect(try bench.repository.state().number == 3)
    }

    @Test("two documents with one path are an error, and nothing changes")
    func duplicates() throws {
        let bench = try Bench()
        try bench.folder.write(
            "docs/d.jsonl", "{\"id\": 1, \"text\": \"a\"}\n{\"id\": \"1\", \"text\": \"b\"}\n")
        #expect(throws: FeatureError.duplicateDocument("d.jsonl/1")) { try bench.run() }
        #expect(try bench.repository.state().number == 0)
    }

    @Test("a first run without sources or documents is an error")
    func nothing() throws {
        let bench = try Bench()
        #expect(throws: FeatureError.self) { try bench.run() }
    }

    @Test("paths that would make keys ambiguous are escaped")
    func paths() throws {
        let bench = try Bench()
        try bench.folder.write("docs/a#b%.md", "# C\n\nText.")
        try bench.folder.write("docs/a.md", "# B%.md C\n\nText.")
        try bench.run()
        #expect(try bench.rows().map(\.key) == ["a%23b%25.md#c/00", "a.md#bmd-c/00"])
    }

    @Test(
        "vectors are reused from anywhere in the ref's history: another document or an older version"
    )
    func reuse() throws {
        let bench = try Bench()
        let section = "## Pumps\n\nA pump moves water.\n"
        try bench.folder.write("docs/a.md", "# Guide\n\nAlpha text.\n\n\(section)")
        try bench.folder.write("docs/b.md", "# Guide\n\nBeta text.\n")
        try bench.run()
        // To another document.
        try bench.folder.write("docs/a.md", "# Guide\n\nAlpha text.\n")
        try bench.folder.write("docs/b.md", "# Guide\n\nBeta text.\n\n\(section)")
        let moved = try bench.run()
        #expect((moved.embedded, moved.rows.moved) == (0, 1))
        // Missing in some versions, then back.
        try bench.folder.write("docs/b.md", "# Guide\n\nBeta text.\n")
        #expect(try bench.run().embedded == 0)
        for number in 0..<5 {
            try bench.folder.write("docs/c.md", "# C\n\nNumber \(number).\n")
            #expect(try bench.run().embedded == 1)
        }
        try bench.folder.write("docs/b.md", "# Guide\n\nBeta text.\n\n\(section)")
        try bench.folder.write("docs/c.md", "# C\n\nNumber 2.\n")
        let back = try bench.run()
        #expect((back.embedded, back.documents.changed) == (0, 2))
        // An incremental result equals a fresh one.
        let embedder = try BuiltinEmbedder(dimension: 16)
        for row in try bench.rows() {
            let feature = try FeatureRow(attributes: row.attributes)
            #expect(row.vector == embedder.embed(feature.embeddingText, as: .document))
        }
    }

    @Test("vectors of the same space are reused from older versions, those of another space never")
    func spaces() throws {
        let bench = try Bench()
        try handbook(bench)
        try bench.run()
        #expect(try bench.run(bench.configuration(dimension: 32), rebuild: true).embedded == 6)
        let back = try bench.run(bench.configuration(dimension: 16), rebuild: true)
        #expect((back.embedded, back.reused) == (0, 6))
        #expect(try bench.rows().allSatisfy { $0.vector.count == 16 })
    }

    @Test("rows are counted as a comparison counts them")
    func counts() throws {
        let bench = try Bench()
        func write(_ paragraphs: [String]) throws {
            let text = paragraphs.map { $0 + String(repeating: " word", count: 30) + "." }
            try bench.folder.write("docs/a.md", "# A\n\n" + text.joined(separator: "\n\n"))
        }
        let paragraphs = (0..<10).map { "Paragraph \($0)" }
        try write(paragraphs)
        try bench.run()
        try write(["New"] + paragraphs)
        let report = try bench.run()
        #expect((report.rows.added, report.rows.removed, report.rows.changed) == (1, 0, 0))
        #expect((report.rows.moved, report.embedded) == (10, 1))
        #expect(report.json["rows"]?.object?["moved"] == 10)
        try bench.folder.move("docs/a.md", to: "docs/z.md")
        let moved = try bench.run()
        #expect((moved.rows.moved, moved.rows.added, moved.rows.removed) == (11, 0, 0))
    }
}
