/// Extracts the content of an HTML page, without its navigation.
struct HTMLCleaner {
    /// Where the text goes: the sections of a page, or the blocks of a fragment.
    private var builder = SectionBuilder()
    private var blocks: [CleanDocument.Block]?
    var lists = ListMarkers()
    var inline = InlineText()
    private var enclosing: [Enclosing] = []
    private let chrome: HTMLChrome
    /// How many admonitions enclose the current node: a heading inside one begins no section.
    var admonitions = 0
    /// How many enclosing elements only introduce what follows.
    var announcements = 0
    /// How many enclosing elements, such as headings and table cells, are written as one line.
    var lines = 0
    /// The code in the cells of the current row, which is written after the row.
    var codeOfRow: [CleanDocument.Block]?
    private var articles = 0
    var findings = Finding.List()

    /// An enclosing section or division, whose `id` a heading may take.
    private struct Enclosing {
        let id: String?
        var hasHeading = false
    }

    private init(_ survey: HTMLSurvey) { chrome = HTMLChrome(survey) }

    /// Extracts the text of a page in any encoding.
    static func clean(_ raw: RawDocument) throws(UnreadableDocument) -> DocumentText {
        let decoded = try TextDecoding.decode(
            raw.bytes, declared: raw.encoding, suggested: HTMLEncoding.suggested(by: raw.bytes))
        var text = clean(decoded.text)
        text.findings.add(decoded.findings)
        return text
    }

    /// Extracts the text of a decoded page.
    static func clean(_ page: String) -> DocumentText {
        let prepared = HTMLPreparation(Array(page.utf8))
        guard let tree = HTMLTree(prepared), let root = tree.root else { return DocumentText() }
        let survey = HTMLSurvey(root)
        var cleaner = HTMLCleaner(survey)
        cleaner.articles = survey.content.name == "body" ? 0 : 1
        cleaner.visitChildren(of: survey.content)
        cleaner.endParagraph()
        var text = cleaner.builder.finish()
        if text.headingTitle == nil { text.headingTitle = survey.title }
        text.metadata = survey.metadata
        text.findings.add(prepared.findings)
        text.findings.add(cleaner.findings)
        text.findings.add(
            .leftOut, "navigation", survey.wordsBeside, "words", detail: "outside the main part")
        return text
    }

    /// Extracts the blocks of HTML embedded in another document; headings become paragraphs.
    static func fragment(_ html: String) -> (blocks: [CleanDocument.Block], findings: Finding.List)
    {
        let prepared = HTMLPreparation(Array(html.utf8))
        guard let tree = HTMLTree(prepared), let root = tree.root else {
            return ([], prepared.findings)
        }
        var cleaner = HTMLCleaner(HTMLSurvey(root))
        cleaner.blocks = []
        cleaner.visitChildren(of: root)
        cleaner.endParagraph()
        cleaner.findings.add(prepared.findings)
        return (cleaner.blocks ?? [], cleaner.findings)
    }

    // MARK: - Tree

    func isLeftOut(_ node: HTMLTree.Node, name: String) -> String? {
        chrome.reason(node, name: name, isInArticle: articles > 0)
    }

    private mutating func visit(_ node: HTMLTree.Node) {
        guard let name = node.name else {
            if let text = node.text { inline.append(text) }
            return
        }
        let element = HTMLElement(node, name: name)
        if element == .invisible {
            // Scripts and styles are not text, but their words are counted: an unclosed one swallows the text after it.
            let words = node.children.reduce(0) { $0 + $1.wordCount }
            if name == "script" || name == "style" { findings.add(.leftOut, name, words, "words") }
            return
        }
        if name == "input", node.attribute("type")?.lowercased() == "checkbox" {
            return inline.append(node.attribute("checked") == nil ? "[ ] " : "[x] ")
        }
        if let reason = isLeftOut(node, name: name) {
            findings.add(.leftOut, reason, node.words.all, "words")
            return inline.separate()
        }
        switch element {
        case .inline: visitInline(node, name: name)
        case .lineBreak: inline.append("\n")
        case .link:
            inline.addLink(node.attribute("href") ?? "")
            visitInline(node, name: name)
        case .image: addImage(node)
        case .superscript: addSuperscript(node)
        case .unknown:
            if Self.isConfluence(name) { return visitConfluence(node, name: name) }
            inline.separate()
            visitChildren(of: node)
            inline.separate()
        default:
            endParagraph()
            if lines > 0 { visitLine(node, element) } else { visitBlock(node, element, name: name) }
            endParagraph()
        }
    }

    mutating func visitChildren(of node: HTMLTree.Node) {
        for child in node.children { visit(child) }
    }

    private mutating func visitInline(_ node: HTMLTree.Node, name: String) {
        if name == "time", node.children.isEmpty, let date = node.attribute("datetime") {
            inline.append(date)
        }
        // Buttons and tabs are separate words even without white space between them.
        let isControl = name == "button" || name == "label" || node.attribute("role") == "tab"
        if isControl { inline.separate() }
        visitChildren(of: node)
        if isControl { inline.separate() }
    }

    private mutating func visitBlock(_ node: HTMLTree.Node, _ element: HTMLElement, name: String) {
        switch element {
        case .heading(let level): addHeading(node, level: level)
        case .preformatted: add(code(node))
        case .table where !Self.isLayout(node): addRows(of: node)
        case .list(let isOrdered):
            let isReversed = isOrdered && node.attribute("reversed") != nil
            let first = isReversed ? node.children.count { $0.name == "li" } : 1
            lists.begin(
                isOrdered ? Self.style(node) : .bullet,
                start: node.attribute("start").flatMap { Int($0) } ?? first,
                step: isReversed ? -1 : 1)
            visitChildren(of: node)
            endParagraph()
            lists.end()
        case .item:
            lists.beginItem(number: node.attribute("value").flatMap { Int($0) })
            visitChildren(of: node)
            endParagraph()
            lists.endItem()
        case .term:
            announcements += 1
            visitChildren(of: node)
            endParagraph()
            announcements -= 1
        case .admonition:
            admonitions += 1
            visitChildren(of: node)
            endParagraph()
            admonitions -= 1
        case .section:
            let isArticle = name == "article" || name == "main"
            articles += isArticle ? 1 : 0
            enclosing.append(Enclosing(id: node.attribute("id").flatMap { $0.isEmpty ? nil : $0 }))
            visitChildren(of: node)
            endParagraph()
            enclosing.removeLast()
            articles -= isArticle ? 1 : 0
        default: visitChildren(of: node)
        }
    }

    /// Adds a block inside a heading or a cell to that line of text.
    private mutating func visitLine(_ node: HTMLTree.Node, _ element: HTMLElement) {
        if case .preformatted = element, codeOfRow != nil {
            addCode(code(node))
        } else {
            visitChildren(of: node)
        }
    }

    // MARK: - Text

    mutating func endParagraph() {
        guard lines == 0 else { return inline.append(" ") }
        let (text, links) = inline.take()
        var block = CleanDocument.Block(lists.isInside ? .listItem : .paragraph, text)
        block.links = links
        add(block)
    }

    mutating func add(_ block: CleanDocument.Block) {
        guard !block.text.isEmpty else { return }
        var block = block
        if let marker = lists.take() {
            if block.kind == .code {
                // The marker must not become part of the code, and a bare bullet carries no information.
                if marker != "- " {
                    var number = CleanDocument.Block(.listItem, WhiteSpace.collapsed(marker))
                    number.keepsWithNext = true
                    put(number)
                }
            } else {
                block.text = marker + block.text
            }
        }
        if announcements > 0 { block.keepsWithNext = true }
        put(block)
    }

    /// Adds code; inside a table cell, the code follows the row.
    mutating func addCode(_ block: CleanDocument.Block) {
        if lines > 0, codeOfRow != nil { codeOfRow?.append(block) } else { add(block) }
    }

    private mutating func put(_ block: CleanDocument.Block) {
        if blocks == nil { builder.add(block) } else { blocks?.append(block) }
    }

    /// Returns the text of an element as one line.
    mutating func line(of node: HTMLTree.Node) -> (text: String, links: [String]) {
        line(of: node.children[...])
    }

    private mutating func line(
        of nodes: ArraySlice<HTMLTree.Node>
    ) -> (text: String, links: [String]) {
        let outer = inline
        inline = InlineText()
        lines += 1
        for node in nodes { visit(node) }
        lines -= 1
        defer { inline = outer }
        return inline.take()
    }

    /// Begins a section. Its anchor is the heading's `id`, else the `id` of the enclosing section if this is its first
    /// heading, else the slug of the text.
    private mutating func addHeading(_ node: HTMLTree.Node, level: Int) {
        let children = node.children
        let end = Self.headingEnd(children)
        let (text, links) = line(of: children[..<end])
        defer { for child in children[end...] { visit(child) } }
        guard !text.isEmpty else { return }
        guard blocks == nil, admonitions == 0 else {
            var block = CleanDocument.Block(.paragraph, text)
            block.links = links
            block.keepsWithNext = true
            return add(block)
        }
        let around = enclosing.last { $0.id != nil }
        let own = Self.anchor(of: node)
        let inherited = around.flatMap { $0.hasHeading ? nil : $0.id }
        for index in enclosing.indices { enclosing[index].hasHeading = true }
        builder.begin(text, level: level, anchor: own ?? inherited)
    }

    /// Returns where the text of a heading ends: a heading that was never closed also contains the blocks below it.
    private static func headingEnd(_ children: [HTMLTree.Node]) -> Int {
        guard let first = children.firstIndex(where: { blocksInHeadings.contains($0.name ?? "") }),
            children[..<first].contains(where: { $0.words.all > 0 })
        else { return children.count }
        return first
    }

    private static let blocksInHeadings: Set<String> = [
        "p", "ul", "ol", "dl", "table", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6",
    ]

    /// Returns the `id` of a heading, or of a link target inside it.
    private static func anchor(of heading: HTMLTree.Node) -> String? {
        if let id = heading.attribute("id"), !id.isEmpty { return id }
        let target = heading.first { node in
            node.name == "a" && (node.attribute("id") ?? node.attribute("name")) != nil
                || node.name == "span" && node.attribute("id") != nil
        }
        return (target?.attribute("id") ?? target?.attribute("name")).flatMap {
            $0.isEmpty ? nil : $0
        }
    }

    private mutating func addImage(_ node: HTMLTree.Node) {
        findings.add(.leftOut, "image", 1, "images")
        guard let text = node.attribute("alt"), node.attribute("role") != "presentation" else {
            return
        }
        inline.separate()
        inline.append(text)
        inline.separate()
    }

    /// Adds an exponent as `^2` and a footnote number in brackets, so that they do not merge with the text before
    /// them.
    private mutating func addSuperscript(_ node: HTMLTree.Node) {
        let isNote = node.first { $0.name == "a" } != nil
        let (text, links) = line(of: node)
        links.forEach { inline.addLink($0) }
        let isNumber =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0.properties.numericType != nil || "+-−*".unicodeScalars.contains($0)
            }
        if isNote, !text.isEmpty {
            inline.append(text.hasPrefix("[") ? " \(text)" : " [\(text)]")
        } else if isNumber, let last = inline.last, !WhiteSpace.isSpace(last) {
            inline.append("^\(text)")
        } else {
            inline.append(text)
        }
    }

    private static func style(_ list: HTMLTree.Node) -> ListMarkers.Style {
        switch list.attribute("type") {
        case "a": .letter(isCapital: false)
        case "A": .letter(isCapital: true)
        case "i": .roman(isCapital: false)
        case "I": .roman(isCapital: true)
        default: .number
        }
    }
}
