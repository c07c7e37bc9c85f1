/// Delimited blocks, lists and tables.
extension AsciiDocParser {
    mutating func parseDelimited(
        _ delimiter: AsciiDocLine.Delimiter, _ index: Int, _ end: Int
    ) -> Int {
        let opening = lines[index]
        let closing: ArraySlice<UInt8>
        if case .fence = delimiter { closing = opening.prefix(3) } else { closing = opening }
        let inner = index + 1
        let close = lines[inner..<end].firstIndex { $0.elementsEqual(closing) } ?? end
        // A delimited block belongs to a list item only after a `+` line.
        if index == 0 || !lines[index - 1].elementsEqual("+".utf8), !hasPlus(above: index) {
            lists = []
        }
        switch delimiter {
        case .listing, .literal, .fence:
            var language: String?
            if case .fence(let name) = delimiter { language = name }
            addVerbatim(lines[inner..<close], isLiteral: false, language: language)
        case .comment:
            let words = lines[inner..<close].reduce(0) { $0 + $1.wordCount }
            findings.add(.leftOut, "comment", words, "words")
            above = BlockAttributes()
        case .pass: addPassthrough(lines[inner..<close])
        case .table(let mark): addTable(lines[inner..<close], mark: mark)
        case .quote where above.list.style == "verse":
            let list = above.list
            writeTitle()
            above = BlockAttributes()
            addVerse(lines[inner..<close])
            addAttribution(list)
        case .open where isVerbatim: addVerbatim(lines[inner..<close], isLiteral: false)
        case .example, .sidebar, .quote, .open:
            let list = above.list
            if let admonition = Self.admonition(list.style) {
                add(admonition, keepsWithNext: true)
            }
            writeTitle()
            above = BlockAttributes()
            parse(inner, close)
            addAttribution(list)
        }
        return min(close + 1, end)
    }

    /// Whether a `+` line stands above the attribute lines of a block.
    private func hasPlus(above index: Int) -> Bool {
        var index = index - 1
        var seen = 0
        while index >= 0, seen < 8 {
            if lines[index].elementsEqual("+".utf8) { return true }
            guard
                AsciiDocLine.attributes(lines[index]) != nil
                    || AsciiDocLine.title(lines[index]) != nil
            else { return false }
            index -= 1
            seen += 1
        }
        return false
    }

    private mutating func addPassthrough(_ lines: ArraySlice<ArraySlice<UInt8>>) {
        if isVerbatim { return addVerbatim(lines, isLiteral: false) }
        writeTitle()
        above = BlockAttributes()
        let found = HTMLCleaner.fragment(Self.joined(lines))
        writer.add(found.blocks)
        findings.add(found.findings)
    }

    // MARK: - Lists

    mutating func parseItem(
        _ item: AsciiDocLine.Item, _ text: ArraySlice<UInt8>, _ index: Int, _ end: Int
    ) -> Int {
        writeTitle()
        let start = above.list.named["start"].flatMap { Int($0) }
        above = BlockAttributes()
        var stop = index + 1
        while stop < end, !lines[stop].isEmpty, !lines[stop].elementsEqual("+".utf8),
            AsciiDocLine.item(lines[stop]) == nil, AsciiDocLine.delimiter(lines[stop]) == nil,
            AsciiDocLine.attributes(lines[stop]) == nil, !AsciiDocLine.isComment(lines[stop]),
            AsciiDocLine.macro(lines[stop]) == nil
        { stop += 1 }
        let rest = Self.joined([text] + lines[(index + 1)..<stop])
        writer.listDepth += 1
        defer { writer.listDepth -= 1 }
        switch item {
        case .term(let term, let separator):
            _ = enter(separator, start: nil)
            add(term, keepsWithNext: true)
        case .bullet(let mark):
            _ = enter(mark, start: nil)
            writer.addMarker("- ")
        case .numbered(let mark):
            let number = enter(mark, start: start)
            writer.addMarker(Self.marker(number, level: mark.utf8.count))
        case .given(let mark):
            _ = enter("1.", start: nil)
            writer.addMarker(mark + " ")
        case .callout(let mark):
            // `<.>` numbers itself.
            let number = enter("<", start: nil)
            writer.addMarker((mark == "<.>" ? "<\(number)>" : mark) + " ")
        }
        add(rest)
        writer.endItem()
        return stop
    }

    /// Begins a list item, ends the lists nested in its list, and returns the item's number.
    private mutating func enter(_ mark: String, start: Int?) -> Int {
        if let index = lists.firstIndex(where: { $0.mark == mark }) {
            lists.removeSubrange((index + 1)...)
            lists[index].number &+= 1
            return lists[index].number
        }
        if lists.count < 64 { lists.append((mark, start ?? 1)) }
        return start ?? 1
    }

    /// Formats an item's number: letters at levels 2 and 4, as in Asciidoctor, and digits at all others, even where
    /// Asciidoctor uses Roman numerals.
    private static func marker(_ number: Int, level: Int) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz")
        switch level {
        case 2 where (1...26).contains(number): return "\(letters[number - 1]). "
        case 4 where (1...26).contains(number):
            return "\(letters[number - 1].uppercased()). "
        default: return "\(number). "
        }
    }

    // MARK: - Tables

    private mutating func addTable(_ content: ArraySlice<ArraySlice<UInt8>>, mark: UInt8) {
        let list = above.list
        writeTitle()
        above = BlockAttributes()
        let table = AsciiDocTable(Array(content), list, mark: mark)
        for row in table.rows {
            var cells: [[CleanDocument.Block]] = []
            for cell in row.cells { cells.append(parseCell(cell)) }
            writer.addRow(cells, isHeader: row.isHeader)
        }
    }

    private mutating func parseCell(_ cell: AsciiDocTable.Cell) -> [CleanDocument.Block] {
        writer.beginCell()
        switch cell.style {
        case .document:
            let around = lines
            lines = cell.text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map {
                Array($0)[...]
            }
            parse(0, lines.count)
            lines = around
        case .literal: writer.addCode(cell.text, language: nil)
        case .text: add(cell.text)
        }
        return writer.endCell()
    }
}
