/// What the bytes of a document are.
package enum MediaType: String, Sendable, CaseIterable {
    /// CommonMark with GitHub's tables, strikethrough and autolinks.
    case markdown
    /// HTML of any age.
    case html
    /// Plain text, perhaps with underlined headings.
    case text
    /// One line of JSON that holds a document's text.
    case record
    /// Lines of JSON, each a document.
    case records

    /// The type that a file's name says; plain text when it says nothing.
    package init(fileName: String) {
        let name = fileName.lowercased()
        let ending = name.utf8.lastIndex(of: 0x2E).map { name[name.index(after: $0)...] }
        self =
            switch ending ?? "" {
            case "md", "markdown", "mdown", "mkd": .markdown
            case "html", "htm", "xhtml": .html
            case "jsonl", "ndjson": .records
            default: .text
            }
    }
}
