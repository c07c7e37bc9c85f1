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
