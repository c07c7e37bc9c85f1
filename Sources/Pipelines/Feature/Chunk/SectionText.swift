internal import Documents
internal import TextAnalysis

/// The text of a section as the splitter sees it: scalars, and which of them are of which block.
///
/// Blocks have an empty line between them, items of a list and rows of a table none.
struct SectionText {
    let scalars: [Unicode.Scalar]
    let blocks: [CleanDocument.Block]
    /// Where each block is.
    let ranges: [Range<Int>]
    /// For each block, which blocks name the columns of the table that it is a row of; empty for others.
    let headers: [Range<Int>]

    init(_ blocks: [CleanDocument.Block]) {
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
    }

    private static func header(
        of index: Int, _ blocks: [CleanDocument.Block], _ before: Range<Int>?
    ) -> Range<Int> {
        let none = index..<index
        guard blocks[index].kind == .tableRow else { return none }
        let continues = index > 0 && blocks[index - 1].kind == .tableRow
        if blocks[index].isHeader {
            // Several rows may name columns together; after others a new table begins.
            guard continues, blocks[index - 1].isHeader, let before else {
                return index..<index + 1
            }
            return before.lowerBound..<index + 1
        }
        return continues ? before ?? none : none
    }

    var count: Int { scalars.count }

    /// The scalars of a range as text.
    func string(_ range: Range<Int>) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        for scalar in scalars[range] { WhiteSpace.append(scalar, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The block that a position is in or behind.
    func block(at position: Int) -> Int {
        var low = 0
        var high = ranges.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if ranges[middle].lowerBound <= position { low = middle } else { high = middle }
        }
        return low
    }

    /// What is repeated above a chunk that begins at a position: the rows that name the columns of its table, unless it
    /// begins with them.
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
    /// Whether nothing but the end of a line is between both.
    fileprivate func isClose(to previous: CleanDocument.Block) -> Bool {
        previous.kind == kind && (kind == .listItem || kind == .tableRow)
    }
}

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
