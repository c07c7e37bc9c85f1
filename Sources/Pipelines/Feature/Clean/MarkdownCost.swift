/// What Markdown may cost to parse, judged by a look at its lines.
///
/// cmark-gfm takes quadratic time for some texts that nobody writes: 400 kB of `a <?` take 16 s, 100 kB of
/// nested list markers and empty lines 34 s, a table of 16,000 columns and rows 40 s. Such a text is read
/// as plain text instead. The limits keep parsing below a few seconds, and no real document comes near.
struct MarkdownCost {
    /// Bytes of a paragraph times the marks in it that make cmark-gfm look ahead.
    private(set) var lookAhead = 0
    /// Columns times rows of tables.
    private(set) var cells = 0
    /// Nesting of containers times lines.
    private(set) var nesting = 0

    /// Above this the tree takes more memory than the text is worth.
    static let sizeLimit = 16 << 20
    // Measured at about 0.25 ns, 150 ns and 14 ns a unit.
    private static let lookAheadLimit = 4_000_000_000
    private static let cellLimit = 5_000_000
    private static let nestingLimit = 200_000_000

    private let size: Int

    /// Whether the text should not be given to the parser.
    var isExcessive: Bool {
        size > Self.sizeLimit || lookAhead > Self.lookAheadLimit || cells > Self.cellLimit
            || nesting > Self.nestingLimit
    }

    /// Judges a text.
    init(_ text: String) {
        var text = text
        text.makeContiguousUTF8()
        size = text.utf8.count
        let bytes = text.utf8.span
        var paragraph = Paragraph()
        var lines = 0
        var widestPrefix = 0
        var start = 0
        while start < bytes.count {
            var end = start
            var isBlank = true
            var prefix = 0
            var isPrefix = true
            var bars = 0
            var isDelimiter = true
            var marks = 0
            var previous: UInt8 = 0
            while end < bytes.count, bytes[end] != 0x0A {
                let byte = bytes[end]
                if byte != 0x20, byte != 0x09, byte != 0x0D { isBlank = false }
                if isPrefix {
                    if Self.isContainerMark(byte) { prefix += 1 } else { isPrefix = false }
                }
                switch byte {
                case 0x7C: bars += 1
                case 0x2D, 0x3A, 0x20, 0x09, 0x0D, 0x3E: break
                default: isDelimiter = false
                }
                // `)`, `@` and `:` after links; `<?` and `<!`.
                if byte == 0x29 || byte == 0x40 || byte == 0x3A
                    || previous == 0x3C && (byte == 0x3F || byte == 0x21)
                {
                    marks += 1
                }
                previous = byte
                end += 1
            }
            lines += 1
            widestPrefix = max(widestPrefix, prefix)
            if isBlank {
                add(paragraph)
                paragraph = Paragraph()
            } else {
                paragraph.bytes += end - start + 1
                paragraph.lines += 1
                paragraph.marks += marks
                if isDelimiter, bars > 0 { paragraph.columns = max(paragraph.columns, bars + 1) }
            }
            start = end + 1
        }
        add(paragraph)
        nesting = widestPrefix.multipliedSaturating(by: lines)
    }

    private struct Paragraph {
        var bytes = 0
        var lines = 0
        var marks = 0
        var columns = 0
    }

    private mutating func add(_ paragraph: Paragraph) {
        lookAhead += paragraph.bytes.multipliedSaturating(by: paragraph.marks)
        cells += paragraph.columns.multipliedSaturating(by: paragraph.lines)
    }

    /// White space and what block quotes and lists begin with.
    private static func isContainerMark(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x3E, 0x2D, 0x2B, 0x2A, 0x2E, 0x29, 0x30...0x39: true
        default: false
        }
    }
}

extension Int {
    /// The product, or a quarter of the largest number when that is less.
    fileprivate func multipliedSaturating(by other: Int) -> Int {
        let (product, overflows) = multipliedReportingOverflow(by: other)
        return overflows ? .max / 4 : Swift.min(product, .max / 4)
    }
}
