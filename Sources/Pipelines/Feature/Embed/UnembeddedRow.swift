internal import Artifacts
internal import Documents
internal import Objects

/// A chunk on its way into the table, with its vector as soon as there is one.
struct UnembeddedRow: Sendable {
    /// What the row says.
    let row: FeatureRow
    /// What is embedded.
    let text: String
    /// The vector that the text has already; nil when it is to be made.
    var vector: [Float]?

    /// The row as the table holds it.
    func tableRow(_ vector: [Float]) -> TableRow {
        TableRow(key: row.key, attributes: row.attributes, vector: vector)
    }
}

extension FeatureRow {
    /// What the table says of a chunk.
    init(_ chunk: Chunk, of document: CleanDocument) {
        self.init(
            document: document.path, title: document.title, section: chunk.anchor,
            headings: chunk.headings, ordinal: chunk.ordinal, text: chunk.text)
        links = chunk.links
        languages = chunk.languages
        page = chunk.page
    }
}
