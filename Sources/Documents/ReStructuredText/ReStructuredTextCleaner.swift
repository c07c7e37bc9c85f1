internal import Objects

/// Reads reStructuredText of docutils, with the directives and roles of Sphinx.
enum ReStructuredTextCleaner {
    static func clean(_ text: String) -> DocumentText {
        let limit = TextCleaner.lineLimit
        let lines = MarkupLine.split(text, tab: 8, limit: limit + 1)
        var parser = RSTParser(Array(lines.prefix(limit)))
        parser.parse()
        if lines.count > limit {
            parser.findings.add(TextCleaner.lineLimitFinding)
        }
        var result = parser.writer.finish(declaredTitle: parser.declaredTitle)
        result.metadata = parser.metadata
        result.findings.add(parser.findings)
        return result
    }

    /// Whether plain text is reStructuredText: its first 5,000 lines have a known directive, a role such as `:ref:`,
    /// two lines with other roles or targets, or a title and either a literal, a target or a role.
    static func isLikely(_ text: String) -> Bool {
        var hasTitle = false
        var hasLiteral = false
        // Any text may contain a single role or target; roles such as `:ref:` occur only in Sphinx and count twice.
        var marks = 0
        var previous = MarkupLine(indent: 0, content: [])
        for line in MarkupLine.split(text, tab: 8, limit: 5000) {
            defer { previous = line }
            if line.content.starts(with: ".. ".utf8) {
                let rest = line.content.dropFirst(3)
                if let head = RSTDirective.Head(rest), RSTDirective.Kind(head.name) != .unknown {
                    return true
                }
                if let target = RSTTarget(rest), !target.name.utf8.contains(0x20) { marks += 1 }
            }
            if hasRole(line.content) { marks += refers(line.content) ? 2 : 1 }
            if !previous.isBlank, RSTTitle.mark(line, at: 0) != nil,
                RSTTitle.isUnderline(line, of: previous, at: 0)
            {
                hasTitle = true
            }
            if line.content.suffix(2).elementsEqual("::".utf8) || hasPair(line.content) {
                hasLiteral = true
            }
            if hasTitle, hasLiteral || marks > 0 { return true }
            if marks > 1 { return true }
        }
        return false
    }

    /// Whether a line has a reference role.
    private static func refers(_ line: ArraySlice<UInt8>) -> Bool {
        [":ref:`", ":doc:`", ":term:`", ":class:`", ":func:`", ":meth:`", ":mod:`", ":attr:`"]
            .contains { line.contains($0) }
    }

    /// Whether a line has a role: `` :name:`text` ``.
    private static func hasRole(_ line: ArraySlice<UInt8>) -> Bool {
        var letters = 0
        var isOpen = false
        for (index, byte) in zip(line.indices, line) {
            switch byte {
            case UInt8(ascii: ":"):
                if isOpen, letters > 1, index + 2 < line.endIndex,
                    line[index + 1] == UInt8(ascii: "`"), line[index + 2] > 0x20,
                    line[index + 2] != UInt8(ascii: "`")
                {
                    return true
                }
                isOpen = true
                letters = 0
            case 0x61...0x7A, 0x2D: letters += 1
            default: isOpen = false
            }
        }
        return false
    }

    /// Whether a line has exactly one text in double backquotes.
    private static func hasPair(_ line: ArraySlice<UInt8>) -> Bool {
        var pairs = 0
        var index = line.startIndex
        while index + 1 < line.endIndex {
            if line[index] == UInt8(ascii: "`"), line[index + 1] == UInt8(ascii: "`") {
                pairs += 1
                index += 1
            }
            index += 1
        }
        return pairs == 2
    }
}
