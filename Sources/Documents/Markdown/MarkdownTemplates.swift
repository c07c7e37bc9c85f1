/// A line that includes another file.
struct MarkdownInclude {
    /// The file, as the line names it.
    let target: String

    /// Parses a line of running text.
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

    /// Parses a line of code. Recognizes fewer forms, because code may resemble the rest.
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

    /// Returns the text between the marks that a line begins and ends with, without quotes.
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
    /// Reports and drops a line that is an include or consists of template tags, keeping any title; false for any other
    /// line.
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

    /// Returns the statements that a line consists of; nil if it contains anything else.
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

    /// Begins a code block between the `highlight` tags of Jekyll and Hugo.
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

/// A template tag in a text: `{% include x %}`, `{{ name }}`, `{{< ref "x" >}}`.
struct TemplateTag {
    /// Its first word, such as `include`.
    let name: String
    /// The index after the tag.
    let end: Int
    /// Whether it is a statement rather than a value.
    let isStatement: Bool
    /// The bytes between its marks.
    private let inner: ArraySlice<UInt8>

    private static let titleKeys = ["title", "header", "label", "caption", "heading", "summary"]
    /// Statements whose first argument is their title.
    private static let titled: Set<String> = [
        "tab", "expand", "details", "card", "step", "accordion",
    ]

    /// Parses the tag at the start of a text, up to `limit` bytes long.
    init?(_ text: ArraySlice<UInt8>, limit: Int) {
        guard text.first == UInt8(ascii: "{"), let mark = text.dropFirst().first else { return nil }
        let start = text.startIndex
        let close: [UInt8]
        var open = 2
        switch mark {
        case UInt8(ascii: "%"): close = Array("%}".utf8)
        case UInt8(ascii: "{"):
            switch text.dropFirst(2).first {
            case UInt8(ascii: "<"): (close, open) = (Array(">}}".utf8), 3)
            case UInt8(ascii: "%"): (close, open) = (Array("%}}".utf8), 3)
            default: close = Array("}}".utf8)
            }
        default: return nil
        }
        var at = start + open
        let last = min(text.endIndex, start + limit)
        while at < last, !text[at...].starts(with: close) { at += 1 }
        guard at < last, start + open <= at else { return nil }
        inner = text[(start + open)..<at]
        end = at + close.count
        isStatement = mark == UInt8(ascii: "%") || open == 3
        let word = inner.drop { " -~/".utf8.contains($0) }.prefix {
            $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "|")
        }
        name = String(decoding: word.prefix(40), as: UTF8.self)
    }

    /// Whether it closes another tag.
    var isEnd: Bool {
        name.hasPrefix("end") || inner.drop { $0 == 0x20 }.first == UInt8(ascii: "/")
    }

    /// Whether it includes another file.
    var isInclude: Bool {
        [
            "include", "include_relative", "include-markdown", "includemarkdown", "render",
            "readfile",
        ]
        .contains(name.lowercased())
    }

    /// The text after its first word.
    var argument: String {
        let rest = inner.drop { " -~/".utf8.contains($0) }.drop { $0 > 0x20 }
        return WhiteSpace.collapsed(String(decoding: rest, as: UTF8.self))
    }

    /// Its visible title; nil without one.
    var title: String? {
        let text = String(decoding: inner, as: UTF8.self)
        for key in Self.titleKeys {
            if let title = text.quoted(behind: "\(key)=") { return title }
        }
        return Self.titled.contains(name.lowercased()) ? firstQuoted : nil
    }

    /// The first quoted text.
    private var firstQuoted: String? {
        guard let open = inner.firstIndex(where: { $0 == 0x22 || $0 == 0x27 }),
            let close = inner[(open + 1)...].firstIndex(of: inner[open])
        else { return nil }
        return WhiteSpace.nonEmpty(String(decoding: inner[(open + 1)..<close], as: UTF8.self))
    }

    /// The tag as part of a link target, without spaces and parentheses: the first quoted argument of a statement, or
    /// else the whole tag.
    var target: [UInt8] {
        if isStatement, let quoted = firstQuoted {
            return quoted.utf8.filter { $0 > 0x20 && $0 != 0x28 && $0 != 0x29 }
        }
        return Array("{{".utf8) + inner.filter { $0 > 0x20 && $0 != 0x28 && $0 != 0x29 }
            + Array("}}".utf8)
    }
}

extension String {
    /// The quoted text after a mark; nil if there is none.
    fileprivate func quoted(behind mark: String) -> String? {
        let bytes = Array(utf8)[...]
        let mark = Array(mark.utf8)
        var at = bytes.startIndex
        while at + mark.count < bytes.endIndex {
            let quote = bytes[at + mark.count]
            if bytes[at...].starts(with: mark), quote == 0x22 || quote == 0x27,
                at == bytes.startIndex || bytes[at - 1] <= 0x20,
                let close = bytes[(at + mark.count + 1)...].firstIndex(of: quote)
            {
                return WhiteSpace.nonEmpty(
                    String(decoding: bytes[(at + mark.count + 1)..<close], as: UTF8.self))
            }
            at += 1
        }
        return nil
    }
}
