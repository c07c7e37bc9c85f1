@testable import Documents
import Objects
import Testing

@Suite("Notebooks as text")
struct NotebookTests {
    private func notebook(_ cells: [String], _ metadata: String = "{}") throws -> CleanDocument {
        try clean(
            "{\"cells\": [\(cells.joined(separator: ","))], \"metadata\": \(metadata), \"nbformat\": 4}",
            .notebook)
    }

    private func code(_ source: String, _ outputs: String...) -> String {
        "{\"cell_type\": \"code\", \"source\": \"\(source)\", \"outputs\": [\(outputs.joined(separator: ","))]}"
    }

    private func markdown(_ source: String) -> String {
        "{\"cell_type\": \"markdown\", \"source\": \"\(source)\"}"
    }

    private func stream(_ text: String) -> String {
        "{\"output_type\": \"stream\", \"text\": \"\(text)\"}"
    }

    @Test("headings apply across cells")
    func headings() throws {
        let found = try notebook([
            markdown("# A\\n## B"), code("x"), markdown("y"), markdown("## C"), markdown("z"),
        ])
        #expect(outline(found) == ["b|A>B|x¦y", "c|A>C|z"])
        #expect(found.title == "A")
    }

    @Test("code keeps its indentation and has the language of the kernel, or of its first line")
    func languages() throws {
        let found = try notebook(
            [code("if a:\\n    b"), code("%%bash\\nls")],
            "{\"language_info\": {\"name\": \"python\"}, \"title\": \"T\", \"authors\": [{\"name\": \"Ann\"}]}"
        )
        let blocks = found.sections.first?.blocks ?? []
        #expect(blocks.map(\.text) == ["if a:\n    b", "%%bash\nls"])
        #expect(blocks.map(\.language) == ["python", "bash"])
        #expect(found.title == "T")
        #expect(found.metadata["language"] == "python")
        #expect(found.metadata["authors"] == ["Ann"])
    }

    @Test(
        "outputs are text as a terminal would finally show it, tables are tables, images are counted"
    )
    func outputs() throws {
        let found = try notebook([
            code(
                "f()", stream("10 %\\r50 %\\r100 %\\r\\nend"),
                "{\"output_type\": \"execute_result\", \"data\": {\"text/plain\": [\"1\\n\", \"2\"]}}",
                "{\"output_type\": \"execute_result\", \"data\": {\"text/plain\": \"a 1\", \"text/html\": \"<table><tr><th>a<tr><td>1</table>\"}}",
                "{\"output_type\": \"display_data\", \"data\": {\"image/png\": \"AAAA\", \"text/plain\": \"<Figure size 1x1>\"}}",
                "{\"output_type\": \"error\", \"ename\": \"E\", \"evalue\": \"v\", \"traceback\": [\"\\u001b[0;31mE\\u001b[0m: v\"]}"
            )
        ])
        #expect(
            found.sections.first?.blocks.map(\.text) == [
                "f()", "100 %\nend", "1\n2", "a", "1", "E: v",
            ])
        #expect(found.findings.contains { $0.reason == "image" && $0.count == 1 })
    }

    @Test("Python's extensions of JSON are read")
    func lenient() throws {
        let found = try notebook([
            "{\"cell_type\": \"code\", \"execution_count\": NaN, \"n\": [-Infinity, 12345678901234567890], \"source\": \"a\\ud83d b \\ud83d\\ude00\"}"
        ])
        #expect(found.sections.first?.blocks.map(\.text) == ["a\u{FFFD} b 😀"])
    }

    @Test("notebooks of the third format are read")
    func third() throws {
        let found = try clean(
            "{\"worksheets\": [{\"cells\": [{\"cell_type\": \"heading\", \"level\": 1, \"source\": [\"Old\"]},"
                + "{\"cell_type\": \"code\", \"language\": \"Python\", \"input\": [\"a\\n\", \"b\"],"
                + "\"outputs\": [{\"output_type\": \"pyout\", \"text\": [\"c\"], \"png\": \"AA\"}]}]}], \"nbformat\": 3}",
            .notebook)
        #expect(outline(found) == ["old|Old|a\nb¦c"])
        #expect(found.sections.first?.blocks.first?.language == "python")
        #expect(found.findings.contains { $0.reason == "image" })
    }

    @Test(
        "anything but a notebook is refused",
        arguments: ["", "[]", "{}", "{\"cells\": 1}", "{\"cells\": ["])
    func refused(text: String) {
        #expect(throws: UnreadableDocument.self) { try clean(text, .notebook) }
    }

    @Test("too many values are refused before they are read")
    func many() {
        #expect(LenientJSON.standard(Array("[1, 2, 3]".utf8), valueLimit: 2) == nil)
        #expect(
            LenientJSON.standard(Array("[1, NaN]".utf8), valueLimit: 2) == Array("[1, null]".utf8))
    }
}
