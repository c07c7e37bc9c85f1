internal import Objects

/// Parses the lines of reStructuredText: their first characters and their indentation decide what they are.
///
/// Bodies of items and directives are parsed in place: the parser removes the marker from a body's first line, and
/// the body keeps its own indentation.
struct RSTParser {
    /// The lines of the document, or of the current table cell.
    var lines: [MarkupLine]
    var writer = BlockWriter()
    var references: RSTReferences
    var findings = Finding.List()
    /// The default language of code.
    var language: String?
    /// The title that a `title` directive declares.
    var declaredTitle: String?
    var metadata = JSONObject()
    private var titles = RSTTitle()
    private var depth = 0
    /// The last number of the current list, for items marked `#.`.
    private var number = 0

    /// The deepest nesting of bodies: deeper than authors write, shallow enough for the stack.
    private static let depthLimit = 48

    /// Collects the document's references.
    init(_ lines: [MarkupLine]) {
        self.lines = lines
        references = RSTReferences(lines)
    }

    mutating func parse() { parse(0, lines.count, at: 0, isTop: true) }

    /// Parses the lines of a table cell.
    mutating func parseCell(_ cell: [MarkupLine]) -> [CleanDocument.Block] {
        writer.beginCell()
        if cell.count == 1, let line = cell.first, line.content.first.map(Self.isLetter) ?? true {
            writer.add(inline(line.text))
        } else {
            let around = lines
            lines = cell
            parse(0, cell.count, at: MarkupLine.leastIndent(cell), isTop: false)
            lines = around
        }
        return writer.endCell()
    }

    mutating func inline(_ source: String) -> LinkedText {
        RSTInline.text(source, references: &references, findings: &findings)
    }

    /// Parses a body: the lines at a column, and deeper ones as bodies of their own.
    mutating func parse(_ start: Int, _ end: Int, at column: Int, isTop: Bool = false) {
        guard depth < Self.depthLimit else { return flatten(start, end) }
        depth += 1
        let around = number
        number = 0
        parse(start, end, at: column) { parser, index in
            parser.parseConstruct(index, end, at: column, isTop: isTop)
        }
        number = around
        depth -= 1
    }

    /// Calls `construct` for each line at a column and parses deeper lines as bodies of their own.
    ///
    /// - Parameter construct: Parses what begins on a line, and returns the index of the line after it.
    mutating func parse(
        _ start: Int, _ end: Int, at column: Int, construct: (inout RSTParser, Int) -> Int
    ) {
        var index = start
        while index < end {
            if lines[index].isBlank {
                index += 1
            } else if lines[index].indent > column {
                let stop = endOfBody(index, end, above: column)
                parse(index, stop, at: leastIndent(index, stop) ?? column)
                index = stop
            } else {
                index = construct(&self, index)
            }
        }
    }

    /// Writes bodies that are nested too deeply as paragraphs.
    private mutating func flatten(_ start: Int, _ end: Int) {
        findings.add(.notUnderstood, "nesting", end - start, "lines")
        for paragraph in lines[start..<end].split(whereSeparator: \.isBlank) {
            writer.add(LinkedText(MarkupLine.dedented(paragraph)))
        }
    }

    /// Returns the index of the first nonblank line whose indentation is at most `column`.
    func endOfBody(_ start: Int, _ end: Int, above column: Int) -> Int {
        var index = start
        while index < end, lines[index].isBlank || lines[index].indent > column { index += 1 }
        return index
    }

    /// Returns the least indentation of nonblank lines; nil if all are blank.
    func leastIndent(_ start: Int, _ end: Int) -> Int? {
        var least: Int?
        for index in start..<end where !lines[index].isBlank {
            least = min(least ?? .max, lines[index].indent)
        }
        return least
    }

    /// Turns the text after a marker into the first line of a body.
    ///
    /// - Parameters:
    ///   - index: The line of the marker, indented by `column`.
    ///   - count: The length of the marker.
    /// - Returns: Where the body ends, and its column.
    mutating func openBody(
        _ index: Int, _ end: Int, at column: Int, marker count: Int
    ) -> (stop: Int, column: Int) {
        lines[index].consume(count)
        let stop = endOfBody(index + 1, end, above: column)
        let inner = leastIndent(index + 1, stop) ?? column + 1
        if !lines[index].isBlank { lines[index].indent = inner }
        return (stop, inner)
    }

    /// Turns the text after a list marker into the first line of the item's body.
    ///
    /// - Returns: Where the body ends, and its column: that of the text after the marker if there is any.
    mutating func openItem(
        _ index: Int, _ end: Int, at column: Int, marker count: Int
    ) -> (stop: Int, column: Int) {
        let stop = endOfBody(index + 1, end, above: column)
        lines[index].consume(count)
        let inner =
            lines[index].isBlank ? leastIndent(index, stop) ?? column : lines[index].indent
        return (stop, inner)
    }

    // MARK: - Constructs

    /// Parses what begins on a line at its body's column; returns the index of the line after it.
    private mutating func parseConstruct(
        _ index: Int, _ end: Int, at column: Int, isTop: Bool
    ) -> Int {
        let content = lines[index].content
        if let marker = RSTMarker.bullet(content) {
            return parseItem(index, end, at: column, marker: marker, text: "- ")
        }
        if let enumerator = RSTMarker.Enumerator(content), isItem(index, end, at: column) {
            number = enumerator.number ?? number + 1
            return parseItem(
                index, end, at: column, marker: enumerator.length, text: enumerator.text(number))
        }
        number = 0
        switch content.first {
        case UInt8(ascii: ":"):
            if RSTMarker.field(content) != nil { return parseFields(index, end, column, isTop) }
        case UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "+"):
            if let stop = parseOptions(index, end, at: column) { return stop }
            if let stop = parseGridTable(index, end, at: column) { return stop }
        case UInt8(ascii: ">"):
            if content.starts(with: ">>> ".utf8) || content.elementsEqual(">>>".utf8) {
                return parseDoctest(index, end)
            }
        case UInt8(ascii: "|"):
            if content.count == 1 || content.starts(with: "| ".utf8) {
                return parseLineBlock(index, end, at: column)
            }
        case UInt8(ascii: "="):
            if let stop = parseSimpleTable(index, end, at: column) { return stop }
        case UInt8(ascii: "."):
            if content.elementsEqual("..".utf8) || content.starts(with: ".. ".utf8) {
                return parseExplicit(index, end, at: column, isTop: isTop)
            }
        case UInt8(ascii: "_"):
            if content.elementsEqual("__".utf8) || content.starts(with: "__ ".utf8) {
                return index + 1
            }
        default: break
        }
        if let stop = parseOverline(index, end, at: column, isTop: isTop) { return stop }
        return parseText(index, end, at: column, isTop: isTop)
    }

    /// Whether the line after an enumerator shows that it begins a list item; otherwise it is just text.
    private func isItem(_ index: Int, _ end: Int, at column: Int) -> Bool {
        guard index + 1 < end else { return true }
        let next = lines[index + 1]
        return next.isBlank || next.indent > column || RSTMarker.Enumerator(next.content) != nil
    }

    private mutating func parseItem(
        _ index: Int, _ end: Int, at column: Int, marker: Int, text: String
    ) -> Int {
        let body = openItem(index, end, at: column, marker: marker)
        parseItemBody(index, body, marker: text)
        return body.stop
    }

    /// Parses the body of a list item.
    private mutating func parseItemBody(
        _ start: Int, _ body: (stop: Int, column: Int), marker: String
    ) {
        writer.listDepth += 1
        writer.addMarker(marker)
        parse(start, body.stop, at: body.column)
        writer.endItem()
        writer.listDepth -= 1
    }

    private mutating func parseFields(_ start: Int, _ end: Int, _ column: Int, _ isTop: Bool) -> Int
    {
        let isAboutDocument = isTop && writer.isEmpty && !writer.isInCell
        var index = start
        while index < end {
            if lines[index].isBlank {
                index += 1
                continue
            }
            guard lines[index].indent <= column,
                let field = RSTMarker.field(lines[index].content)
            else { break }
            let body = openBody(index, end, at: column, marker: field.length)
            let name = inline(field.name).text
            // These fields are settings for Sphinx.
            let isSetting = ["orphan", "tocdepth", "nocomments", "nosearch"].contains(name)
            if isAboutDocument, !isSetting {
                let value = MarkupLine.dedented(lines[index..<body.stop])
                metadata[name.lowercased()] = .string(WhiteSpace.collapsed(inline(value).text))
            }
            if !(isAboutDocument && isSetting) {
                parseItemBody(index, body, marker: "\(name): ")
            }
            index = body.stop
        }
        return index
    }

    private mutating func parseOptions(_ index: Int, _ end: Int, at column: Int) -> Int? {
        guard let length = RSTMarker.options(lines[index].content) else { return nil }
        let isAlone = length == lines[index].content.count
        let hasBody =
            index + 1 < end && !lines[index + 1].isBlank
            && lines[index + 1].indent > column
        guard !isAlone || hasBody else { return nil }
        let text = String(decoding: lines[index].content.prefix(length), as: UTF8.self)
        let body = openBody(index, end, at: column, marker: length)
        parseItemBody(index, body, marker: text + "  ")
        return body.stop
    }

    private mutating func parseDoctest(_ index: Int, _ end: Int) -> Int {
        let stop = lines[index..<end].firstIndex(where: \.isBlank) ?? end
        writer.addCode(MarkupLine.dedented(lines[index..<stop]), language: language)
        return stop
    }

    private mutating func parseLineBlock(_ start: Int, _ end: Int, at column: Int) -> Int {
        var texts: [String] = []
        var index = start
        while index < end, !lines[index].isBlank {
            let line = lines[index]
            if line.indent <= column, line.content.first == UInt8(ascii: "|") {
                texts.append(String(decoding: line.content.dropFirst(), as: UTF8.self))
            } else if line.indent > column {
                texts[texts.count - 1] += " " + line.text
            } else {
                break
            }
            index += 1
        }
        for (number, text) in texts.enumerated() {
            writer.add(inline(text), keepsWithNext: number + 1 < texts.count)
        }
        return index
    }

    // MARK: - Titles and text

    /// Parses a title between two lines, or a transition.
    private mutating func parseOverline(
        _ index: Int, _ end: Int, at column: Int, isTop: Bool
    ) -> Int? {
        let line = lines[index]
        guard let mark = RSTTitle.mark(line, at: column), !line.content.elementsEqual("::".utf8)
        else { return nil }
        if index + 1 >= end || lines[index + 1].isBlank {
            return line.content.count >= 4 ? index + 1 : nil
        }
        guard index + 2 < end, RSTTitle.mark(lines[index + 2], at: column) == mark,
            line.content.count >= 4 || line.content.count >= lines[index + 1].content.count,
            RSTTitle.mark(lines[index + 1], at: column) == nil
        else { return line.content.count >= 4 ? index + 1 : nil }
        beginSection(lines[index + 1].text, mark: mark, hasOverline: true, isTop: isTop)
        return index + 3
    }

    private mutating func beginSection(
        _ title: String, mark: UInt8, hasOverline: Bool, isTop: Bool
    ) {
        let heading = inline(title)
        // A title inside a body begins no section.
        guard isTop, !writer.isInCell else { return writer.add(heading, keepsWithNext: true) }
        let identifier = RSTTitle.identifier(heading.text)
        writer.begin(
            heading, level: titles.level(of: mark, hasOverline: hasOverline),
            anchor: identifier.isEmpty ? nil : identifier)
    }

    private mutating func parseText(_ index: Int, _ end: Int, at column: Int, isTop: Bool) -> Int {
        let first = lines[index]
        if index + 1 < end, RSTTitle.isUnderline(lines[index + 1], of: first, at: column),
            let mark = RSTTitle.mark(lines[index + 1], at: column),
            !lines[index + 1].content.elementsEqual("::".utf8)
        {
            beginSection(first.text, mark: mark, hasOverline: false, isTop: isTop)
            return index + 2
        }
        var stop = index + 1
        while stop < end, !lines[stop].isBlank, lines[stop].indent <= column { stop += 1 }
        let text = MarkupLine.joined(lines[index..<stop], without: .max)
        let isIndented = stop < end && !lines[stop].isBlank
        if text.utf8.suffix(2).elementsEqual("::".utf8) {
            return parseLiteral(after: text, stop, end, at: column)
        }
        if isIndented, stop == index + 1 { return parseDefinition(text, stop, end, at: column) }
        writer.add(inline(text))
        return stop
    }

    /// Parses a paragraph that ends with `::`, and the code it introduces.
    private mutating func parseLiteral(
        after text: String, _ start: Int, _ end: Int, at column: Int
    ) -> Int {
        var text = String(text.dropLast(2))
        if let last = text.utf8.last, last > 0x20 { text += ":" }
        let code = lines[start..<end].firstIndex { !$0.isBlank } ?? end
        var stop = endOfBody(code, end, above: column)
        if code < end, stop == code, code > start, let quote = lines[code].content.first,
            RSTMarker.isPunctuation(quote)
        {
            while stop < end, !lines[stop].isBlank, lines[stop].content.first == quote { stop += 1 }
        }
        writer.add(inline(text), keepsWithNext: stop > code)
        writer.addCode(MarkupLine.dedented(lines[code..<stop]), language: language)
        return stop > code ? stop : start
    }

    private mutating func parseDefinition(
        _ term: String, _ start: Int, _ end: Int, at column: Int
    ) -> Int {
        let stop = endOfBody(start, end, above: column)
        writer.add(inline(term), keepsWithNext: true)
        parse(start, stop, at: leastIndent(start, stop) ?? column)
        return stop
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
