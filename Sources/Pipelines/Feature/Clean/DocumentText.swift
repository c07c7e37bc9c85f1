/// What a cleaner finds in a document, before it is known what the document is called.
struct DocumentText: Equatable {
    /// The title that the document itself declares.
    var declaredTitle: String?
    /// The title that its first heading of level 1, or else its first heading, gives.
    var headingTitle: String?
    /// Its sections.
    var sections: [CleanDocument.Section]
    /// How it was read, when that is unusual.
    var note: String?
}

extension CleanDocument {
    /// Cleans a document; nil when its bytes are not text, or not a record with text.
    ///
    /// Any bytes whatever are safe to pass.
    package init(_ raw: RawDocument) throws(UnreadableDocument) {
        let found: DocumentText
        switch raw.mediaType {
        case .markdown: found = MarkdownCleaner.clean(try TextDecoding.decode(raw.bytes))
        case .html: found = try HTMLCleaner.clean(raw.bytes)
        case .text: found = TextCleaner.clean(try TextDecoding.decode(raw.bytes))
        case .record, .records: found = try Record(parsing: raw.bytes).text
        }
        path = raw.path
        digest = raw.digest
        title = found.declaredTitle ?? found.headingTitle ?? Self.name(of: raw.path)
        sections = found.sections
        note = found.note
    }

    /// The file name without its ending.
    private static func name(of path: String) -> String {
        let name = path.utf8.split(separator: 0x2F).last.map { String(Substring($0)) } ?? path
        guard let dot = name.utf8.lastIndex(of: 0x2E), dot != name.startIndex else { return name }
        return String(name[..<dot])
    }
}

/// Why the bytes of a document give no text.
package struct UnreadableDocument: Error, Equatable {
    /// The reason, as the end of a sentence that begins with the document.
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}
