package import Objects

/// A document as text: a title, and sections of blocks. Nothing of its markup is left, and all of it is in Unicode's normal form C.
package struct CleanDocument: Sendable, Equatable {
    /// A unit of text that is better not cut.
    package struct Block: Sendable, Equatable {
        /// What a block is; it decides how the block is joined to its neighbours and where it may be cut.
        package enum Kind: Sendable {
            /// Running text on one line.
            case paragraph
            /// An item of a list, with its marker.
            case listItem
            /// Text whose lines and spaces matter; its first line keeps its indentation.
            case code
            /// The cells of one row of a table.
            case tableRow
        }

        /// What it is.
        package var kind: Kind
        /// Its text: never empty, no white space at its end, and none at its start unless it is code.
        package var text: String
        /// Whether it is a table's row that names the columns: it is repeated where the table is cut.
        package var isHeader = false
        /// What code is written in, as the document names it, in lower case; nil where it does not say.
        package var language: String?
        /// Whether it only announces what follows, such as a term, a caption or a line that ends with a
        /// colon: it is not parted from that where this can be avoided.
        package var keepsWithNext = false
        /// Where its links lead, each once, in order.
        package var links: [String] = []
        /// The page that it begins on, from 1, in documents that have pages.
        package var page: Int?

        /// Makes a block.
        package init(_ kind: Kind, _ text: String) {
            self.kind = kind
            self.text = text
        }
    }

    /// The text below one heading and above the next.
    package struct Section: Sendable, Equatable {
        /// What a link to the section names; unique in its document; empty before the first heading.
        package let anchor: String
        /// The headings above the text, from the outermost in, its own last. The first is the document's
        /// title.
        package let headings: [String]
        /// The level of its own heading, 1 to 6; 0 before the first heading.
        package let level: Int
        /// Its text: where there is none between a heading and the next of its level or above, the
        /// heading itself.
        package let blocks: [Block]

        /// Makes a section.
        package init(anchor: String, headings: [String], level: Int, blocks: [Block]) {
            self.anchor = anchor
            self.headings = headings
            self.level = level
            self.blocks = blocks
        }
    }

    /// Where it is, below its source.
    package let path: String
    /// The digest of the bytes it was made from.
    package let digest: ObjectID
    /// What it is called; never empty.
    package let title: String
    /// The sections that have text, in order.
    package let sections: [Section]
    /// What it says of itself, by the names that its format has for it: members of front matter, `meta`
    /// elements by their name or property, and so on.
    package let metadata: JSONObject
    /// What of it is not in the text as it stood there.
    package let findings: [Finding]

    /// The version of the rules that make clean documents: whatever changes their text or their anchors
    /// changes it, and every document is read again.
    package static let version = 3
}
