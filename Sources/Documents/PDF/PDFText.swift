/// Turns the lines of a document into headings, paragraphs, list items, code and tables.
struct PDFText {
    private var builder = SectionBuilder()
    private let styles: PDFStyles
    private let words: PDFWords
    private var paragraph: [PDFLine] = []
    private var isItem = false
    private var code: [PDFLine] = []
    private var heading: (lines: [PDFLine], level: Int)?
    /// Footnotes, held back until the paragraph that continues on the next page ends.
    private var notes: [PDFLine] = []
    private var contents = WordCounter()

    init(_ styles: PDFStyles, _ words: PDFWords) {
        self.styles = styles
        self.words = words
    }

    /// Ends the document and returns its text.
    mutating func finish() -> SectionBuilder {
        endAll()
        builder.findings.add(.leftOut, "table of contents", contents.count, "words")
        builder.findings.add(
            .guessed, "hyphen", words.joined, "words", detail: "split across lines")
        return builder
    }

    /// Adds the lines of a column.
    mutating func add(_ column: [PDFLine]) {
        var index = 0
        let notesStart = startOfNotes(column)
        var above: PDFLine?
        while index < notesStart {
            let line = column[index]
            let rows = PDFTable.rows(at: index, in: column[..<notesStart], styles)
            if rows.count > 1 {
                endAll()
                add(rows)
                index += rows.reduce(0) { $0 + $1.lineCount }
                above = column[index - 1]
                continue
            }
            add(line, below: above)
            above = line
            index += 1
        }
        notes += column[notesStart...]
    }

    private mutating func add(_ rows: [PDFTable.Row]) {
        for (index, row) in rows.enumerated() {
            var block = CleanDocument.Block(.tableRow, TableText.row(row.cells))
            block.isHeader = index == 0 && PDFTable.hasHeader(rows)
            block.links = row.links
            block.page = row.page
            builder.add(block)
        }
    }

    /// Returns where the footnotes of a column begin: small lines, the first with a mark.
    private func startOfNotes(_ column: [PDFLine]) -> Int {
        var start = column.count
        while start > 0, column[start - 1].size < styles.bodySize * 0.93,
            !column[start - 1].isMonospaced
        {
            start -= 1
        }
        guard start > 0, start < column.count,
            let first = column[start].text.unicodeScalars.first,
            ("0"..."9").contains(first) || "*†‡§[".unicodeScalars.contains(first)
        else { return column.count }
        return start
    }

    private mutating func add(_ line: PDFLine, below above: PDFLine?) {
        let pitch = above.map { line.baseline - $0.baseline } ?? .infinity
        let isApart =
            pitch < 0 || pitch > styles.leading * max(line.size, above?.size ?? 0) * 1.15
            || above.map { $0.size != line.size } ?? true
        if let before = heading?.lines.last, styles.continues(before, line) {
            heading?.lines.append(line)
            return
        }
        endHeading()
        if isContents(line) {
            endAll()
            contents.add(line.text + " ")
        } else if let level = styles.headingLevel(of: line, isApart: isApart) {
            endAll()
            heading = ([line], level)
        } else if !styles.isMonospaced, line.isMonospaced, !isPartOfText(line, pitch) {
            endParagraph()
            code.append(line)
        } else {
            endCode()
            addText(line, pitch)
        }
    }

    /// Whether a line belongs to a table of contents: dots lead to a number.
    private func isContents(_ line: PDFLine) -> Bool {
        let text = line.text
        guard
            text.unicodeScalars.last.map({
                ("0"..."9").contains($0) || "ivxl".unicodeScalars.contains($0)
            })
                ?? false
        else { return false }
        var dots = 0
        for scalar in text.unicodeScalars {
            if scalar == "." || scalar == "…" || scalar == "·" {
                dots += scalar == "…" ? 3 : 1
                if dots >= 5 { return true }
            } else if scalar != " " {
                dots = 0
            }
        }
        return false
    }

    /// Whether a monospaced line continues a paragraph.
    private func isPartOfText(_ line: PDFLine, _ pitch: Double) -> Bool {
        guard let last = paragraph.last, !last.isMonospaced, code.isEmpty else { return false }
        let isNear = pitch > 0 && pitch <= styles.leading * styles.bodySize * 1.2
        return isNear && abs(line.left - last.left) < styles.bodySize * 0.5
            && !last.text.hasSuffix(":")
    }

    private mutating func addText(_ line: PDFLine, _ pitch: Double) {
        let marker = PDFMarker(line.text)
        if marker != nil || !goesOn(line, pitch) {
            endParagraph()
            isItem = marker != nil
        }
        paragraph.append(line)
    }

    /// Whether a line belongs to the current paragraph.
    private func goesOn(_ line: PDFLine, _ pitch: Double) -> Bool {
        guard let first = paragraph.first, let last = paragraph.last else { return false }
        guard abs(line.size - last.size) <= max(1, last.size * 0.1) else { return false }
        let size = line.size
        if line.page != last.page || pitch < 0 || pitch > size * 8 {
            // In the next column or on the next page, only an unfinished sentence continues.
            return Self.isOpen(last.text) && Self.beginsInside(line.text)
        }
        guard pitch <= styles.leading * size * 1.2 else { return false }
        let indent = line.left - last.left
        if indent > size * 0.8 {
            // This is either the second line of a hanging paragraph or the start of the next one.
            return isItem || paragraph.count == 1 && Self.isOpen(last.text)
        }
        if indent < -size * 0.8 {
            return !isItem && paragraph.count == 1 || isItem && line.left > first.left + 2
        }
        let isShort = last.right - last.left < (line.right - line.left) * 0.65
        return !(isShort && !Self.isOpen(last.text) && !Self.beginsInside(line.text))
    }

    /// Whether a text ends in the middle of a sentence.
    private static func isOpen(_ text: String) -> Bool {
        guard let last = text.unicodeScalars.last else { return false }
        return !".!?:;。！？".unicodeScalars.contains(last)
    }

    private static func beginsInside(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first else { return false }
        return first.properties.isLowercase || "(,;–—".unicodeScalars.contains(first)
            || ("0"..."9").contains(first)
    }

    private mutating func endAll() {
        endHeading()
        endParagraph()
        endCode()
    }

    private mutating func endHeading() {
        guard let (lines, level) = heading else { return }
        heading = nil
        let text = words.join(lines.map(\.text))
        builder.page = lines.first?.page
        builder.begin(text, level: level, anchor: nil)
    }

    private mutating func endParagraph() {
        if let first = paragraph.first {
            addBlock(paragraph, isItem ? .listItem : .paragraph, page: first.page)
        }
        paragraph = []
        isItem = false
        let waiting = notes
        notes = []
        var note: [PDFLine] = []
        for line in waiting {
            if let last = note.last,
                line.page != last.page
                    || line.text.unicodeScalars.first.map({ ("0"..."9").contains($0) }) ?? false
            {
                addBlock(note, .paragraph, page: last.page)
                note = []
            }
            note.append(line)
        }
        if let first = note.first { addBlock(note, .paragraph, page: first.page) }
    }

    private mutating func addBlock(
        _ lines: [PDFLine], _ kind: CleanDocument.Block.Kind, page: Int
    ) {
        var text = words.join(lines.map(\.text))
        if kind == .listItem, let marker = PDFMarker(text) {
            text = "\(marker.text) \(marker.rest)"
        }
        var block = CleanDocument.Block(kind, WhiteSpace.collapsed(text))
        for link in lines.lazy.flatMap(\.links) where !block.links.contains(link) {
            if block.links.count < 200 { block.links.append(link) }
        }
        block.page = page
        builder.add(block)
    }

    private mutating func endCode() {
        guard let first = code.first else { return }
        let left = code.map(\.left).min() ?? 0
        var text = ""
        var above: PDFLine?
        for line in code {
            if let above {
                let isGap = line.baseline - above.baseline > line.size * styles.leading * 1.6
                text += isGap && line.page == above.page ? "\n\n" : "\n"
            }
            text += PDFCode.text(of: line, from: left)
            above = line
        }
        code = []
        var block = CleanDocument.Block(.code, WhiteSpace.lines(text))
        block.page = first.page
        builder.add(block)
    }
}

/// Formats lines of code, with the spaces that their positions imply.
enum PDFCode {
    /// Returns the text of a line, indented by its distance from the left edge of its block.
    static func text(of line: PDFLine, from left: Double) -> String {
        var text = ""
        var at = left
        for segment in line.segments {
            let count = Double(max(segment.text.unicodeScalars.count, 1))
            let width = max(segment.width / count, segment.size * 0.3)
            let spaces = Int(((segment.left - at) / width).rounded())
            text += String(repeating: " ", count: max(text.isEmpty ? 0 : 1, min(spaces, 200)))
            text += segment.text
            at = segment.right
        }
        return text
    }
}

/// The marker of a list item.
struct PDFMarker {
    /// The marker as text: a hyphen for any bullet.
    let text: String
    /// The text after the marker.
    let rest: String

    private static let bullets = "•◦▪▫‣●○■□–—-*·∙⁃➢➤✓✔❖◆\u{F0B7}\u{F0A7}\u{F0D8}\u{F0FC}\u{F076}"
        .unicodeScalars

    /// Parses the marker at the head of a text; nil without one.
    init?(_ line: String) {
        let words = line.unicodeScalars.split(maxSplits: 1, whereSeparator: WhiteSpace.isSpace)
        guard words.count == 2, let first = words[0].first else { return nil }
        rest = String(Substring(words[1]))
        if words[0].count == 1, Self.bullets.contains(first) {
            text = "-"
            return
        }
        var label = words[0]
        guard let last = label.popLast(), last == "." || last == ")" else { return nil }
        if label.first == "(" { label = label.dropFirst() }
        let isNumber =
            label.allSatisfy { ("0"..."9").contains($0) } && (1...3).contains(label.count)
        let isLetter =
            label.count == 1 && last == ")" && label.allSatisfy { $0.properties.isAlphabetic }
        guard isNumber || isLetter else { return nil }
        text = String(Substring(words[0]))
    }
}

/// The vocabulary of a document, which decides whether a hyphen at the end of a line belongs to a word.
final class PDFWords {
    private var known: Set<String> = []
    /// How many split words were rejoined.
    private(set) var joined = 0

    private static let limit = 500_000

    /// Collects the words of all lines, except those that may be split at the end of a line.
    init(_ columns: [[PDFLine]]) {
        for line in columns.joined() where known.count < Self.limit {
            let words = line.text.lowercased().split(separator: " ")
            for word in words.dropLast(line.text.hasSuffix("-") ? 1 : 0) {
                known.insert(Self.bare(word))
            }
        }
    }

    private static func bare(_ word: some StringProtocol) -> String {
        String(word.lowercased().filter { $0.isLetter || $0 == "-" })
    }

    /// Joins lines into running text; words split by a hyphen at the end of a line are rejoined.
    func join(_ lines: [String]) -> String {
        var result = ""
        for line in lines {
            let line = WhiteSpace.collapsed(line)
            guard !result.isEmpty else {
                result = line
                continue
            }
            switch hyphen(result, line) {
            case .none: result += " " + line
            case .kept: result += line
            case .dropped:
                result.unicodeScalars.removeLast()
                result += line
                joined += 1
            }
        }
        return result
    }

    private enum Hyphen { case none, kept, dropped }

    private func hyphen(_ above: String, _ below: String) -> Hyphen {
        guard let mark = above.unicodeScalars.last,
            mark == "-" || mark == "\u{2010}" || mark == "\u{AD}"
        else { return .none }
        let before = above.unicodeScalars.dropLast()
        guard let last = before.last, last.properties.isAlphabetic,
            let first = below.unicodeScalars.first
        else { return .none }
        // Only a lowercase letter continues a split word; `Anglo-` `Saxon` keeps its hyphen.
        guard first.properties.isLowercase else {
            return first.properties.isAlphabetic ? .kept : .none
        }
        let start =
            before.split(whereSeparator: WhiteSpace.isSpace).last.map { String(Substring($0)) }
            ?? ""
        let end =
            below.unicodeScalars.split(whereSeparator: WhiteSpace.isSpace).first
            .map { String(Substring($0)) } ?? ""
        // A suspended hyphen, as in "pre- and postwar".
        if ["and", "or", "und", "oder", "bzw.", "et", "ou", "to"].contains(end) { return .none }
        let whole = Self.bare(start + end)
        if known.contains(whole) { return .dropped }
        return known.contains(Self.bare(start + "-" + end)) || start.contains("-")
            ? .kept : .dropped
    }
}
