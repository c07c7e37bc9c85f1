/// A line of Markdown, and the block markers it may begin with.
struct MarkdownLine {
    /// The bytes, without the line feed.
    let bytes: ArraySlice<UInt8>
    /// The width of the leading white space in columns, with tab stops every four columns.
    let indent: Int
    /// The rest of the line, without trailing white space.
    let content: ArraySlice<UInt8>

    var isBlank: Bool { content.isEmpty }

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        var indent = 0
        var start = bytes.startIndex
        scan: while start < bytes.endIndex {
            switch bytes[start] {
            case 0x20: indent += 1
            case 0x09: indent += 4 - indent % 4
            case 0x0D: break
            default: break scan
            }
            start += 1
        }
        var end = bytes.endIndex
        while end > start,
            bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 || bytes[end - 1] == 0x0D
        { end -= 1 }
        self.indent = indent
        content = bytes[start..<end]
    }

    /// Returns the line with at most `columns` columns of leading white space removed.
    func dedented(by columns: Int) -> ArraySlice<UInt8> {
        if columns == 0 { return bytes }
        if indent == 0 { return bytes }
        let rest = max(0, indent - columns)
        return (Array(repeating: 0x20, count: rest) + bytes[content.startIndex...])[...]
    }

    /// Returns the text after a list marker, and the width of the marker with its spaces, in columns; nil without a
    /// marker.
    static func item(
        _ content: ArraySlice<UInt8>
    ) -> (content: ArraySlice<UInt8>, width: Int)? {
        guard let first = content.first else { return nil }
        var at = content.startIndex
        switch first {
        case 0x2A, 0x2B, 0x2D: at += 1
        case 0x30...0x39:
            while at < content.endIndex, at - content.startIndex < 9,
                (0x30...0x39).contains(content[at])
            { at += 1 }
            guard at < content.endIndex, content[at] == 0x2E || content[at] == 0x29 else {
                return nil
            }
            at += 1
        default: return nil
        }
        guard !isRule(content) else { return nil }
        let marker = at - content.startIndex
        guard at < content.endIndex else { return (content[at...], marker + 1) }
        guard content[at] == 0x20 || content[at] == 0x09 else { return nil }
        let rest = content[at...].drop { $0 == 0x20 || $0 == 0x09 }
        let spaces = rest.startIndex - at
        return (rest, marker + (spaces > 4 ? 1 : spaces))
    }

    /// Whether a line is a thematic break.
    private static func isRule(_ content: ArraySlice<UInt8>) -> Bool {
        guard let mark = content.first, mark == 0x2A || mark == 0x2D || mark == 0x5F else {
            return false
        }
        return content.count { $0 == mark } >= 3
            && content.allSatisfy { $0 == mark || $0 == 0x20 || $0 == 0x09 }
    }

    /// Returns the mark of a code fence, its length and the info string; nil if the line is not a fence.
    static func fence(
        _ content: ArraySlice<UInt8>
    ) -> (mark: UInt8, count: Int, info: ArraySlice<UInt8>)? {
        guard let mark = content.first, mark == 0x60 || mark == 0x7E else { return nil }
        let run = content.prefix { $0 == mark }
        let info = content[run.endIndex...]
        guard run.count >= 3, mark == 0x7E || !info.contains(0x60) else { return nil }
        return (mark, run.count, info.drop { $0 == 0x20 || $0 == 0x09 })
    }
}

/// Rewrites inline syntax that the parser does not know: footnote references and template tags.
///
/// Code spans stay unchanged.
struct MarkdownInlineScanner {
    private let text: ArraySlice<UInt8>

    /// The longest footnote name and the longest template tag, in bytes.
    private static let nameLimit = 100
    private static let tagLimit = 1000
    /// After this many braces that begin no tag, braces on the line are text.
    private static let failureLimit = 100

    init(_ text: ArraySlice<UInt8>) { self.text = text }

    /// Returns the line for the parser, and counts the tags in it.
    func rewritten(_ findings: inout Finding.List) -> [UInt8] {
        guard text.contains("[^") || text.contains("{{") || text.contains("{%") else {
            return Array(text)
        }
        var result: [UInt8] = []
        result.reserveCapacity(text.count + 16)
        var at = text.startIndex
        var spans = CodeSpans()
        var failures = 0
        while at < text.endIndex {
            switch text[at] {
            case UInt8(ascii: "`"):
                let end = spans.end(in: text, from: at)
                result += text[at..<end]
                at = end
            case UInt8(ascii: "\\"):
                let end = min(at + 2, text.endIndex)
                result += text[at..<end]
                at = end
            case UInt8(ascii: "["):
                guard let (name, end) = Self.footnoteName(text[at...]),
                    end == text.endIndex || text[end] != UInt8(ascii: "(")
                else { fallthrough }
                result += Array("\\[\(Self.escaped(name))\\]".utf8)
                at = end
            case UInt8(ascii: "{"):
                guard failures < Self.failureLimit else { fallthrough }
                guard let tag = TemplateTag(text[at...], limit: Self.tagLimit) else {
                    failures += 1
                    fallthrough
                }
                findings.add(.notUnderstood, "template tag", 1, "tags", detail: tag.name)
                let isTarget = result.last == UInt8(ascii: "(") || result.last == UInt8(ascii: "\"")
                result += isTarget ? tag.target : Array(Self.escaped(text[at..<tag.end]).utf8)
                at = tag.end
            default:
                result.append(text[at])
                at += 1
            }
        }
        return result
    }

    /// Parses `[^name]` at the start of a text; returns the name and the index after it.
    static func footnoteName(
        _ text: ArraySlice<UInt8>
    ) -> (name: ArraySlice<UInt8>, end: Int)? {
        guard text.starts(with: "[^".utf8) else { return nil }
        let name = text.dropFirst(2).prefix(nameLimit).prefix {
            $0 > 0x20 && $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: "]")
        }
        guard !name.isEmpty, name.endIndex < text.endIndex,
            text[name.endIndex] == UInt8(ascii: "]")
        else { return nil }
        return (name, name.endIndex + 1)
    }

    /// Returns a text with all Markdown punctuation escaped.
    static func escaped(_ text: ArraySlice<UInt8>) -> String {
        var result: [UInt8] = []
        for byte in text {
            switch byte {
            case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: result.append(0x5C)
            default: break
            }
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// Finds the ends of code spans; at most one search per run length fails.
struct CodeSpans {
    /// The lengths of backtick sequences that do not occur again.
    private var unclosed: Set<Int> = []

    /// Returns where the code span that begins at an index ends, or where its backticks end if nothing closes them.
    mutating func end(in text: ArraySlice<UInt8>, from start: Int) -> Int {
        let open = text[start...].prefix { $0 == UInt8(ascii: "`") }
        guard !unclosed.contains(open.count) else { return open.endIndex }
        var at = open.endIndex
        while let next = text[at...].firstIndex(of: UInt8(ascii: "`")) {
            let run = text[next...].prefix { $0 == UInt8(ascii: "`") }
            if run.count == open.count { return run.endIndex }
            at = run.endIndex
        }
        unclosed.insert(open.count)
        return open.endIndex
    }
}

/// Repairs tables with rows wider than their header, whose extra cells the parser would drop.
enum WideTables {
    /// The maximum number of columns: wider tables do not occur in practice, and each column costs time in every row.
    private static let columnLimit = 200

    /// Widens the header of each table to its widest row, unless that has too many columns.
    static func mended(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "|")) else { return text }
        var lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
            .map { Array($0) }
        var isChanged = false
        var fence: (mark: UInt8, count: Int)?
        var index = 0
        while index < lines.count {
            defer { index += 1 }
            if let run = fenceRun(lines[index]) {
                if let open = fence {
                    if run.mark == open.mark, run.count >= open.count { fence = nil }
                } else {
                    fence = run
                }
                continue
            }
            // Indented lines may be code, which stays unchanged.
            guard fence == nil, index > 0, isDelimiter(lines[index]),
                !lines[index].starts(with: "    ".utf8),
                case let columns = self.columns(lines[index]),
                columns == self.columns(lines[index - 1])
            else { continue }
            var end = index + 1
            var widest = columns
            while end < lines.count, lines[end].contains(where: { $0 > 0x20 }),
                fenceRun(lines[end]) == nil
            {
                widest = max(widest, self.columns(lines[end]))
                end += 1
            }
            if widest > columns, widest <= columnLimit {
                widen(&lines[index - 1], by: widest - columns, cell: " |")
                widen(&lines[index], by: widest - columns, cell: "---|")
                isChanged = true
            }
            index = end - 1
        }
        guard isChanged else { return text }
        return String(decoding: Array(lines.joined(separator: [0x0A])), as: UTF8.self)
    }

    private static func widen(_ line: inout [UInt8], by count: Int, cell: String) {
        while let last = line.last, last <= 0x20 { line.removeLast() }
        if line.last != UInt8(ascii: "|") { line.append(UInt8(ascii: "|")) }
        for _ in 0..<count { line += Array(cell.utf8) }
    }

    private static func fenceRun(_ line: [UInt8]) -> (mark: UInt8, count: Int)? {
        let content = line.drop { $0 == 0x20 }
        guard let mark = content.first, mark == UInt8(ascii: "`") || mark == UInt8(ascii: "~")
        else {
            return nil
        }
        let count = content.prefix { $0 == mark }.count
        return count >= 3 ? (mark, count) : nil
    }

    private static func isDelimiter(_ line: [UInt8]) -> Bool {
        line.contains(UInt8(ascii: "-")) && line.contains(UInt8(ascii: "|"))
            && line.allSatisfy { "|-: \t\r".utf8.contains($0) }
    }

    /// Counts the cells that a line has as a table row: unescaped bars separate them, except at the ends.
    private static func columns(_ line: [UInt8]) -> Int {
        var bars = 0
        var isEscaped = false
        let content = line.drop { $0 <= 0x20 }
        var last: UInt8 = 0
        for byte in content {
            if byte == UInt8(ascii: "|"), !isEscaped { bars += 1 }
            if byte > 0x20 { last = isEscaped ? 0 : byte }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        let bar = UInt8(ascii: "|")
        return bars + 1 - (content.first == bar ? 1 : 0) - (last == bar ? 1 : 0)
    }
}
