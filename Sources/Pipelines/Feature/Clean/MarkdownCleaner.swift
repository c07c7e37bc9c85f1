/// Markdown as text: GitHub's dialect, with anchors as GitHub gives them.
struct MarkdownCleaner {
    private var builder = SectionBuilder()
    private var lists = ListMarkers()
    private var inline = ""
    private var cells: [String]?

    static func clean(_ text: String) -> DocumentText {
        let parts = FrontMatter(text)
        let body = String(parts.body)
        guard !MarkdownCost(body).isExcessive else {
            return TextCleaner.clean(
                body, declaredTitle: parts.title,
                note: "read as plain text: its Markdown would take too long to parse")
        }
        var cleaner = MarkdownCleaner()
        MarkdownTree(body).walk { cleaner.visit($0) }
        return cleaner.builder.finish(declaredTitle: parts.title)
    }

    private mutating func visit(_ event: MarkdownTree.Event) {
        switch event {
        case .enter(let kind): enter(kind)
        case .leave(let kind): leave(kind)
        }
    }

    private mutating func enter(_ kind: MarkdownTree.Kind) {
        switch kind {
        case .text(let text), .inlineCode(let text): inline += text
        case .softBreak, .lineBreak: inline += " "
        case .inlineHTML(let tag): if tag.lowercased().hasPrefix("<br") { inline += " " }
        case .list(let isOrdered, let start): lists.begin(isOrdered: isOrdered, start: start)
        case .item: lists.beginItem()
        case .tableRow: cells = []
        case .paragraph, .heading, .tableCell: inline = ""
        case .code(let text): add(.code, WhiteSpace.lines(text))
        case .html(let text):
            for block in HTMLCleaner.blocks(ofFragment: text) {
                builder.add(block.kind, block.text)
            }
        case .other: break
        }
    }

    private mutating func leave(_ kind: MarkdownTree.Kind) {
        switch kind {
        case .heading(let level):
            builder.begin(
                WhiteSpace.collapsed(inline), level: level, anchor: AnchorSet.slug(trimmed(inline)))
        case .paragraph:
            add(lists.isInside ? .listItem : .paragraph, WhiteSpace.collapsed(inline))
        case .list: lists.end()
        case .item: lists.endItem()
        case .tableCell: cells?.append(WhiteSpace.collapsed(inline))
        case .tableRow:
            add(.tableRow, TableText.row(cells ?? []))
            cells = nil
        default: break
        }
    }

    private mutating func add(_ kind: CleanDocument.Block.Kind, _ text: String) {
        guard !text.isEmpty else { return }
        builder.add(kind, (lists.take() ?? "") + text)
    }

    private func trimmed(_ text: String) -> String {
        let start = text.unicodeScalars.drop(while: WhiteSpace.isSpace)
        let end = start.lastIndex { !WhiteSpace.isSpace($0) }
        return end.map { String(Substring(start[...$0])) } ?? ""
    }
}

/// How a row of a table reads as text.
enum TableText {
    /// Cells with a bar between them; empty when all of them are.
    static func row(_ cells: [String]) -> String {
        guard cells.contains(where: { !$0.isEmpty }) else { return "" }
        return WhiteSpace.collapsed(cells.joined(separator: " | "))
    }
}
