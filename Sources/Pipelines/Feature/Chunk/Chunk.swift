package import Documents

/// A piece of one section of a document: what is embedded and found.
package struct Chunk: Sendable, Equatable {
    /// The anchor of its section.
    package let anchor: String
    /// The headings above it, from the outermost in.
    package let headings: [String]
    /// Its number in its section, from 0.
    package let ordinal: Int
    /// Its text: what it repeats of a table's head, its part of the section's text, and sections too small for a chunk of
    /// their own.
    package private(set) var text: String
    /// Where it is in the text of its section, in Unicode scalars.
    package let range: Range<Int>
    /// The rows that name the columns of the table that it continues, with the end of the line; empty in other chunks.
    package let repeated: String
    /// Where links in it lead, each once, in order; of a block that was cut all of its links.
    package private(set) var links: [String]
    /// The languages of the code in it, each once, in order.
    package private(set) var languages: [String]
    /// The page that it begins on, in documents that have pages.
    package let page: Int?

    init(
        anchor: String, headings: [String], ordinal: Int, text: String, range: Range<Int>,
        repeated: String, blocks: ArraySlice<CleanDocument.Block>
    ) {
        self.anchor = anchor
        self.headings = headings
        self.ordinal = ordinal
        self.text = text
        self.range = range
        self.repeated = repeated
        page = blocks.first?.page
        links = Self.distinct(
            blocks.lazy.flatMap(\.links).filter { $0.utf8.count <= Self.targetLimit })
        languages = Self.distinct(blocks.lazy.compactMap(\.language))
    }

    /// Puts the text of a chunk behind that of this one, as it is to stand there.
    mutating func append(_ text: String, of other: Chunk) {
        self.text += "\n\n" + text
        links = Self.distinct(links + other.links)
        languages = Self.distinct(languages + other.languages)
    }

    /// Puts the text of a chunk before that of this one, as it is to stand there.
    mutating func prepend(_ text: String, of other: Chunk) {
        self.text = text + "\n\n" + self.text
        links = Self.distinct(other.links + links)
        languages = Self.distinct(other.languages + languages)
    }

    /// A row names at most so many targets of links: a page of nothing but links is found by its text.
    private static let limit = 1000
    /// The longest target that is named; what is longer holds data.
    private static let targetLimit = 2000

    private static func distinct(_ texts: some Sequence<String>) -> [String] {
        var seen: Set<[UInt8]> = []
        var result: [String] = []
        for text in texts where result.count < limit {
            if seen.insert(Array(text.utf8)).inserted { result.append(text) }
        }
        return result
    }
}

extension CleanDocument.Section {
    /// The text that chunks are cut from: blocks with an empty line between them, items of a list and
    /// rows of a table without.
    package var text: String {
        let text = SectionText(blocks)
        return text.string(0..<text.count)
    }
}
