/// A line of Markdown, and what it may begin.
struct MarkdownLine {
    /// Its bytes, without the line feed.
    let bytes: ArraySlice<UInt8>
    /// The columns of white space that it begins with; a tab goes on to the next multiple of four.
    let indent: Int
    /// What follows that, without white space at the end.
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

    /// The line with less white space before it.
    func dedented(by columns: Int) -> ArraySlice<UInt8> {
        if columns == 0 { return bytes }
        if indent == 0 { return bytes }
        let rest = max(0, indent - columns)
        return (Array(repeating: 0x20, count: rest) + bytes[content.startIndex...])[...]
    }

    /// What follows the marker of a list's item, and the columns from the marker to that; nil for other lines.
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

    /// Whether it is a line across the page.
    private static func isRule(_ content: ArraySlice<UInt8>) -> Bool {
        guard let mark = content.first, mark == 0x2A || mark == 0x2D || mark == 0x5F else {
            return false
        }
        return content.count { $0 == mark } >= 3
            && content.allSatisfy { $0 == mark || $0 == 0x20 || $0 == 0x09 }
    }

    /// The mark of the code fence that some content is, how often it stands there, and what follows it.
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
