/// Turns MDX into Markdown.
///
/// Imports and exports are dropped. Inline tags, tables and preformatted text stay HTML. Any other tag becomes the
/// texts of its visible attributes, and the content of its element loses its indentation. Expressions other than
/// string literals are not evaluated, only counted.
struct MDXReader {
    private var output: [UInt8] = []
    private var findings = Finding.List()
    /// The indentation of the content of each open element; nil before its first line.
    private var elements: [Int?] = []
    /// How many angle brackets so far began no tag.
    private var failures = 0
    /// Braces before this index are text: an earlier search found nothing that closes them.
    private var noExpressionBefore = 0

    /// After this many failures, angle brackets are text.
    private static let failureLimit = 200
    /// The texts that an earlier search did not find.
    private var absent: Set<String> = []

    private static let deepest = 64
    /// Elements that are passed on as HTML, and elements that are left out, each with its content.
    private static let whole: Set<String> = ["table", "pre"]
    private static let unseen: Set<String> = ["script", "style", "svg"]

    /// Converts a text to Markdown, and returns what was left out.
    static func markdown(of text: String) -> (text: String, findings: Finding.List) {
        var reader = MDXReader()
        let bytes = Array(text.utf8)
        reader.read(bytes)
        return (String(decoding: reader.output, as: UTF8.self), reader.findings)
    }

    private mutating func read(_ bytes: [UInt8]) {
        let text = bytes.span
        var at = 0
        var wasBlank = true
        while at < bytes.count {
            let end = bytes[at...].firstIndex(of: 0x0A) ?? bytes.count
            let line = MarkdownLine(bytes[at..<end])
            if line.isBlank {
                output.append(0x0A)
                wasBlank = true
                at = end + 1
                continue
            }
            if wasBlank, line.indent == 0, Self.isModule(line.content) {
                at = skipModule(bytes, from: at)
                continue
            }
            wasBlank = false
            let indent = bodyIndent(line)
            if let fence = MarkdownLine.fence(line.content) {
                at = copyCode(bytes, from: at, fence.mark, fence.count, indent: indent)
                continue
            }
            output += Array(repeating: 0x20, count: max(0, line.indent - indent))
            at = line.content.startIndex
            copyLine(bytes, text, &at)
        }
    }

    // MARK: - Lines

    private static func isModule(_ line: ArraySlice<UInt8>) -> Bool {
        ["import ", "import{", "export "].contains { line.starts(with: $0.utf8) }
    }

    /// Skips imports and exports, up to an empty line.
    private mutating func skipModule(_ bytes: [UInt8], from start: Int) -> Int {
        var at = start
        while at < bytes.count {
            let end = bytes[at...].firstIndex(of: 0x0A) ?? bytes.count
            guard !MarkdownLine(bytes[at..<end]).isBlank else { break }
            findings.add(.leftOut, "import", 1, "lines")
            at = end + 1
        }
        return min(at, bytes.count)
    }

    /// Returns how much indentation to remove from a line in the innermost element: that of its first line, or all of
    /// the line's own if that is less.
    private mutating func bodyIndent(_ line: MarkdownLine) -> Int {
        guard let last = elements.last else { return 0 }
        if let known = last { return min(known, line.indent) }
        elements[elements.count - 1] = line.indent
        return line.indent
    }

    private mutating func copyCode(
        _ bytes: [UInt8], from start: Int, _ mark: UInt8, _ count: Int, indent: Int
    ) -> Int {
        var at = start
        while at < bytes.count {
            let end = bytes[at...].firstIndex(of: 0x0A) ?? bytes.count
            let line = MarkdownLine(bytes[at..<end])
            output += line.dedented(by: indent)
            output.append(0x0A)
            let run = line.content.prefix { $0 == mark }
            let isEnd = at > start && run.count >= count && run.count == line.content.count
            at = end + 1
            if isEnd { break }
        }
        return min(at, bytes.count)
    }

    /// Copies the rest of a line, including the tags and expressions that begin on it.
    private mutating func copyLine(_ bytes: [UInt8], _ text: Span<UInt8>, _ at: inout Int) {
        var isAtStart = true
        while at < bytes.count {
            let byte = bytes[at]
            switch byte {
            case 0x0A:
                output.append(byte)
                at += 1
                return
            case UInt8(ascii: "\\"):
                output += bytes[at..<min(at + 2, bytes.count)]
                at += 2
            case UInt8(ascii: "`"):
                // A code span may end on a later line of its paragraph, but nearly all end on the same line.
                let line = bytes[at...].prefix { $0 != 0x0A }
                var spans = CodeSpans()
                let end = spans.end(in: line, from: at)
                output += bytes[at..<end]
                at = end
            case UInt8(ascii: "<") where failures < Self.failureLimit:
                copyTag(bytes, text, &at, isAtStart: isAtStart)
            case UInt8(ascii: "{") where at >= noExpressionBefore:
                copyExpression(bytes, text, &at)
            default:
                output.append(byte)
                at += 1
            }
            if byte > 0x20 { isAtStart = byte == UInt8(ascii: "<") && isAtStart }
        }
    }

    // MARK: - Tags

    private mutating func copyTag(
        _ bytes: [UInt8], _ text: Span<UInt8>, _ at: inout Int, isAtStart: Bool
    ) {
        if bytes[at...].starts(with: "<!--".utf8), let end = end(of: "-->", bytes, from: at) {
            output += bytes[at..<end]
            at = end
            return
        }
        guard let tag = JSXTag(text, at: at) else {
            failures += 1
            output.append(bytes[at])
            at += 1
            return
        }
        if tag.expressions > 0 {
            findings.add(.notUnderstood, "expression", tag.expressions, "expressions")
        }
        if !tag.isEnd, !tag.isEmpty,
            Self.whole.contains(tag.name) || Self.unseen.contains(tag.name),
            let end = end(of: "</\(tag.name)>", bytes, from: tag.end)
        {
            if Self.unseen.contains(tag.name) {
                findings.add(.leftOut, tag.name, 1, "elements")
            } else {
                output += [0x0A, 0x0A] + bytes[at..<end] + [0x0A, 0x0A]
            }
            at = end
            return
        }
        at = tag.end
        if tag.isInline { return copyInline(tag) }
        note(tag)
        let labels = tag.labels
        guard isAtStart || tag.name.first?.isUppercase == true || Self.isBlock(tag.name) else {
            output += Array(" \(labels.joined(separator: " ")) ".utf8)
            return
        }
        output += [0x0A, 0x0A]
        for label in labels {
            output += MarkdownMark.label + Array(label.utf8.map { $0 == 0x0A ? 0x20 : $0 })
            output += [0x0A, 0x0A]
        }
    }

    private static func isBlock(_ name: String) -> Bool {
        [
            "div", "p", "details", "summary", "section", "article", "ul", "ol", "li", "dl", "dt",
            "dd",
        ]
        .contains(name)
    }

    private mutating func note(_ tag: JSXTag) {
        if tag.isEnd {
            if !elements.isEmpty { elements.removeLast() }
        } else if !tag.isEmpty, elements.count < Self.deepest {
            elements.append(nil)
        }
    }

    /// Copies an inline tag with only its `href` and `alt`.
    private mutating func copyInline(_ tag: JSXTag) {
        let name = tag.name == "Link" ? "a" : tag.name
        if tag.isEnd {
            output += Array("</\(name)>".utf8)
            return
        }
        var result = "<\(name)"
        for (key, value) in tag.texts where key == "href" || key == "alt" {
            result += " \(key)=\"\(value.split(separator: "\"").joined())\""
        }
        output += Array("\(result)>".utf8)
    }

    /// Returns the index after the next occurrence of a text; nil if there is none within a
    /// megabyte, or if an earlier search for the text failed.
    private mutating func end(of text: String, _ bytes: [UInt8], from start: Int) -> Int? {
        guard !absent.contains(text) else { return nil }
        let mark = Array(text.utf8)
        var at = start
        let limit = min(bytes.count, start + 1_000_000)
        while let found = bytes[at..<limit].firstIndex(of: mark[0]) {
            if bytes[found...].starts(with: mark) { return found + mark.count }
            at = found + 1
        }
        absent.insert(text)
        return nil
    }

    // MARK: - Expressions

    private mutating func copyExpression(
        _ bytes: [UInt8], _ text: Span<UInt8>, _ at: inout Int
    ) {
        // `{#id}` names the heading before it.
        if AttributeList.read(bytes[at...]) != nil {
            output.append(bytes[at])
            at += 1
            return
        }
        guard let end = JSXExpression.end(text, at: at) else {
            output.append(bytes[at])
            at += 1
            noExpressionBefore = min(bytes.count, at + 1000)
            return
        }
        defer { at = end }
        let inner = bytes[(at + 1)..<(end - 1)]
        let trimmed = inner.drop { $0 <= 0x20 }
        if trimmed.starts(with: "/*".utf8) {
            let words = inner.split { $0 <= 0x20 || $0 == 0x2A || $0 == 0x2F }.count
            findings.add(.leftOut, "comment", words, "words")
        } else if let string = JSXExpression.text(text, at..<end) {
            output += Array(string.utf8)
        } else {
            let detail = WhiteSpace.collapsed(String(decoding: trimmed.prefix(60), as: UTF8.self))
            findings.add(.notUnderstood, "expression", 1, "expressions", detail: detail)
        }
    }
}
