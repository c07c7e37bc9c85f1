/// Tables, drawn or written as directives.
extension RSTParser {
    /// Parses a grid table, whose borders are all drawn; nil if no such table begins here.
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

    /// Parses a simple table, whose columns are marked above and below; nil if no such table begins here.
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
        // The table has no end, so its rows are text.
        return index + 1
    }

    private mutating func add(_ rows: [RSTTableRow]) {
        for row in rows {
            var cells: [[CleanDocument.Block]] = []
            for cell in row.cells { cells.append(parseCell(cell)) }
            writer.addRow(cells, isHeader: row.isHeader)
        }
    }

    /// Adds a table written as a nested list.
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

    /// Returns the items of a list, without their bullets.
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
            let item = openItem(index, body.upperBound, at: column, marker: marker)
            result.append((index..<item.stop, item.column))
            index = item.stop
        }
        return result
    }

    /// Adds a table with comma-separated cells.
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

/// A table row, as the lines of its cells.
struct RSTTableRow: Equatable {
    var cells: [[MarkupLine]]
    var isHeader = false
}

/// A line addressed by column; wide characters take two columns.
private struct ColumnLine {
    private let bytes: [UInt8]
    /// The byte offset of the character at each column; nil if every byte is one column.
    private let offsets: [Int]?

    init(_ line: MarkupLine, at column: Int) {
        let spaces = max(0, line.indent - column)
        bytes = Array(repeating: 0x20, count: spaces) + line.content
        guard !bytes.allSatisfy({ $0 < 0x80 }) else {
            offsets = nil
            return
        }
        var offsets: [Int] = []
        var offset = 0
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            let length = UTF8.width(scalar)
            let width = MarkupLine.width(scalar)
            if width > 0 { offsets.append(offset) }
            offset += length
            // The second column of a wide character is empty.
            if width > 1 { offsets.append(offset) }
        }
        self.offsets = offsets
    }

    var width: Int { offsets?.count ?? bytes.count }

    private func offset(_ column: Int) -> Int {
        guard column < width else { return bytes.count }
        return offsets?[column] ?? column
    }

    /// Returns the byte at a column; a space beyond the end.
    func byte(_ column: Int) -> UInt8 {
        let offset = offset(column)
        return offset < bytes.count ? bytes[offset] : 0x20
    }

    /// Returns the line between two columns.
    func line(_ start: Int, _ end: Int) -> MarkupLine {
        let from = offset(start)
        return MarkupLine(bytes[from..<max(from, offset(end))])
    }

    func isBlank(_ start: Int, _ end: Int) -> Bool { line(start, end).isBlank }
}

/// A table whose columns are marked by `===` lines above and below.
struct RSTSimpleTable {
    private(set) var rows: [RSTTableRow] = []
    private let columns: [Int]
    private let firstEnd: Int

    /// Whether a line begins with `=` and consists of `=` and spaces; with `hasColumns`, it must have a space.
    static func isBorder(_ content: ArraySlice<UInt8>, hasColumns: Bool) -> Bool {
        content.first == UInt8(ascii: "=")
            && content.allSatisfy { $0 == UInt8(ascii: "=") || $0 == 0x20 }
            && (!hasColumns || content.contains(0x20))
    }

    /// Parses the lines of a table, including its borders.
    init(_ lines: ArraySlice<MarkupLine>, at column: Int) {
        let lines = Array(lines)
        columns = Self.columns(lines[0])
        firstEnd = lines[0].content.prefix { $0 != 0x20 }.count
        let separator = lines.dropFirst().dropLast().firstIndex {
            $0.indent == column && Self.isBorder($0.content, hasColumns: false)
        }
        var start = 1
        var hasText = false
        for (index, line) in lines.enumerated().dropFirst() {
            let isBorder =
                line.indent == column
                && (Self.isBorder(line.content, hasColumns: false) || isSpan(line))
            let row = ColumnLine(line, at: column)
            let isHeader = index <= separator ?? 0
            if isBorder {
                addRow(lines[start..<index], at: column, span: line, isHeader: isHeader)
                start = index + 1
                hasText = false
            } else if !row.isBlank(0, firstEnd) {
                if hasText, index != start {
                    addRow(lines[start..<index], at: column, span: nil, isHeader: isHeader)
                }
                start = index
                hasText = true
            } else if !hasText, line.isBlank {
                start = index + 1
            }
        }
    }

    /// Whether a line joins columns of the row above it.
    private func isSpan(_ line: MarkupLine) -> Bool {
        guard line.content.first == UInt8(ascii: "-"), line.content.count > 1 || columns.count == 1
        else { return false }
        return line.content.allSatisfy { $0 == UInt8(ascii: "-") || $0 == 0x20 }
            && line.content.starts(with: "--".utf8)
    }

    /// Returns where each column that a border line marks begins.
    private static func columns(_ line: MarkupLine) -> [Int] {
        var result: [Int] = []
        var previous: UInt8 = 0x20
        for (column, byte) in line.content.enumerated() {
            if byte != 0x20, previous == 0x20 { result.append(column) }
            previous = byte
        }
        return result
    }

    private mutating func addRow(
        _ lines: ArraySlice<MarkupLine>, at column: Int, span: MarkupLine?, isHeader: Bool
    ) {
        guard lines.contains(where: { !$0.isBlank }) else { return }
        let columns = span.map(Self.columns) ?? columns
        // Cells are created only as far as the lines reach: a border may have any number of columns.
        var cells: [[MarkupLine]] = []
        for line in lines {
            let line = ColumnLine(line, at: column)
            for (index, start) in columns.enumerated() {
                guard start < line.width else { break }
                let end = index + 1 < columns.count ? columns[index + 1] : line.width
                if index == cells.count { cells.append([]) }
                cells[index].append(line.line(start, end))
            }
        }
        rows.append(RSTTableRow(cells: cells.map(Self.trimmed), isHeader: isHeader))
    }

    /// Drops the blank lines at the start and the end.
    static func trimmed(_ lines: [MarkupLine]) -> [MarkupLine] {
        guard let first = lines.firstIndex(where: { !$0.isBlank }),
            let last = lines.lastIndex(where: { !$0.isBlank })
        else { return [] }
        return Array(lines[first...last])
    }
}

/// A table with all borders drawn with `+`, `-`, `=` and `|`.
struct RSTGridTable {
    private(set) var rows: [RSTTableRow] = []

    /// Whether a line is the top border of a table.
    static func isBorder(_ content: ArraySlice<UInt8>) -> Bool {
        content.count > 2 && content.first == UInt8(ascii: "+")
            && content.last == UInt8(ascii: "+")
            && content[content.startIndex + 1] == UInt8(ascii: "-")
            && content.allSatisfy { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
    }

    /// A cell whose bottom border has not been reached.
    private struct OpenCell {
        var row: Int
        var lines: [MarkupLine] = []
    }

    /// Parses the lines of a table. Any lines yield some rows, so no text is lost.
    init(_ lines: ArraySlice<MarkupLine>) {
        let column = lines.first?.indent ?? 0
        let lines = lines.map { ColumnLine($0, at: column) }
        let edges = Self.edges(lines)
        var open: [Int: OpenCell] = [:]
        var cells: [[Int: [MarkupLine]]] = [[:]]
        var headers = 0
        for line in lines.dropFirst() {
            let segments = Self.segments(line, edges)
            let isSeparator = segments.contains { $0.isBorder }
            if isSeparator, segments.contains(where: { $0.isHeader }) { headers = cells.count }
            for segment in segments {
                if segment.isBorder {
                    if let cell = open.removeValue(forKey: segment.start) {
                        cells[cell.row][segment.start] = cell.lines
                    }
                } else {
                    open[segment.start, default: OpenCell(row: cells.count - 1)].lines
                        .append(line.line(segment.start + 1, segment.end))
                }
            }
            if isSeparator { cells.append([:]) }
        }
        for (start, cell) in open { cells[cell.row][start] = cell.lines }
        for (index, row) in cells.enumerated() where !row.isEmpty {
            let texts = row.sorted { $0.key < $1.key }.map { RSTSimpleTable.trimmed($0.value) }
            rows.append(RSTTableRow(cells: texts, isHeader: index < headers))
        }
    }

    /// A part of a line between two edges.
    private struct Segment {
        let start: Int
        let end: Int
        let isBorder: Bool
        let isHeader: Bool
    }

    /// Returns the columns of all corners.
    private static func edges(_ lines: [ColumnLine]) -> [Int] {
        var result: Set<Int> = []
        for line in lines where line.byte(0) == UInt8(ascii: "+") {
            for column in 0..<line.width where line.byte(column) == UInt8(ascii: "+") {
                result.insert(column)
            }
        }
        return result.sorted()
    }

    private static func segments(_ line: ColumnLine, _ edges: [Int]) -> [Segment] {
        var result: [Segment] = []
        var start = 0
        for edge in edges.dropFirst() {
            let isLast = edge >= line.width - 1
            let byte = line.byte(edge)
            guard isLast || byte == UInt8(ascii: "|") || byte == UInt8(ascii: "+") else { continue }
            let end =
                isLast && byte != UInt8(ascii: "|") && byte != UInt8(ascii: "+")
                ? line.width : edge
            let marks = start + 1 < end ? (start + 1)..<end : start..<start
            let isBorder =
                !marks.isEmpty
                && marks.allSatisfy {
                    line.byte($0) == UInt8(ascii: "-") || line.byte($0) == UInt8(ascii: "=")
                }
            result.append(
                Segment(
                    start: start, end: end, isBorder: isBorder,
                    isHeader: isBorder && line.byte(start + 1) == UInt8(ascii: "=")))
            start = edge
            if isLast { break }
        }
        return result
    }
}
