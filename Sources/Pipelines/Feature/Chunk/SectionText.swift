internal import Documents

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
