internal import CMarkdown
internal import Synchronization

/// A document parsed by cmark-gfm. Only this file touches cmark-gfm's pointers.
struct MarkdownTree: ~Copyable {
    /// An event of a walk over the tree: containers are entered and left, leaves only entered.
    enum Event {
        case enter(Kind)
        case leave(Kind)
    }

    /// The kinds of nodes that matter for the text.
    enum Kind {
        case heading(level: Int)
        case paragraph
        case list(isOrdered: Bool, start: Int)
        case item
        case code(String, info: String)
        case html(String)
        case tableRow(isHeader: Bool)
        case tableCell
        case text(String)
        case inlineCode(String)
        case inlineHTML(String)
        case link(target: String)
        case image
        case softBreak
        case lineBreak
        case other
    }

    private let root: OpaquePointer?

    // While parsing, cmark-gfm changes tables that all its parsers share (the special characters of extensions), so
    // only one may run at a time.
    private static let parser = Mutex(false)

    /// Parses text; any text is valid Markdown.
    init(_ text: String) {
        root = Self.parser.withLock { isRegistered in
            if !isRegistered {
                cmark_gfm_core_extensions_ensure_registered()
                isRegistered = true
            }
            guard let parser = cmark_parser_new(CMARK_OPT_VALIDATE_UTF8) else { return nil }
            defer { cmark_parser_free(parser) }
            for name in ["table", "strikethrough", "autolink"] {
                if let found = cmark_find_syntax_extension(name) {
                    cmark_parser_attach_syntax_extension(parser, found)
                }
            }
            var text = text
            text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { characters in
                    cmark_parser_feed(parser, characters.baseAddress, characters.count)
                }
            }
            return cmark_parser_finish(parser)
        }
    }

    deinit {
        if let root { cmark_node_free(root) }
    }

    /// Walks the tree in document order, without recursion.
    func walk(_ visit: (Event) -> Void) {
        guard let root, let iterator = cmark_iter_new(root) else { return }
        defer { cmark_iter_free(iterator) }
        while true {
            let event = cmark_iter_next(iterator)
            guard event == CMARK_EVENT_ENTER || event == CMARK_EVENT_EXIT,
                let node = cmark_iter_get_node(iterator)
            else { return }
            let kind = Self.kind(of: node)
            visit(event == CMARK_EVENT_ENTER ? .enter(kind) : .leave(kind))
        }
    }

    private static func kind(of node: OpaquePointer) -> Kind {
        switch string(cmark_node_get_type_string(node)) {
        case "heading": .heading(level: Int(cmark_node_get_heading_level(node)))
        case "paragraph": .paragraph
        case "list":
            .list(
                isOrdered: cmark_node_get_list_type(node) == CMARK_ORDERED_LIST,
                start: Int(cmark_node_get_list_start(node)))
        case "item": .item
        case "code_block":
            .code(
                string(cmark_node_get_literal(node)), info: string(cmark_node_get_fence_info(node)))
        case "html_block": .html(string(cmark_node_get_literal(node)))
        case "table_row": .tableRow(isHeader: false)
        case "table_header": .tableRow(isHeader: true)
        case "table_cell": .tableCell
        case "text": .text(string(cmark_node_get_literal(node)))
        case "code": .inlineCode(string(cmark_node_get_literal(node)))
        case "html_inline": .inlineHTML(string(cmark_node_get_literal(node)))
        case "link": .link(target: string(cmark_node_get_url(node)))
        case "image": .image
        case "softbreak": .softBreak
        case "linebreak": .lineBreak
        default: .other
        }
    }

    private static func string(_ text: UnsafePointer<CChar>?) -> String {
        text.map { String(cString: $0) } ?? ""
    }
}

/// Estimates the cost of parsing Markdown from its lines.
///
/// cmark-gfm takes quadratic time for some inputs: 7 s for 100 kB of `www._`, 34 s for 100 kB of nested list markers
/// and empty lines, 27 s for a table row of 100,000 cells. Such a text is read as plain text instead. The limits keep
/// parsing below a few seconds and are far above the needs of real documents. The estimate may be too high, but is
/// never too low.
struct MarkdownCost {
    /// Bytes of running text times the marks in it that make cmark-gfm search.
    private(set) var inline = 0
    /// Columns times rows of tables.
    private(set) var cells = 0
    /// Nesting of containers times lines.
    private(set) var nesting = 0

    /// The largest text, in bytes; the tree of a larger one takes too much memory.
    static let sizeLimit = 16 << 20
    // Measured at up to 3.5 ns, 150 ns and 14 ns per unit.
    private static let inlineLimit = 1_000_000_000
    private static let cellLimit = 5_000_000
    private static let nestingLimit = 200_000_000

    private let size: Int

    /// Whether the text is too expensive to parse.
    var isExcessive: Bool {
        size > Self.sizeLimit || inline > Self.inlineLimit || cells > Self.cellLimit
            || nesting > Self.nestingLimit
    }

    /// Estimates the cost of a text.
    init(_ text: String) {
        var text = text
        text.makeContiguousUTF8()
        size = text.utf8.count
        let bytes = text.utf8.span
        var paragraph = Paragraph()
        var previous = Line()
        var lines = 0
        var widestPrefix = 0
        var start = 0
        while start < bytes.count {
            let line = Line(bytes, from: start)
            start += line.bytes + 1
            lines += 1
            widestPrefix = max(widestPrefix, line.prefix)
            if line.isBlank || line.beginsBlock(after: paragraph.first) {
                add(paragraph)
                paragraph = Paragraph()
            }
            if paragraph.isTable, line.first != 0x7C {
                add(paragraph)
                paragraph = Paragraph()
            }
            if paragraph.bytes == 0 { paragraph.first = line }
            if paragraph.isTable {
                // Inline text never spans two rows.
                inline += line.cost
                paragraph.rows += 1
            } else {
                paragraph.bytes += line.bytes + 1
                paragraph.marks += line.marks
                if line.isDelimiter, line.columns == previous.columns, !previous.hasBackslash {
                    add(paragraph)
                    paragraph = Paragraph()
                    paragraph.isTable = true
                    paragraph.columns = line.columns
                }
            }
            previous = line
        }
        add(paragraph)
        nesting = widestPrefix.multipliedSaturating(by: lines)
    }

    private mutating func add(_ paragraph: Paragraph) {
        inline = min(inline + paragraph.bytes.multipliedSaturating(by: paragraph.marks), .max / 2)
        cells += paragraph.columns.multipliedSaturating(by: paragraph.rows)
    }

    /// Lines that may form one paragraph, or the rows of a table below its delimiter.
    private struct Paragraph {
        var first = Line()
        var bytes = 0
        var marks = 0
        var isTable = false
        var columns = 0
        var rows = 0
    }
}

/// The blocks that a line of Markdown may begin, and its cost.
private struct Line {
    var bytes = 0
    /// The columns of leading white space.
    var indent = 0
    /// The first byte that is not white space; 0 for a blank line.
    var first: UInt8 = 0
    /// How many leading bytes may be container markers.
    var prefix = 0
    var marks = 0
    var hasBackslash = false
    /// Whether it is the delimiter row of a table.
    var isDelimiter = false
    /// How many columns it has as a table row.
    var columns = 0
    private var isHeading = false
    private var isBullet = false
    private var isNumbered = false

    var isBlank: Bool { first == 0 }

    /// Its cost as a text of its own.
    var cost: Int { bytes.multipliedSaturating(by: marks) }

    init() {}

    init(_ text: Span<UInt8>, from start: Int) {
        var isPrefix = true
        var isIndent = true
        var bars = 0
        var last: UInt8 = 0
        var previous: UInt8 = 0
        isDelimiter = true
        var at = start
        while at < text.count, text[at] != 0x0A {
            let byte = text[at]
            let isSpace = byte == 0x20 || byte == 0x09 || byte == 0x0D
            if isIndent {
                if byte == 0x20 {
                    indent += 1
                } else if !isSpace {
                    isIndent = false
                    first = byte
                } else {
                    indent += 4
                }
            }
            if isPrefix {
                if Self.isContainerMark(byte) { prefix += 1 } else { isPrefix = false }
            }
            switch byte {
            case 0x7C: bars += 1
            case 0x2D, 0x3A: break
            case 0x5C:
                hasBackslash = true
                isDelimiter = false
            default: if !isSpace { isDelimiter = false }
            }
            if Self.isMark(byte, after: previous) { marks += 1 }
            if !isSpace { last = byte }
            previous = byte
            at += 1
        }
        bytes = at - start
        isDelimiter = isDelimiter && bars > 0
        columns = bars + 1 - (first == 0x7C ? 1 : 0) - (last == 0x7C ? 1 : 0)
        classify(text, start + indent, end: at)
    }

    private mutating func classify(_ text: Span<UInt8>, _ at: Int, end: Int) {
        guard indent <= 3, at + 2 < end else { return }
        let second = text[at + 1]
        switch first {
        case 0x23: isHeading = second == 0x20 || second == 0x23
        case 0x2D, 0x2A, 0x2B: isBullet = second == 0x20 && text[at + 2] > 0x20
        case 0x30...0x39:
            var digit = at
            while digit < end, (0x30...0x39).contains(text[digit]) { digit += 1 }
            isNumbered =
                indent == 0 && digit + 2 < end && digit - at <= 9 && text[digit] == 0x2E
                && text[digit + 1] == 0x20 && text[digit + 2] > 0x20
        default: break
        }
    }

    /// Whether it certainly ends the block before it, which begins with `first`.
    func beginsBlock(after first: Line) -> Bool {
        isHeading || isBullet || isNumbered && first.isNumbered
    }

    /// Whether a byte is white space or may be part of the marker of a block quote or a list item.
    private static func isContainerMark(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x3E, 0x2D, 0x2B, 0x2A, 0x2E, 0x29, 0x30...0x39: true
        default: false
        }
    }

    /// Whether a byte begins or ends a search: `) * . : @ _ | ~`, and `?` or `!` after `<`.
    private static func isMark(_ byte: UInt8, after previous: UInt8) -> Bool {
        switch byte {
        case 0x29, 0x2A, 0x2E, 0x3A, 0x40, 0x5F, 0x7C, 0x7E: true
        case 0x21, 0x3F: previous == 0x3C
        default: false
        }
    }
}

extension Int {
    /// The product, capped at a quarter of the largest integer.
    fileprivate func multipliedSaturating(by other: Int) -> Int {
        let (product, overflows) = multipliedReportingOverflow(by: other)
        return overflows ? .max / 4 : Swift.min(product, .max / 4)
    }
}
