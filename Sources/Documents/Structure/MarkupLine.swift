/// A line of a document whose structure is in its indentation.
struct MarkupLine: Equatable {
    /// The columns before the first other character.
    var indent: Int
    /// What stands behind them, without white space at its end; empty in a blank line.
    var content: ArraySlice<UInt8>

    /// Whether there is nothing on the line but white space.
    var isBlank: Bool { content.isEmpty }

    /// The text of the line, without its indentation.
    var text: String { String(decoding: content, as: UTF8.self) }

    /// Makes a line.
    init(indent: Int, content: ArraySlice<UInt8>) {
        self.indent = indent
        self.content = content
    }

    /// Makes a line of some text, whose spaces at the start are its indentation.
    init(_ text: ArraySlice<UInt8>) {
        let spaces = text.prefix { $0 == 0x20 }.count
        content = text.dropFirst(spaces)
        while let last = content.last, last <= 0x20 { content.removeLast() }
        indent = content.isEmpty ? 0 : spaces
    }

    /// Removes characters from the start of the content: what is left keeps its column.
    mutating func consume(_ count: Int) {
        indent += MarkupLine.width(content.prefix(count))
        content = content.dropFirst(count)
        while content.first == 0x20 {
            content.removeFirst()
            indent += 1
        }
        if content.isEmpty { indent = 0 }
    }

    /// Splits a text into lines, with the tabs in them as spaces up to the next multiple of `tab`
    /// columns.
    ///
    /// - Parameter limit: The most lines: what stands behind them is left out.
    static func split(_ text: String, tab: Int, limit: Int) -> [MarkupLine] {
        let bytes = Array(text.utf8)
        var lines: [MarkupLine] = []
        var start = 0
        while start < bytes.count, lines.count < limit {
            var end = start
            var hasTab = false
            while end < bytes.count, bytes[end] != 0x0A, bytes[end] != 0x0D {
                if bytes[end] == 0x09 { hasTab = true }
                end += 1
            }
            let line = bytes[start..<end]
            lines.append(MarkupLine(hasTab ? expanded(line, tab: tab)[...] : line))
            if end + 1 < bytes.count, bytes[end] == 0x0D, bytes[end + 1] == 0x0A { end += 1 }
            start = end + 1
        }
        return lines
    }

    private static func expanded(_ line: ArraySlice<UInt8>, tab: Int) -> [UInt8] {
        var result: [UInt8] = []
        var column = 0
        for byte in line {
            if byte == 0x09 {
                let spaces = tab - column % tab
                result.append(contentsOf: repeatElement(0x20, count: spaces))
                column += spaces
            } else {
                result.append(byte)
                // Bytes that go on with a character take no column.
                if byte & 0xC0 != 0x80 { column += 1 }
            }
        }
        return result
    }

    /// Lines as one text, each without `indent` of its columns.
    static func joined(_ lines: some Sequence<MarkupLine>, without indent: Int) -> String {
        var result: [UInt8] = []
        var isFirst = true
        for line in lines {
            if !isFirst { result.append(0x0A) }
            isFirst = false
            result.append(contentsOf: repeatElement(0x20, count: max(0, line.indent - indent)))
            result.append(contentsOf: line.content)
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The lines as text, without the indentation that all of them have.
    static func dedented(_ lines: some Collection<MarkupLine>) -> String {
        joined(lines, without: leastIndent(lines))
    }

    /// The indentation that all lines have that are not blank.
    static func leastIndent(_ lines: some Sequence<MarkupLine>) -> Int {
        lines.lazy.filter { !$0.isBlank }.map(\.indent).min() ?? 0
    }

    /// The columns that characters take on a terminal, where those of East Asia take two.
    static func width(_ bytes: ArraySlice<UInt8>) -> Int {
        if bytes.allSatisfy({ $0 < 0x80 }) { return bytes.count }
        return String(decoding: bytes, as: UTF8.self).unicodeScalars.reduce(0) { $0 + width($1) }
    }

    /// The columns that a character takes.
    static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0..<0x300: return 1
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
            0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default:
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark: return 0
            default: return 1
            }
        }
    }
}
