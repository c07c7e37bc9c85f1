internal import Documents
internal import TextAnalysis

/// Where a section's text may be cut, and how well: every place is where a chunk would begin.
struct Breaks {
    /// How good a place is.
    enum Strength: UInt8, Comparable {
        /// In a word, or before white space.
        case none
        /// Between a block and the one that it announces.
        case kept
        case word
        /// At a line of code.
        case line
        /// At a sentence, or at a line of code that begins something.
        case sentence
        /// At an item of a list or a row of a table.
        case item
        case block

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    private let strengths: [Strength]

    init(_ text: SectionText) {
        var strengths = [Strength](repeating: .none, count: text.count)
        for (index, range) in text.ranges.enumerated() {
            if text.blocks[index].kind == .code {
                Self.markLines(&strengths, text.scalars, range)
            } else {
                Self.markSentences(&strengths, text.scalars, range)
            }
            strengths[range.lowerBound] = Self.strength(before: index, text)
        }
        self.strengths = strengths
    }

    /// How good it is to cut before a block.
    private static func strength(before index: Int, _ text: SectionText) -> Strength {
        guard index > 0 else { return .block }
        let (previous, block) = (text.blocks[index - 1], text.blocks[index])
        if previous.keepsWithNext || previous.isHeader && block.kind == .tableRow { return .kept }
        let isClose =
            previous.kind == block.kind && (block.kind == .listItem || block.kind == .tableRow)
        return isClose ? .item : .block
    }

    private static func markSentences(
        _ strengths: inout [Strength], _ text: [Unicode.Scalar], _ range: Range<Int>
    ) {
        var at = range.lowerBound + 1
        while at < range.upperBound {
            defer { at += 1 }
            if Sentences.begins(text, at: at, from: range.lowerBound, before: range.upperBound) {
                strengths[at] = .sentence
            } else if WhiteSpace.isSpace(text[at - 1]), !WhiteSpace.isSpace(text[at]) {
                strengths[at] = .word
            }
        }
    }

    /// Lines keep their indentation, so that they are cut before it.
    private static func markLines(
        _ strengths: inout [Strength], _ text: [Unicode.Scalar], _ range: Range<Int>
    ) {
        var isAfterEmptyLine = false
        for at in range.dropFirst() {
            if text[at - 1] != "\n" {
                if WhiteSpace.isSpace(text[at - 1]), !WhiteSpace.isSpace(text[at]),
                    isInLine(text, at, range.lowerBound)
                {
                    strengths[at] = .word
                }
                continue
            }
            if text[at] == "\n" {
                isAfterEmptyLine = true
                continue
            }
            let isOuter = !WhiteSpace.isSpace(text[at]) && !Sentences.isClosing(text[at])
            strengths[at] =
                announces(text, before: at, range.lowerBound)
                ? .word : isAfterEmptyLine || isOuter ? .sentence : .line
            isAfterEmptyLine = false
        }
    }

    /// Whether the line before a place goes on, as `def f():` and `f(a,` do.
    private static func announces(_ text: [Unicode.Scalar], before at: Int, _ start: Int) -> Bool {
        var end = at - 1
        while end > start, text[end] == "\n" { end -= 1 }
        switch text[end] {
        case ":", "(", "[", "{", ",", "\\": return true
        default: return false
        }
    }

    /// Whether anything but indentation is before a word; looks no further than a few columns.
    private static func isInLine(_ text: [Unicode.Scalar], _ at: Int, _ start: Int) -> Bool {
        var before = at - 1
        let limit = max(start, at - 256)
        while before > limit, WhiteSpace.isSpace(text[before]), text[before] != "\n" { before -= 1 }
        return !WhiteSpace.isSpace(text[before])
    }

    /// How good it is to begin a chunk at a position.
    subscript(_ position: Int) -> Strength { strengths[position] }
}
