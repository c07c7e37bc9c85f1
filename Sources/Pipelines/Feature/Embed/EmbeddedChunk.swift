internal import Artifacts
internal import Objects

/// A chunk with its vector: one row of the table.
struct EmbeddedChunk: Sendable {
    /// What the row says.
    let row: FeatureRow
    /// The vector of the row's embedding text.
    let vector: [Float]

    /// The row as the table holds it.
    var tableRow: TableRow {
        TableRow(key: row.key, attributes: row.attributes, vector: vector)
    }
}

extension FeatureRow {
    /// What the table says of a chunk.
    init(_ chunk: Chunk, of document: CleanDocument) {
        self.init(
            document: document.path, title: document.title, section: chunk.anchor,
            headings: chunk.headings, ordinal: chunk.ordinal, text: chunk.text)
    }
}
