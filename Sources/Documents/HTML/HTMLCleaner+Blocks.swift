extension HTMLCleaner {
    /// Spans are tracked up to these limits; real tables never reach them.
    private static let columnLimit = 1000
    private static let rowLimit = 65_534

    /// Whether a table serves only layout: it contains headings, or contains other tables or code and has no `th`.
    static func isLayout(_ table: HTMLTree.Node) -> Bool {
        var hasHeadings = false
        var hasColumns = false
        var hasBlocks = false
        for child in table.children {
            _ = child.first { node in
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

    /// Adds the rows of a table; nested content, including other tables, becomes the text of its row.
    mutating func addRows(of table: HTMLTree.Node) {
        var waiting: [(node: HTMLTree.Node, isHead: Bool)] = [(table, false)]
        var isFirst = true
        var spans: [Int] = []
        while let (node, isHead) = waiting.popLast() {
            guard let name = node.name else { continue }
            switch name {
            case "caption":
                let (text, links) = line(of: node)
                var caption = CleanDocument.Block(.paragraph, text)
                caption.links = links
                caption.keepsWithNext = true
                add(caption)
            case "tr":
                addRow(node, isHead: isHead, isFirst: isFirst, &spans)
                isFirst = false
            default:
                if let reason = isLeftOut(node, name: name) {
                    findings.add(.leftOut, reason, node.words.all, "words")
                    continue
                }
                for child in node.children.reversed() {
                    waiting.append((child, isHead || name == "thead"))
                }
            }
        }
    }

    /// Adds a row.
    ///
    /// - Parameter spans: For each column, how many more rows a cell from above covers; updated with the cells of
    ///   this row.
    private mutating func addRow(
        _ row: HTMLTree.Node, isHead: Bool, isFirst: Bool, _ spans: inout [Int]
    ) {
        let cells = row.children.filter { $0.name == "td" || $0.name == "th" }
        codeOfRow = []
        var links: [String] = []
        var texts: [String] = []
        func skipSpanned() {
            while texts.count < spans.count, spans[texts.count] > 0 {
                spans[texts.count] -= 1
                texts.append("")
            }
        }
        for cell in cells {
            skipSpanned()
            let found = line(of: cell)
            links += found.links.filter { !links.contains($0) }
            let rows = cell.attribute("rowspan").flatMap { Int($0) } ?? 1
            if rows > 1, texts.count < Self.columnLimit {
                while spans.count <= texts.count { spans.append(0) }
                spans[texts.count] = min(rows, Self.rowLimit) - 1
            }
            texts.append(found.text)
        }
        skipSpanned()
        var block = CleanDocument.Block(.tableRow, TableText.row(texts))
        block.links = links
        block.isHeader =
            isHead || isFirst && cells.count > 1 && cells.allSatisfy { $0.name == "th" }
        let code = codeOfRow ?? []
        codeOfRow = nil
        block.keepsWithNext = !code.isEmpty
        add(block)
        code.forEach { add($0) }
    }
}

extension HTMLCleaner {
    /// Returns a preformatted element as a code block.
    mutating func code(_ node: HTMLTree.Node) -> CleanDocument.Block {
        var text = ""
        appendCode(of: node, to: &text)
        var block = CleanDocument.Block(.code, WhiteSpace.lines(text))
        block.language = Self.language(of: node)
        return block
    }

    private mutating func appendCode(of node: HTMLTree.Node, to text: inout String) {
        for child in node.children {
            if let more = child.text { text += more }
            guard let name = child.name else { continue }
            if let reason = isLeftOut(child, name: name) {
                if reason != "navigation" {
                    findings.add(.leftOut, reason, child.words.all, "words")
                }
                continue
            }
            switch HTMLElement(child, name: name) {
            case .invisible: break
            case .lineBreak: text += "\n"
            case .inline, .link, .unknown, .superscript: appendCode(of: child, to: &text)
            case .image: text += child.attribute("alt") ?? ""
            default:
                // Some highlighters wrap each line in an element.
                if !text.isEmpty, text.utf8.last != 0x0A { text += "\n" }
                appendCode(of: child, to: &text)
                if !text.isEmpty, text.utf8.last != 0x0A { text += "\n" }
            }
        }
    }

    /// Returns the language that highlighters and generators declare on the element, its `code` child, its parent or
    /// its grandparent.
    private static func language(of node: HTMLTree.Node) -> String? {
        var places = [node]
        if let code = node.children.first(where: { $0.name == "code" }) { places.append(code) }
        if let parent = node.parent {
            places.append(parent)
            if let outer = parent.parent { places.append(outer) }
        }
        for place in places where place.hasAttributes {
            for name in ["data-lang", "data-language"] {
                if let language = place.attribute(name).flatMap(named) { return language }
            }
            let classes = place.classes
            for (index, text) in classes.enumerated() {
                for prefix in ["language-", "lang-", "highlight-source-", "highlight-"]
                where text.hasPrefix(prefix) {
                    if let language = named(String(text.dropFirst(prefix.count))) {
                        return language
                    }
                }
                let isFollowed = ["sourcecode", "brush:", "src"].contains(text)
                if isFollowed, index + 1 < classes.count, let language = named(classes[index + 1]) {
                    return language
                }
            }
        }
        return nil
    }

    /// Returns a language's name in lower case; nil for names that mean plain text or are longer than 40 bytes.
    private static func named(_ text: String) -> String? {
        let name = text.lowercased().filter { $0 != ";" }
        let isNone = ["", "default", "none", "text", "plain", "plaintext", "notranslate"].contains(
            name)
        return isNone || name.utf8.count > 40 ? nil : name
    }
}
