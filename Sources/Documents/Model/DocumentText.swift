internal import Objects
internal import TextAnalysis

/// What is read of a document, before it is known what the document is called.
struct DocumentText: Equatable {
    /// The title that the document itself declares.
    var declaredTitle: String?
    /// The title that its first heading of level 1, or else its first heading, gives.
    var headingTitle: String?
    /// Its sections, under their own headings only.
    var sections: [CleanDocument.Section] = []
    /// What it says of itself.
    var metadata = JSONObject()
    /// What of it is not in the sections as it stood there.
    var findings = Finding.List()
}

extension DocumentText {
    /// Brings everything that is stored into normal form C: one text in two spellings is one text.
    fileprivate mutating func compose() {
        declaredTitle = declaredTitle.map { TextForm.composed($0) }
        headingTitle = headingTitle.map { TextForm.composed($0) }
        sections = sections.map { section in
            CleanDocument.Section(
                anchor: TextForm.composed(section.anchor),
                headings: section.headings.map { TextForm.composed($0) }, level: section.level,
                blocks: section.blocks.map { block in
                    var block = block
                    block.text = TextForm.composed(block.text)
                    return block
                })
        }
        metadata = Self.composed(metadata)
    }

    private static func composed(_ object: JSONObject) -> JSONObject {
        JSONObject(object.map { (TextForm.composed($0.key), composed($0.value)) })
    }

    private static func composed(_ json: JSON) -> JSON {
        switch json {
        case .string(let text): .string(TextForm.composed(text))
        case .array(let items): .array(items.map { composed($0) })
        case .object(let object): .object(composed(object))
        default: json
        }
    }
}

extension CleanDocument {
    /// Reads a document.
    ///
    /// Any bytes whatever are safe to pass.
    ///
    /// - Throws: What is wrong with bytes that give no text.
    package init(_ raw: RawDocument) throws(UnreadableDocument) {
        var found: DocumentText
        switch raw.format {
        case .html: found = try HTMLCleaner.clean(raw)
        case .record, .records: found = try Record(parsing: raw.bytes, fields: raw.fields).text()
        case .notebook: found = try Notebook.clean(raw)
        case .pdf: found = try PDFCleaner.clean(raw)
        case .word: found = try WordCleaner.clean(raw)
        case .markdown, .mdx, .restructuredText, .asciidoc, .text: found = try Self.read(raw)
        }
        found.compose()
        path = raw.path
        digest = raw.digest
        let title = found.declaredTitle ?? found.headingTitle ?? Self.name(of: raw.path)
        self.title = title
        if found.sections.isEmpty {
            // A title is a text; without one there is nothing to find.
            if let own = found.declaredTitle ?? found.headingTitle {
                found.sections = [
                    Section(anchor: "", headings: [own], level: 0, blocks: [Block(.paragraph, own)])
                ]
            } else {
                found.findings.add(.leftOut, "no text", 1, "documents")
            }
        }
        sections = found.sections.map { $0.below(title) }
        metadata = found.metadata
        findings = found.findings.all
    }

    /// Reads a format of plain characters.
    private static func read(_ raw: RawDocument) throws(UnreadableDocument) -> DocumentText {
        let decoded = try TextDecoding.decode(raw.bytes, declared: raw.encoding)
        var found = DocumentText(decoded.text, format: raw.format)
        found.findings.add(decoded.findings)
        return found
    }

    /// The file name without its ending.
    private static func name(of path: String) -> String {
        let name = path.utf8.split(separator: 0x2F).last.map { String(Substring($0)) } ?? path
        guard let dot = name.utf8.lastIndex(of: 0x2E), dot != name.startIndex else { return name }
        return String(name[..<dot])
    }
}

extension DocumentText {
    /// Reads characters in a format; as plain text where that is a format of bytes.
    init(_ text: String, format: DocumentFormat) {
        self =
            switch format {
            case .markdown: MarkdownCleaner.clean(text)
            case .mdx: MarkdownCleaner.clean(text, isMDX: true)
            case .html: HTMLCleaner.clean(text)
            case .restructuredText: ReStructuredTextCleaner.clean(text)
            case .asciidoc: AsciiDocCleaner.clean(text)
            case .text, .record, .records, .notebook, .pdf, .word: Self.plain(text)
            }
    }

    /// Reads plain text, which may be reStructuredText: many manuals have it in files for plain text.
    private static func plain(_ text: String) -> DocumentText {
        guard ReStructuredTextCleaner.isLikely(text) else { return TextCleaner.clean(text) }
        var found = ReStructuredTextCleaner.clean(text)
        found.findings.add(.guessed, "format", 1, "documents", detail: "read as reStructuredText")
        return found
    }
}

extension CleanDocument.Section {
    /// The section with a title above its headings, unless it is the first of them already.
    fileprivate func below(_ title: String) -> Self {
        if let first = headings.first, first.utf8.elementsEqual(title.utf8) { return self }
        return Self(anchor: anchor, headings: [title] + headings, level: level, blocks: blocks)
    }
}

/// Why the bytes of a document give no text.
package struct UnreadableDocument: Error, Equatable {
    /// The reason, as the end of a sentence that begins with the document.
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}
