extension MarkdownRewriter {
    /// Adds a line that begins or ends a container; false for others.
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

    /// Adds the line of colons by which a division begins or ends.
    private mutating func addDivision(_ line: MarkdownLine) {
        let colon = UInt8(ascii: ":")
        let colons = line.content.prefix { $0 == colon }.count
        var words = line.content.dropFirst(colons).drop { $0 == 0x20 }
        // Pandoc allows colons behind the attributes as well.
        while let last = words.last, last == colon || last == 0x20 { words = words.dropLast() }
        guard !words.isEmpty else {
            if divisions.last?.mark == colon { divisions.removeLast() }
            return emitLabel(nil, indent: 0)
        }
        let label = MarkdownLabel(division: words)
        begin(Division(mark: colon, count: colons, ownsHeadings: label.ownsHeadings))
        emitLabel(label.title, indent: line.indent)
    }

    /// Adds `/// note | Title` and `///`, blocks of Python-Markdown; false for other lines.
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

    /// Adds a fence that is a note, such as `{note}` behind backticks, or the end of one; false for code.
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

    /// Adds `[^name]: text`, a footnote: text like any other, with its name before it.
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

    /// Adds `: text` below a term, a definition of Pandoc and Python-Markdown; false for other lines.
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
