internal import Objects

/// A document that is one JSON object: `text` (or `content`), `id` (or `path`), and perhaps a `title`.
package struct Record: Sendable {
    /// What tells the record from the others of its file, or nil.
    package let name: String?
    private let title: String?
    private let body: String

    /// Reads a record.
    package init(parsing bytes: [UInt8]) throws(UnreadableDocument) {
        let json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: bytes.span)
        } catch {
            throw UnreadableDocument("is not JSON: \(error.reason) (at byte \(error.offset))")
        }
        guard let object = json.object else {
            throw UnreadableDocument("is not a JSON object")
        }
        guard let text = (object["text"] ?? object["content"])?.string else {
            throw UnreadableDocument(
                "has no text: a string under \"text\" or \"content\" is needed")
        }
        body = text
        title = object["title"]?.string.map(WhiteSpace.collapsed).flatMap { $0.isEmpty ? nil : $0 }
        let id = object["id"] ?? object["path"]
        name = id?.string ?? id?.integer.map(String.init)
    }

    /// The record's text in sections.
    var text: DocumentText { TextCleaner.clean(body, declaredTitle: title) }
}
