package import Objects

/// A document as text: a title, and sections of blocks. Nothing of its markup is left.
package struct CleanDocument: Sendable, Equatable {
    /// A unit of text that is better not cut.
    package struct Block: Sendable, Equatable {
        /// What a block is; it decides how the block is joined to its neighbours and where it may be cut.
        package enum Kind: Sendable {
            /// Running text on one line.
            case paragraph
            /// An item of a list, with its marker.
            case listItem
            /// Text whose lines and spaces matter.
            case code
            /// The cells of one row of a table.
            case tableRow
        }

        /// What it is.
        package let kind: Kind
        /// Its text: never empty, no white space at its ends.
        package let text: String

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
        /// The headings above the text, from the outermost in, its own last.
        package let headings: [String]
        /// The level of its own heading, 1 to 6; 0 before the first heading.
        package let level: Int
        /// Its text.
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
    /// What a reader of the run should know about how it was read, or nil.
    package let note: String?

    /// The version of the rules that make clean documents: whatever changes their text or their anchors
    /// changes it, and every document is read again.
    package static let version = 1
}
