/// Reads the text of one part of a document of Word: its body, or its notes.
///
/// Elements may nest as deep as the XML reader lets them; what is kept while reading is on stacks of its
/// own, so no call is nested.
struct WordBody {
    /// What encloses the paragraph at hand: a cell of a table, or else a text box.
    struct Container {
        let isCell: Bool
        var items: [WordItem] = []
    }

    /// An element whose end has a meaning.
    enum Scope {
        case run, text(Counted?), deleted, contents, placeholder, alternatives(hasChoice: Bool)
        case mathematics(closing: String), note
    }

    /// What text counts as that is left out.
    enum Counted { case deleted, hidden, contents, placeholder }

    let reader: XMLReader
    let styles: WordStyles
    let links: [String: String]
    var numbering: WordNumbering
    var leftOut = WordLeftOut()
    /// Takes what is read, in order.
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
    /// The notes that the text refers to, in order, with the marks that it has there.
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

    /// Reads the next paragraph or table, or a part of one; false at the end.
    mutating func readEvent() -> Bool {
        guard let event = reader.next() else { return false }
        switch event {
        case .begin(let name):
            depth += 1
            begin(name)
        case .end(let name):
            end(name)
            depth -= 1
        case .text(let text): if texts > 0 { add(text) }
        }
        return true
    }

    /// Passes over the element that has just begun.
    mutating func skip() {
        reader.skip()
        depth -= 1
    }

    mutating func enter(_ scope: Scope) { scopes.append((depth, scope)) }

    /// What text that comes now counts as; nil when it is text of the document.
    var counted: Counted? {
        if deletions > 0 { return .deleted }
        if run.isHidden ?? styles[run.style].run.isHidden ?? false { return .hidden }
        if contents > 0 || paragraphStyle.role == .contents { return .contents }
        return placeholders > 0 ? .placeholder : nil
    }

    private var paragraphStyle: WordStyles.Style { styles[paragraphs.last?.properties.style] }

    /// Adds text to the paragraph at hand, or counts it as left out.
    mutating func add(_ text: String) {
        switch counted {
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

    /// Gives what was read to what encloses it.
    mutating func emit(_ item: WordItem) {
        if let last = containers.indices.last {
            containers[last].items.append(item)
        } else {
            items.append(item)
        }
    }

    /// Ends the paragraph at hand.
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

    /// The mark of an item of a list, counted; empty when it is none.
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
