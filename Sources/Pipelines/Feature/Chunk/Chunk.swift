/// A piece of one section of a document: what is embedded and found.
package struct Chunk: Sendable, Equatable {
    /// The anchor of its section.
    package let anchor: String
    /// The headings above it, from the outermost in.
    package let headings: [String]
    /// Its number in its section, from 0.
    package let ordinal: Int
    /// Its text.
    package let text: String
    /// Where it is in the text of its section, in Unicode scalars.
    package let range: Range<Int>
}

extension CleanDocument.Section {
    /// The text that chunks are cut from: blocks with an empty line between them, items of a list and
    /// rows of a table without.
    package var text: String {
        var result = ""
        var previous: CleanDocument.Block.Kind?
        for block in blocks {
            if let previous {
                let isClose =
                    previous == block.kind && (block.kind == .listItem || block.kind == .tableRow)
                result += isClose ? "\n" : "\n\n"
            }
            result += block.text
            previous = block.kind
        }
        return result
    }
}
