internal import Objects

/// A PDF as the programs of poppler read it. They are run, not linked: poppler is under the GPL.
struct PDFFile {
    /// Its pages, as far as they were read.
    let pages: [PDFPage]
    /// Its own table of contents.
    let outline: [PDFOutlineItem]
    /// What it says of itself.
    let metadata: JSONObject
    /// What of it was not read.
    private(set) var findings = Finding.List()

    /// The most pages that are read of a document.
    static let pageLimit = 10_000

    /// Reads a document.
    init(_ bytes: [UInt8]) throws(UnreadableDocument) {
        let information = LimitedProcess(
            "pdfinfo", ["-isodates", "-enc", "UTF-8", "/dev/stdin"], input: bytes,
            limits: LimitedProcess.Limits(processorSeconds: 60, seconds: 120, output: 1 << 20))
        try Self.check(information, "pdfinfo")
        let entries = Self.entries(information.output)
        let count = entries["Pages"].flatMap { Int($0) } ?? 0
        var metadata = JSONObject()
        for (name, key) in Self.names {
            let value = WhiteSpace.collapsed(entries[name] ?? "")
            // What libraries write where nothing was told.
            let isNothing = ["", "(anonymous)", "(unspecified)"].contains(value)
            if !isNothing { metadata[key] = .string(value) }
        }
        metadata["pages"] = .integer(max(0, min(count, JSON.largestInteger)))
        self.metadata = metadata

        let content = LimitedProcess(
            "pdftohtml",
            [
                "-xml", "-i", "-q", "-stdout", "-hidden", "-noroundcoord", "-enc", "UTF-8", "-l",
                String(Self.pageLimit), "/dev/stdin",
            ], input: bytes)
        let markup = PDFMarkup(content.output)
        pages = markup.pages
        outline = markup.outline
        if pages.isEmpty { try Self.check(content, "pdftohtml") }
        guard !pages.isEmpty else { throw UnreadableDocument("is a PDF without pages, or damaged") }
        if pages.count < count {
            findings.add(
                .cut, "pages", count - pages.count, "pages",
                detail: pages.count >= Self.pageLimit
                    ? "at \(Self.pageLimit) pages" : Self.reason(content))
        }
    }

    private static let names = [
        "Title": "title", "Author": "author", "Subject": "subject", "Keywords": "keywords",
        "CreationDate": "created", "ModDate": "modified",
    ]

    /// Lines `Name:   value`.
    private static func entries(_ output: [UInt8]) -> [String: String] {
        var result: [String: String] = [:]
        for line in output.split(separator: 0x0A) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let name = String(decoding: line[..<colon], as: UTF8.self)
            if result[name] == nil {
                result[name] = String(decoding: line[(colon + 1)...], as: UTF8.self)
                    .trimmingSpaces()
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
                "is not read: PDF needs the program \(program); install poppler-utils")
        case .exited where complaint.contains("assword"):
            throw UnreadableDocument("is protected with a password")
        case .exited where complaint.contains("not allowed"):
            throw UnreadableDocument("does not allow its text to be copied")
        case .exited: throw UnreadableDocument("is no PDF, or a damaged one")
        default: throw UnreadableDocument("is not read: \(reason(process))")
        }
    }

    private static func reason(_ process: LimitedProcess) -> String {
        switch process.end {
        case .timedOut: "it took too long"
        case .wroteTooMuch: "its text is too long"
        case .signalled: "its reader crashed, or needed too much time or memory"
        case .failed(let code): "its reader cannot be started (error \(code))"
        default: "damaged"
        }
    }
}

extension String {
    /// Without spaces at its ends.
    fileprivate func trimmingSpaces() -> String {
        let start = unicodeScalars.drop(while: WhiteSpace.isSpace)
        guard let end = start.lastIndex(where: { !WhiteSpace.isSpace($0) }) else { return "" }
        return String(Substring(start[...end]))
    }
}
