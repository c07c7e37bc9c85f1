/// A line that stands for the text of another file.
struct MarkdownInclude {
    /// The file, as the line names it.
    let target: String

    /// Reads a line of running text.
    init?(_ line: ArraySlice<UInt8>) {
        if let include = MarkdownInclude(inCode: line) {
            self = include
        } else if let inner = Self.inner(line, "{*", "*}") {
            target = inner
        } else if let inner = Self.inner(line, "[!INCLUDE", "]") {
            target = inner
        } else if let inner = Self.inner(line, "<<< ", ""), !inner.isEmpty {
            target = inner
        } else {
            return nil
        }
    }

    /// Reads a line of code, where fewer forms are known since code may look like the others.
    init?(inCode line: ArraySlice<UInt8>) {
        if let inner = Self.inner(line, "--8<--", ""), !inner.isEmpty {
            target = inner
        } else if let inner = Self.inner(line, "{!", "!}"), inner.utf8.first != UInt8(ascii: "!"),
            inner.contains(".") || inner.contains("/")
        {
            target = inner
        } else {
            return nil
        }
    }

    /// What stands between two marks that a line begins and ends with, without quotes.
    private static func inner(
        _ line: ArraySlice<UInt8>, _ start: String, _ end: String
    ) -> String? {
        guard line.starts(with: start.utf8), line.suffix(end.utf8.count).elementsEqual(end.utf8),
            line.count > start.utf8.count + end.utf8.count, line.count < 1000
        else { return nil }
        let inner = line.dropFirst(start.utf8.count).dropLast(end.utf8.count)
            .drop { $0 == UInt8(ascii: ">") }.filter { $0 != 0x22 && $0 != 0x27 }
        return WhiteSpace.collapsed(String(decoding: inner, as: UTF8.self))
    }
}

extension MarkdownRewriter {
    /// Adds a line that is an include or consists of template tags; false for others.
    mutating func addPart(_ line: MarkdownLine) -> Bool {
        if let include = MarkdownInclude(line.content) {
            emitLabel(nil, indent: 0)
            note(include)
            return true
        }
        guard line.content.first == UInt8(ascii: "{"), let tags = Self.tags(line.content) else {
            return false
        }
        emitLabel(nil, indent: 0)
        for tag in tags where !tag.isEnd {
            if tag.isInclude {
                findings.add(.leftOut, "include", 1, "includes", detail: tag.argument)
            } else {
                findings.add(.notUnderstood, "template tag", 1, "tags", detail: tag.name)
            }
            if let title = tag.title { emitLabel(title, indent: line.indent) }
        }
        if let last = tags.last, last.name == "highlight", !last.isEnd {
            beginHighlight(last, line)
        }
        return true
    }

    /// The statements that a line consists of; nil when it has anything else.
    private static func tags(_ content: ArraySlice<UInt8>) -> [TemplateTag]? {
        var tags: [TemplateTag] = []
        var rest = content
        while !rest.isEmpty {
            guard let tag = TemplateTag(rest, limit: 1000), tag.isStatement else { return nil }
            tags.append(tag)
            rest = rest[tag.end...].drop { $0 == 0x20 || $0 == 0x09 }
        }
        return tags
    }

    /// Begins the code that Jekyll and Hugo have between tags.
    private mutating func beginHighlight(_ tag: TemplateTag, _ line: MarkdownLine) {
        let fence =
            Array(repeating: 0x20, count: line.indent)
            + Array(repeating: UInt8(ascii: "~"), count: 16)
        code = Code(
            end: .tag("highlight"), fence: fence, itemIndent: items.last ?? 0, isQuoted: false)
        let language = tag.argument.prefix { $0 != " " && $0 != "`" && $0 != "~" }
        emit(fence + Array(language.utf8))
    }
}
