/// Reads the text of one part of a Word document: its body or its notes.
///
/// Elements may nest as deeply as the XML reader allows; the state is on explicit stacks, without recursion.
struct WordBody {
    /// What encloses the current paragraph: a table cell or a text box.
    struct Container {
        let isCell: Bool
        var items: [WordItem] = []
    }

    /// An element whose end matters.
    enum Scope {
        case run, text, deleted, contents, placeholder, alternatives(hasChoice: Bool)
        case mathematics(closing: String)
    }

    /// Why text is left out.
    enum Omission { case deleted, hidden, contents, placeholder }

    let reader: XMLReader
    let styles: WordStyles
    let links: [String: String]
    var numbering: WordNumbering
    var leftOut = WordLeftOut()
    /// The items read so far, in order.
    var items: [WordItem] = []

    var paragraphs: [WordParagraph] = []
    var tables: [WordTable] = []
    var containers: [Container] = []
    var run = WordRunProperties()
    var deletions = 0
    var contents = 0
    var placeholders = 0
    var texts = 0
    var fields: [String] = []
    var scopes: [(depth: Int, scope: Scope)] = []
    var depth = 0
    /// The notes that the text refers to, in order, with their marks in the text.
    var references: [(mark: String, note: WordNotes.Reference)] = []
    var noteCounts: [WordNotes.Kind: Int] = [:]

    init(
        _ reader: XMLReader, styles: WordStyles, numbering: WordNumbering, links: [String: String]
    ) {
        self.reader = reader
        self.styles = styles
        self.numbering = numbering
        self.links = links
    }

    /// Reads the next XML event; false at the end.
    mutating func readEvent() -> Bool {
        guard let event = reader.next() else { return false }
        read(event)
        return true
    }

    private mutating func read(_ event: XMLReader.Event) {
        switch event {
        case .begin(let name):
            depth += 1
            begin(name)
        case .end(let name):
            end(name)
            depth -= 1
        case .text(let text): if texts > 0 { add(text) }
        }
    }

    /// Skips the element that has just begun.
    mutating func skip() {
        reader.skip()
        depth -= 1
    }

    mutating func enter(_ scope: Scope) { scopes.append((depth, scope)) }

    /// Why the next text is left out; nil if it belongs to the document.
    var omission: Omission? {
        if deletions > 0 { return .deleted }
        if run.isHidden ?? styles[run.style].run.isHidden ?? false { return .hidden }
        if contents > 0 || paragraphStyle.role == .contents { return .contents }
        return placeholders > 0 ? .placeholder : nil
    }

    private var paragraphStyle: WordStyles.Style { styles[paragraphs.last?.properties.style] }

    /// Adds text to the current paragraph, or counts it as left out.
    mutating func add(_ text: String) {
        switch omission {
        case .deleted: leftOut.deleted.add(text)
        case .hidden: leftOut.hidden.add(text)
        case .contents: leftOut.contents.add(text)
        case .placeholder: leftOut.placeholders.add(text)
        case nil:
            guard let last = paragraphs.indices.last else { return }
            let isMonospaced =
                run.isMonospaced ?? styles[run.style].run.isMonospaced
                ?? paragraphStyle.run.isMonospaced ?? false
            let isCode = styles[run.style].role == .code
            paragraphs[last].add(text, isMonospaced: isMonospaced || isCode)
        }
    }

    /// Passes an item to the innermost open container, or else to the document.
    mutating func emit(_ item: WordItem) {
        if let last = containers.indices.last {
            containers[last].items.append(item)
        } else {
            items.append(item)
        }
    }

    mutating func endParagraph() {
        guard let paragraph = paragraphs.popLast() else { return }
        leftOut.deleted.endWord()
        leftOut.hidden.endWord()
        leftOut.contents.endWord()
        leftOut.placeholders.endWord()
        let style = styles[paragraph.properties.style]
        if let item = item(of: paragraph, style) { emit(item) }
        for item in paragraph.boxes { emit(item) }
    }

    private mutating func item(
        of paragraph: WordParagraph, _ style: WordStyles.Style
    ) -> WordItem? {
        let text = WhiteSpace.collapsed(paragraph.text)
        let isMonospaced =
            !styles.isMonospaced && paragraph.others == 0
            && (paragraph.monospaced > 0 || style.run.isMonospaced ?? false)
        let marker = text.isEmpty ? "" : marker(of: paragraph.properties, style)
        if let level = headingLevel(of: paragraph.properties, style), !text.isEmpty {
            return .heading(text, number: marker == "-" ? "" : marker, level: level)
        }
        if style.role == .title, !text.isEmpty { return .title(text) }
        if style.role == .code || isMonospaced, marker.isEmpty {
            return .code(paragraph.text)
        }
        guard !text.isEmpty else { return nil }
        var block = CleanDocument.Block(
            marker.isEmpty ? .paragraph : .listItem,
            marker.isEmpty ? text : "\(marker) \(text)")
        block.links = paragraph.links
        block.keepsWithNext =
            paragraph.properties.keepsWithNext ?? style.paragraph.keepsWithNext ?? false
        return .block(block)
    }

    private func headingLevel(
        of properties: WordParagraphProperties, _ style: WordStyles.Style
    ) -> Int? {
        if let level = properties.outlineLevel { return level < 9 ? max(level, 0) + 1 : nil }
        if style.role == .title { return nil }
        if let level = style.paragraph.outlineLevel, level < 9 { return max(level, 0) + 1 }
        if case .heading(let level) = style.role { return level }
        return nil
    }

    /// Returns the marker of a paragraph and counts it; empty if the paragraph is not a list item.
    private mutating func marker(
        of properties: WordParagraphProperties, _ style: WordStyles.Style
    ) -> String {
        guard let list = properties.list ?? style.paragraph.list, list > 0 else { return "" }
        let byStyle = properties.list == nil ? style.paragraph.style : properties.style
        let level =
            properties.listLevel ?? numbering.level(ofStyle: byStyle, in: list)
            ?? style.paragraph.listLevel ?? 0
        return numbering.marker(list: list, level: level)
    }
}

/// An item of a Word document, in reading order.
enum WordItem: Equatable {
    /// A heading, with the number that Word shows before it, if any.
    case heading(String, number: String, level: Int)
    /// A paragraph with the document's title.
    case title(String)
    /// A line of code; consecutive lines form one block.
    case code(String)
    /// Any other block.
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

    /// The targets of its links.
    var links: [String] { if case .block(let block) = self { block.links } else { [] } }
}

/// A paragraph that is being read.
struct WordParagraph {
    var properties = WordParagraphProperties()
    var text = ""
    var links: [String] = []
    /// The items in its text boxes, which follow the paragraph.
    var boxes: [WordItem] = []
    /// How many of its characters, except white space, are monospaced, and how many are not.
    var monospaced = 0
    var others = 0

    /// The maximum number of links that are kept per paragraph.
    static let linkLimit = 200

    /// Adds the text of a run.
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
    /// Whether it has only one column: it is then a frame around text, not a table.
    var isFrame = false
    /// Whether the table's style formats its first row as a header.
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

/// Counts the text that is left out.
struct WordLeftOut {
    var deleted = WordCounter()
    var hidden = WordCounter()
    var contents = WordCounter()
    var placeholders = WordCounter()
    var others = Finding.List()

    /// The findings for all counts.
    var findings: Finding.List {
        var result = others
        result.add(.leftOut, "deleted text", deleted.count, "words", detail: "tracked changes")
        result.add(.leftOut, "hidden text", hidden.count, "words")
        result.add(.leftOut, "table of contents", contents.count, "words")
        result.add(.leftOut, "placeholder", placeholders.count, "words")
        return result
    }
}

/// The footnotes and endnotes of a document.
struct WordNotes {
    enum Kind: Hashable {
        case footnote, endnote

        /// Returns the mark of a note in the text.
        func mark(_ number: Int) -> String {
            self == .footnote ? "[\(number)]" : "[\(WordNumberFormat.text(number, "lowerRoman"))]"
        }
    }

    /// The kind and identifier by which the text refers to a note.
    struct Reference: Hashable {
        let kind: Kind
        let identifier: String
    }

    private var notes: [Reference: [WordItem]] = [:]
    /// What was left out of the notes.
    private(set) var leftOut = WordLeftOut()

    /// Reads the part that holds the notes of a kind.
    mutating func read(
        _ reader: XMLReader, _ kind: Kind, styles: WordStyles, links: [String: String]
    ) {
        var body = WordBody(reader, styles: styles, numbering: WordNumbering(), links: links)
        body.leftOut = leftOut
        var reference: Reference?
        while body.readNoteEvent(
            begin: { identifier in
                reference = identifier.map { Reference(kind: kind, identifier: $0) }
            },
            end: { items in
                if let reference { notes[reference] = items }
                reference = nil
            })
        {}
        leftOut = body.leftOut
    }

    /// Returns the items of a note and forgets them, so that each note is written once.
    mutating func take(_ reference: Reference) -> [WordItem] {
        notes.removeValue(forKey: reference) ?? []
    }
}

extension WordBody {
    /// Reads the next XML event of a part that holds notes (elements `w:footnote` or `w:endnote`); false at the end.
    mutating func readNoteEvent(begin: (String?) -> Void, end: ([WordItem]) -> Void) -> Bool {
        guard let event = reader.next() else { return false }
        switch event {
        case .begin("w:footnote"), .begin("w:endnote"):
            depth += 1
            begin(reader.attribute("w:id"))
            items = []
        case .end("w:footnote"), .end("w:endnote"):
            depth -= 1
            end(items)
            items = []
        default: read(event)
        }
        return true
    }
}
