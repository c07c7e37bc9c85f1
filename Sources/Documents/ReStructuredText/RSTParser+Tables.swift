/// Tables, drawn or as directives.
extension RSTParser {
    /// Reads a table with all of its borders drawn; nil when there is none.
    mutating func parseGridTable(_ index: Int, _ end: Int, at column: Int) -> Int? {
        guard RSTGridTable.isBorder(lines[index].content) else { return nil }
        var stop = index
        while stop < end, !lines[stop].isBlank, lines[stop].indent == column,
            lines[stop].content.first == UInt8(ascii: "+")
                || lines[stop].content.first == UInt8(ascii: "|")
        { stop += 1 }
        guard stop > index + 2 else { return nil }
        add(RSTGridTable(lines[index..<stop]).rows)
        return stop
    }

    /// Reads a table whose columns are marked above and below; nil when there is none.
    mutating func parseSimpleTable(_ index: Int, _ end: Int, at column: Int) -> Int? {
        guard RSTSimpleTable.isBorder(lines[index].content, hasColumns: true) else { return nil }
        var borders = 0
        var stop = index + 1
        while stop < end {
            let line = lines[stop]
            if !line.isBlank, line.indent < column { return nil }
            if line.indent == column, RSTSimpleTable.isBorder(line.content, hasColumns: false) {
                borders += 1
                if borders == 2 || stop + 1 >= end || lines[stop + 1].isBlank {
                    add(RSTSimpleTable(lines[index...stop], at: column).rows)
                    return stop + 1
                }
            }
            stop += 1
        }
        // It has no end: what would be its rows is text.
        return index + 1
    }

    private mutating func add(_ rows: [RSTTableRow]) {
        for row in rows {
            var cells: [[CleanDocument.Block]] = []
            for cell in row.cells { cells.append(parseCell(cell)) }
            writer.addRow(cells, isHeader: row.isHeader)
        }
    }

    /// Adds a table that is a list of lists.
    mutating func addListTable(_ directive: RSTDirective) {
        writer.add(inline(directive.argument), keepsWithNext: true)
        let headers = Int(WhiteSpace.collapsed(directive.options["header-rows"] ?? "")) ?? 0
        let rows = items(
            directive.content, at: MarkupLine.leastIndent(lines[directive.content]))
        guard !rows.isEmpty else { return parseContent(of: directive) }
        for (number, row) in rows.enumerated() {
            var cells: [[CleanDocument.Block]] = []
            for cell in items(row.lines, at: row.column) {
                writer.beginCell()
                parse(cell.lines.lowerBound, cell.lines.upperBound, at: cell.column)
                cells.append(writer.endCell())
            }
            writer.addRow(cells, isHeader: number < headers)
        }
    }

    /// The items of a list, without their bullets.
    private mutating func items(
        _ body: Range<Int>, at column: Int
    ) -> [(lines: Range<Int>, column: Int)] {
        var result: [(lines: Range<Int>, column: Int)] = []
        var index = body.lowerBound
        while index < body.upperBound {
            guard !lines[index].isBlank, lines[index].indent <= column,
                let marker = RSTMarker.bullet(lines[index].content)
            else {
                index += 1
                continue
            }
            let stop = endOfBody(index + 1, body.upperBound, above: column)
            lines[index].consume(marker)
            let inner =
                lines[index].isBlank
                ? leastIndent(index, stop) ?? column : lines[index].indent
            result.append((index..<stop, inner))
            index = stop
        }
        return result
    }

    /// Adds a table whose cells are separated by commas.
    mutating func addCSVTable(_ directive: RSTDirective) {
        writer.add(inline(directive.argument), keepsWithNext: true)
        if let file = directive.options["file"] ?? directive.options["url"] {
            findings.add(.leftOut, "include", 1, "files", detail: file)
            return
        }
        let format = DelimitedText(
            delimiter: Self.character(directive.options["delim"]) ?? UInt8(ascii: ","),
            quote: Self.character(directive.options["quote"]) ?? UInt8(ascii: "\""),
            escape: Self.character(directive.options["escape"]))
        if let header = directive.options["header"] {
            for row in format.rows(header) { addRow(row, isHeader: true) }
        }
        let headers = Int(WhiteSpace.collapsed(directive.options["header-rows"] ?? "")) ?? 0
        let content = MarkupLine.joined(lines[directive.content], without: directive.column)
        for (number, row) in format.rows(content).enumerated() {
            addRow(row, isHeader: number < headers)
        }
    }

    private mutating func addRow(_ texts: [String], isHeader: Bool) {
        var cells: [[CleanDocument.Block]] = []
        for text in texts {
            cells.append(parseCell(MarkupLine.split(text, tab: 8, limit: .max)))
        }
        writer.addRow(cells, isHeader: isHeader)
    }

    private static func character(_ option: String?) -> UInt8? {
        switch option.map(WhiteSpace.collapsed) {
        case "tab": 0x09
        case "space": 0x20
        case let text?: text.utf8.first
        case nil: nil
        }
    }
}
