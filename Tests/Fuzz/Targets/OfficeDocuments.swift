@testable internal import Documents

extension FuzzTarget {
    /// The XML of a Word document: body, styles, lists and notes, separated by zero bytes. An input that begins like
    /// an archive is read as a whole document.
    static let word = FuzzTarget(
        "word", longestInput: 4096,
        words: [
            "<w:p>", "</w:p>", "<w:r>", "<w:t>", "<w:pPr>", "<w:pStyle w:val=\"a\"/>",
            "<w:numPr><w:ilvl w:val=\"1\"/><w:numId w:val=\"1\"/></w:numPr>", "<w:tbl>", "<w:tr>",
            "<w:tc>", "<w:del>", "<w:txbxContent>", "<w:fldChar w:fldCharType=\"begin\"/>",
            "<w:instrText>", "<w:footnoteReference w:id=\"1\"/>", "<w:sdt><w:sdtPr>", "<m:d>",
            "<mc:AlternateContent><mc:Choice>", "<w:lvlText w:val=\"%1.%9\"/>", "<!DOCTYPE a [",
            "<w:basedOn w:val=\"a\"/>", "<w:tblGrid><w:gridCol/>",
            "<w:sym w:font=\"Symbol\" w:char=\"F0B7\"/>",
        ]
    ) { _ in
        let names =
            "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\""
            + " xmlns:m=\"http://schemas.openxmlformats.org/officeDocument/2006/math\""
            + " xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\""
        let body =
            "<w:document \(names)><w:body><w:p><w:pPr><w:pStyle w:val=\"a\"/></w:pPr><w:r><w:t>A</w:t></w:r></w:p>"
            + "<w:p><w:pPr><w:numPr><w:numId w:val=\"1\"/></w:numPr></w:pPr><w:r><w:t>b</w:t><w:footnoteReference w:id=\"1\"/></w:r></w:p>"
            + "<w:tbl><w:tblGrid><w:gridCol/><w:gridCol/></w:tblGrid><w:tr><w:tc><w:p><w:r><w:t>c</w:t></w:r></w:p></w:tc><w:tc/></w:tr></w:tbl>"
            + "<w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>d</w:t></w:r></w:p></w:txbxContent></mc:Choice></mc:AlternateContent></w:r></w:p>"
            + "</w:body></w:document>"
        let styles =
            "<w:styles \(names)><w:style w:type=\"paragraph\" w:styleId=\"a\"><w:name w:val=\"heading 1\"/><w:basedOn w:val=\"a\"/></w:style></w:styles>"
        let lists =
            "<w:numbering \(names)><w:abstractNum w:abstractNumId=\"0\"><w:lvl w:ilvl=\"0\"><w:lvlText w:val=\"%1.\"/></w:lvl></w:abstractNum>"
            + "<w:num w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num></w:numbering>"
        let notes =
            "<w:footnotes \(names)><w:footnote w:id=\"1\"><w:p><w:r><w:t>e</w:t></w:r></w:p></w:footnote></w:footnotes>"
        return [[body, styles, lists, notes].joined(separator: "\0"), body, "PK\u{3}\u{4}"]
            .map { Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        let bytes = Array(input)
        guard bytes.first != UInt8(ascii: "P") else { return try clean(bytes, .word) }
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
        func reader(_ index: Int) -> XMLReader? {
            index < parts.count ? XMLReader(parts[index], prefixes: WordNames.prefix) : nil
        }
        guard let body = reader(0) else { return }
        let styles = reader(1).map(WordStyles.init) ?? WordStyles()
        let numbering = reader(2).map(WordNumbering.init) ?? WordNumbering()
        var notes = WordNotes()
        if let reader = reader(3) { notes.read(reader, .footnote, styles: styles, links: [:]) }
        let text = try? WordCleaner.clean(
            WordBody(body, styles: styles, numbering: numbering, links: [:]), notes: notes)
        try check(text)
    }

    static let notebook = FuzzTarget(
        "notebook", longestInput: 2048,
        words: [
            "{\"cells\":[", "\"cell_type\":\"code\"", "\"source\":", "\"outputs\":[",
            "\"output_type\":\"stream\"", "\"data\":{\"text/html\":", "\"text/plain\":", "NaN",
            "\\ud800", "\\u001b[0;31m", "\"worksheets\":[", "\"metadata\":{", "\"attachments\":{",
        ]
    ) { _ in
        [
            "{\"cells\":[{\"cell_type\":\"markdown\",\"source\":[\"# A\\n\",\"b\"]},"
                + "{\"cell_type\":\"code\",\"source\":\"x\",\"outputs\":[{\"output_type\":\"stream\",\"text\":\"y\\r\\u001b[0mz\"},"
                + "{\"output_type\":\"execute_result\",\"data\":{\"text/html\":\"<table><tr><td>1</table>\",\"image/png\":\"\"}}]}],"
                + "\"metadata\":{\"language_info\":{\"name\":\"python\"}},\"nbformat\":4}",
            "{\"worksheets\":[{\"cells\":[{\"cell_type\":\"heading\",\"level\":2,\"source\":\"h\"}]}],\"n\":-NaN}",
        ].map { Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        try clean(Array(input), .notebook)
    }

    /// Output that `pdftohtml` may write.
    static let pdf = FuzzTarget(
        "pdf", longestInput: 4096,
        words: [
            "<page number=\"1\" width=\"900\" height=\"1200\">", "</page>", "</text>", "<b>",
            "</pdf2xml>",
            "<fontspec id=\"0\" size=\"12\" family=\"Courier\"/>", "<outline>", "</outline>",
            "<item page=\"1\">",
            "<text top=\"10\" left=\"10\" width=\"80\" height=\"12\" font=\"0\">",
            "<a href=\"http://a\">", "&#64257;",
            " . . . . . 3", "- ", "1. ", "\u{2022} ", "nan", "1e308", "-",
        ]
    ) { _ in
        var pages =
            "<pdf2xml><fontspec id=\"0\" size=\"12\" family=\"A\"/><fontspec id=\"1\" size=\"18\" family=\"B-Bold\"/>"
        for page in 1...3 {
            pages += "<page number=\"\(page)\" width=\"900\" height=\"1200\">"
            for (top, left, font, text) in [
                (40, 100, 0, "Head"), (120, 100, 1, "Title \(page)"),
                (160, 100, 0, "A text that is par-"),
                (175, 100, 0, "ted"), (220, 100, 0, "a"), (220, 300, 0, "b"), (235, 100, 0, "c"),
                (235, 300, 0, "d"), (300, 100, 0, "\u{2022} item"), (1150, 400, 0, "\(page)"),
            ] {
                pages +=
                    "<text top=\"\(top)\" left=\"\(left)\" width=\"90\" height=\"12\" font=\"\(font)\">\(text)</text>\n"
            }
            pages += "</page>"
        }
        return [
            Array((pages + "<outline><item page=\"1\">Title 1</item></outline></pdf2xml>").utf8)
        ]
    } run: { input throws(FuzzFinding) in
        let markup = PDFMarkup(Array(input))
        try check(try? PDFCleaner.clean(markup.pages, outline: markup.outline))
    }

    private static func check(_ text: DocumentText?) throws(FuzzFinding) {
        var anchors: Set<[UInt8]> = []
        for section in text?.sections ?? [] {
            try FuzzFinding.unless(
                anchors.insert(Array(section.anchor.utf8)).inserted, "an anchor names two sections")
            try FuzzFinding.unless(
                !section.blocks.isEmpty && section.blocks.allSatisfy { !$0.text.isEmpty },
                "a section or a block is empty")
        }
    }
}
