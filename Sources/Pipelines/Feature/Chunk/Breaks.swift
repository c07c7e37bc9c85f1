/// Where a section's text may be cut, and how well.
struct Breaks {
    /// How good a place is.
    enum Strength: UInt8 {
        case none, word, sentence, block
    }

    private let text: [Unicode.Scalar]
    /// The strength of a cut before each scalar, and one more for the end.
    private let strengths: [Strength]

    /// The number of scalars.
    var count: Int { text.count }

    init(_ text: [Unicode.Scalar], blocks: [CleanDocument.Block]) {
        self.text = text
        var strengths = [Strength](repeating: .none, count: text.count + 1)
        var at = 0
        for block in blocks {
            while at < text.count, WhiteSpace.isSpace(text[at]), !Self.begins(block, text, at) {
                at += 1
            }
            let end = min(at + block.text.unicodeScalars.count, text.count)
            Self.mark(&strengths, text, at..<end, isCode: block.kind == .code)
            strengths[at] = .block
            strengths[end] = .block
            at = end
        }
        strengths[text.count] = .block
        self.strengths = strengths
    }

    /// Blocks may begin with spaces (code does); separators are new lines only.
    private static func begins(
        _ block: CleanDocument.Block, _ text: [Unicode.Scalar], _ at: Int
    ) -> Bool { text[at] != "\n" && block.text.unicodeScalars.first == text[at] }

    private static func mark(
        _ strengths: inout [Strength], _ text: [Unicode.Scalar], _ range: Range<Int>, isCode: Bool
    ) {
        var mayEndSentence = false
        for at in range {
            let scalar = text[at]
            if WhiteSpace.isSpace(scalar) {
                // The cut is after the white space, before what follows.
                if scalar == "\n" { mayEndSentence = true }
                continue
            }
            if at > range.lowerBound, WhiteSpace.isSpace(text[at - 1]) {
                let isSentence =
                    mayEndSentence
                    && (isCode ? isNewLine(before: at, text) : startsSentence(scalar))
                strengths[at] = isSentence ? .sentence : .word
                mayEndSentence = false
            } else if at > range.lowerBound, isIdeographicStop(text[at - 1]) {
                strengths[at] = .sentence
            }
            if isStop(scalar) {
                mayEndSentence = true
            } else if !isClosing(scalar) {
                mayEndSentence = false
            }
        }
    }

    private static func isNewLine(before at: Int, _ text: [Unicode.Scalar]) -> Bool {
        var at = at
        while at > 0, WhiteSpace.isSpace(text[at - 1]) {
            if text[at - 1] == "\n" { return true }
            at -= 1
        }
        return false
    }

    private static func isStop(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "." || scalar == "!" || scalar == "?" || scalar == "…"
            || isIdeographicStop(scalar)
    }

    private static func isIdeographicStop(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "。" || scalar == "！" || scalar == "？"
    }

    private static func isClosing(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\"", "'", ")", "]", "}", "”", "’", "»", "」", "』": true
        default: false
        }
    }

    /// "e.g. this" goes on: a sentence does not begin with a small letter.
    private static func startsSentence(_ scalar: Unicode.Scalar) -> Bool {
        !scalar.properties.isLowercase
    }

    /// The last cut at least this good in a range of positions.
    func last(atLeast strength: Strength, in range: ClosedRange<Int>) -> Int? {
        range.last { strengths[$0].rawValue >= strength.rawValue }
    }

    /// The first cut at least this good in a range of positions.
    func first(atLeast strength: Strength, in range: ClosedRange<Int>) -> Int? {
        range.first { strengths[$0].rawValue >= strength.rawValue }
    }

    /// The first position from `start` on that holds no white space.
    func skippingSpace(from start: Int) -> Int {
        var at = start
        while at < count, WhiteSpace.isSpace(text[at]) { at += 1 }
        return at
    }

    /// The position after the last scalar before `end` that is not white space.
    func trimmingSpace(before end: Int, after start: Int) -> Int {
        var at = end
        while at > start, WhiteSpace.isSpace(text[at - 1]) { at -= 1 }
        return at
    }

    /// A cut at `limit`, or a little before it where `limit` would part a letter from its marks.
    func hardBreak(before limit: Int, after floor: Int) -> Int {
        var at = limit
        while at > floor + 1, continues(text[at]) || text[at - 1].value == 0x200D { at -= 1 }
        return continues(text[at]) ? limit : at
    }

    /// Whether a scalar belongs to the one before it.
    private func continues(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x300 else { return false }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return true
        default: return scalar.value == 0x200D || scalar.properties.isEmojiModifier
        }
    }
}
