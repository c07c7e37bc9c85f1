/// A page as text: what a reader came for, without what is there to find the way.
struct HTMLCleaner {
    private var builder = SectionBuilder()
    private var lists = ListMarkers()
    private var inline = ""
    private var enclosing: [Enclosing] = []
    private var blocks: [CleanDocument.Block]?
    /// How many notes and warnings are around the present place: a heading in them begins no section.
    private var admonitions = 0

    /// A section or division around the present place whose `id` a heading may take.
    private struct Enclosing {
        let id: String?
        var hasHeading = false
    }

    /// libxml2 stops at 256 levels; what is deeper than this is left out whatever it does.
    private static let depthLimit = 1024

    /// Cleans a page of any bytes.
    static func clean(_ bytes: [UInt8]) throws(UnreadableDocument) -> DocumentText {
        guard let tree = try parse(bytes), let root = tree.root else {
            return DocumentText(sections: [])
        }
        var cleaner = HTMLCleaner()
        cleaner.visit(content(of: root), name: "body", depth: 0)
        cleaner.endParagraph()
        var text = cleaner.builder.finish(
            note: tree.isCut ? "read in part: it is more than is parsed of one page" : nil)
        if text.headingTitle == nil {
            text.headingTitle = first(in: root) { $0.name == "title" }
                .map { WhiteSpace.collapsed(rawText(of: $0)) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        return text
    }

    /// The text of HTML inside of Markdown; its headings are paragraphs.
    static func blocks(ofFragment html: String) -> [CleanDocument.Block] {
        guard let tree = HTMLTree(Array(html.utf8), encoding: "UTF-8"), let root = tree.root else {
            return []
        }
        var cleaner = HTMLCleaner()
        cleaner.blocks = []
        cleaner.visit(root, name: "body", depth: 0)
        cleaner.endParagraph()
        return cleaner.blocks ?? []
    }

    private static func parse(_ bytes: [UInt8]) throws(UnreadableDocument) -> HTMLTree? {
        switch try TextDecoding.encoding(of: bytes) {
        case .utf8: HTMLTree(bytes, encoding: "UTF-8")
        case .latin1 where declaresOtherEncoding(bytes): HTMLTree(bytes, encoding: nil)
        case .latin1, .utf16:
            HTMLTree(Array(try TextDecoding.decode(bytes).utf8), encoding: "UTF-8")
        }
    }

    /// Whether bytes that are not UTF-8 claim to be something else than Latin-1, such as Shift_JIS.
    private static func declaresOtherEncoding(_ bytes: [UInt8]) -> Bool {
        let head = TextDecoding.latin1(Array(bytes.prefix(1024))).lowercased().utf8
        let mark = Array("charset=".utf8)
        guard let start = head.indices.first(where: { head[$0...].starts(with: mark) }) else {
            return false
        }
        let value = head[start...].dropFirst(mark.count).drop { $0 == 0x22 || $0 == 0x27 }
        let name = String(
            decoding: value.prefix { $0 > 0x20 && $0 != 0x22 && $0 != 0x27 && $0 != 0x3E },
            as: UTF8.self)
        let ours = [
            "", "utf-8", "utf8", "iso-8859-1", "latin1", "latin-1", "windows-1252", "us-ascii",
        ]
        return !ours.contains(name)
    }

    /// `<main>`, else the only `<article>`, else the body.
    private static func content(of root: HTMLTree.Node) -> HTMLTree.Node {
        var articles = 0
        let main = first(in: root) { node in
            let name = node.name
            if name == "article" { articles += 1 }
            return name == "main" || name != nil && node.attribute("role") == "main"
        }
        if let main { return main }
        if articles == 1, let article = first(in: root, { $0.name == "article" }) { return article }
        return first(in: root) { $0.name == "body" } ?? root
    }

    /// The first node, in the order of the text, for which `isWanted` holds.
    private static func first(
        in root: HTMLTree.Node, _ isWanted: (HTMLTree.Node) -> Bool
    ) -> HTMLTree.Node? {
        var waiting = [root]
        while let node = waiting.popLast() {
            if isWanted(node) { return node }
            if node.name != nil { waiting.append(contentsOf: node.children.reversed()) }
        }
        return nil
    }

    private mutating func visit(_ node: HTMLTree.Node, depth: Int) {
        if let name = node.name {
            visit(node, name: name, depth: depth)
        } else if let text = node.text {
            inline += text
        }
    }

    private mutating func visit(_ node: HTMLTree.Node, name: String, depth: Int) {
        guard depth < Self.depthLimit else { return }
        let element = HTMLElement(node, name: name)
        switch element {
        case .skipped: return
        case .inline: visitChildren(of: node, depth: depth)
        case .lineBreak: inline += "\n"
        default:
            endParagraph()
            visitBlock(node, element, depth: depth)
            endParagraph()
        }
    }

    private mutating func visitBlock(_ node: HTMLTree.Node, _ element: HTMLElement, depth: Int) {
        switch element {
        case .heading(let level): addHeading(node, level: level)
        case .preformatted:
            add(.code, WhiteSpace.lines(Self.rawText(of: node)))
        case .table where !Self.isLayout(node): addRows(of: node)
        case .list(let isOrdered):
            lists.begin(
                isOrdered: isOrdered, start: node.attribute("start").flatMap { Int($0) } ?? 1)
            visitChildren(of: node, depth: depth)
            endParagraph()
            lists.end()
        case .item:
            lists.beginItem()
            visitChildren(of: node, depth: depth)
            endParagraph()
            lists.endItem()
        case .header:
            for case let (heading, .heading(level)) in Self.headings(in: node) {
                addHeading(heading, level: level)
            }
        case .admonition:
            admonitions += 1
            visitChildren(of: node, depth: depth)
            admonitions -= 1
        case .section:
            enclosing.append(Enclosing(id: node.attribute("id").flatMap { $0.isEmpty ? nil : $0 }))
            visitChildren(of: node, depth: depth)
            enclosing.removeLast()
        default: visitChildren(of: node, depth: depth)
        }
    }

    private mutating func visitChildren(of node: HTMLTree.Node, depth: Int) {
        var child = node.firstChild
        while let present = child {
            visit(present, depth: depth + 1)
            child = present.next
        }
    }

    private mutating func endParagraph() {
        let text = WhiteSpace.collapsed(inline)
        inline = ""
        add(lists.isInside ? .listItem : .paragraph, text)
    }

    private mutating func add(_ kind: CleanDocument.Block.Kind, _ text: String) {
        guard !text.isEmpty else { return }
        let marked = (lists.take() ?? "") + text
        if blocks == nil {
            builder.add(kind, marked)
        } else {
            blocks?.append(CleanDocument.Block(kind, marked))
        }
    }

    /// Begins a section whose anchor is the heading's own, else that of the section it is the first
    /// heading of, else the slug of its text.
    private mutating func addHeading(_ node: HTMLTree.Node, level: Int) {
        let text = WhiteSpace.collapsed(Self.rawText(of: node))
        guard blocks == nil, admonitions == 0 else { return add(.paragraph, text) }
        guard !text.isEmpty else { return }
        let around = enclosing.last { $0.id != nil }
        let own = Self.anchor(of: node)
        let inherited = around.flatMap { $0.hasHeading ? nil : $0.id }
        for index in enclosing.indices { enclosing[index].hasHeading = true }
        builder.begin(text, level: level, anchor: own ?? inherited)
    }

    /// The `id` of a heading, or that of a link target in it.
    private static func anchor(of heading: HTMLTree.Node) -> String? {
        if let id = heading.attribute("id"), !id.isEmpty { return id }
        let target = first(in: heading) { node in
            node.name == "a" && (node.attribute("id") ?? node.attribute("name")) != nil
                || node.name == "span" && node.attribute("id") != nil
        }
        return (target?.attribute("id") ?? target?.attribute("name")).flatMap {
            $0.isEmpty ? nil : $0
        }
    }

    private static func headings(
        in node: HTMLTree.Node
    ) -> [(HTMLTree.Node, HTMLElement)] {
        var result: [(HTMLTree.Node, HTMLElement)] = []
        _ = first(in: node) { inner in
            if let name = inner.name {
                let element = HTMLElement(inner, name: name)
                if case .heading = element { result.append((inner, element)) }
            }
            return false
        }
        return result
    }

    /// Whether a table is there for its looks: it holds headings; or other tables or code, and names no
    /// columns.
    private static func isLayout(_ table: HTMLTree.Node) -> Bool {
        var hasHeadings = false
        var hasColumns = false
        var hasBlocks = false
        for child in table.children {
            _ = first(in: child) { node in
                switch node.name {
                case "h1", "h2", "h3", "h4", "h5", "h6": hasHeadings = true
                case "th": hasColumns = true
                case "table", "pre": hasBlocks = true
                default: break
                }
                return hasHeadings
            }
        }
        return hasHeadings || hasBlocks && !hasColumns
    }

    /// Adds the rows of a table; what is in a cell, other tables included, is text of its row.
    private mutating func addRows(of table: HTMLTree.Node) {
        var waiting: [HTMLTree.Node] = [table]
        while let node = waiting.popLast() {
            switch node.name {
            case "caption": add(.paragraph, WhiteSpace.collapsed(Self.rawText(of: node)))
            case "tr":
                let cells = node.children.filter { $0.name == "td" || $0.name == "th" }
                let row = TableText.row(cells.map { WhiteSpace.collapsed(Self.rawText(of: $0)) })
                add(.tableRow, row)
            case nil: break
            default: waiting.append(contentsOf: node.children.reversed())
            }
        }
    }

    /// All text below a node, with a space where a block begins or ends and a new line for `<br>`.
    private static func rawText(of node: HTMLTree.Node) -> String {
        var result = ""
        // Nil where a block ends.
        var waiting: [HTMLTree.Node?] = [node]
        while let next = waiting.popLast() {
            guard let node = next else {
                result += " "
                continue
            }
            if let text = node.text { result += text }
            guard let name = node.name else { continue }
            switch HTMLElement(node, name: name) {
            case .skipped where name != "title": continue
            case .lineBreak: result += "\n"
            case .inline, .heading, .preformatted, .skipped: break
            default:
                result += " "
                waiting.append(nil)
            }
            waiting.append(contentsOf: node.children.reversed())
        }
        return result
    }
}
