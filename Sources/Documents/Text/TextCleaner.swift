/// Reads plain text: paragraphs between empty lines, headings underlined as in reStructuredText, and indented code.
enum TextCleaner {
    /// The most lines. Each takes at least a hundred bytes of memory, so a text of only line feeds would take a hundred
    /// times its size. 64 MiB of prose has about a million lines.
    static let lineLimit = 2_000_000
    /// The finding for text beyond the line limit.
    static let lineLimitFinding = Finding(
        .cut, "length", lineLimit, "lines", detail: "the rest is left out")

    static func clean(_ text: String, declaredTitle: String? = nil) -> DocumentText {
        var builder = SectionBuilder()
        // In order of appearance, as reStructuredText ranks them.
        var underlines: [UInt8] = []
        var paragraph: [Substring] = []
        func endParagraph() {
            defer { paragraph = [] }
            guard let first = paragraph.first else { return }
            if paragraph.contains(where: isIndented), !isIndented(first) || paragraph.count > 1 {
                builder.add(.code, WhiteSpace.lines(paragraph.joined(separator: "\n")))
            } else {
                builder.add(.paragraph, WhiteSpace.collapsed(paragraph.joined(separator: "\n")))
            }
        }
        let lines = text.unicodeScalars.split(
            maxSplits: lineLimit, omittingEmptySubsequences: false
        ) { $0 == "\n" }
        for line in lines.prefix(lineLimit) {
            let line = WhiteSpace.withoutTrailing(Substring(line))
            if line.isEmpty {
                endParagraph()
            } else if let mark = underline(line), isTitle(paragraph, mark: mark, under: line) {
                let heading = WhiteSpace.collapsed(String(paragraph[paragraph.count - 1]))
                paragraph = []
                if !underlines.contains(mark) { underlines.append(mark) }
                let rank = underlines.firstIndex(of: mark) ?? 0
                builder.begin(heading, level: min(rank + 1, 6), anchor: nil)
            } else {
                paragraph.append(line)
            }
        }
        endParagraph()
        if lines.count > lineLimit {
            builder.findings.add(lineLimitFinding)
        }
        return builder.finish(declaredTitle: declaredTitle)
    }

    private static func isIndented(_ line: Substring) -> Bool {
        line.utf8.first == 0x09 || line.utf8.starts(with: "    ".utf8)
    }

    /// Returns the character that a line consists of, if it can underline a heading.
    private static func underline(_ line: Substring) -> UInt8? {
        guard let mark = line.utf8.first, line.utf8.count >= 3,
            "=-~^\"'`#*+.:_".utf8.contains(mark),
            line.utf8.allSatisfy({ $0 == mark })
        else { return nil }
        return mark
    }

    /// Whether the lines so far are a heading: one line, possibly below an overline, not indented and not longer than
    /// the underline.
    private static func isTitle(_ paragraph: [Substring], mark: UInt8, under line: Substring)
        -> Bool
    {
        guard let title = paragraph.last, paragraph.count <= 2, underline(title) == nil,
            !isIndented(title), title.unicodeScalars.count <= line.utf8.count
        else { return false }
        return paragraph.count == 1 || underline(paragraph[0]) == mark
    }
}
