/// Text without inline markup, and the targets of its links.
struct LinkedText: Equatable {
    var text = ""
    /// The link targets, in order.
    var links: [String] = []

    init() {}

    /// Creates a text without links.
    init(_ text: String) { self.text = text }
}

/// Receives blocks from a line-based parser, and attaches list markers, labels and announced names to the blocks that
/// they belong to.
struct BlockWriter {
    /// Where the blocks go.
    var builder = SectionBuilder()
    /// How many lists enclose the current line.
    var listDepth = 0
    /// The anchor for the next heading.
    private var label: String?
    private var marker = ""
    private var announced: [CleanDocument.Block] = []
    private var cells: [[CleanDocument.Block]] = []

    /// Whether no block has been written yet; headings do not count.
    private(set) var isEmpty = true

    /// Whether blocks are collected for a table cell, where a heading begins no section.
    var isInCell: Bool { !cells.isEmpty }

    /// Begins a section; a label before it becomes its anchor.
    mutating func begin(_ heading: LinkedText, level: Int, anchor: String?) {
        marker = ""
        let text = WhiteSpace.collapsed(heading.text)
        builder.begin(text, level: level, anchor: label ?? anchor)
        label = nil
        let waiting = announced
        announced = []
        // A name announced before the heading belongs to its section.
        let known = String(Substring(text.unicodeScalars.prefix(500)))
        for var block in waiting where !known.contains(block.text) {
            block.keepsWithNext = true
            add(block)
        }
    }

    /// Sets the anchor of the heading, if a heading comes next; the first of several labels counts.
    mutating func addLabel(_ name: String) {
        if label == nil, !name.isEmpty { label = name }
    }

    /// Appends to the marker of the next block.
    mutating func addMarker(_ text: String) { marker += text }

    /// Writes a pending marker as an item of its own.
    mutating func endItem() {
        guard !marker.isEmpty else { return }
        let text = WhiteSpace.collapsed(marker)
        marker = ""
        // A bullet without text carries no information.
        if text.utf8.contains(where: { $0 > 0x2F && $0 != 0x3A }) {
            add(CleanDocument.Block(.listItem, text))
        }
    }

    /// Writes a paragraph, or a list item inside a list, after the pending marker.
    mutating func add(_ text: LinkedText, keepsWithNext: Bool = false) {
        let collapsed = WhiteSpace.collapsed(marker + text.text)
        marker = ""
        guard !collapsed.isEmpty else { return }
        var block = CleanDocument.Block(listDepth > 0 ? .listItem : .paragraph, collapsed)
        block.keepsWithNext = keepsWithNext
        block.links = Self.unique(text.links)
        add(block)
    }

    /// Writes blocks of another format.
    mutating func add(_ blocks: [CleanDocument.Block]) {
        endItem()
        for block in blocks { add(block) }
    }

    mutating func addCode(_ code: String, language: String?) {
        let text = WhiteSpace.lines(code)
        guard !text.isEmpty else { return }
        endItem()
        var block = CleanDocument.Block(.code, text)
        block.language = language
        add(block)
    }

    /// Writes the name of an object whose description follows. If a heading comes next, the name goes below it, unless
    /// the heading contains the name.
    mutating func announce(_ text: LinkedText) {
        guard cells.isEmpty else { return add(text) }
        var block = CleanDocument.Block(.paragraph, WhiteSpace.collapsed(text.text))
        block.links = Self.unique(text.links)
        if !block.text.isEmpty { announced.append(block) }
    }

    /// Writes a row; code from its cells follows the row.
    mutating func addRow(_ cells: [[CleanDocument.Block]], isHeader: Bool) {
        endItem()
        let texts = cells.map { cell in
            cell.lazy.filter { $0.kind != .code }.map(\.text).joined(separator: " ")
        }
        let text = TableText.row(texts)
        if !text.isEmpty {
            var block = CleanDocument.Block(.tableRow, text)
            block.isHeader = isHeader
            block.links = Self.unique(cells.flatMap { $0.flatMap(\.links) })
            block.keepsWithNext = cells.contains { $0.contains { $0.kind == .code } }
            add(block)
        }
        for cell in cells { for block in cell where block.kind == .code { add(block) } }
    }

    /// Begins collecting blocks for a cell.
    mutating func beginCell() {
        endItem()
        cells.append([])
    }

    /// Returns the blocks since the cell began.
    mutating func endCell() -> [CleanDocument.Block] {
        endItem()
        return cells.popLast() ?? []
    }

    /// Ends the document.
    mutating func finish(declaredTitle: String? = nil) -> DocumentText {
        endItem()
        writeAnnounced()
        return builder.finish(declaredTitle: declaredTitle)
    }

    private mutating func add(_ block: CleanDocument.Block) {
        if cells.isEmpty {
            isEmpty = false
            writeAnnounced()
            label = nil
            builder.add(block)
        } else {
            cells[cells.count - 1].append(block)
        }
    }

    private mutating func writeAnnounced() {
        let waiting = announced
        announced = []
        for block in waiting { builder.add(block) }
    }

    private static func unique(_ links: [String]) -> [String] {
        guard links.count > 1 else { return links }
        var seen: Set<String> = []
        return links.filter { seen.insert($0).inserted }
    }
}

/// Collects the inline text of a paragraph.
struct InlineText {
    private var text = ""
    private var links: [String] = []
    private var isSeparated = false

    /// The maximum number of links that are kept per paragraph.
    private static let linkLimit = 1000

    /// Whether the text is empty or only white space.
    var isEmpty: Bool { text.unicodeScalars.allSatisfy(WhiteSpace.isSpace) }

    /// The last character so far.
    var last: Unicode.Scalar? { text.unicodeScalars.last }

    /// Appends text, after a space if ``separate()`` was called between two letters or digits.
    mutating func append(_ more: String) {
        guard !more.isEmpty else { return }
        if isSeparated, let last, let first = more.unicodeScalars.first,
            last.properties.isAlphabetic || last.properties.numericType != nil,
            first.properties.isAlphabetic || first.properties.numericType != nil
        {
            text += " "
        }
        isSeparated = false
        text += more
    }

    /// Keeps the words before and after this place apart.
    mutating func separate() { isSeparated = true }

    /// Records the target of a link, unless it points into this document or is a script.
    mutating func addLink(_ target: String) {
        let target = WhiteSpace.collapsed(target)
        let isElsewhere =
            !target.isEmpty && target.utf8.first != UInt8(ascii: "#")
            && !target.lowercased().hasPrefix("javascript:")
        if isElsewhere, links.count < Self.linkLimit, !links.contains(target) {
            links.append(target)
        }
    }

    /// Returns the collapsed text and the links, and starts over.
    mutating func take() -> (text: String, links: [String]) {
        defer { self = InlineText() }
        return (WhiteSpace.collapsed(text), links)
    }
}
