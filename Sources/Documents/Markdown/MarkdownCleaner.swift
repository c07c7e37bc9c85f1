internal import Objects

/// Reads GitHub's Markdown and common extensions of other dialects; a heading without an identifier of its own gets
/// the anchor that GitHub generates.
struct MarkdownCleaner {
    private var builder = SectionBuilder()
    private var lists = ListMarkers()
    private var inline = MarkdownInline()
    private var closedTags: Set<String> = []
    private var cells: [String]?

    /// Reads front matter and body.
    static func clean(_ text: String, isMDX: Bool = false) -> DocumentText {
        let parts = FrontMatter(MarkdownMark.removed(from: text))
        var cleaner = MarkdownCleaner()
        cleaner.builder.findings.add(parts.findings)
        if let unread = parts.unread { cleaner.builder.add(.paragraph, unread) }
        var found = cleaner.read(String(parts.body), isMDX: isMDX, title: parts.title)
        found.metadata = parts.members
        return found
    }

    private mutating func read(_ body: String, isMDX: Bool, title: String?) -> DocumentText {
        guard body.utf8.count <= MarkdownCost.sizeLimit else { return plain(body, title: title) }
        var source = body
        if isMDX {
            let read = MDXReader.markdown(of: source)
            source = read.text
            builder.findings.add(read.findings)
        }
        var rewritten = MarkdownRewriter.rewrite(source)
        rewritten.text = WideTables.mended(rewritten.text)
        guard !MarkdownCost(rewritten.text).isExcessive else { return plain(body, title: title) }
        builder.findings.add(rewritten.findings)
        closedTags = Placeholders.closedTags(in: rewritten.text)
        MarkdownTree(rewritten.text).walk { visit($0) }
        return builder.finish(declaredTitle: title)
    }

    private static let tooSlow = Finding(
        .notUnderstood, "Markdown", 1, "documents",
        detail: "read as plain text, because parsing it would take too long")

    /// Reads, as plain text, Markdown that would take too long or too much memory to parse.
    private func plain(_ body: String, title: String?) -> DocumentText {
        var text = TextCleaner.clean(body, declaredTitle: title)
        text.findings.add(Self.tooSlow)
        return text
    }

    /// Adds Markdown from a part of another document, without front matter and extensions of other dialects. Text that
    /// would take too long to parse becomes code.
    static func add(_ text: String, to builder: inout SectionBuilder) {
        guard !MarkdownCost(text).isExcessive else {
            builder.findings.add(tooSlow)
            return builder.add(.code, WhiteSpace.lines(text))
        }
        var cleaner = MarkdownCleaner()
        cleaner.closedTags = Placeholders.closedTags(in: text)
        swap(&cleaner.builder, &builder)
        MarkdownTree(text).walk { cleaner.visit($0) }
        swap(&cleaner.builder, &builder)
    }

    private mutating func visit(_ event: MarkdownTree.Event) {
        switch event {
        case .enter(let kind): enter(kind)
        case .leave(let kind): leave(kind)
        }
    }

    private mutating func enter(_ kind: MarkdownTree.Kind) {
        switch kind {
        case .text(let text): inline.add(text)
        case .inlineCode(let text): inline.addCode(text)
        case .softBreak, .lineBreak: inline.add(" ")
        case .inlineHTML(let tag):
            inline.addTag(tag, &builder.findings) { Placeholders.contains($0, closed: closedTags) }
        case .image: builder.findings.add(.leftOut, "image", 1, "images")
        case .list(let isOrdered, let start): lists.begin(isOrdered: isOrdered, start: start)
        case .item: lists.beginItem()
        case .tableRow: (cells, inline.links) = ([], [])
        case .paragraph, .heading: inline = MarkdownInline()
        case .tableCell: inline.beginCell()
        case .code(let text, let info): addCode(text, CodeInfo(info))
        case .html(let text): addHTML(text)
        case .link, .other: break
        }
    }

    private mutating func leave(_ kind: MarkdownTree.Kind) {
        switch kind {
        case .link(let target): inline.endLink(target)
        case .image: inline.endImage()
        case .heading(let level):
            let text = inline.text(&builder.findings, isHeading: true)
            builder.begin(
                WhiteSpace.collapsed(text.text), level: level,
                anchor: text.anchor ?? AnchorSet.slug(WhiteSpace.trimmed(text.text)))
        case .paragraph:
            let text = inline.text(&builder.findings)
            var block = CleanDocument.Block(
                lists.isInside ? .listItem : .paragraph, WhiteSpace.collapsed(text.text))
            block.keepsWithNext = text.isLabel
            block.links = inline.links
            add(block)
        case .list: lists.end()
        case .item: lists.endItem()
        case .tableCell: cells?.append(WhiteSpace.collapsed(inline.text(&builder.findings).text))
        case .tableRow(let isHeader):
            var block = CleanDocument.Block(.tableRow, TableText.row(cells ?? []))
            block.isHeader = isHeader
            block.links = inline.links
            add(block)
            cells = nil
        default: break
        }
    }

    /// Adds a block, with the list marker if it is the first of its item.
    private mutating func add(_ block: CleanDocument.Block) {
        guard !block.text.isEmpty else { return }
        var block = block
        block.text = (lists.take() ?? "") + block.text
        builder.add(block)
    }

    /// Adds code, whose lines stay unchanged: a list marker goes before the title, or into a block of its own above.
    private mutating func addCode(_ text: String, _ info: CodeInfo) {
        let code = WhiteSpace.lines(text)
        guard !code.isEmpty else { return }
        if let title = info.title {
            add(.label(title, isInList: lists.isInside))
        } else if let marker = lists.take() {
            builder.add(.label(WhiteSpace.collapsed(marker), isInList: true))
        }
        var block = CleanDocument.Block(.code, code)
        block.language = info.language
        builder.add(block)
    }

    private mutating func addHTML(_ text: String) {
        let found = HTMLCleaner.fragment(text)
        for block in found.blocks { builder.add(block) }
        builder.findings.add(found.findings)
    }
}

extension CleanDocument.Block {
    /// A block that introduces what follows.
    fileprivate static func label(_ text: String, isInList: Bool) -> Self {
        var block = Self(isInList ? .listItem : .paragraph, text)
        block.keepsWithNext = true
        return block
    }
}
