package import Objects
internal import TextAnalysis

/// A document as text: a title and sections of blocks, without markup, in Unicode Normalization Form C.
package struct CleanDocument: Sendable, Equatable {
    /// A unit of text that should stay whole.
    package struct Block: Sendable, Equatable {
        /// The kind of a block, which decides how it joins its neighbors and where it may be split.
        package enum Kind: Sendable {
            /// Running text on one line.
            case paragraph
            /// A list item, with its marker.
            case listItem
            /// Text whose lines and spaces matter; the first line keeps its indentation.
            case code
            /// The cells of one table row.
            case tableRow
        }

        /// Its kind.
        package var kind: Kind
        /// Its text: never empty, without trailing white space, and without leading white space unless it is code.
        package var text: String
        /// Whether it is a table's header row, which is repeated where the table is split.
        package var isHeader = false
        /// The language of code as the document names it, in lower case; nil if it names none.
        package var language: String?
        /// Whether it only introduces what follows, such as a term, a caption or a line that ends with a colon; it is
        /// kept together with the next block where possible.
        package var keepsWithNext = false
        /// The targets of its links, without duplicates, in order.
        package var links: [String] = []
        /// The page it begins on, from 1, in documents with pages.
        package var page: Int?

        /// Creates a block.
        package init(_ kind: Kind, _ text: String) {
            self.kind = kind
            self.text = text
        }
    }

    /// The text between one heading and the next.
    package struct Section: Sendable, Equatable {
        /// The anchor for links to the section: unique in its document, empty before the first heading.
        package let anchor: String
        /// The headings above the text, from the document's title to the section's own.
        package let headings: [String]
        /// The level of its own heading, 1 to 6; 0 before the first heading.
        package let level: Int
        /// Its text: the heading itself if neither text nor subheadings follow it.
        package let blocks: [Block]

        /// Creates a section.
        package init(anchor: String, headings: [String], level: Int, blocks: [Block]) {
            self.anchor = anchor
            self.headings = headings
            self.level = level
            self.blocks = blocks
        }
    }

    /// The path within its source.
    package let path: String
    /// The digest of the raw bytes.
    package let digest: ObjectID
    /// The title; never empty.
    package let title: String
    /// The sections that have text, in order.
    package let sections: [Section]
    /// The document's metadata, under the names of its format: front matter members, the name or property of `meta`
    /// elements, and so on.
    package let metadata: JSONObject
    /// What was left out, cut, replaced, guessed or not understood.
    package let findings: [Finding]

    /// The version of the cleaning rules. Any change to text or anchors increases it, and a run then rereads every
    /// document.
    package static let version = 3
}

/// A part of a document that did not reach its text unchanged.
public struct Finding: Hashable, Sendable {
    /// What happened to it.
    public enum Fate: String, Hashable, Sendable, CaseIterable {
        /// It is not in the text.
        case leftOut = "left-out"
        /// The text has it only up to a limit.
        case cut
        /// Something else replaces it.
        case replaced
        /// Its meaning was guessed.
        case guessed
        /// Its meaning is unknown; it is either in the text unchanged or missing.
        case notUnderstood = "not-understood"

        /// The fate in words.
        public var phrase: String {
            switch self {
            case .leftOut: "left out"
            case .cut: "cut"
            case .replaced: "replaced"
            case .guessed: "guessed"
            case .notUnderstood: "not understood"
            }
        }
    }

    /// What happened to it.
    public let fate: Fate
    /// What it was, in a fixed word or two: `navigation`, `image`, `encoding`.
    public let reason: String
    /// How many units were affected.
    public private(set) var count: Int
    /// The unit of the count, in the plural: `words`, `images`.
    public let unit: String
    /// Further details for the user.
    public let detail: String?

    /// Creates a finding.
    public init(
        _ fate: Fate, _ reason: String, _ count: Int, _ unit: String, detail: String? = nil
    ) {
        self.fate = fate
        self.reason = reason
        self.count = count
        self.unit = unit
        self.detail = detail
    }

    /// The finding as the end of a sentence that begins with the document.
    public var sentence: String {
        let unit =
            count == 1 && unit.utf8.last == UInt8(ascii: "s") ? String(unit.dropLast()) : unit
        return "\(fate.phrase): \(count) \(unit) (\(reason)\(detail.map { ": \($0)" } ?? ""))"
    }

    /// Whether two findings differ only in their counts, so that the counts can be added.
    private func isAlike(_ other: Finding) -> Bool {
        fate == other.fate && reason == other.reason && unit == other.unit
            && detail == other.detail
    }

    /// Findings in order of first occurrence; findings that differ only in their counts are merged.
    struct List: Sendable, Equatable {
        private(set) var all: [Finding] = []

        /// Once the list has this many findings, new ones are counted without their details.
        private static let limit = 100

        /// Adds a finding, unless its count is 0.
        mutating func add(
            _ fate: Fate, _ reason: String, _ count: Int = 1, _ unit: String,
            detail: String? = nil
        ) {
            add(Finding(fate, reason, count, unit, detail: detail))
        }

        /// Adds a finding, unless its count is 0.
        mutating func add(_ finding: Finding) {
            guard finding.count > 0 else { return }
            if let index = all.firstIndex(where: { $0.isAlike(finding) }) {
                all[index].count += finding.count
            } else if all.count >= Self.limit, finding.detail != nil {
                add(finding.fate, finding.reason, finding.count, finding.unit)
            } else {
                all.append(finding)
            }
        }

        /// Adds all findings of another list.
        mutating func add(_ other: List) { for finding in other.all { add(finding) } }
    }
}

/// The content of a document, before its title is decided.
struct DocumentText: Equatable {
    /// The title that the document declares.
    var declaredTitle: String?
    /// The first heading of level 1, or else the first heading.
    var headingTitle: String?
    /// The sections, under their own headings only.
    var sections: [CleanDocument.Section] = []
    /// The document's metadata.
    var metadata = JSONObject()
    /// What did not reach the sections unchanged.
    var findings = Finding.List()
}

extension DocumentText {
    /// Normalizes titles, headings, anchors, block texts and metadata to NFC, so that texts which differ only in
    /// their code points become equal.
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
    /// Extracts the text of a document.
    ///
    /// Any bytes are safe to pass.
    ///
    /// - Throws: If the bytes are damaged, or not in their format, or a PDF whose pages are only images.
    package static func clean(_ raw: RawDocument) throws(UnreadableDocument) -> CleanDocument {
        var found: DocumentText
        switch raw.format {
        case .html: found = try HTMLCleaner.clean(raw)
        case .record, .records: found = try Record(parsing: raw.bytes, fields: raw.fields).text()
        case .notebook: found = try Notebook.clean(raw)
        case .pdf: found = try PDFCleaner.clean(raw)
        case .word: found = try WordCleaner.clean(raw)
        case .markdown, .mdx, .restructuredText, .asciidoc, .text: found = try read(raw)
        }
        found.compose()
        let title = found.declaredTitle ?? found.headingTitle ?? name(of: raw.path)
        if found.sections.isEmpty {
            // A title alone is text; without one there is no text at all.
            if let own = found.declaredTitle ?? found.headingTitle {
                found.sections = [
                    Section(anchor: "", headings: [own], level: 0, blocks: [Block(.paragraph, own)])
                ]
            } else {
                found.findings.add(.leftOut, "no text", 1, "documents")
            }
        }
        return CleanDocument(
            path: raw.path, digest: raw.digest, title: title,
            sections: found.sections.map { $0.below(title) }, metadata: found.metadata,
            findings: found.findings.all)
    }

    /// Reads a plain-text format.
    private static func read(_ raw: RawDocument) throws(UnreadableDocument) -> DocumentText {
        let decoded = try TextDecoding.decode(raw.bytes, declared: raw.encoding)
        var found = DocumentText(decoded.text, format: raw.format)
        found.findings.add(decoded.findings)
        return found
    }

    /// Returns the file name without its extension.
    private static func name(of path: String) -> String {
        let name = path.utf8.split(separator: 0x2F).last.map { String(Substring($0)) } ?? path
        guard let dot = name.utf8.lastIndex(of: 0x2E), dot != name.startIndex else { return name }
        return String(name[..<dot])
    }
}

extension DocumentText {
    /// Reads text in a format; records, notebooks and binary formats are read as plain text.
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

    /// Reads plain text, which may be reStructuredText: many manuals keep it in `.txt` files.
    private static func plain(_ text: String) -> DocumentText {
        guard ReStructuredTextCleaner.isLikely(text) else { return TextCleaner.clean(text) }
        var found = ReStructuredTextCleaner.clean(text)
        found.findings.add(.guessed, "format", 1, "documents", detail: "read as reStructuredText")
        return found
    }
}

extension CleanDocument.Section {
    /// Returns the section with a title above its headings, unless the title is already the first.
    fileprivate func below(_ title: String) -> Self {
        if let first = headings.first, first.utf8.elementsEqual(title.utf8) { return self }
        return Self(anchor: anchor, headings: [title] + headings, level: level, blocks: blocks)
    }
}

/// Why the bytes of a document cannot be read.
package struct UnreadableDocument: Error, Equatable {
    /// The reason, as the end of a sentence that begins with the document.
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

/// Rejects the meaningless titles that programs write into document properties.
enum DeclaredTitle {
    /// Returns a title that describes its document; nil for file names and for generated titles.
    static func usable(_ title: String?) -> String? {
        let title = WhiteSpace.collapsed(title ?? "")
        let name = title.lowercased()
        guard title.unicodeScalars.contains(where: { $0.properties.isAlphabetic }),
            ![
                "untitled", "unbenannt", "sans titre", "title", "document", "word document",
                "powerpoint presentation", "slide 1", "no title", "template", "(anonymous)",
                "(unspecified)", "unknown",
            ].contains(name),
            !name.hasPrefix("microsoft word - "), !name.hasPrefix("microsoft powerpoint - "),
            !endings.contains(where: name.hasSuffix), !name.contains("://"), !name.hasPrefix("/")
        else { return nil }
        return title
    }

    private static let endings = [
        ".doc", ".docx", ".docm", ".dotx", ".dot", ".odt", ".rtf", ".pdf", ".tex", ".dvi", ".ps",
        ".indd",
        ".qxd", ".fm", ".ppt", ".pptx", ".xls", ".xlsx", ".html", ".htm", ".txt", ".md", ".eps",
        ".ai",
    ]
}
