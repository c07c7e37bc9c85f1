/// A part of a document of Word as its reader finds it, in order.
enum WordItem: Equatable {
    /// A heading, with the number that Word shows before it, if any.
    case heading(String, number: String, level: Int)
    /// A paragraph that is the document's title.
    case title(String)
    /// A line of code; consecutive ones are one block.
    case code(String)
    /// Anything else.
    case block(CleanDocument.Block)

    /// Its text on one line.
    var text: String {
        switch self {
        case .heading(let text, let number, _): number.isEmpty ? text : "\(number) \(text)"
        case .title(let text): text
        case .code(let text): WhiteSpace.collapsed(text)
        case .block(let block): block.text
        }
    }

    /// Where its links lead.
    var links: [String] { if case .block(let block) = self { block.links } else { [] } }
}

/// A paragraph that is being read.
struct WordParagraph {
    var properties = WordParagraphProperties()
    var text = ""
    var links: [String] = []
    /// What is in its text boxes: it follows the paragraph.
    var boxes: [WordItem] = []
    /// How many of its characters, white space apart, are in a font of one width, and in any other.
    var monospaced = 0
    var others = 0

    /// No paragraph that people write has more links.
    static let linkLimit = 200

    /// Adds text of a run.
    mutating func add(_ added: String, isMonospaced: Bool) {
        text += added
        let count = added.unicodeScalars.count { !WhiteSpace.isSpace($0) }
        if isMonospaced { monospaced += count } else { others += count }
    }

    /// Adds the target of a link, once.
    mutating func addLink(_ target: String) {
        let target = WhiteSpace.collapsed(target)
        if !target.isEmpty, links.count < Self.linkLimit, !links.contains(target) {
            links.append(target)
        }
    }
}

/// A table that is being read.
struct WordTable {
    /// Whether it has one column: it is a frame around its text, not a table.
    var isFrame = false
    /// Whether its first row is one of headings, as far as its form says.
    var hasFirstRow = true
    var rows = 0
    var cells: [String] = []
    var links: [String] = []
    var isHeader = false
    var isDeleted = false

    /// Adds the links of a cell to those of its row.
    mutating func addLinks(_ added: [String]) {
        for link in added where links.count < WordParagraph.linkLimit && !links.contains(link) {
            links.append(link)
        }
    }
}

/// What of a document is not in its text, counted while it is read.
struct WordLeftOut {
    var deleted = WordCounter()
    var hidden = WordCounter()
    var contents = WordCounter()
    var placeholders = WordCounter()
    var others = Finding.List()

    /// All that was counted.
    var findings: Finding.List {
        var result = others
        result.add(.leftOut, "deleted text", deleted.count, "words", detail: "tracked changes")
        result.add(.leftOut, "hidden text", hidden.count, "words")
        result.add(.leftOut, "table of contents", contents.count, "words")
        result.add(.leftOut, "placeholder", placeholders.count, "words")
        return result
    }
}
