/// A line of a document with significant indentation.
struct MarkupLine: Equatable {
    /// The columns before the content.
    var indent: Int
    /// The text after the indentation, without trailing white space; empty for a blank line.
    var content: ArraySlice<UInt8>

    var isBlank: Bool { content.isEmpty }

    /// The line's text, without its indentation.
    var text: String { String(decoding: content, as: UTF8.self) }

    init(indent: Int, content: ArraySlice<UInt8>) {
        self.indent = indent
        self.content = content
    }

    /// Creates a line from text; its leading spaces are the indentation.
    init(_ text: ArraySlice<UInt8>) {
        let spaces = text.prefix { $0 == 0x20 }.count
        content = text.dropFirst(spaces)
        while let last = content.last, last <= 0x20 { content.removeLast() }
        indent = content.isEmpty ? 0 : spaces
    }

    /// Removes `count` bytes, and any spaces after them, from the start of the content; the rest keeps its column.
    mutating func consume(_ count: Int) {
        indent += MarkupLine.width(content.prefix(count))
        content = content.dropFirst(count)
        while content.first == 0x20 {
            content.removeFirst()
            indent += 1
        }
        if content.isEmpty { indent = 0 }
    }

    /// Splits a text into lines and expands tabs to the next multiple of `tab` columns.
    ///
    /// - Parameter limit: The most lines to return; the rest is dropped.
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
                // Continuation bytes of a character take no column.
                if byte & 0xC0 != 0x80 { column += 1 }
            }
        }
        return result
    }

    /// Joins lines, after removing up to `indent` columns of indentation from each.
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

    /// Joins lines without their common indentation.
    static func dedented(_ lines: some Collection<MarkupLine>) -> String {
        joined(lines, without: leastIndent(lines))
    }

    /// Returns the least indentation of nonblank lines; 0 if there are none.
    static func leastIndent(_ lines: some Sequence<MarkupLine>) -> Int {
        lines.lazy.filter { !$0.isBlank }.map(\.indent).min() ?? 0
    }

    /// Returns the width in terminal columns: two for East Asian characters and emoji, none for combining marks.
    static func width(_ bytes: ArraySlice<UInt8>) -> Int {
        if bytes.allSatisfy({ $0 < 0x80 }) { return bytes.count }
        return String(decoding: bytes, as: UTF8.self).unicodeScalars.reduce(0) { $0 + width($1) }
    }

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
