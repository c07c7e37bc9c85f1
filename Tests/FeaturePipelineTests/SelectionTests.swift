import Documents
import FeaturePipeline
import Objects
import Refs
import Storage
import TestSupport
import Testing

@Suite("Which files are documents")
struct SelectionTests {
    private func source(
        _ bench: Bench, include: [String]? = nil, exclude: [String] = []
    ) throws -> DocumentSource {
        var source = DocumentSource(location: "\(bench.folder.path)/docs")
        if let include { source.include = try include.map { try GlobPattern($0) } }
        source.exclude = try exclude.map { try GlobPattern($0) }
        return source
    }

    @Test("file extensions are matched without case, and every format is read by default")
    func endings() throws {
        let bench = try Bench()
        for name in ["a.md", "B.MD", "c.Txt", "D.HTM", "e.mdx", "f.qmd", "g.Rmd", "h.mkd"] {
            try bench.folder.write("docs/\(name)", "Text of \(name).")
        }
        #expect(try bench.run().documents.added == 8)
    }

    @Test("every file is either a document or in the report")
    func passedOver() throws {
        let bench = try Bench()
        let names = [
            "a.md", "b.png", "c.PNG", "d.pptx", "Makefile", ".hidden", "out/e.md", "f.txt",
            "sub/.git/config",
        ]
        for name in names { try bench.folder.write("docs/\(name)", "Text.") }
        let source = try source(bench, include: ["**/*.md"], exclude: ["out"])
        let report = try bench.run(bench.configuration([source]))
        #expect(report.documents.total == 1)
        let found = report.leftOut.compactMap(\.finding).map {
            "\($0.reason) \($0.detail ?? "") \($0.count) \($0.unit)"
        }
        #expect(
            Set(found) == [
                "format .png 2 files", "format .pptx 1 files", "format no ending 1 files",
                "hidden  1 files", "hidden  1 folders", "excluded  1 folders",
                "not included .txt 1 files",
            ])
        #expect(report.totals.contains { $0.ending == ".png" && $0.count == 2 })
        #expect(report.json["report"]?.array?.count == 7)
    }

    @Test("patterns and sources that match nothing are reported, and fail a strict run")
    func unmatched() throws {
        let bench = try Bench()
        try bench.folder.write("docs/a.md", "Text.")
        let plain = try bench.run()
        #expect(plain.unmatched.isEmpty)
        let source = try source(bench, include: ["*.md", "*.mdx"], exclude: ["drafts/**", "b*"])
        let report = try bench.run(bench.configuration([source]))
        #expect(report.unmatched.count == 3)
        #expect(report.unmatched.contains { $0.reason.contains("include \"*.mdx\"") })
        #expect(throws: FeatureError.self) {
            try bench.run(bench.configuration([source]), checks: SourceChecks(isStrict: true))
        }
        let none = DocumentSource(prefix: "x", location: "\(bench.folder.path)/none")
        let some = DocumentSource(prefix: "y", location: "\(bench.folder.path)/docs")
        do {
            try bench.run(bench.configuration([none, some]), checks: SourceChecks(isStrict: true))
            Issue.record("a source without a document")
        } catch let error as FeatureError {
            #expect(error.fault == .missing)
            #expect(error.message.contains("none holds no documents"))
        }
        try bench.run(checks: SourceChecks(isStrict: true))
    }

    @Test("a record that cannot be read fails a strict run, which changes nothing")
    func unreadable() throws {
        let bench = try Bench()
        try bench.folder.write("docs/a.jsonl", #"{"id":"a","text":"One."}"# + "\n")
        let strict = SourceChecks(isStrict: true)
        let first = try bench.run(checks: strict)
        try bench.folder.write("docs/a.jsonl", #"{"id":"b","text":"Two."}"# + "\n{\n")
        do {
            try bench.run(checks: strict)
            Issue.record("a line that is not JSON")
        } catch let error as FeatureError {
            #expect(error.fault == .usage)
            #expect(error.message.contains("line 2"), "\(error.message)")
        }
        let second = try bench.run()
        #expect(second.previous == first.snapshot && second.skipped.count == 1)
    }

    @Test("an excluded folder and a pattern behind another count as matched")
    func matched() throws {
        let bench = try Bench()
        try bench.folder.write("docs/a.md", "Text.")
        try bench.folder.write("docs/drafts/b.md", "Text.")
        let source = try source(
            bench, include: ["**/*.md", "a*"], exclude: ["drafts", "d*"])
        #expect(try bench.run(bench.configuration([source])).unmatched.isEmpty)
    }

    @Test("a preview reports what a run would do, and does nothing")
    func preview() throws {
        let bench = try Bench()
        try bench.folder.write("docs/a.md", "# A\n\nOne.\n\n# B\n\nTwo.")
        try bench.folder.write("docs/b.md", "# C\n\nThree.")
        func figures(_ report: RunReport) -> [Int] {
            let documents = report.documents
            return [
                documents.added, documents.changed, documents.moved, documents.removed,
                documents.unchanged, report.chunks, report.embedded, report.reused,
                report.rows.added, report.rows.changed, report.rows.removed,
            ]
        }
        for step in 0..<3 {
            if step == 1 {
                try bench.folder.write("docs/a.md", "# A\n\nOther.\n\n# B\n\nTwo.")
                try bench.folder.move("docs/b.md", to: "docs/c.md")
                try bench.folder.write("docs/d.md", "# D\n\nNew.")
            }
            let before = try bench.repository.state()
            let preview = try bench.preview()
            #expect(try bench.repository.state().number == before.number)
            #expect(preview.isPreview && preview.transaction == nil)
            #expect(preview.json["dryRun"] == true)
            let run = try bench.run()
            #expect(figures(preview) == figures(run))
        }
        #expect(throws: FeatureError.self) {
            try bench.preview(bench.configuration(dimension: 32))
        }
        let rebuilt = try bench.preview(bench.configuration(dimension: 32), rebuild: true)
        #expect(rebuilt.embedded == rebuilt.chunks)
    }

    @Test("findings are totalled by reason across documents")
    func totals() throws {
        let bench = try Bench()
        for index in 0..<3 {
            try bench.folder.write(
                "docs/\(index).md",
                "![a](x.png) ![b](y.png)\n\n<!-- one two -->\n\n--8<-- \"x\(index)\"\n")
        }
        try bench.folder.write("docs/bad.txt", [0x47, 0, 0x61, 0x62])
        let totals = try bench.run().totals
        let found = totals.map { "\($0.fate) \($0.reason) \($0.count) \($0.unit) \($0.documents)" }
        #expect(
            found == [
                "leftOut comment 6 words 3", "leftOut image 6 images 3",
                "leftOut include 3 includes 3", "leftOut unreadable 1 files 1",
            ])
    }

    @Test("a byte-order mark is not content in records or configurations")
    func byteOrderMarks() throws {
        let bench = try Bench()
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        try bench.folder.write(
            "docs/a.jsonl", mark + Array("{\"id\": \"x\", \"text\": \"First.\"}\n".utf8))
        try bench.folder.write(
            "f.yaml", mark + Array("ref: features/staging\nsources: [{files: docs}]\n".utf8))
        let configuration = try FeatureConfiguration(reading: "\(bench.folder.path)/f.yaml")
        let report = try bench.run(configuration)
        #expect(report.skipped.isEmpty)
        #expect(report.documents.added == 1)
    }

    @Test("a declared encoding wins")
    func encoding() throws {
        let bench = try Bench()
        try bench.folder.write("docs/a.md", [0x43, 0x61, 0x66, 0xE9])
        let yaml = "sources: [{files: docs, encoding: koi8-r}]"
        let configuration = try FeatureConfiguration(
            yaml: yaml, path: "f.yaml", folder: bench.folder.path)
        try bench.run(bench.configuration(configuration.sources))
        #expect(try bench.rows().contains { $0.attributes["text"] == "CafИ" })
    }
}
