package import Objects

/// A document as its source stores it.
package struct RawDocument: Sendable {
    /// The path within its source; unique in a run.
    package let path: String
    /// The format of its bytes.
    package let format: DocumentFormat
    /// The encoding that its source declares, by its web name; nil to detect it.
    package let encoding: String?
    /// The members that hold its parts, if it is a record.
    package let fields: RecordFields
    /// All of its bytes.
    package let bytes: [UInt8]
    /// The SHA-256 of its bytes.
    package let digest: ObjectID

    /// The maximum number of bytes in a document: far more than any real text has.
    package static let sizeLimit = 64 << 20

    /// Whether a label names a supported encoding.
    package static func isEncoding(_ label: String) -> Bool { CharacterSet(label: label) != nil }

    /// Creates a document and computes its digest.
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

/// The format of a document's bytes.
package enum DocumentFormat: String, Sendable, CaseIterable {
    /// CommonMark with GitHub's tables, strikethrough, autolinks and footnotes, and extensions of other dialects:
    /// notes, tabs, divisions, definitions, code cells.
    case markdown
    /// Markdown with JSX.
    case mdx
    /// HTML of any version.
    case html
    /// reStructuredText of docutils and Sphinx.
    case restructuredText = "rst"
    /// AsciiDoc.
    case asciidoc
    /// Plain text, possibly with underlined headings.
    case text
    /// A JSON object on one line that holds a document's text.
    case record
    /// JSON Lines, each line a document.
    case records
    /// A Jupyter notebook.
    case notebook
    /// PDF; poppler's programs read it.
    case pdf
    /// A Microsoft Word document (Office Open XML).
    case word

    /// The formats by file extension, in lower case.
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

    /// The formats of whole files by the names used in configurations.
    package static let named: [String: DocumentFormat] = Dictionary(
        uniqueKeysWithValues: allCases.filter { $0 != .record && $0 != .records }
            .map { ($0.rawValue, $0) })

    /// Creates the format for a file name's extension; nil if the extension is unknown.
    package init?(fileName: String) {
        let name = fileName.lowercased()
        guard let dot = name.utf8.lastIndex(of: 0x2E),
            let format = Self.endings[String(name[name.index(after: dot)...])]
        else { return nil }
        self = format
    }
}

/// The members of a record that hold its parts. A dotted name leads into nested objects: `metadata.source`.
public struct RecordFields: Hashable, Sendable {
    /// The names of the text member; the first that is present counts.
    public var text = ["text", "content"]
    /// The names of the member that identifies the record in its file; the first that is present counts.
    public var id = ["id", "path"]
    /// The names of the title member; the first that is present counts.
    public var title = ["title"]
    /// The format of the text.
    package var format = DocumentFormat.text

    /// Creates the default names.
    public init() {}

    /// The names of the identifying member, for messages.
    package var idPhrase: String { Self.phrase(id) }

    /// Formats names for a message: `"text" or "content"`.
    static func phrase(_ names: [String]) -> String {
        names.map { "\"\($0)\"" }.joined(separator: " or ")
    }
}

extension JSONObject {
    /// Returns the first of the named members that is present and not null; a dotted name leads into nested objects if
    /// no member has that name.
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
