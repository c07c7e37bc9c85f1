package import Objects
internal import TextAnalysis

/// A document as text: a title, and sections of blocks. Nothing of its markup is left, and all of it is in Unicode's normal form C.
package struct CleanDocument: Sendable, Equatable {
    /// A unit of text that is better not cut.
    package struct Block: Sendable, Equatable {
        /// What a block is; it decides how the block is joined to its neighbours and where it may be cut.
        package enum Kind: Sendable {
            /// Running text on one line.
            case paragraph
            /// An item of a list, with its marker.
            case listItem
            /// Text whose lines and spaces matter; its first line keeps its indentation.
            case code
            /// The cells of one row of a table.
            case tableRow
        }

        /// What it is.
        package var kind: Kind
        /// Its text: never empty, no white space at its end, and none at its start unless it is code.
        package var text: String
        /// Whether it is a table's row that names the columns: it is repeated where the table is cut.
        package var isHeader = false
        /// What code is written in, as the document names it, in lower case; nil where it does not say.
        package var language: String?
        /// Whether it only announces what follows, such as a term, a caption or a line that ends with a
        /// colon: it is not parted from that where this can be avoided.
        package var keepsWithNext = false
        /// Where its links lead, each once, in order.
        package var links: [String] = []
        /// The page that it begins on, from 1, in documents that have pages.
        package var page: Int?

        /// Makes a block.
        package init(_ kind: Kind, _ text: String) {
            self.kind = kind
            self.text = text
        }
    }

    /// The text below one heading and above the next.
    package struct Section: Sendable, Equatable {
        /// What a link to the section names; unique in its document; empty before the first heading.
        package let anchor: String
        /// The headings above the text, from the outermost in, its own last. The first is the document's
        /// title.
        package let headings: [String]
        /// The level of its own heading, 1 to 6; 0 before the first heading.
        package let level: Int
        /// Its text: where there is none between a heading and the next of its level or above, the
        /// heading itself.
        package let blocks: [Block]

        /// Makes a section.
        package init(anchor: String, headings: [String], level: Int, blocks: [Block]) {
            self.anchor = anchor
            self.headings = headings
            self.level = level
            self.blocks = blocks
        }
    }

    /// Where it is, below its source.
    package let path: String
    /// The digest of the bytes it was made from.
    package let digest: ObjectID
    /// What it is called; never empty.
    package let title: String
    /// The sections that have text, in order.
    package let sections: [Section]
    /// What it says of itself, by the names that its format has for it: members of front matter, `meta`
    /// elements by their name or property, and so on.
    package let metadata: JSONObject
    /// What of it is not in the text as it stood there.
    package let findings: [Finding]

    /// The version of the rules that make clean documents: whatever changes their text or their anchors
    /// changes it, and every document is read again.
    package static let version = 3
}

/// Something of a document that is not in its text as it stood there.
public struct Finding: Hashable, Sendable {
    /// What became of it.
    public enum Fate: String, Hashable, Sendable, CaseIterable {
        /// It is not in the text.
        case leftOut = "left-out"
        /// It is there up to a limit.
        case cut
        /// Something else stands in its place.
        case replaced
        /// It was read as what it probably is.
        case guessed
        /// It is there as it stands, or not at all, because its meaning is not known.
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

    /// What became of it.
    public let fate: Fate
    /// What it was, in a word or two that do not change: `navigation`, `image`, `encoding`.
    public let reason: String
    /// How much of it there was.
    public private(set) var count: Int
    /// What is counted, in the plural: `words`, `images`.
    public let unit: String
    /// What a person should know of it besides.
    public let detail: String?

    /// Makes a finding.
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

    /// Whether both are about the same, so that their counts may be added.
    private func isAlike(_ other: Finding) -> Bool {
        fate == other.fate && reason == other.reason && unit == other.unit
            && detail == other.detail
    }

    /// Findings in the order of their first occurrence, those that are alike as one.
    struct List: Sendable, Equatable {
        /// The findings.
        private(set) var all: [Finding] = []

        /// More details than this tell nothing new: further ones are counted without.
        private static let limit = 100

        /// Adds one, unless nothing is counted.
        mutating func add(
            _ fate: Fate, _ reason: String, _ count: Int = 1, _ unit: String,
            detail: String? = nil
        ) {
            add(Finding(fate, reason, count, unit, detail: detail))
        }

        /// Adds one, unless nothing is counted.
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

        /// Adds all of another list.
        mutating func add(_ other: List) { for finding in other.all { add(finding) } }
    }
}

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
            // A title is a text; without one there is nothing to find.
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

/// The titles that programs write into the properties of documents, which people seldom look at.
enum DeclaredTitle {
    /// A title that tells something of its document; nil for a file's name and for what programs make up.
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
