import Documents
import Objects
import Testing

/// These tests run poppler's programs, as users do.
@Suite("PDF as text")
struct PDFTests {
    /// Text at a position: points from the left and the bottom of a page of 595 by 842, and a font size.
    private struct Text {
        let x: Int
        let y: Int
        let text: String
        var size = 11
        var font = "F"
    }

    /// Creates a PDF in Helvetica, with Courier as `C` and bold Helvetica as `B`.
    private func pdf(_ pages: [[Text]], title: String? = nil) -> [UInt8] {
        let fonts =
            "/F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
            + " /C << /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>"
            + " /B << /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>"
        var objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
        var kids = ""
        for page in pages {
            var stream = ""
            for text in page {
                stream +=
                    "BT /\(text.font) \(text.size) Tf \(text.x) \(text.y) Td (\(text.text)) Tj ET\n"
            }
            objects.append("<< /Length \(stream.utf8.count) >>\nstream\n\(stream)\nendstream")
            objects.append(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents \(objects.count) 0 R"
                    + " /Resources << /Font << \(fonts) >> >> >>")
            kids += "\(objects.count) 0 R "
        }
        objects[1] = "<< /Type /Pages /Kids [\(kids)] /Count \(pages.count) >>"
        if let title { objects.append("<< /Title (\(title)) /Author (Kim Ito) >>") }
        var result = "%PDF-1.4\n"
        var places: [Int] = []
        for (index, object) in objects.enumerated() {
            places.append(result.utf8.count)
            result += "\(index + 1) 0 obj\n\(object)\nendobj\n"
        }
        let start = result.utf8.count
        result += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for place in places {
            result +=
                String(repeating: "0", count: 10 - String(place).count) + "\(place) 00000 n \n"
        }
        let information = title == nil ? "" : " /Info \(objects.count) 0 R"
        result +=
            "trailer\n<< /Size \(objects.count + 1) /Root 1 0 R\(information) >>\nstartxref\n\(start)\n%%EOF\n"
        return Array(result.utf8)
    }

    private func read(_ pages: [[Text]], title: String? = nil) throws -> CleanDocument {
        try CleanDocument.clean(
            RawDocument(path: "a/page.pdf", format: .pdf, bytes: pdf(pages, title: title)))
    }

    /// Stacks lines from top to bottom.
    private func lines(_ texts: [String], x: Int = 60, from y: Int, font: String = "F") -> [Text] {
        texts.enumerated().map { Text(x: x, y: y - 14 * $0.offset, text: $0.element, font: font) }
    }

    private func blocks(_ document: CleanDocument) -> [String] {
        document.sections.flatMap { $0.blocks.map(\.text) }
    }

    @Test("lines join into paragraphs, across pages too, and split words are rejoined")
    func paragraphs() throws {
        let found = try read([
            lines(
                [
                    "The first line of a paragraph goes on in the sec-",
                    "ond line, and it ends here.",
                ], from: 700)
                + lines(["Another paragraph that is not at its end and"], from: 640),
            lines(["goes on overleaf."], from: 760),
        ])
        #expect(
            blocks(found) == [
                "The first line of a paragraph goes on in the second line, and it ends here.",
                "Another paragraph that is not at its end and goes on overleaf.",
            ])
        #expect(found.sections.first?.blocks.map(\.page) == [1, 1])
    }

    @Test("larger and bold lines are headings; properties become metadata")
    func headings() throws {
        let found = try read(
            [
                [
                    Text(x: 60, y: 780, text: "Manual", size: 22),
                    Text(x: 60, y: 740, text: "Mounting", size: 15),
                ]
                    + lines(["Use a dry thread, and a new washer."], from: 710)
                    + [Text(x: 60, y: 680, text: "Care", size: 11, font: "B")]
                    + lines(["Oil it once a year, and no more."], from: 660)
            ], title: "Pump manual")
        #expect(
            found.sections.map(\.headings) == [
                ["Pump manual", "Manual", "Mounting"],
                ["Pump manual", "Manual", "Mounting", "Care"],
            ])
        #expect(found.metadata["author"] == "Kim Ito")
        #expect(found.metadata["pages"] == 1)
    }

    @Test("columns are read one by one, tables row by row")
    func columns() throws {
        let left = (0..<8).map { "Left column has line number \($0)" }
        let right = (0..<8).map { "Right column has line number \($0)" }
        let columns = try read([lines(left, from: 700) + lines(right, x: 320, from: 700)])
        #expect(blocks(columns) == [left.joined(separator: " "), right.joined(separator: " ")])
        let table = try read([
            lines(["Span", "one metre", "two metres"], from: 700)
                + lines(["Load", "300 kg", "150 kg"], x: 250, from: 700)
        ])
        #expect(blocks(table) == ["Span | Load", "one metre | 300 kg", "two metres | 150 kg"])
        #expect(table.sections.first?.blocks.map(\.isHeader) == [true, false, false])
    }

    @Test("code keeps its indentation, lists keep their markers")
    func codeAndLists() throws {
        let found = try read([
            lines(["Some text that is in the font of the body, as most of it is."], from: 720)
                + [
                    Text(x: 60, y: 690, text: "if x:", font: "C"),
                    Text(x: 86, y: 676, text: "y\\(\\)", font: "C"),
                ]
                + lines(["\\225 an item"], from: 640) + lines(["2. another item"], from: 620)
        ])
        #expect(blocks(found).dropFirst() == ["if x:\n    y()", "- an item", "2. another item"])
        #expect(
            found.sections.first?.blocks.map(\.kind) == [.paragraph, .code, .listItem, .listItem])
    }

    @Test("running headers and page numbers are left out and counted; similar text is kept")
    func marginalia() throws {
        let pages = (1...4).map { page in
            [
                Text(x: 60, y: 810, text: "Pump manual"),
                Text(x: 500, y: 810, text: "Chapter \(page)"),
            ]
                + lines(["Page \(page) has its text.", "\(page)"], from: 700)
                + [Text(x: 300, y: 30, text: "\(page + 6)")]
        }
        let found = try read(pages)
        for page in 1...4 {
            #expect(blocks(found).joined().contains("Page \(page) has its text. \(page)"))
        }
        #expect(!blocks(found).joined().contains("Pump manual"))
        #expect(found.findings.contains { $0.reason == "page number" && $0.count == 4 })
        #expect(found.findings.contains { $0.reason == "running head" && $0.count >= 8 })
    }

    @Test("pages without text are reported; a document without any text is refused as a scan")
    func scans() throws {
        let found = try read([lines(["text"], from: 700), []])
        #expect(found.findings.contains { $0.reason == "page without text" && $0.count == 1 })
        let error = #expect(throws: UnreadableDocument.self) { try read([[], []]) }
        #expect(error?.reason.contains("no text") ?? false)
    }

    @Test("anything but a PDF is refused")
    func refused() {
        for bytes in [
            [], Array("%PDF-1.4".utf8), Array(pdf([lines(["text"], from: 700)]).prefix(200)),
        ] {
            #expect(throws: UnreadableDocument.self) {
                try CleanDocument.clean(RawDocument(path: "a.pdf", format: .pdf, bytes: bytes))
            }
        }
    }
}
