internal import Objects
internal import Processes

/// Extracts the text of a PDF.
enum PDFCleaner {
    static func clean(_ raw: RawDocument) throws(UnreadableDocument) -> DocumentText {
        let file = try PDFFile.read(raw.bytes)
        var text = try clean(file.pages, outline: file.outline)
        text.metadata = file.metadata
        text.declaredTitle = DeclaredTitle.usable(file.metadata["title"]?.string)
        text.findings.add(file.findings)
        return text
    }

    /// Turns pages into text.
    ///
    /// - Throws: If no page has text.
    static func clean(
        _ pages: [PDFPage], outline: [PDFOutlineItem]
    ) throws(UnreadableDocument) -> DocumentText {
        let empty = pages.count { $0.fragments.isEmpty }
        guard empty < pages.count else {
            throw UnreadableDocument(
                "has no text on its \(pages.count) \(pages.count == 1 ? "page" : "pages"): it is a scan, so run text recognition (OCR) on it first"
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

/// A PDF read by poppler's programs. They run as processes because poppler is under the GPL.
struct PDFFile {
    /// The pages that were read.
    let pages: [PDFPage]
    /// Its own table of contents.
    let outline: [PDFOutlineItem]
    let metadata: JSONObject
    /// What was not read.
    let findings: Finding.List

    /// The maximum number of pages that are read.
    static let pageLimit = 10_000

    /// Reads a document with `pdfinfo` and `pdftohtml`.
    static func read(_ bytes: [UInt8]) throws(UnreadableDocument) -> PDFFile {
        let information = LimitedProcess.run(
            "pdfinfo", ["-isodates", "-enc", "UTF-8", "/dev/stdin"], input: bytes,
            limits: LimitedProcess.Limits(processorSeconds: 60, seconds: 120, output: 1 << 20))
        try check(information, "pdfinfo")
        let entries = entries(information.output)
        let count = entries["Pages"].flatMap { Int($0) } ?? 0
        var metadata = JSONObject()
        for (name, key) in names {
            let value = WhiteSpace.collapsed(entries[name] ?? "")
            // Placeholders that PDF libraries write for missing values.
            let isNothing = ["", "(anonymous)", "(unspecified)"].contains(value)
            if !isNothing { metadata[key] = .string(value) }
        }
        metadata["pages"] = .integer(max(0, min(count, JSON.largestInteger)))

        let content = LimitedProcess.run(
            "pdftohtml",
            [
                "-xml", "-i", "-q", "-stdout", "-hidden", "-noroundcoord", "-enc", "UTF-8", "-l",
                String(pageLimit), "/dev/stdin",
            ], input: bytes)
        let markup = PDFMarkup(content.output)
        let pages = markup.pages
        if pages.isEmpty { try check(content, "pdftohtml") }
        guard !pages.isEmpty else {
            throw UnreadableDocument("is a PDF without pages, or is damaged")
        }
        var findings = Finding.List()
        if pages.count < count {
            findings.add(
                .cut, "pages", count - pages.count, "pages",
                detail: pages.count >= pageLimit
                    ? "after \(pageLimit) pages" : reason(content, "pdftohtml"))
        }
        return PDFFile(
            pages: pages, outline: markup.outline, metadata: metadata, findings: findings)
    }

    private static let names = [
        "Title": "title", "Author": "author", "Subject": "subject", "Keywords": "keywords",
        "CreationDate": "created", "ModDate": "modified",
    ]

    /// Parses lines `Name:   value`.
    private static func entries(_ output: [UInt8]) -> [String: String] {
        var result: [String: String] = [:]
        for line in output.split(separator: 0x0A) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let name = String(decoding: line[..<colon], as: UTF8.self)
            if result[name] == nil {
                result[name] = WhiteSpace.trimmed(
                    String(decoding: line[(colon + 1)...], as: UTF8.self))
            }
        }
        return result
    }

    private static func check(
        _ process: LimitedProcess, _ program: String
    ) throws(UnreadableDocument) {
        let complaint = String(decoding: process.complaint, as: UTF8.self)
        switch process.end {
        case .exited(0): return
        case .missing:
            throw UnreadableDocument(
                "cannot be read: reading PDF needs \(program); install poppler-utils")
        case .exited where complaint.contains("assword"):
            throw UnreadableDocument("is password-protected")
        case .exited where complaint.contains("not allowed"):
            throw UnreadableDocument("forbids copying its text")
        case .exited: throw UnreadableDocument("is not a PDF, or is damaged")
        default: throw UnreadableDocument("cannot be read: \(reason(process, program))")
        }
    }

    private static func reason(_ process: LimitedProcess, _ program: String) -> String {
        switch process.end {
        case .timedOut: "\(program) timed out"
        case .wroteTooMuch: "\(program) wrote too much text"
        case .signalled: "\(program) crashed, or ran out of time or memory"
        case .failed(let code): "\(program) could not be run (error \(code))"
        default: "damaged"
        }
    }
}
