/// The cells of an AsciiDoc table, row by row.
struct AsciiDocTable {
    struct Cell: Equatable {
        /// How the cell's text is parsed.
        enum Style { case text, literal, document }

        var text: String
        var style: Style = .text
        fileprivate var columns = 1
        fileprivate var rows = 1
    }

    struct Row: Equatable {
        var cells: [Cell]
        var isHeader: Bool
    }

    private(set) var rows: [Row] = []

    /// The maximum number of rows or columns that a cell may span, and the most times that it may repeat.
    private static let spanLimit = 100
    /// The maximum number of bytes in a cell that is repeated.
    private static let repeatedLimit = 1000

    /// Parses the lines between the delimiters of a table; `mark` is the first character of the delimiter.
    init(_ lines: [ArraySlice<UInt8>], _ list: AsciiDocAttributeList, mark: UInt8) {
        let first = lines.first ?? []
        let isFirstAlone = !first.isEmpty && lines.count > 1 && lines[1].isEmpty
        let styles = Self.columns(list.named["cols"] ?? "")
        let cells: [Cell]
        var width = styles.count
        var isHeader = list.options.contains("header")
        let format = list.named["format"] ?? (mark == UInt8(ascii: ",") ? "csv" : "psv")
        guard format == "psv", mark != UInt8(ascii: ":") else {
            let delimiter: UInt8 =
                format == "tsv" ? 0x09 : mark == UInt8(ascii: ":") ? mark : UInt8(ascii: ",")
            let separator = list.named["separator"]?.utf8.first ?? delimiter
            let text = String(decoding: Array(lines.joined(separator: [0x0A])), as: UTF8.self)
            isHeader = (isHeader || isFirstAlone) && !list.options.contains("noheader")
            for row in DelimitedText(delimiter: separator).rows(text) {
                rows.append(
                    Row(
                        cells: row.map { Cell(text: $0) }, isHeader: isHeader && rows.isEmpty))
            }
            return
        }
        let separator = list.named["separator"]?.utf8.first ?? mark
        let scan = Scanner(lines, separator: separator).result
        cells = scan.cells
        if width == 0 { width = scan.firstLine }
        isHeader = isHeader || isFirstAlone && width > 0 && scan.firstLine == width
        isHeader = isHeader && !list.options.contains("noheader")
        fill(cells, width: max(width, 1), styles: styles, isHeader: isHeader)
    }

    private mutating func fill(
        _ cells: [Cell], width: Int, styles: [Cell.Style], isHeader: Bool
    ) {
        // How many columns cells from earlier rows occupy, for this row and each row below it.
        var taken: [Int] = [0]
        var row: [Cell] = []
        var column = 0
        func endRow(_ rows: inout [Row]) {
            if !row.isEmpty { rows.append(Row(cells: row, isHeader: isHeader && rows.isEmpty)) }
            row = []
            column = 0
            taken.removeFirst()
            if taken.isEmpty { taken.append(0) }
        }
        for var cell in cells {
            if cell.style == .text, column < styles.count, !(isHeader && rows.isEmpty) {
                cell.style = styles[column]
            }
            row.append(cell)
            column += cell.columns
            if cell.rows > 1 {
                while taken.count < cell.rows { taken.append(0) }
                for below in 1..<cell.rows { taken[below] += cell.columns }
            }
            if column + taken[0] >= width { endRow(&rows) }
        }
        endRow(&rows)
    }

    /// Returns the column styles of a `cols` attribute, such as `1,2a` or `3*`.
    private static func columns(_ text: String) -> [Cell.Style] {
        var result: [Cell.Style] = []
        for part in text.split(whereSeparator: { $0 == "," || $0 == ";" }) {
            let part = WhiteSpace.collapsed(String(part))
            let digits = part.prefix { $0.isASCII && $0.isNumber }
            let count = part.dropFirst(digits.count).first == "*" ? Int(digits) ?? 1 : 1
            let style = style(part.utf8.last)
            result += Array(repeating: style, count: max(1, min(count, spanLimit)))
        }
        return result
    }

    private static func style(_ letter: UInt8?) -> Cell.Style {
        switch letter {
        case UInt8(ascii: "a"): .document
        case UInt8(ascii: "l"): .literal
        default: .text
        }
    }

    /// Scans text for cells, each after a separator.
    private struct Scanner {
        private(set) var result: (cells: [Cell], firstLine: Int) = ([], 0)
        private var text: [UInt8] = []
        private var isOpen = false
        private var next = Cell(text: "")
        private var count = 1

        init(_ lines: [ArraySlice<UInt8>], separator: UInt8) {
            for line in lines {
                var start = line.startIndex
                var index = start
                while index < line.endIndex {
                    guard line[index] == separator else {
                        index += 1
                        continue
                    }
                    if index > line.startIndex, line[index - 1] == UInt8(ascii: "\\") {
                        text += line[start..<(index - 1)]
                        start = index
                        index += 1
                        continue
                    }
                    let before = line[start..<index]
                    let word = before.lastIndex { $0 <= 0x20 }.map { before[($0 + 1)...] } ?? before
                    let isSpecified = word.startIndex == line.startIndex || word.startIndex > start
                    let specification = isSpecified ? Self.specification(word) : nil
                    text += specification == nil ? before : before[..<word.startIndex]
                    endCell()
                    next = specification?.cell ?? Cell(text: "")
                    count = specification?.count ?? 1
                    isOpen = true
                    start = index + 1
                    index = start
                }
                text += line[start...]
                text.append(0x0A)
                if result.firstLine == 0 {
                    result.firstLine =
                        result.cells.reduce(0) { $0 + $1.columns }
                        + (isOpen ? next.columns * count : 0)
                }
            }
            endCell()
        }

        private mutating func endCell() {
            defer { text = [] }
            guard isOpen else { return }
            let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
            let full = lines.drop { $0.allSatisfy { $0 <= 0x20 } }
            var cell = next
            cell.text = String(decoding: Array(full.joined(separator: [0x0A])), as: UTF8.self)
            if cell.style == .text { cell.text = WhiteSpace.lines(cell.text) }
            let isRepeated = count > 1 && text.count <= repeatedLimit
            result.cells += Array(repeating: cell, count: isRepeated ? count : 1)
        }

        /// Parses the cell specifier before a separator: `2+`, `.3+`, `2.3+`, `3*`, alignments and a style.
        private static func specification(
            _ word: ArraySlice<UInt8>
        ) -> (cell: Cell, count: Int)? {
            var rest = word
            var cell = Cell(text: "")
            var count = 1
            func number() -> Int? {
                let digits = rest.prefix { (0x30...0x39).contains($0) }
                rest = rest[digits.endIndex...]
                return Int(String(decoding: digits, as: UTF8.self)).map {
                    max(1, min($0, spanLimit))
                }
            }
            let columns = number()
            var rows: Int?
            if rest.first == UInt8(ascii: "."),
                rest.dropFirst().first.map({ (0x30...0x39).contains($0) }) ?? false
            {
                rest.removeFirst()
                rows = number()
            }
            if columns != nil || rows != nil {
                switch rest.popFirst() {
                case UInt8(ascii: "+"):
                    cell.columns = columns ?? 1
                    cell.rows = rows ?? 1
                case UInt8(ascii: "*"): count = columns ?? 1
                default: return nil
                }
            }
            while let byte = rest.first, "<^>.".utf8.contains(byte) { rest.removeFirst() }
            if let letter = rest.first {
                guard rest.count == 1, "adehlmsv".utf8.contains(letter) else { return nil }
                cell.style = style(letter)
            }
            return (cell, count)
        }
    }
}
