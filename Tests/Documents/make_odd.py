#!/usr/bin/env python3
"""Creates the odd documents that are not written by hand: long ones, deep ones, DOCX and PDF.

usage: make_odd.py [FOLDER]    FOLDER: where to write the documents; by default `odd` beside this file

The output is the same on every run. The other documents of the folder were written by hand.
"""
import pathlib
import sys
import zipfile
import zlib

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def archive(path, parts):
    """Writes a ZIP file whose entries all have the same date, so that its bytes are reproducible."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, text)


def run(text, properties=""):
    return f'<w:r>{properties}<w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(content, style="", properties=""):
    content = run(content) if not content.startswith("<") else content
    style = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{style}{properties}</w:pPr>{content}</w:p>"


def item(text, number, level=0):
    return paragraph(text, "ListParagraph",
                     f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def table(rows, header=True):
    grid = '<w:gridCol w:w="2000"/>' * len(rows[0])
    out = f"<w:tbl><w:tblPr/><w:tblGrid>{grid}</w:tblGrid>"
    for index, cells in enumerate(rows):
        out += "<w:tr>" + ("<w:trPr><w:tblHeader/></w:trPr>" if header and index == 0 else "")
        out += "".join(f"<w:tc><w:tcPr/>{paragraph(cell)}</w:tc>" for cell in cells) + "</w:tr>"
    return out + "</w:tbl>"


def styles():
    def style(name, title, extra=""):
        return (f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{title}"/>'
                f"<w:pPr>{extra}</w:pPr></w:style>")
    headings = "".join(style(f"Berschrift{n}" if n == 3 else f"Heading{n}", f"heading {n}",
                             f'<w:outlineLvl w:val="{n - 1}"/>') for n in range(1, 5))
    return (f'{HEAD}<w:styles xmlns:w="{WORD}">{style("Title", "Title")}{headings}'
            f'{style("ListParagraph", "List Paragraph")}{style("Code", "HTML Preformatted")}</w:styles>')


def numbering():
    def abstract(number, form, text):
        return (f'<w:abstractNum w:abstractNumId="{number}">' + "".join(
            f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
            f'<w:lvlText w:val="{text % (level + 1)}"/></w:lvl>' for level in range(3)) + "</w:abstractNum>")
    return (f'{HEAD}<w:numbering xmlns:w="{WORD}">{abstract(0, "decimal", "%%%d.")}'
            f'{abstract(1, "bullet", "•%.0s")}'
            '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
            '<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num></w:numbering>')


def docx(path, body, title="", notes="", links=()):
    """Writes a Word document with the parts that readers use."""
    spaces = f'xmlns:w="{WORD}" xmlns:r="{OFFICE}"'
    relations = [("styles", "styles.xml", ""), ("numbering", "numbering.xml", ""),
                 ("footnotes", "footnotes.xml", ""), ("header", "header1.xml", "")]
    relations += [("hyperlink", link, ' TargetMode="External"') for link in links]
    parts = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="word/document.xml"/>'
        f'<Relationship Id="rId2" Type="{PACKAGE}/relationships/metadata/core-properties" '
        'Target="docProps/core.xml"/></Relationships>',
        "docProps/core.xml": f'{HEAD}<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>{title}</dc:title>'
        "<dc:creator>Kim Ito</dc:creator>"
        '<dcterms:modified xsi:type="dcterms:W3CDTF">2026-03-04T05:06:07Z</dcterms:modified>'
        "</cp:coreProperties>",
        "word/_rels/document.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">' + "".join(
            f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target="{target}"{mode}/>'
            for n, (kind, target, mode) in enumerate(relations, 1)) + "</Relationships>",
        "word/styles.xml": styles(), "word/numbering.xml": numbering(),
        "word/footnotes.xml": f"{HEAD}<w:footnotes {spaces}>{notes}</w:footnotes>",
        "word/header1.xml": f'{HEAD}<w:hdr {spaces}>{paragraph("RUNNINGHEAD")}</w:hdr>',
        "word/document.xml": f'{HEAD}<w:document {spaces}><w:body>{body}'
        '<w:sectPr><w:headerReference w:type="default" r:id="rId4"/></w:sectPr></w:body></w:document>',
    }
    archive(path, parts)


def word_documents(folder):
    body = paragraph("Pump handbook", "Title") + paragraph("The preamble PREAMBLETEXT.")
    body += paragraph("Install", "Heading1")
    body += paragraph(run("Split ") + run("wo", "<w:rPr><w:b/></w:rPr>") + run("rds")
                      + '<w:r><w:tab/></w:r>' + run("after a tab") + "<w:r><w:br/></w:r>" + run("after a break."))
    body += item("First step", 1) + item("Second step", 1) + item("Inner bullet", 2, 1) + item("Third step", 1)
    body += paragraph("Loads", "Heading2")
    body += table([["Span", "Load"], ["1 m", "300 kg"], ["2 m", "LOADTEXT"]])
    body += paragraph("Empty heading EMPTYHEAD", "Heading2") + paragraph("Limits", "Berschrift3")
    body += paragraph(run("See ") + f'<w:hyperlink r:id="rId5">{run("the specification")}</w:hyperlink>'
                      + run(" for more") + '<w:r><w:footnoteReference w:id="2"/></w:r>' + run("."))
    body += paragraph("if x:", "Code") + paragraph("    y()", "Code")
    body += paragraph(f'<w:ins w:id="1" w:author="k">{run("INSERTEDTEXT ")}</w:ins><w:del w:id="2" w:author="k">'
                      f'<w:r><w:delText>DELETEDTEXT</w:delText></w:r></w:del>' + run("stays."))
    notes = ('<w:footnote w:type="separator" w:id="0"><w:p/></w:footnote>'
             f'<w:footnote w:id="2">{paragraph("A note FOOTNOTETEXT.")}</w:footnote>')
    docx(folder / "docx/handbook.docx", body, "Pump handbook", notes, ["https://example.com/spec"])
    body = paragraph("A document without a heading NOHEADING.") + table(
        [[f"Part {n}", f"Torque {n} Nm", "Use a dry thread and a new washer."] for n in range(60)], False)
    docx(folder / "docx/table-only.docx", body)
    body = paragraph(f"<w:sdt><w:sdtContent>{run('CONTROLTEXT')}</w:sdtContent></w:sdt>")
    body += ('<w:sdt><w:sdtContent>' + paragraph("BLOCKCONTROL", "Heading1") + "</w:sdtContent></w:sdt>")
    body += paragraph('<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> HIDDENFIELD </w:instrText></w:r>'
                      '<w:r><w:fldChar w:fldCharType="separate"/></w:r>' + run("FIELDRESULT")
                      + '<w:r><w:fldChar w:fldCharType="end"/></w:r>' + run(" non&#160;breaking, A&amp;B, soft")
                      + "<w:r><w:noBreakHyphen/></w:r>" + run("joined."))
    docx(folder / "docx/controls-and-fields.docx", body)
    (folder / "docx/broken.docx").write_bytes((folder / "docx/handbook.docx").read_bytes()[:700])


def pdf(path, pages, title=None, image=False):
    """Writes a PDF; a page is a list of (x, y, size, text)."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", None,
               "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"]
    kids = []
    picture = b""
    if image:
        data = zlib.compress(bytes(255 if (x // 8 + y // 8) % 2 else 0 for y in range(64) for x in range(64)))
        objects.append((f"<< /Type /XObject /Subtype /Image /Width 64 /Height 64 /ColorSpace /DeviceGray "
                        f"/BitsPerComponent 8 /Filter /FlateDecode /Length {len(data)} >>", data))
        picture = b"q 500 0 0 700 40 40 cm /I Do Q\n"
    for lines in pages:
        stream = picture
        for x, y, size, text in lines:
            text = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
            stream += b"BT /F %d Tf %d %d Td (%s) Tj ET\n" % (size, x, y, text)
        objects.append((f"<< /Length {len(stream)} >>", stream))
        resources = "/Font << /F 3 0 R >>" + (" /XObject << /I 4 0 R >>" if image else "")
        kids.append(len(objects) + 1)
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R "
                       f"/Resources << {resources} >> >>")
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(f'{k} 0 R' for k in kids)}] >>"
    info = ""
    if title:
        objects.append(f"<< /Title ({title}) /Author (Kim Ito) /ModDate (D:20260304050607Z) >>")
        info = f" /Info {len(objects)} 0 R"
    out, offsets = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, 1):
        offsets.append(len(out))
        head, stream = item if isinstance(item, tuple) else (item, None)
        out += f"{number} 0 obj\n{head}\n".encode()
        out += b"stream\n" + stream + b"\nendstream\nendobj\n" if stream is not None else b"endobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R{info} >>\nstartxref\n{start}\n%%EOF\n".encode()
    path.write_bytes(out)


def pdf_documents(folder):
    body = "A paragraph of the first page goes over|several lines of the same size, so that|it is one paragraph FIRSTPAGE."
    first = [(60, 780, 22, "Pump manual"), (60, 735, 15, "Mounting")]
    first += [(60, 710 - 14 * n, 11, line) for n, line in enumerate(body.split("|"))]
    first += [(60, 640, 11, "The hyphen at the end of a line is a con-"), (60, 626, 11, "nection of two halves; it costs \u20ac 5 \u2013 10.")]
    first += [(60, 590, 11, "Span"), (200, 590, 11, "Load"), (60, 574, 11, "one metre"), (200, 574, 11, "300 kg"),
              (60, 558, 11, "two metres"), (200, 558, 11, "LOADTEXT"), (300, 30, 8, "1")]
    second = [(60, 780, 15, "Care"), (60, 755, 11, "Oil it once a year SECONDPAGE."), (60, 720, 15, "Empty heading"),
              (300, 30, 8, "2")]
    pdf(folder / "pdf/manual.pdf", [first, second], "Pump manual")
    left = [(60, 740 - 14 * n, 11, f"Left column line {n} of ten lines.") for n in range(10)]
    right = [(320, 740 - 14 * n, 11, f"Right column line {n} of ten lines.") for n in range(10)]
    pdf(folder / "pdf/two-columns.pdf", [[(60, 790, 20, "Two columns")] + [x for pair in zip(left, right) for x in pair]])
    pdf(folder / "pdf/scan.pdf", [[], []], "A scan", image=True)
    (folder / "pdf/broken.pdf").write_bytes((folder / "pdf/manual.pdf").read_bytes()[:600])


def long_documents(folder):
    def write(name, text):
        (folder / name).write_text(text)
    write("html/deep-nesting.html", "<title>Deep</title><h1>Deep</h1>" + "".join(
        f"<div>{f'<p>level{n} ' if n % 100 == 0 else ''}" for n in range(2000)) + "<p>DEEPESTTEXT</p>")
    write("html/unclosed-inline.html", "<title>Fonts</title><h1>Fonts</h1>\n" + "".join(
        f"<p><font size={n % 7}><b>line{n} of an old page</p>\n" for n in range(400)) + "<p>LASTLINE</p>")
    write("html/nested-lists.html", "<title>Nested</title><h1>Nested</h1>" + "".join(
        f"<ul><li>item{n} of a list" for n in range(300)) + "</ul>" * 300 + "<p>AFTERLISTS</p>")
    rows = [f"E{n:03d}|The valve of circuit {n} is stuck|Open and close it {n % 9 + 1} times" for n in range(120)]
    write("html/long-table.html", "<title>Errors</title><h1>Errors</h1><table><tr><th>Code</th><th>Cause</th><th>Remedy</th></tr>"
          + "".join("<tr><td>" + row.replace("|", "</td><td>") + "</td></tr>\n" for row in rows) + "</table>")
    write("markdown/long-table.md", "# Errors\n\n| Code | Cause | Remedy |\n|:-----|-------|--------|\n"
          + "".join(f"| {row.replace('|', ' | ')} |\n" for row in rows))
    write("rst/long-table.rst", "Errors\n======\n\n.. list-table::\n   :header-rows: 1\n\n   * - Code\n     - Cause\n     - Remedy\n"
          + "".join("   * - " + row.replace("|", "\n     - ") + "\n" for row in rows))
    code = "".join(f"def step_{n}(state):\n    if state.count > {n}:\n        return state.next({n},\n"
                   f"                          name=\"step {n}\")\n\n" for n in range(60))
    write("markdown/long-code.md", f"# Steps\n\nThe whole program:\n\n```python\n{code}```\n\nThe end ENDTEXT.\n")
    sentences = "".join(f"Sentence {n} says that the pump of type P-{n} lifts {n} litres, e.g. from a well. "
                        f"Is it {n}.5 metres deep? " for n in range(60))
    write("markdown/long-paragraph.md", f"# Long paragraph\n\n{sentences}\n")
    write("markdown/deep-quotes.md", "# Quotes\n\n" + "> " * 90 + "QUOTEDTEXT\n\n"
          + "".join("  " * n + f"- item{n}\n" for n in range(40)))
    write("markdown/long-word.md", "# Key\n\nThe key is " + "A1b2C3d4" * 400 + " and no more KEYTEXT.\n")
    write("markdown/many-headings.md", "# Index\n\n" + "".join(f"## Entry {n}\n\n" for n in range(120)))
    japanese = "ポンプは井戸から水をくみ上げます。弁が閉じているときは動きません。"
    write("markdown/long-japanese.md", "# ポンプ\n\n" + japanese * 60 + "\n")


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "odd")
    for name in ("html", "markdown", "rst", "docx", "pdf", "unread"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    word_documents(folder)
    pdf_documents(folder)
    long_documents(folder)
    for name in ("slides.pptx", "prices.xlsx", "book.epub"):
        archive(folder / "unread" / name, {"mimetype": "application/zip"})


if __name__ == "__main__":
    main()
