internal import Objects

/// A PDF as text.
enum PDFCleaner {
    /// Reads a document.
    static func clean(_ raw: RawDocument) throws(UnreadableDocument) -> DocumentText {
        let file = try PDFFile(raw.bytes)
        var text = try clean(file.pages, outline: file.outline)
        text.metadata = file.metadata
        text.declaredTitle = DeclaredTitle.usable(file.metadata["title"]?.string)
        text.findings.add(file.findings)
        return text
    }

    /// Makes text of pages.
    static func clean(
        _ pages: [PDFPage], outline: [PDFOutlineItem]
    ) throws(UnreadableDocument) -> DocumentText {
        let empty = pages.count { $0.fragments.isEmpty }
        guard empty < pages.count else {
            throw UnreadableDocument(
                "has no text on its \(pages.count) \(pages.count == 1 ? "page" : "pages"): it is scanned, and needs text recognition (OCR)"
            )
        }
        var segments = pages.map(PDFLayout.segments)
        var marginalia = PDFMarginalia()
        marginalia.remove(from: &segments, pages)
        let columns = zip(pages, segments).flatMap { page, segments in
            PDFLayout.columns(segments).map { PDFLayout.lines($0, page: page.number) }
        }
        let styles = PDFStyles(columns, outline: outline)
        var text = PDFText(styles, PDFWords(columns))
        for column in columns { text.add(column) }
        var builder = text.finish()
        builder.findings.add(.leftOut, "running head", marginalia.repeated.count, "words")
        builder.findings.add(.leftOut, "page number", marginalia.numbers.count, "words")
        builder.findings.add(.leftOut, "page without text", empty, "pages")
        return builder.finish()
    }
}
