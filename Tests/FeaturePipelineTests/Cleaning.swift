import FeaturePipeline
import Testing

/// Cleans text of a type.
func clean(_ text: String, _ type: MediaType, path: String = "a/page.x") throws -> CleanDocument {
    try CleanDocument(RawDocument(path: path, mediaType: type, bytes: Array(text.utf8)))
}

/// A document's sections as lines: `anchor|headings|block¦block`.
func outline(_ document: CleanDocument) -> [String] {
    document.sections.map { section in
        let blocks = section.blocks.map(\.text).joined(separator: "¦")
        return "\(section.anchor)|\(section.headings.joined(separator: ">"))|\(blocks)"
    }
}
