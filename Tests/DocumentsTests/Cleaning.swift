import Documents
import Testing

/// Cleans text of a type.
func clean(_ text: String, _ type: DocumentFormat, path: String = "a/page.x") throws
    -> CleanDocument
{
    try CleanDocument(RawDocument(path: path, format: type, bytes: Array(text.utf8)))
}

/// A document's sections as lines: `anchor|headings|block¦block`; a title that only the file's name gives is
/// left out.
func outline(_ document: CleanDocument) -> [String] {
    document.sections.map { section in
        let blocks = section.blocks.map(\.text).joined(separator: "¦")
        let headings = section.headings.drop { $0 == "page" }.joined(separator: ">")
        return "\(section.anchor)|\(headings)|\(blocks)"
    }
}

/// The findings in a document, as `fate reason count unit`.
func findings(_ document: CleanDocument) -> [String] {
    document.findings.map { "\($0.fate.rawValue) \($0.reason) \($0.count) \($0.unit)" }
}
