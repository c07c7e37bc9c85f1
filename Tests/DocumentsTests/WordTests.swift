import Documents
import Objects
import Testing

@Suite("Documents of Word as text")
struct WordTests {
    private static let names =
        "xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'"
        + " xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'"
        + " xmlns:m='http://schemas.openxmlformats.org/officeDocument/2006/math'"
        + " xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006'"
        + " xmlns:wp='http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing'"
        + " xmlns:pic='http://schemas.openxmlformats.org/drawingml/2006/picture'"

    private static let styles = """
        <w:styles \(names)>
        <w:style w:type='paragraph' w:default='1' w:styleId='Normal'><w:name w:val='Normal'/></w:style>
        <w:style w:type='paragraph' w:styleId='T'><w:name w:val='Title'/></w:style>
        <w:style w:type='paragraph' w:styleId='H1'><w:name w:val='heading 1'/></w:style>
        <w:style w:type='paragraph' w:styleId='Mine'><w:name w:val='Mine'/><w:basedOn w:val='H1'/></w:style>
        <w:style w:type='paragraph' w:styleId='berschrift2'><w:name w:val='Überschrift 2'/></w:style>
        <w:style w:type='paragraph' w:styleId='L3'><w:name w:val='Level three'/><w:pPr><w:outlineLvl w:val='2'/></w:pPr></w:style>
        <w:style w:type='paragraph' w:styleId='TOC1'><w:name w:val='toc 1'/></w:style>
        <w:style w:type='paragraph' w:styleId='Src'><w:name w:val='Source Code'/></w:style>
        <w:style w:type='paragraph' w:styleId='Loop'><w:name w:val='Loop'/><w:basedOn w:val='Loop'/></w:style>
        </w:styles>
        """
    private static let numbering = """
        <w:numbering \(names)>
        <w:abstractNum w:abstractNumId='0'>
        <w:lvl w:ilvl='0'><w:start w:val='1'/><w:numFmt w:val='decimal'/><w:lvlText w:val='%1.'/></w:lvl>
        <w:lvl w:ilvl='1'><w:start w:val='1'/><w:numFmt w:val='lowerLetter'/><w:lvlText w:val='%1.%2)'/></w:lvl>
        </w:abstractNum>
        <w:abstractNum w:abstractNumId='1'><w:lvl w:ilvl='0'><w:numFmt w:val='bullet'/><w:lvlText w:val='·'/></w:lvl></w:abstractNum>
        <w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num>
        <w:num w:numId='2'><w:abstractNumId w:val='1'/></w:num>
        <w:num w:numId='3'><w:abstractNumId w:val='0'/><w:lvlOverride w:ilvl='0'><w:startOverride w:val='7'/></w:lvlOverride></w:num>
        </w:numbering>
        """

    /// A document of these parts.
    private func document(_ body: String, _ others: [(String, String)] = []) throws -> CleanDocument
    {
        let parts =
            [
                (
                    "word/document.xml",
                    "<w:document \(Self.names)><w:body>\(body)</w:body></w:document>"
                ),
                ("word/styles.xml", Self.styles), ("word/numbering.xml", Self.numbering),
            ] + others
        return try read(StoredZip(parts).bytes)
    }

    private func read(_ bytes: [UInt8]) throws -> CleanDocument {
        try CleanDocument(RawDocument(path: "a/page.docx", format: .word, bytes: bytes))
    }

    /// A paragraph of a text, or of raw runs.
    private func p(_ text: String, _ style: String? = nil, _ properties: String = "") -> String {
        let style = style.map { "<w:pStyle w:val='\($0)'/>" } ?? ""
        let runs = text.hasPrefix("<") ? text : "<w:r><w:t xml:space='preserve'>\(text)</w:t></w:r>"
        return "<w:p><w:pPr>\(style)\(properties)</w:pPr>\(runs)</w:p>"
    }

    private func item(_ text: String, _ list: Int, _ level: Int = 0) -> String {
        p(text, nil, "<w:numPr><w:ilvl w:val='\(level)'/><w:numId w:val='\(list)'/></w:numPr>")
    }

    private func count(_ reason: String, _ document: CleanDocument) -> Int {
        document.findings.filter { $0.reason == reason }.reduce(0) { $0 + $1.count }
    }

    @Test("headings are recognised by outline level and by style, whatever its name or base")
    func headings() throws {
        let found = try document(
            p("Manual", "T") + p("One", "Mine") + p("a") + p("Two", "berschrift2") + p("b")
                + p("Three", "L3") + p("c") + p("Direct", nil, "<w:outlineLvl w:val='0'/>") + p("d")
                + p("e", "Loop"))
        #expect(found.title == "Manual")
        #expect(
            outline(found) == [
                "one|Manual>One|a", "two|Manual>One>Two|b", "three|Manual>One>Two>Three|c",
                "direct|Manual>Direct|d¦e",
            ])
    }

    @Test("lists have the numbers that Word shows")
    func lists() throws {
        let found = try document(
            item("a", 1) + item("b", 1) + item("c", 1, 1) + item("d", 1, 1) + item("e", 1)
                + item("f", 1, 1) + item("g", 2) + item("h", 3) + item("none", 0))
        #expect(
            outline(found) == [
                "||1. a¦2. b¦2.a) c¦2.b) d¦3. e¦3.a) f¦- g¦7. h¦none"
            ])
        #expect(
            found.sections.first?.blocks.map(\.kind).prefix(7).allSatisfy { $0 == .listItem }
                ?? false)
    }

    @Test("rows are blocks, the first names the columns, and a frame of one column is no table")
    func tables() throws {
        func row(_ cells: [String], _ properties: String = "") -> String {
            "<w:tr>\(properties)" + cells.map { "<w:tc><w:tcPr/>\($0)</w:tc>" }.joined() + "</w:tr>"
        }
        func table(_ columns: Int, _ rows: [String]) -> String {
            "<w:tbl><w:tblPr/><w:tblGrid>" + String(repeating: "<w:gridCol/>", count: columns)
                + "</w:tblGrid>" + rows.joined() + "</w:tbl>"
        }
        let inner = table(2, [row([p("x"), p("y")])])
        let found = try document(
            table(
                2,
                [
                    row([p("Span"), p("Load")]), row([p("1 m"), p("300") + p("kg")]),
                    row([inner, p("z")]),
                ])
                + table(1, [row([p("Inside", "H1") + p("framed")])]))
        #expect(
            outline(found) == [
                "|Inside|Span | Load¦1 m | 300 kg¦x | y | z", "inside|Inside|framed",
            ])
        #expect(found.sections.first?.blocks.map(\.isHeader) == [true, false, false])
    }

    @Test("runs are joined, breaks separate words, symbols and formulas are text")
    func runs() throws {
        let found = try document(
            p(
                "<w:r><w:t>Wo</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>rds</w:t><w:tab/><w:t>a</w:t><w:br/><w:t>b</w:t>"
                    + "<w:noBreakHyphen/><w:t>c</w:t><w:sym w:font='Symbol' w:char='F0B0'/></w:r>")
                + p(
                    "<m:oMath><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath>"
                ))
        #expect(outline(found) == ["||Words a b\u{2011}c°¦1/2"])
    }

    @Test(
        "deleted and hidden text, comments, headers and tables of contents are left out and counted"
    )
    func leftOut() throws {
        let found = try document(
            p("Contents", "TOC1") + p("One 1", "TOC1")
                + p(
                    "<w:ins><w:r><w:t>new </w:t></w:r></w:ins><w:del><w:r><w:delText>old text</w:delText></w:r></w:del>"
                        + "<w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom><w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r>"
                        + "<w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>shown</w:t></w:r>"),
            [
                ("word/header1.xml", "<w:hdr \(Self.names)>\(p("Running head"))</w:hdr>"),
                (
                    "word/comments.xml",
                    "<w:comments \(Self.names)><w:comment>\(p("Is it so"))</w:comment></w:comments>"
                ),
            ])
        #expect(outline(found) == ["||new shown"])
        #expect(count("deleted text", found) == 3)
        #expect(count("hidden text", found) == 1)
        #expect(count("table of contents", found) == 3)
        #expect(count("page header", found) == 2)
        #expect(count("comment", found) == 3)
    }

    @Test("notes follow their paragraph; links keep their target; fields show their result")
    func notesAndLinks() throws {
        let relations = """
            <Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>
            <Relationship Id='r1' Type='x/hyperlink' Target='https://example.com/a' TargetMode='External'/></Relationships>
            """
        let field =
            "<w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText> HYPERLINK \"https://example.com/b\" </w:instrText></w:r>"
            + "<w:r><w:fldChar w:fldCharType='separate'/></w:r><w:r><w:t>there</w:t></w:r><w:r><w:fldChar w:fldCharType='end'/></w:r>"
        let found = try document(
            p(
                "<w:hyperlink r:id='r1'><w:r><w:t>here</w:t></w:r></w:hyperlink><w:r><w:t xml:space='preserve"
                    + "'> and </w:t></w:r>\(field)<w:r><w:footnoteReference w:id='5'/></w:r>")
                + p("next"),
            [
                ("word/_rels/document.xml.rels", relations),
                (
                    "word/footnotes.xml",
                    "<w:footnotes \(Self.names)><w:footnote w:id='5'>\(p("A note."))</w:footnote></w:footnotes>"
                ),
            ])
        #expect(outline(found) == ["||here and there[1]¦[1] A note.¦next"])
        #expect(
            found.sections.first?.blocks.first?.links == [
                "https://example.com/a", "https://example.com/b",
            ])
    }

    @Test("code keeps its lines, text boxes appear once, images give their description")
    func codeAndBoxes() throws {
        let box = "<w:txbxContent>\(p("boxed"))</w:txbxContent>"
        let mono = "<w:r><w:rPr><w:rFonts w:ascii='Consolas'/></w:rPr><w:t>x = 1</w:t></w:r>"
        let found = try document(
            p("if x:", "Src") + p("    y()", "Src") + p(mono)
                + p(
                    "<w:r><mc:AlternateContent><mc:Choice>\(box)</mc:Choice><mc:Fallback>\(box)</mc:Fallback></mc:AlternateContent>"
                        + "<w:t>after</w:t></w:r>")
                + p("<w:r><w:drawing><wp:docPr descr='A pump'/><pic:pic/></w:drawing></w:r>"))
        #expect(outline(found) == ["||if x:\n    y()\nx = 1¦after¦boxed¦A pump"])
        #expect(count("image", found) == 1)
    }

    @Test("properties are metadata, but a title that is only a file name is ignored")
    func properties() throws {
        let core =
            "<cp:coreProperties xmlns:cp='http://schemas.openxmlformats.org/package/2006/metadata/core-properties'"
            + " xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:dcterms='http://purl.org/dc/terms/'>"
            + "<dc:title>Microsoft Word - pump.doc</dc:title><dc:creator>Kim Ito</dc:creator>"
            + "<dcterms:modified>2026-03-04T05:06:07Z</dcterms:modified></cp:coreProperties>"
        let found = try document(p("a"), [("docProps/core.xml", core)])
        #expect(found.title == "page")
        #expect(found.metadata["author"] == "Kim Ito")
        #expect(found.metadata["modified"] == "2026-03-04T05:06:07Z")
    }

    @Test("anything but a Word document is refused with the reason")
    func refused() {
        #expect(throws: UnreadableDocument.self) { try read(Array("text".utf8)) }
        #expect(throws: UnreadableDocument.self) { try read(StoredZip([("a.xml", "<a/>")]).bytes) }
        let error = #expect(throws: UnreadableDocument.self) {
            try read([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1])
        }
        #expect(error?.reason.contains("password") ?? false)
    }

    @Test(
        "a part that unpacks beyond the limit is refused, whatever size it claims",
        arguments: [1000, 0xFFFF_FF00])
    func bomb(declared: Int) {
        var zip = StoredZip()
        zip.add("word/document.xml", StoredZip.deflatedZeros(140 << 20), method: 8, size: declared)
        #expect(throws: UnreadableDocument.self) { try read(zip.bytes) }
    }

    @Test("entities are not expanded, and deep nesting ends the document")
    func hostileXML() throws {
        let entities =
            "<!DOCTYPE a [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY f SYSTEM 'file:///etc/passwd'>]>"
        let main = "<w:document \(Self.names)><w:body>\(p("&b;&f;"))</w:body></w:document>"
        #expect(throws: UnreadableDocument.self) {
            try read(StoredZip([("word/document.xml", entities + main)]).bytes)
        }
        let deep = String(repeating: "<w:sdt><w:sdtContent>", count: 5000)
        let found = try document(p("before") + deep)
        #expect(outline(found) == ["||before"])
        #expect(count("damaged part", found) == 1)
    }

    @Test("very many cells, lists and notes take linear time")
    func many() throws {
        let row = "<w:tr>" + String(repeating: "<w:tc>\(p("x"))</w:tc>", count: 20) + "</w:tr>"
        let table = "<w:tbl>" + String(repeating: row, count: 100) + "</w:tbl>"
        let found = try document(table)
        #expect(found.sections.first?.blocks.count == 100)
        let cell =
            "<w:tbl><w:tr><w:tc>" + String(repeating: p("word"), count: 2_000)
            + "</w:tc></w:tr></w:tbl>"
        #expect(try document(cell).sections.first?.blocks.first?.text.utf8.count == 2_000 * 5 - 1)
    }
}
