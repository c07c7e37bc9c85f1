internal import TextAnalysis

/// A part of a passage that is quoted as a whole: a sentence, an item of a list, a row of a table, or a block of code.
struct QuotedUnit: Hashable, Sendable {
    /// What is quoted; lines only where they matter.
    let text: String
    /// Whether it is code, whose lines and spaces matter.
    let isVerbatim: Bool

    /// The number of its words.
    var wordCount: Int { text.split(whereSeparator: \.isWhitespace).count }

    /// Whether it says that something follows.
    var announces: Bool { text.last == ":" || text.hasSuffix("example") }

    /// Whether it asks something.
    var isQuestion: Bool { text.last.map { "?？؟".contains($0) } ?? false }

    /// The units of a row's text, in order.
    ///
    /// Blocks are parted by empty lines. A block of one line is running text; of several lines it is a list, a table, each line of which is a unit,
    /// or code, which is one unit.
    static func units(of text: String) -> [QuotedUnit] {
        var units: [QuotedUnit] = []
        for block in blocks(of: text) {
            if block.count > 1, !block.contains(where: { isItem($0) }), isCode(block) {
                units.append(QuotedUnit(text: block.joined(separator: "\n"), isVerbatim: true))
                continue
            }
            for line in block {
                units += sentences(of: line).map { QuotedUnit(text: $0, isVerbatim: false) }
            }
        }
        return units.filter { unit in unit.text.contains { $0.isLetter || $0.isNumber } }
    }

    private static func blocks(of text: String) -> [[Substring]] {
        var blocks: [[Substring]] = [[]]
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if line.allSatisfy(\.isWhitespace) {
                if blocks.last?.isEmpty == false { blocks.append([]) }
            } else {
                blocks[blocks.count - 1].append(line)
            }
        }
        return blocks.filter { !$0.isEmpty }
    }

    /// Whether lines look like code: some are indented, or most have signs that prose has not.
    private static func isCode(_ lines: [Substring]) -> Bool {
        if lines.contains(where: { $0.first?.isWhitespace ?? false }) { return true }
        let signs: Set<Character> = ["{", "}", ";", "=", "$", "<", ">", "#", "@", "("]
        return lines.count { line in line.contains { signs.contains($0) } } * 2 > lines.count
            && !lines.contains { $0.first == "|" }
    }

    private static func isItem(_ line: Substring) -> Bool {
        guard let word = line.split(whereSeparator: \.isWhitespace).first else { return false }
        if ["-", "*", "+", "•"].contains(word) { return true }
        return word.count <= 4 && word.last == "." && word.dropLast().allSatisfy(\.isNumber)
    }

    /// The sentences of a line, each with single spaces; a row of a table is one.
    private static func sentences(of line: Substring) -> [String] {
        let words = line.split(whereSeparator: \.isWhitespace)
        return words.first?.first == "|" ? [words.joined(separator: " ")] : Sentences.split(line)
    }
}
