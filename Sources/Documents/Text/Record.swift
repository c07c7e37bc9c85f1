internal import Objects

/// A document that is one JSON object with a text, a name and perhaps a title.
package struct Record: Sendable {
    /// What tells the record from the others of its file, or nil.
    package let name: String?
    private let title: String?
    private let body: String
    private let format: DocumentFormat
    private let members: JSONObject
    private var hasLostNumbers = false

    private static let valueLimit = 1_000_000

    /// Reads a record.
    package init(
        parsing bytes: [UInt8], fields: RecordFields = RecordFields()
    ) throws(UnreadableDocument) {
        let json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: bytes.span)
        } catch {
            // Numbers that no double holds are JSON all the same, such as large identifiers.
            guard let standard = LenientJSON.standard(bytes, valueLimit: Self.valueLimit),
                let read = try? JSON(parsing: standard.span)
            else {
                throw UnreadableDocument("is not JSON: \(error.reason) (at byte \(error.offset))")
            }
            json = read
            hasLostNumbers = true
        }
        guard var object = json.object else {
            throw UnreadableDocument("is not a JSON object")
        }
        guard let text = object.member(fields.text)?.string else {
            throw UnreadableDocument(
                "has no text: a string under \(RecordFields.phrase(fields.text)) is needed")
        }
        body = text
        format = fields.format
        title = object.member(fields.title)?.string.map(WhiteSpace.collapsed)
            .flatMap { $0.isEmpty ? nil : $0 }
        let id = object.member(fields.id)
        name = id?.string ?? id?.integer.map(String.init)
        if let member = fields.text.first(where: { object[$0] != nil }) { object[member] = nil }
        members = object
    }

    /// The record's text in sections; its other members are what it says of itself.
    func text() -> DocumentText {
        var text = DocumentText(body, format: format)
        if let title { text.declaredTitle = title }
        if hasLostNumbers {
            text.findings.add(
                .notUnderstood, "number", 1, "records", detail: "a number that is too large is null"
            )
        }
        // What the record says counts before what its text says.
        for member in members { text.metadata[member.key] = member.value }
        return text
    }
}
