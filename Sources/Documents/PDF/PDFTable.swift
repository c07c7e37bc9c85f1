/// Detects tables: lines with segments aligned in columns.
enum PDFTable {
    /// A row: its first line, and the lines that continue its cells.
    struct Row: Equatable {
        var cells: [String]
        var links: [String] = []
        var page = 0
        /// How many lines it takes.
        var lineCount = 1
        var isBold = false
    }

    /// Returns the rows of the table that begins at a line; no rows if there is no table.
    static func rows(at start: Int, in lines: ArraySlice<PDFLine>, _ styles: PDFStyles) -> [Row] {
        guard start < lines.endIndex, isRow(lines[start], styles) else { return [] }
        var columns = lines[start].segments.map { Column($0) }
        var complete = 1
        var index = start + 1
        while index < lines.endIndex {
            let line = lines[index]
            guard isBelow(line, lines[index - 1]) else { break }
            let places = line.segments.map { place(of: $0, in: columns) }
            if isRow(line, styles), places.count(where: { $0 != nil }) * 2 >= places.count,
                places.contains(where: { $0 != nil && $0 != 0 })
            {
                add(line, places, to: &columns)
                complete += 1
            } else if places.contains(where: { $0 == nil || $0 == 0 })
                || line.segments.count >= columns.count
                || !isNear(line, lines[index - 1], styles)
                    && !isNextNear(index, in: lines, columns, styles)
            {
                break
            }
            index += 1
        }
        guard complete > 1 else { return [] }
        let table = lines[start..<index]
        return (rowsByGaps(table, columns, styles) ?? rowsByLines(table, columns, styles))
            .map { $0.trimmed() }
    }

    /// Returns the rows of a table with wider gaps between rows than between lines; nil for any other table.
    private static func rowsByGaps(
        _ lines: ArraySlice<PDFLine>, _ columns: [Column], _ styles: PDFStyles
    ) -> [Row]? {
        var rows: [Row] = []
        // How many lines of the current row have a first cell: each row has exactly one.
        var labels = 0
        for index in lines.indices {
            let isNew = index == lines.startIndex || !isNear(lines[index], lines[index - 1], styles)
            if isNew {
                if !rows.isEmpty, labels == 0 { return nil }
                labels = 0
                rows.append(row(lines[index], columns))
            } else {
                continueRow(&rows[rows.count - 1], lines[index], columns)
            }
            if lines[index].segments.first.map({ place(of: $0, in: columns) == 0 }) ?? false {
                labels += 1
            }
            if labels > 1 { return nil }
        }
        return labels == 1 && rows.count > 1 ? rows : nil
    }

    /// Returns the rows of a table with one row per line, except lines that only continue cells.
    private static func rowsByLines(
        _ lines: ArraySlice<PDFLine>, _ columns: [Column], _ styles: PDFStyles
    ) -> [Row] {
        var rows: [Row] = []
        for line in lines {
            if rows.isEmpty || isRow(line, styles) {
                rows.append(row(line, columns))
            } else {
                continueRow(&rows[rows.count - 1], line, columns)
            }
        }
        return rows
    }

    private static func isBelow(_ line: PDFLine, _ above: PDFLine) -> Bool {
        let pitch = line.baseline - above.baseline
        return pitch > 0 && pitch < line.size * 6 && line.page == above.page
    }

    private static func isNear(_ line: PDFLine, _ above: PDFLine, _ styles: PDFStyles) -> Bool {
        line.baseline - above.baseline <= styles.leading * line.size * 1.2
    }

    /// Whether the next line is near and has a first cell: the current line then begins a row whose cells are aligned
    /// at the bottom.
    private static func isNextNear(
        _ index: Int, in lines: ArraySlice<PDFLine>, _ columns: [Column], _ styles: PDFStyles
    ) -> Bool {
        guard index + 1 < lines.endIndex, isBelow(lines[index + 1], lines[index]),
            isNear(lines[index + 1], lines[index], styles)
        else { return false }
        return lines[index + 1].segments.first.map { place(of: $0, in: columns) == 0 } ?? false
    }

    private struct Column {
        var left: Double
        var right: Double

        init(_ segment: PDFSegment) {
            left = segment.left
            right = segment.right
        }
    }

    /// Whether a line has cells: bullets, heading numbers and code do not count.
    private static func isRow(_ line: PDFLine, _ styles: PDFStyles) -> Bool {
        guard line.segments.count >= 2, line.segments.count <= 60,
            styles.isMonospaced || !line.isMonospaced
        else { return false }
        let label = line.segments[0].text
        if line.segments.count == 2 {
            if PDFMarker(label + " x") != nil { return false }
            let isNumber = label.utf8.allSatisfy {
                ("0"..."9").contains(Unicode.Scalar($0)) || $0 == 0x2E
            }
            if isNumber, line.size >= styles.bodySize * 1.12 { return false }
        }
        return line.size < styles.bodySize * 1.3
    }

    /// Returns the column of a segment: one that shares its left or right edge, or the only one it overlaps.
    private static func place(of segment: PDFSegment, in columns: [Column]) -> Int? {
        let near = segment.size * 0.6
        if let same = columns.firstIndex(where: { abs($0.left - segment.left) < near }) {
            return same
        }
        if let same = columns.firstIndex(where: { abs($0.right - segment.right) < near }) {
            return same
        }
        let over = columns.indices.filter {
            columns[$0].left < segment.right && columns[$0].right > segment.left
        }
        return over.count == 1 ? over[0] : nil
    }

    /// Adds columns that no row above has, and widens the others.
    private static func add(_ line: PDFLine, _ places: [Int?], to columns: inout [Column]) {
        var added: [Column] = []
        for (segment, place) in zip(line.segments, places) {
            if let place {
                columns[place].left = min(columns[place].left, segment.left)
                columns[place].right = max(columns[place].right, segment.right)
            } else {
                added.append(Column(segment))
            }
        }
        // A column between others would shift the cells of the rows above, so new ones go only at the end.
        let end = columns.map(\.right).max() ?? 0
        columns += added.filter { $0.left > end }
    }

    private static func row(_ line: PDFLine, _ columns: [Column]) -> Row {
        var cells = [String](repeating: "", count: columns.count)
        var last = 0
        for segment in line.segments {
            let place = max(place(of: segment, in: columns) ?? last, last)
            cells[place] += (cells[place].isEmpty ? "" : " ") + segment.text
            last = place
        }
        return Row(cells: cells, links: line.links, page: line.page, isBold: line.isBold)
    }

    private static func continueRow(_ row: inout Row, _ line: PDFLine, _ columns: [Column]) {
        let more = Self.row(line, columns)
        for (index, cell) in more.cells.enumerated() where !cell.isEmpty {
            row.cells[index] += (row.cells[index].isEmpty ? "" : " ") + cell
        }
        row.links += line.links
        row.isBold = row.isBold && line.isBold
        row.lineCount += 1
    }

    /// Whether the first row is a header: only it, not the second row, is bold; or both are alike in that, and it has
    /// no digits, but at least half of the other rows do.
    static func hasHeader(_ rows: [Row]) -> Bool {
        guard let first = rows.first, rows.count > 1 else { return false }
        if first.isBold != rows[1].isBold { return first.isBold }
        func hasDigits(_ row: Row) -> Bool {
            row.cells.contains { $0.utf8.contains { ("0"..."9").contains(Unicode.Scalar($0)) } }
        }
        return !hasDigits(first) && rows.dropFirst().count(where: hasDigits) * 2 >= rows.count - 1
    }
}

extension PDFTable.Row {
    /// Returns the row without trailing empty cells.
    fileprivate func trimmed() -> Self {
        var row = self
        while row.cells.count > 2, row.cells.last?.isEmpty ?? false { row.cells.removeLast() }
        return row
    }
}
