import CommandSupport
import Mustache

/// HTML that is safe to insert into a page.
struct HTML: MustacheCustomRenderable, Sendable {
    let text: String

    /// Takes HTML that this program wrote.
    init(trusted text: String) { self.text = text }

    /// Escapes text, and shows control characters and marks that reorder or hide text as escapes such as `\u{202e}`.
    init(_ text: String) { self.init(exact: text.printable(multiline: true)) }

    /// Escapes text for a field of a form, whose value must come back as it is.
    init(exact text: String) {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        // Scalar by scalar: a quotation mark with an accent is one `Character`, and still ends an attribute.
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\0": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        self.text = result
    }

    var renderText: String { text }
    var isNull: Bool { false }
}

/// How templates escape values. Mustache's own escaping goes by `Character`; see ``HTML``.
struct PageContentType: MustacheContentType {
    func escapeText(_ text: String) -> String { HTML(text).text }
}

/// Turns answers and passages into HTML: paragraphs, lists, tables, code, emphasis, and citations as links. Everything
/// else, links of Markdown and HTML included, stays visible as text.
struct PageText {
    /// The numbers that citations may have.
    private let numbers: Set<Int>
    private var blocks: [String] = []
    private var open: Block?
    /// The parts of the open block: lines as they are, or items of a list as HTML.
    private var parts: [String] = []

    private enum Block: Equatable {
        case paragraph
        case bullets
        case numbered(from: Int)

        /// Whether a part of another block goes on with this one.
        func takes(_ other: Block) -> Bool {
            if case (.numbered, .numbered) = (self, other) { true } else { self == other }
        }
    }

    /// Renders a text.
    ///
    /// - Parameter numbers: The passages that citations may name; their links lead to `#source-N`.
    static func html(_ text: String, citing numbers: Set<Int> = []) -> HTML {
        var page = PageText(numbers: numbers)
        var lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }[...]
        while let line = lines.popFirst() { page.add(line, &lines) }
        page.close()
        return HTML(trusted: page.blocks.joined(separator: "\n"))
    }

    private init(numbers: Set<Int>) { self.numbers = numbers }

    private mutating func add(_ line: Substring, _ rest: inout ArraySlice<Substring>) {
        let text = line.drop { $0 == " " || $0 == "\t" }
        if text.hasPrefix("```") || text.hasPrefix("~~~") {
            close()
            let fence = text.prefix(3)
            var code: [Substring] = []
            while let next = rest.popFirst() {
                guard !next.drop(while: { $0 == " " }).hasPrefix(fence) else { break }
                code.append(next)
            }
            let html = HTML(code.joined(separator: "\n")).text
            blocks.append("<pre tabindex=\"0\"><code>\(html)</code></pre>")
            return
        }
        if text.isEmpty { return close() }
        if let heading = Self.heading(text) {
            close()
            blocks.append("<p class=\"subhead\">\(inline(heading))</p>")
        } else if let (number, item) = Self.item(text) {
            add(inline(item), to: number.map { .numbered(from: $0) } ?? .bullets)
        } else if let open, open != .paragraph, text.startIndex > line.startIndex {
            // An indented line goes on with its item.
            parts[parts.count - 1] += "\n" + inline(text)
        } else {
            add(String(text), to: .paragraph)
        }
    }

    private mutating func add(_ part: String, to block: Block) {
        if let open, open.takes(block) {
            parts.append(part)
        } else {
            close()
            (open, parts) = (block, [part])
        }
    }

    /// Ends the block that is open.
    private mutating func close() {
        func items() -> String { parts.map { "<li>\($0)</li>" }.joined() }
        switch open {
        case nil: break
        case .paragraph: blocks.append(table(parts) ?? paragraph(parts))
        case .bullets: blocks.append("<ul>\(items())</ul>")
        case .numbered(let first):
            let start = first == 1 ? "" : " start=\"\(first)\""
            blocks.append("<ol\(start)>\(items())</ol>")
        }
        open = nil
        parts = []
    }

    private func paragraph(_ lines: [String]) -> String {
        "<p>\(lines.map { inline($0[...]) }.joined(separator: "\n"))</p>"
    }

    /// Lines of cells such as `| a | b |` or `a | b`, the first of them the header; nil unless all lines have as many.
    private func table(_ lines: [String]) -> String? {
        guard lines.count > 1, lines[0].contains("|") else { return nil }
        var rows = lines.map(Self.cells)
        guard rows[0].count > 1, rows.allSatisfy({ $0.count == rows[0].count }) else { return nil }
        rows.removeAll { $0.allSatisfy { !$0.isEmpty && $0.allSatisfy { "-:".contains($0) } } }
        let html = rows.enumerated().map { index, cells in
            let tag = index == 0 ? "th" : "td"
            return "<tr>" + cells.map { "<\(tag)>\(inline($0))</\(tag)>" }.joined() + "</tr>"
        }
        return "<div class=\"scroll\" tabindex=\"0\"><table>\(html.joined())</table></div>"
    }

    private static func cells(_ line: String) -> [Substring] {
        func trimmed(_ text: Substring) -> Substring {
            var text = text.drop { $0 == " " }
            while text.last == " " { text.removeLast() }
            return text
        }
        var line = trimmed(line[...])
        if line.hasPrefix("|") { line.removeFirst() }
        if line.hasSuffix("|") { line.removeLast() }
        return line.split(separator: "|", omittingEmptySubsequences: false).map(trimmed)
    }

    private static func heading(_ text: Substring) -> Substring? {
        let marks = text.prefix { $0 == "#" }
        guard (1...6).contains(marks.count), text.dropFirst(marks.count).first == " " else {
            return nil
        }
        let heading = text.dropFirst(marks.count).drop { $0 == " " }
        return heading.isEmpty ? nil : heading
    }

    /// The text of a list item, and its number if it has one.
    private static func item(_ text: Substring) -> (Int?, Substring)? {
        if let mark = text.first, "-*+•–".contains(mark), text.dropFirst().first == " " {
            return (nil, text.dropFirst(2))
        }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let rest = text.dropFirst(digits.count)
        guard (1...3).contains(digits.count), let number = Int(digits),
            let mark = rest.first, mark == "." || mark == ")", rest.dropFirst().first == " "
        else { return nil }
        return (number, rest.dropFirst(2))
    }

    // MARK: Inside a line

    private func inline(_ line: Substring) -> String {
        var result = ""
        var plain = line[line.startIndex..<line.startIndex]
        var rest = line
        // A mark that is never closed is looked for only once.
        var unclosed: Set<String> = []
        func flush() {
            result += HTML(String(plain)).text
        }
        func enclosed(_ mark: String) -> Substring? {
            guard rest.hasPrefix(mark), !unclosed.contains(mark) else { return nil }
            let inner = rest.dropFirst(mark.count)
            guard let end = inner.firstRange(of: mark), end.lowerBound > inner.startIndex else {
                unclosed.insert(mark)
                return nil
            }
            return inner[..<end.lowerBound]
        }
        func advance(past index: Substring.Index) {
            rest = line[index...]
            plain = line[index..<index]
        }
        while let first = rest.first {
            if first == "`", let code = enclosed("`") {
                flush()
                result += "<code>\(HTML(String(code)).text)</code>"
                advance(past: line.index(after: code.endIndex))
            } else if first == "*", let strong = enclosed("**") {
                flush()
                result += "<strong>\(HTML(String(strong)).text)</strong>"
                advance(past: line.index(strong.endIndex, offsetBy: 2))
            } else if first == "[", let (links, end) = citations(rest) {
                flush()
                result += links
                advance(past: end)
            } else {
                rest = rest.dropFirst()
                plain = line[plain.startIndex..<rest.startIndex]
            }
        }
        flush()
        return result
    }

    /// The links for citations such as `[1]`, `[1, 3]` and `[1; 3]`; nil unless all numbers are known.
    private func citations(_ text: Substring) -> (links: String, end: Substring.Index)? {
        guard !numbers.isEmpty, let close = text.prefix(40).firstIndex(of: "]") else { return nil }
        let inner = text[text.index(after: text.startIndex)..<close]
        let cited = inner.split { ",; ".contains($0) }.map { Int($0) }
        guard !cited.isEmpty else { return nil }
        var links = ""
        for number in cited {
            guard let number, numbers.contains(number) else { return nil }
            links += """
                <a class="cite" href="#source-\(number)" aria-label="Source \(number)">[\(number)]</a>
                """
        }
        return (links, text.index(after: close))
    }
}
