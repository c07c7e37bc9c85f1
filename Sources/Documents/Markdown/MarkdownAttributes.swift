/// A list of attributes in braces after a heading, a link or a code fence, in the syntax of Pandoc, Kramdown and
/// Python-Markdown: `{#id .class key=value key="a value"}`.
///
/// A colon may precede the attributes.
struct AttributeList: Equatable {
    /// The identifier; nil without one.
    var id: String?
    /// The classes, in order.
    var classes: [String] = []
    /// The values by key; the first value of a repeated key counts.
    var values: [String: String] = [:]

    /// The longest list, in bytes.
    private static let byteLimit = 1000

    /// Parses the list that a text begins with.
    ///
    /// - Returns: The list and the index after its closing brace; nil if there is no list.
    static func read(
        _ text: ArraySlice<UInt8>
    ) -> (list: AttributeList, end: Int)? {
        guard text.first == UInt8(ascii: "{") else { return nil }
        var list = AttributeList()
        var at = text.startIndex + 1
        let limit = min(text.endIndex, at + byteLimit)
        if at < limit, text[at] == UInt8(ascii: ":") { at += 1 }
        var isEmpty = true
        while at < limit {
            if isSpace(text[at]) {
                at += 1
            } else if text[at] == UInt8(ascii: "}") {
                return isEmpty ? nil : (list, at + 1)
            } else {
                guard list.readItem(text[..<limit], &at) else { return nil }
                isEmpty = false
            }
        }
        return nil
    }

    /// Splits off the list that a text ends with.
    static func split(_ text: [UInt8]) -> (text: [UInt8], list: AttributeList?) {
        var end = text.count
        while end > 0, isSpace(text[end - 1]) { end -= 1 }
        guard end > 0, text[end - 1] == UInt8(ascii: "}"),
            let start = text[..<end].suffix(byteLimit).lastIndex(of: UInt8(ascii: "{")),
            let found = read(text[start..<end]), found.end == end
        else { return (text, nil) }
        return (Array(text[..<start]), found.list)
    }

    private mutating func readItem(_ text: ArraySlice<UInt8>, _ at: inout Int) -> Bool {
        let mark = text[at]
        if mark == UInt8(ascii: "#") || mark == UInt8(ascii: ".") {
            at += 1
            let word = Self.word(text, &at)
            guard !word.isEmpty else { return false }
            if mark == UInt8(ascii: ".") { classes.append(word) } else { id = id ?? word }
            return true
        }
        let key = Self.word(text, &at)
        guard !key.isEmpty, at < text.endIndex, text[at] == UInt8(ascii: "=") else { return false }
        at += 1
        guard at < text.endIndex else { return false }
        let quote = text[at]
        var value: String
        if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            guard let close = text[(at + 1)...].firstIndex(of: quote) else { return false }
            value = String(decoding: text[(at + 1)..<close], as: UTF8.self)
            at = close + 1
        } else {
            let start = at
            while at < text.endIndex, !Self.isSpace(text[at]), text[at] != UInt8(ascii: "}") {
                at += 1
            }
            value = String(decoding: text[start..<at], as: UTF8.self)
        }
        if values[key] == nil { values[key] = value }
        return true
    }

    /// Reads the characters that names may contain.
    private static func word(_ text: ArraySlice<UInt8>, _ at: inout Int) -> String {
        let start = at
        while at < text.endIndex, isPartOfWord(text[at]) { at += 1 }
        return String(decoding: text[start..<at], as: UTF8.self)
    }

    private static func isPartOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x80...0xFF: true
        default: false
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}

/// The opening line of a note, a tab or another container in a Markdown dialect.
struct MarkdownLabel: Equatable {
    /// The title shown above the container's text; nil for none.
    var title: String?
    /// Whether a heading inside is the container's title rather than a heading of the page.
    var ownsHeadings = false
}

extension MarkdownLabel {
    /// Parses an admonition of Python-Markdown: `!!! note "Title"`, `??? tip`, `???+ tip`.
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
        let words = WhiteSpace.collapsed(String(decoding: head, as: UTF8.self)).split(
            separator: " "
        ).map(String.init)
        if head.endIndex < rest.endIndex {
            title = Self.quoted(rest[head.endIndex...])
        } else if let type = words.first {
            // Authors who forget the quotes mean a title too.
            let others = words.dropFirst().filter { $0 != "inline" && $0 != "end" }
            title = others.isEmpty ? Self.capitalized(type) : others.joined(separator: " ")
        } else {
            return nil
        }
    }

    /// Parses a tab of Python-Markdown: `=== "Title"`, `===+ "Title"`, `===! "Title"`.
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

    /// Parses the text after the colons of `:::note Title`, `::: {.callout-note title="…"}`, `:::tip[Title]` or
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

    /// Parses the text after the name of a directive such as `note`.
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

    /// Parses the first line of an alert in a block quote: `[!NOTE]` or `[!tip]- Title`.
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

    /// Whether directives with this name are notes; a note without a title shows its name instead.
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

    private static func nonEmpty(_ bytes: ArraySlice<UInt8>) -> String? {
        WhiteSpace.nonEmpty(String(decoding: bytes, as: UTF8.self))
    }

    /// Returns the text between the first and the last quotation mark, and any text after it.
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

/// The info string of a fenced code block: `python title="a.py"`, `{.python #id}`, `{r, echo=FALSE}`, `python {1,3}`.
struct CodeInfo: Equatable {
    /// The language, in lower case; nil if the info string names none.
    var language: String?
    /// The title above the code, or the name of its file.
    var title: String?

    /// Parses the text after the fence.
    init(_ text: String) {
        var bytes = Array(text.utf8)[...]
        bytes = bytes.drop { $0 == 0x20 || $0 == 0x09 }
        if bytes.first == UInt8(ascii: "{") {
            if let (list, _) = AttributeList.read(bytes) {
                language = list.classes.first?.lowercased()
                title = Self.titleKeys.lazy.compactMap { list.values[$0] }.first
                return
            }
            // The options of a knitr or Quarto cell follow its language.
            let inner = bytes.dropFirst()
            let word = inner.prefix(while: Self.isPartOfName)
            let rest = inner[word.endIndex...]
            guard let next = rest.first, " ,}".utf8.contains(next) else { return }
            language = Self.nonEmpty(word)
            // In `{code-block} python`, the language follows the braces.
            if let close = rest.firstIndex(of: UInt8(ascii: "}")), language.map(Self.isCode) == true
            {
                language = Self.nonEmpty(
                    rest[(close + 1)...].drop { $0 == 0x20 }.prefix(while: Self.isPartOfName))
            }
            return
        }
        let word = bytes.prefix(while: Self.isPartOfName)
        let next = bytes[word.endIndex...].first
        // A word before `=` is a key such as `title`, not a language. In `js:app.js`, a file name follows the language.
        if next.map({ $0 == UInt8(ascii: "=") }) != true || word.isEmpty {
            language = Self.nonEmpty(word)
        }
        title = Self.title(in: bytes)
    }

    private static let titleKeys = ["title", "filename", "file", "caption", "name"]

    /// Whether a name is one of Sphinx's code directives.
    private static func isCode(_ name: String) -> Bool {
        ["code-block", "code", "sourcecode", "code-cell"].contains(name)
    }

    /// Returns the quoted value of the most preferred title key that is present.
    private static func title(in bytes: ArraySlice<UInt8>) -> String? {
        for key in titleKeys {
            for quote in [UInt8(ascii: "\""), UInt8(ascii: "'")] {
                let mark = Array(key.utf8) + [UInt8(ascii: "="), quote]
                guard let found = range(of: mark, in: bytes),
                    let end = bytes[found.upperBound...].firstIndex(of: quote)
                else { continue }
                return WhiteSpace.nonEmpty(
                    String(decoding: bytes[found.upperBound..<end], as: UTF8.self))
            }
        }
        return nil
    }

    /// Returns the range of the first `mark` that begins a word.
    private static func range(of mark: [UInt8], in bytes: ArraySlice<UInt8>) -> Range<Int>? {
        guard bytes.count >= mark.count else { return nil }
        return (bytes.startIndex...bytes.endIndex - mark.count).first { start in
            bytes[start...].starts(with: mark)
                && (start == bytes.startIndex || " {,\t".utf8.contains(bytes[start - 1]))
        }.map { $0..<$0 + mark.count }
    }

    private static func nonEmpty(_ bytes: ArraySlice<UInt8>) -> String? {
        bytes.isEmpty || bytes.count > 40
            ? nil : String(decoding: bytes, as: UTF8.self).lowercased()
    }

    private static func isPartOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x23, 0x2B, 0x2D, 0x2E, 0x2F, 0x5F: true
        default: byte >= 0x80
        }
    }
}
