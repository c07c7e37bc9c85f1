internal import Documents
internal import Objects
internal import TextAnalysis

/// The text of a section for the splitter: its scalars, and the range of each block.
///
/// An empty line separates blocks; a line break separates list items and table rows.
struct SectionText {
    let scalars: [Unicode.Scalar]
    let blocks: [CleanDocument.Block]
    /// The range of each block.
    let ranges: [Range<Int>]
    /// For each block that is a table row, the blocks that form the header of its table; empty for other blocks.
    let headers: [Range<Int>]
    /// The length of the text up to each position; nil where that is the position itself.
    private let lengths: [Int]?

    init(_ blocks: [CleanDocument.Block], measuredIn measure: TextMeasure = .characters) {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(blocks.reduce(0) { $0 + $1.text.utf8.count + 2 })
        var ranges: [Range<Int>] = []
        var headers: [Range<Int>] = []
        for (index, block) in blocks.enumerated() {
            if index > 0 {
                scalars.append("\n")
                if !block.isClose(to: blocks[index - 1]) { scalars.append("\n") }
            }
            let start = scalars.count
            scalars.append(contentsOf: block.text.unicodeScalars)
            ranges.append(start..<scalars.count)
            headers.append(Self.header(of: index, blocks, headers.last))
        }
        self.scalars = scalars
        self.blocks = blocks
        self.ranges = ranges
        self.headers = headers
        lengths = measure.lengths(of: scalars)
    }

    /// The length of a range.
    func length(_ range: Range<Int>) -> Int {
        guard let lengths else { return range.count }
        return lengths[range.upperBound] - lengths[range.lowerBound]
    }

    /// The first position from which the text up to `end` is at most `length` long.
    func position(_ length: Int, before end: Int) -> Int {
        guard let lengths else { return max(0, end - length) }
        return lengths[..<end].binarySearch { $0 < lengths[end] - length }
    }

    /// The first position up to which the text is at least `length` long; the end of a shorter text.
    func position(_ length: Int) -> Int {
        guard let lengths else { return min(length, count) }
        return min(lengths.binarySearch { $0 < length }, count)
    }

    private static func header(
        of index: Int, _ blocks: [CleanDocument.Block], _ before: Range<Int>?
    ) -> Range<Int> {
        let none = index..<index
        guard blocks[index].kind == .tableRow else { return none }
        let continues = index > 0 && blocks[index - 1].kind == .tableRow
        if blocks[index].isHeader {
            // Consecutive header rows form one header; a header row after other rows begins a new table.
            guard continues, blocks[index - 1].isHeader, let before else {
                return index..<index + 1
            }
            return before.lowerBound..<index + 1
        }
        return continues ? before ?? none : none
    }

    var count: Int { scalars.count }

    /// The scalars of a range as a string.
    func string(_ range: Range<Int>) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        for scalar in scalars[range] { WhiteSpace.append(scalar, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The index of the block at or before a position.
    func block(at position: Int) -> Int {
        max(0, ranges.binarySearch { $0.lowerBound <= position } - 1)
    }

    /// The table header to repeat above a chunk that begins at a position; nil if there is none, or the chunk begins
    /// within it.
    func header(above position: Int) -> Range<Int>? {
        let index = block(at: position)
        let rows = headers[index]
        guard !rows.isEmpty, !rows.contains(index) else { return nil }
        return ranges[rows.lowerBound].lowerBound..<ranges[rows.upperBound - 1].upperBound
    }

    /// The position after the last scalar before `end` that is not white space.
    func trimmingSpace(before end: Int, after start: Int) -> Int {
        var at = end
        while at > start, WhiteSpace.isSpace(scalars[at - 1]) { at -= 1 }
        return at
    }
}

extension CleanDocument.Block {
    /// Whether only a line break separates the blocks.
    fileprivate func isClose(to previous: CleanDocument.Block) -> Bool {
        previous.kind == kind && (kind == .listItem || kind == .tableRow)
    }
}

/// The places where a section's text may be cut, with their strengths; each place is where a chunk would begin.
struct Breaks {
    /// The quality of a place to cut.
    enum Strength: UInt8, Comparable {
        /// Inside a word, or before white space.
        case none
        /// Between a block and the one that it introduces.
        case kept
        case word
        /// At a line of code.
        case line
        /// At a sentence, or at a line of code that begins a new unit.
        case sentence
        /// At a list item or a table row.
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

    /// The strength of a cut before a block.
    private static func strength(before index: Int, _ text: SectionText) -> Strength {
        guard index > 0 else { return .block }
        let (previous, block) = (text.blocks[index - 1], text.blocks[index])
        if previous.keepsWithNext || previous.isHeader && block.kind == .tableRow { return .kept }
        return block.isClose(to: previous) ? .item : .block
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

    /// Marks the lines and words of code; a line keeps its indentation, so the cut lies before it.
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

    /// Whether the line before a position continues, as `def f():` and `f(a,` do.
    private static func announces(_ text: [Unicode.Scalar], before at: Int, _ start: Int) -> Bool {
        var end = at - 1
        while end > start, text[end] == "\n" { end -= 1 }
        switch text[end] {
        case ":", "(", "[", "{", ",", "\\": return true
        default: return false
        }
    }

    /// Whether anything but indentation precedes a word in its line; looks back a limited number of columns.
    private static func isInLine(_ text: [Unicode.Scalar], _ at: Int, _ start: Int) -> Bool {
        var before = at - 1
        let limit = max(start, at - 256)
        while before > limit, WhiteSpace.isSpace(text[before]), text[before] != "\n" { before -= 1 }
        return !WhiteSpace.isSpace(text[before])
    }

    /// The strength of a position as the beginning of a chunk.
    subscript(_ position: Int) -> Strength { strengths[position] }
}
