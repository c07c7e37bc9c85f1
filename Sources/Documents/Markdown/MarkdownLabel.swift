/// The line by which a note, a tab or another container of a Markdown dialect begins.
struct MarkdownLabel: Equatable {
    /// What stands above the container's text; nil for nothing.
    var title: String?
    /// Whether a heading in it is its title, and no heading of the page.
    var ownsHeadings = false
}

extension MarkdownLabel {
    /// Reads `!!! note "Title"`, `??? tip`, `???+ tip`: a note of Python-Markdown.
    init?(note content: ArraySlice<UInt8>) {
        let mark = content.prefix(3)
        guard mark.elementsEqual("!!!".utf8) || mark.elementsEqual("???".utf8) else { return nil }
        var rest = content.dropFirst(3)
        if rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        guard let first = rest.first, first == 0x20 || (0x61...0x7A).contains(first | 0x20) else {
            return nil
        }
        self.init()
        let head = rest.prefix { $0 != UInt8(ascii: "\"") }
        let words = Self.text(head).split(separator: " ").map(String.init)
        if head.endIndex < rest.endIndex {
            title = Self.quoted(rest[head.endIndex...])
        } else if let type = words.first {
            // Whoever forgot the quotes meant a title too.
            let others = words.dropFirst().filter { $0 != "inline" && $0 != "end" }
            title = others.isEmpty ? Self.capitalized(type) : others.joined(separator: " ")
        } else {
            return nil
        }
    }

    /// Reads `=== "Title"`, `===+ "Title"`, `===! "Title"`: a tab of Python-Markdown.
    init?(tab content: ArraySlice<UInt8>) {
        guard content.starts(with: "===".utf8) else { return nil }
        let rest = content.dropFirst(3).drop { $0 == UInt8(ascii: "!") || $0 == UInt8(ascii: "+") }
            .drop { $0 == 0x20 }
        guard let quote = rest.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
            rest.count > 1, rest.last == quote
        else { return nil }
        self.init()
        title = Self.nonEmpty(rest.dropFirst().dropLast())
    }

    /// Reads what follows the colons of `:::note Title`, `::: {.callout-note title="…"}`, `:::tip[Title]`,
    /// `::: details Title`.
    init(division content: ArraySlice<UInt8>) {
        var rest = content
        if let (list, end) = AttributeList.read(rest) {
            self.init()
            let callout = list.classes.first { $0.hasPrefix("callout") }
            ownsHeadings = callout != nil || list.classes.contains { $0.hasPrefix("panel") }
            title = list.values["title"] ?? list.values["summary"]
            title =
                title
                ?? callout?.split(separator: "-").dropFirst().last.map { Self.capitalized($0) }
            if let note = list.classes.first(where: Self.isNote), title == nil {
                title = Self.capitalized(note)
            }
            if title == nil { title = Self.nonEmpty(rest[end...]) }
            return
        }
        let isBraced = rest.first == UInt8(ascii: "{")
        if isBraced { rest = rest.dropFirst() }
        let name = rest.prefix(while: Self.isPartOfName)
        rest = rest[name.endIndex...]
        if isBraced { rest = rest.drop { $0 == UInt8(ascii: "}") } }
        self.init(directive: String(decoding: name, as: UTF8.self), argument: rest)
    }

    /// Reads what follows the name of a directive such as `note`.
    init(directive name: String, argument: ArraySlice<UInt8>) {
        self.init()
        var rest = argument.drop { $0 == 0x20 || $0 == 0x09 }
        if rest.first == UInt8(ascii: "["), let close = rest.lastIndex(of: UInt8(ascii: "]")) {
            title = Self.nonEmpty(rest[(rest.startIndex + 1)..<close])
            rest = rest[(close + 1)...]
        }
        if let brace = rest.firstIndex(of: UInt8(ascii: "{")),
            let (list, end) = AttributeList.read(rest[brace...])
        {
            title = title ?? list.values["title"]
            rest = rest[..<brace] + rest[end...]
        }
        title = title ?? Self.nonEmpty(rest)
        if title == nil, Self.isNote(name) { title = Self.capitalized(name) }
    }

    /// Reads `[!NOTE]` or `[!tip]- Title`, the first line of a quotation that is a note.
    init?(alert content: ArraySlice<UInt8>) {
        guard content.starts(with: "[!".utf8), let close = content.firstIndex(of: UInt8(ascii: "]"))
        else { return nil }
        let name = content[(content.startIndex + 2)..<close]
        guard !name.isEmpty, name.count <= 30, name.allSatisfy(Self.isPartOfName) else {
            return nil
        }
        self.init()
        let rest = content[(close + 1)...].drop {
            $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+")
        }
        title = Self.nonEmpty(rest) ?? Self.capitalized(String(decoding: name, as: UTF8.self))
    }

    /// Whether a directive of this name is a note, whose name is its title where it has none.
    static func isNote(_ name: String) -> Bool { notes.contains(name.lowercased()) }

    private static let notes: Set<String> = [
        "abstract", "attention", "bug", "caution", "danger", "error", "example", "failure", "hint",
        "important", "info", "note", "question", "quote", "secondary", "seealso", "success",
        "summary", "tip", "todo", "warning",
    ]

    private static func isPartOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        WhiteSpace.collapsed(String(decoding: bytes, as: UTF8.self))
    }

    private static func nonEmpty(_ bytes: ArraySlice<UInt8>) -> String? {
        let text = text(bytes)
        return text.isEmpty ? nil : text
    }

    /// What stands between the first quote and the last, and what may stand behind that.
    private static func quoted(_ bytes: ArraySlice<UInt8>) -> String? {
        let inner = bytes.dropFirst()
        guard let close = inner.lastIndex(of: UInt8(ascii: "\"")) else { return nonEmpty(inner) }
        return nonEmpty(inner[..<close] + inner[(close + 1)...])
    }

    private static func capitalized(_ word: some StringProtocol) -> String {
        let word = word.lowercased()
        return word.prefix(1).uppercased() + word.dropFirst()
    }
}
