package import Objects

/// A document as its source holds it.
package struct RawDocument: Sendable {
    /// Where it is, below its source; unique in a run.
    package let path: String
    /// How its bytes are to be read.
    package let format: DocumentFormat
    /// The encoding that its source declares, as the web names encodings; nil to find out.
    package let encoding: String?
    /// Which members are its parts, where it is a record.
    package let fields: RecordFields
    /// All of its bytes.
    package let bytes: [UInt8]
    /// The SHA-256 of its bytes.
    package let digest: ObjectID

    /// The most bytes that a document may have: far above any text that people write.
    package static let sizeLimit = 64 << 20

    /// Whether a text names an encoding that documents may be in.
    package static func isEncoding(_ label: String) -> Bool { CharacterSet(label: label) != nil }

    /// Makes a document and its digest.
    package init(
        path: String, format: DocumentFormat, encoding: String? = nil,
        fields: RecordFields = RecordFields(), bytes: [UInt8]
    ) {
        self.path = path
        self.format = format
        self.encoding = encoding
        self.fields = fields
        self.bytes = bytes
        digest = ObjectID(of: bytes.span)
    }
}

/// How the bytes of a document are to be read.
package enum DocumentFormat: String, Sendable, CaseIterable {
    /// CommonMark with GitHub's tables, strikethrough, autolinks and footnotes, and what other dialects have
    /// besides: notes, tabs, divisions, definitions, chunks of code.
    case markdown
    /// Markdown with JSX.
    case mdx
    /// HTML of any age.
    case html
    /// reStructuredText of docutils and Sphinx.
    case restructuredText = "rst"
    /// AsciiDoc.
    case asciidoc
    /// Plain text, perhaps with underlined headings.
    case text
    /// One line of JSON that holds a document's text.
    case record
    /// Lines of JSON, each a document.
    case records
    /// A Jupyter notebook.
    case notebook
    /// PDF; poppler's programs read it.
    case pdf
    /// A document of Microsoft Word (Office Open XML).
    case word

    /// The endings of file names, in lower case, that say which format a file has.
    package static let endings: [String: DocumentFormat] = [
        "md": .markdown, "markdown": .markdown, "mdown": .markdown, "mkd": .markdown,
        "qmd": .markdown, "rmd": .markdown, "mdx": .mdx,
        "html": .html, "htm": .html, "xhtml": .html,
        "txt": .text, "text": .text,
        "rst": .restructuredText, "rest": .restructuredText,
        "adoc": .asciidoc, "asciidoc": .asciidoc, "asc": .asciidoc,
        "jsonl": .records, "ndjson": .records,
        "ipynb": .notebook, "pdf": .pdf, "docx": .word, "docm": .word,
    ]

    /// The formats of whole files by the names that people write.
    package static let named: [String: DocumentFormat] = Dictionary(
        uniqueKeysWithValues: allCases.filter { $0 != .record && $0 != .records }
            .map { ($0.rawValue, $0) })

    /// The format that a file's name says; nil when it says none that is read.
    package init?(fileName: String) {
        let name = fileName.lowercased()
        guard let dot = name.utf8.lastIndex(of: 0x2E),
            let format = Self.endings[String(name[name.index(after: dot)...])]
        else { return nil }
        self = format
    }
}

/// Which members of a record are its parts. A name with dots leads into objects: `metadata.source`.
public struct RecordFields: Hashable, Sendable {
    /// The members of which the first that is there is the text.
    public var text = ["text", "content"]
    /// The members of which the first that is there tells the record from others of its file.
    public var id = ["id", "path"]
    /// The members of which the first that is there is the title.
    public var title = ["title"]
    /// How the text is to be read.
    package var format = DocumentFormat.text

    /// The members that a record has where nothing is said.
    public init() {}

    /// Where the name of a record is, for messages.
    package var idPhrase: String { Self.phrase(id) }

    /// `"text" or "content"`.
    static func phrase(_ names: [String]) -> String {
        names.map { "\"\($0)\"" }.joined(separator: " or ")
    }
}

extension JSONObject {
    /// The first member of some names that is there; a name with dots leads into objects where no member has it.
    func member(_ names: [String]) -> JSON? {
        names.lazy.compactMap { member($0[...]) }.first { $0 != .null }
    }

    private func member(_ name: Substring) -> JSON? {
        var (object, rest) = (self, name)
        while true {
            if let value = object[String(rest)] { return value }
            guard let dot = rest.utf8.firstIndex(of: UInt8(ascii: ".")),
                let inner = object[String(rest[..<dot])]?.object
            else { return nil }
            object = inner
            rest = rest[rest.utf8.index(after: dot)...]
        }
    }
}
