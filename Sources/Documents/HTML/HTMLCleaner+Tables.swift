extension HTMLCleaner {
    /// Spans are tracked up to these limits; real tables never reach them.
    private static let columnLimit = 1000
    private static let rowLimit = 65_534

    /// Whether a table is there for its looks: it holds headings; or other tables or code, and names no
    /// columns.
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

    /// Adds the rows of a table; what is in a cell, other tables included, is text of its row.
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

    /// Adds a row; `spans` tells for each column how many rows more a cell above reaches, and gets those of this row.
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
