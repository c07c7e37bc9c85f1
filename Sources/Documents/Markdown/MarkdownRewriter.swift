/// Rewrites the syntax of Markdown dialects into Markdown that the parser knows: notes, tabs, divisions, definitions,
/// footnotes, includes and template tags.
///
/// The content of indented containers loses its indentation, and the title of a container becomes a paragraph.
/// Each line is read once.
struct MarkdownRewriter {
    /// A container with indented content.
    struct Container {
        /// The least indentation of its lines.
        let indent: Int
        /// How many columns of indentation are removed.
        let shift: Int
        /// The columns where the text of the list items around it begins.
        let items: [Int]
    }

    /// A container between two lines of marks.
    struct Division {
        /// The character of its marks, and for a fence, how many of them its closing line needs.
        let mark: UInt8
        let count: Int
        /// Whether a heading inside is its title.
        let ownsHeadings: Bool
    }

    /// Lines that are not Markdown.
    struct Code {
        /// What ends the code.
        enum End {
            case fence(mark: UInt8, count: Int)
            case tag(String)
        }

        let end: End
        /// The line that ends the code for the parser.
        let fence: [UInt8]
        /// The column of the text in the enclosing list item.
        let itemIndent: Int
        let isQuoted: Bool
    }

    var output: [UInt8] = []
    var findings = Finding.List()
    var containers: [Container] = []
    var divisions: [Division] = []
    var code: Code?
    /// The columns where the text of the enclosing list items begins.
    var items: [Int] = []
    /// Whether the next line may continue a paragraph.
    var isInParagraph = false
    /// The last paragraph if nothing followed it: where its text begins in the output, and its number of lines.
    var term: (start: Int, lines: Int)?
    /// The indentation of the last definition, as long as the same term may have another.
    var definitionIndent: Int?
    /// The text that ends a raw HTML block.
    private var rawEnd: String?

    /// The deepest nesting; deeper containers are ordinary text.
    static let deepest = 64

    /// Rewrites a text.
    static func rewrite(_ text: String) -> (text: String, findings: Finding.List) {
        var rewriter = MarkdownRewriter()
        let bytes = Array(text.utf8)
        rewriter.output.reserveCapacity(bytes.count + bytes.count / 16)
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            rewriter.add(MarkdownLine(bytes[start..<end]))
            start = end + 1
        }
        return (String(decoding: rewriter.output, as: UTF8.self), rewriter.findings)
    }

    private mutating func add(_ line: MarkdownLine) {
        if line.isBlank {
            isInParagraph = false
            return emit([])
        }
        while let last = containers.last, line.indent < last.indent {
            closeCode()
            items = last.items
            containers.removeLast()
        }
        let shift = containers.reduce(0) { $0 + $1.shift }
        let line = shift == 0 ? line : MarkdownLine(line.dedented(by: shift))
        if let code {
            if line.indent >= code.itemIndent,
                !code.isQuoted || line.content.first == UInt8(ascii: ">")
            {
                return add(line, to: code)
            }
            // The enclosing list item or block quote ended, and the code with it.
            self.code = nil
        }
        if let end = rawEnd {
            if line.content.contains(end) { rawEnd = nil }
            return emit(line.bytes)
        }
        while let last = items.last, line.indent < last { items.removeLast() }
        if line.indent - (items.last ?? 0) >= 4, !isInParagraph {
            term = nil
            return emit(line.bytes)
        }
        addMarkdown(line)
    }

    private mutating func addMarkdown(_ line: MarkdownLine) {
        var content = line.content
        var indent = line.indent
        // Nested list items may begin on one line.
        while let item = MarkdownLine.item(content), items.count < Self.deepest {
            indent += item.width
            items.append(indent)
            content = item.content
            endParagraph()
        }
        var isQuoted = false
        while content.first == UInt8(ascii: ">") {
            isQuoted = true
            content = content.dropFirst().drop { $0 == 0x20 }
        }
        if content.isEmpty {
            endParagraph()
            return emit(line.bytes)
        }
        let head = line.bytes[..<content.startIndex]
        let isWhole = content.startIndex == line.content.startIndex
        if let fence = MarkdownLine.fence(content) {
            endParagraph()
            if isWhole, addDirective(fence, indent: line.indent) { return }
            beginFence(fence, isQuoted: isQuoted, indent: indent)
            return emit(head + content)
        }
        if isQuoted, let label = MarkdownLabel(alert: content) {
            endParagraph()
            emit(head + MarkdownMark.label + Array((label.title ?? "").utf8))
            return emit(head)
        }
        if isWhole, addPart(line) || addContainer(line) { return }
        let text = MarkdownInlineScanner(content).rewritten(&findings)
        if isInParagraph, let lines = term?.lines {
            term?.lines = lines + 1
        } else {
            term = (output.count + head.count, isQuoted ? 2 : 1)
            if line.indent <= definitionIndent ?? -1 { definitionIndent = nil }
        }
        isInParagraph = true
        emit(head + text)
        if isWhole { beginRaw(content) }
    }

    // MARK: - Output

    mutating func emit(_ bytes: some Sequence<UInt8>) {
        output += bytes
        output.append(0x0A)
    }

    /// Ends the paragraph, and adds `title`, if any, as a paragraph that introduces what follows.
    mutating func emitLabel(_ title: String?, indent: Int) {
        endParagraph()
        emit([])
        guard let title else { return }
        emit(
            Array(repeating: 0x20, count: indent) + MarkdownMark.label
                + MarkdownInlineScanner(Array(title.utf8)[...]).rewritten(&findings))
        emit([])
    }

    mutating func endParagraph() {
        isInParagraph = false
        term = nil
    }

    // MARK: - Code

    private mutating func beginFence(
        _ fence: (mark: UInt8, count: Int, info: ArraySlice<UInt8>), isQuoted: Bool, indent: Int
    ) {
        let around = items.last ?? 0
        code = Code(
            end: .fence(mark: fence.mark, count: fence.count),
            fence: Array(repeating: 0x20, count: max(indent, around))
                + Array(repeating: fence.mark, count: fence.count),
            itemIndent: around, isQuoted: isQuoted)
    }

    private mutating func add(_ line: MarkdownLine, to code: Code) {
        switch code.end {
        case .fence(let mark, let count):
            let bare =
                code.isQuoted
                ? line.content.drop { $0 == UInt8(ascii: ">") || $0 == 0x20 } : line.content
            let run = bare.prefix { $0 == mark }
            if run.count >= count, run.count == bare.count {
                self.code = nil
                return emit(line.bytes)
            }
        case .tag(let word):
            if line.content.starts(with: "{%".utf8), line.content.contains(word) {
                return closeCode()
            }
        }
        // Keep the line: the code may be an example of an include.
        if let include = MarkdownInclude(inCode: line.content) { note(include) }
        emit(line.bytes)
    }

    private mutating func closeCode() {
        guard let code else { return }
        emit(code.fence)
        self.code = nil
    }

    mutating func note(_ include: MarkdownInclude) {
        findings.add(.leftOut, "include", 1, "includes", detail: include.target)
    }

    /// Begins a raw HTML block, whose content is not Markdown, if the line opens one and does not close it.
    private mutating func beginRaw(_ content: ArraySlice<UInt8>) {
        guard content.first == UInt8(ascii: "<") else { return }
        let start = String(decoding: content.prefix(12), as: UTF8.self).lowercased()
        for name in ["pre", "script", "style", "textarea"] where start.hasPrefix("<\(name)") {
            rawEnd = "</\(name)"
        }
        if start.hasPrefix("<!--") { rawEnd = "-->" }
        if let end = rawEnd, content.contains(end) { rawEnd = nil }
    }
}

extension ArraySlice<UInt8> {
    /// Whether the bytes contain a text.
    func contains(_ text: String) -> Bool {
        let part = Array(text.utf8)
        guard let first = part.first else { return true }
        var at = startIndex
        while let found = self[at...].firstIndex(of: first) {
            if self[found...].starts(with: part) { return true }
            at = found + 1
        }
        return false
    }
}

extension MarkdownRewriter {
    /// Adds a line that begins or ends a container, or is its title; false for any other line.
    mutating func addContainer(_ line: MarkdownLine) -> Bool {
        let content = line.content
        if let label = MarkdownLabel(note: content) ?? MarkdownLabel(tab: content) {
            emitLabel(label.title, indent: line.indent)
            openContainer(line.indent + 4, shift: 4)
            return true
        }
        switch content.first {
        case UInt8(ascii: ":"):
            if content.starts(with: ":::".utf8) {
                addDivision(line)
                return true
            }
            return addDefinition(line)
        case UInt8(ascii: "/"): return content.starts(with: "///".utf8) && addBlock(line)
        case UInt8(ascii: "["): return addFootnote(line)
        case UInt8(ascii: "#"):
            guard divisions.last?.ownsHeadings == true else { return false }
            let title = content.drop { $0 == UInt8(ascii: "#") }
            guard title.first == 0x20 else { return false }
            emitLabel(String(decoding: title.dropFirst(), as: UTF8.self), indent: line.indent)
            return true
        default: return false
        }
    }

    private mutating func openContainer(_ indent: Int, shift: Int) {
        guard containers.count < Self.deepest else { return }
        let around = containers.reduce(0) { $0 + $1.shift }
        containers.append(Container(indent: indent + around, shift: shift, items: items))
    }

    private mutating func begin(_ division: Division) {
        if divisions.count < Self.deepest { divisions.append(division) }
    }

    /// Adds the line of colons that begins or ends a division.
    private mutating func addDivision(_ line: MarkdownLine) {
        let colon = UInt8(ascii: ":")
        let colons = line.content.prefix { $0 == colon }.count
        var words = line.content.dropFirst(colons).drop { $0 == 0x20 }
        // Pandoc also allows colons after the attributes.
        while let last = words.last, last == colon || last == 0x20 { words = words.dropLast() }
        guard !words.isEmpty else {
            if divisions.last?.mark == colon { divisions.removeLast() }
            return emitLabel(nil, indent: 0)
        }
        let label = MarkdownLabel(division: words)
        begin(Division(mark: colon, count: colons, ownsHeadings: label.ownsHeadings))
        emitLabel(label.title, indent: line.indent)
    }

    /// Adds `/// note | Title` or `///`, a block of Python-Markdown; false for any other line.
    private mutating func addBlock(_ line: MarkdownLine) -> Bool {
        let rest = line.content.drop { $0 == UInt8(ascii: "/") }
        if rest.isEmpty {
            emitLabel(nil, indent: 0)
            return true
        }
        let words = rest.drop { $0 == 0x20 }
        let name = words.prefix { $0 != 0x20 && $0 != UInt8(ascii: "|") }
        let argument = words[name.endIndex...].drop { $0 == 0x20 }
        guard rest.first == 0x20, argument.isEmpty || argument.first == UInt8(ascii: "|") else {
            return false
        }
        let label = MarkdownLabel(
            directive: String(decoding: name, as: UTF8.self), argument: argument.dropFirst())
        emitLabel(label.title, indent: line.indent)
        return true
    }

    /// Adds a fence that begins a note, such as `{note}`, or ends one; false for code.
    mutating func addDirective(
        _ fence: (mark: UInt8, count: Int, info: ArraySlice<UInt8>), indent: Int
    ) -> Bool {
        if let last = divisions.last, last.mark == fence.mark, fence.count >= last.count,
            fence.info.isEmpty
        {
            divisions.removeLast()
            emitLabel(nil, indent: 0)
            return true
        }
        guard fence.info.first == UInt8(ascii: "{"),
            let close = fence.info.firstIndex(of: UInt8(ascii: "}"))
        else { return false }
        let name = String(
            decoding: fence.info[(fence.info.startIndex + 1)..<close], as: UTF8.self)
        guard MarkdownLabel.isNote(name) || ["admonition", "dropdown", "tab-item"].contains(name)
        else { return false }
        begin(Division(mark: fence.mark, count: fence.count, ownsHeadings: false))
        let label = MarkdownLabel(directive: name, argument: fence.info[(close + 1)...])
        emitLabel(label.title, indent: indent)
        return true
    }

    /// Adds a footnote, `[^name]: text`, as ordinary text with its name in front; false for any other line.
    private mutating func addFootnote(_ line: MarkdownLine) -> Bool {
        let content = line.content
        guard let (name, end) = MarkdownInlineScanner.footnoteName(content), end < content.endIndex,
            content[end] == UInt8(ascii: ":")
        else { return false }
        emitLabel(nil, indent: 0)
        let text = content[(end + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
        emit(
            Array(repeating: 0x20, count: line.indent)
                + Array("\\[\(MarkdownInlineScanner.escaped(name))\\] ".utf8)
                + MarkdownInlineScanner(text).rewritten(&findings))
        isInParagraph = true
        openContainer(line.indent + 4, shift: 4)
        return true
    }

    /// Adds a definition of Pandoc or Python-Markdown, `: text` below a term; false for any other line.
    private mutating func addDefinition(_ line: MarkdownLine) -> Bool {
        let spaces = line.content.dropFirst().prefix { $0 == 0x20 || $0 == 0x09 }.count
        guard spaces > 0, line.content.count > 1 + spaces else { return false }
        if let term, term.lines == 1, definitionIndent == nil {
            output.insert(contentsOf: MarkdownMark.label, at: term.start)
        } else if definitionIndent != line.indent {
            return false
        }
        emitLabel(nil, indent: 0)
        emit(
            Array(repeating: 0x20, count: line.indent)
                + MarkdownInlineScanner(line.content.dropFirst(1 + spaces)).rewritten(&findings))
        isInParagraph = true
        definitionIndent = line.indent
        openContainer(line.indent + 2, shift: min(1 + spaces, 4))
        return true
    }
}
