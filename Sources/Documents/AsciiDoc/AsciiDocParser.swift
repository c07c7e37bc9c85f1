internal import Objects

/// Parses the lines of AsciiDoc into blocks.
struct AsciiDocParser {
    var writer = BlockWriter()
    var findings = Finding.List()
    var metadata = JSONObject()
    var attributes: AsciiDocAttributes
    var lines: [ArraySlice<UInt8>]
    private var depth = 0
    /// The enclosing lists, outermost first: the marker of their items and the last number.
    var lists: [(mark: String, number: Int)] = []
    /// The attributes that the lines above the next block set.
    var above = BlockAttributes()
    private var footnotes = 0
    private var titles: [String: String] = [:]

    struct BlockAttributes {
        var list = AsciiDocAttributeList()
        var title: String?
        var id: String?
    }

    /// The deepest nesting of blocks: deeper than authors write, shallow enough for the stack.
    private static let depthLimit = 48

    /// Preprocesses the lines and collects the section titles.
    init(_ lines: [ArraySlice<UInt8>]) {
        attributes = AsciiDocAttributes(size: lines.reduce(0) { $0 + $1.count })
        self.lines = []
        self.lines = lines.compactMap { withoutDirective($0) }
        findTitles()
    }

    /// Collects the section titles by identifier, for cross references that precede them.
    private mutating func findTitles() {
        var id: String?
        for line in lines {
            if let heading = AsciiDocLine.heading(line) {
                var ignored = 0
                let source = String(decoding: heading.text.prefix(500), as: UTF8.self)
                let found = AsciiDocInline.text(source, footnotes: &ignored)
                let title = WhiteSpace.collapsed(found.text.text)
                titles[id ?? found.id ?? attributes.identifier(of: title)] = title
                id = nil
            } else if let text = AsciiDocLine.attributes(line) {
                id = AsciiDocAttributeList.anchor(text) ?? id
            } else if !line.isEmpty {
                id = nil
            }
        }
    }

    /// Preprocesses a line; nil if it must be dropped. Includes are dropped, and every condition counts as true.
    private mutating func withoutDirective(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let names = ["include::", "ifdef::", "ifndef::", "ifeval::", "endif::"]
        let content = line.first == UInt8(ascii: "\\") ? line.dropFirst() : line
        guard let name = names.first(where: { content.starts(with: $0.utf8) }),
            let directive = AsciiDocLine.macro(content)
        else { return line }
        if content.count < line.count { return content }
        switch name {
        case "include::":
            findings.add(.leftOut, "include", 1, "files", detail: directive.target)
            return nil
        case "endif::": return nil
        case "ifeval::":
            findings.add(
                .notUnderstood, "condition", 1, "directives", detail: "\(name)[\(directive.text)]")
            return nil
        default:
            findings.add(
                .notUnderstood, "condition", 1, "directives", detail: "\(name)\(directive.target)")
            return directive.text.isEmpty ? nil : Array(directive.text.utf8)[...]
        }
    }

    mutating func parse() {
        let start = parseHeader()
        parse(start, lines.count, isTop: true)
    }

    // MARK: - Text

    /// Writes a paragraph, and its footnotes below it.
    mutating func add(_ source: String, keepsWithNext: Bool = false) {
        let text = inline(source)
        writer.add(text.text, keepsWithNext: keepsWithNext)
        for note in text.footnotes { writer.add(note) }
    }

    private mutating func inline(_ source: String) -> AsciiDocInline.Result {
        let result = AsciiDocInline.text(
            attributes.expanded(source), footnotes: &footnotes, titles: titles)
        findings.add(.leftOut, "image", result.images, "images")
        return result
    }

    mutating func begin(_ title: ArraySlice<UInt8>, level: Int) {
        let text = inline(String(decoding: title, as: UTF8.self))
        let style = above.list.style
        let id = above.id ?? above.list.id ?? text.id
        above = BlockAttributes()
        lists = []
        guard depth <= 1, style != "discrete", style != "float", !writer.isInCell else {
            return writer.add(text.text, keepsWithNext: true)
        }
        if let id { writer.addLabel(id) }
        let identifier =
            level == 0
            ? AnchorSet.slug(text.text.text)
            : attributes.identifier(of: WhiteSpace.collapsed(text.text.text))
        writer.begin(text.text, level: min(level + 1, 6), anchor: identifier)
        for note in text.footnotes { writer.add(note) }
    }

    mutating func addComment(_ line: ArraySlice<UInt8>) {
        findings.add(.leftOut, "comment", line.dropFirst(2).wordCount, "words")
    }

    // MARK: - Blocks

    mutating func parse(_ start: Int, _ end: Int, isTop: Bool = false) {
        guard depth < Self.depthLimit else {
            findings.add(.notUnderstood, "nesting", end - start, "lines")
            for paragraph in lines[start..<end].split(whereSeparator: \.isEmpty) {
                writer.add(LinkedText(Self.joined(paragraph)))
            }
            return
        }
        depth += 1
        let around = lists
        lists = []
        var index = start
        while index < end { index = parseBlock(index, end) }
        lists = around
        above = BlockAttributes()
        depth -= 1
    }

    /// Parses the construct that begins on a line; returns the index of the line after it.
    private mutating func parseBlock(_ index: Int, _ end: Int) -> Int {
        let line = lines[index]
        if line.isEmpty { return index + 1 }
        if AsciiDocLine.isComment(line) {
            addComment(line)
            return index + 1
        }
        if let stop = parseAbove(line, index) { return stop }
        if let delimiter = AsciiDocLine.delimiter(line) {
            return parseDelimited(delimiter, index, end)
        }
        if AsciiDocLine.isBreak(line) {
            endLists()
            return index + 1
        }
        if let heading = AsciiDocLine.heading(line) {
            begin(heading.text, level: heading.level)
            return index + 1
        }
        if let macro = AsciiDocLine.macro(line), parseMacro(macro) { return index + 1 }
        if index + 1 < end, let level = AsciiDocLine.underline(lines[index + 1], of: line),
            AsciiDocLine.item(line) == nil
        {
            begin(line, level: level)
            return index + 2
        }
        if line.elementsEqual("+".utf8) {
            // The block after the `+` belongs to the list item.
            let next = index + 1
            if next < end, !lines[next].isEmpty, AsciiDocLine.item(lines[next]) == nil,
                AsciiDocLine.delimiter(lines[next]) == nil,
                AsciiDocLine.attributes(lines[next]) == nil
            {
                return parseParagraph(next, end, isAttached: true)
            }
            return next
        }
        if !isVerbatim, let (item, text) = AsciiDocLine.item(line) {
            return parseItem(item, text, index, end)
        }
        return parseParagraph(index, end, isAttached: false)
    }

    private mutating func endLists() {
        lists = []
        above = BlockAttributes()
    }

    /// Parses a line that describes the block below it or the document; nil for any other line.
    private mutating func parseAbove(_ line: ArraySlice<UInt8>, _ index: Int) -> Int? {
        if let entry = AsciiDocAttributes.entry(line) {
            return set(entry.name, entry.value, index, isMetadata: false)
        }
        if let title = AsciiDocLine.title(line), AsciiDocLine.delimiter(line) == nil {
            above.title = title
            return index + 1
        }
        guard let text = AsciiDocLine.attributes(line) else { return nil }
        if text.hasPrefix("["), let id = AsciiDocAttributeList.anchor(text) {
            above.id = id
        } else {
            above.list.add(AsciiDocAttributeList(attributes.expanded(text)))
        }
        return index + 1
    }

    /// Whether the attributes above turn the next paragraph into a block of code.
    var isVerbatim: Bool {
        ["source", "listing", "literal", "stem", "latexmath", "asciimath"]
            .contains(above.list.style)
    }

    /// Parses a block macro; false if its name is unknown, so that the line is ordinary text.
    private mutating func parseMacro(
        _ macro: (name: String, target: String, text: String)
    ) -> Bool {
        switch macro.name {
        case "image":
            writeTitle()
            let list = AsciiDocAttributeList(attributes.expanded(macro.text))
            findings.add(.leftOut, "image", 1, "images")
            let alt = list.named["alt"] ?? list.style
            var text = inline(alt).text
            if let link = list.named["link"] { text.links = [link] }
            writer.add(text)
            above = BlockAttributes()
        case "video", "audio":
            writeTitle()
            findings.add(.leftOut, macro.name, 1, "\(macro.name)s", detail: macro.target)
            above = BlockAttributes()
        case "toc":
            findings.add(.leftOut, "table of contents", 1, "directives")
        default: return false
        }
        return true
    }

    /// Writes the title of the next block.
    mutating func writeTitle() {
        guard let title = above.title else { return }
        above.title = nil
        add(title, keepsWithNext: true)
    }

    private mutating func parseParagraph(_ index: Int, _ end: Int, isAttached: Bool) -> Int {
        var stop = index + 1
        while stop < end, !lines[stop].isEmpty, !lines[stop].elementsEqual("+".utf8),
            AsciiDocLine.delimiter(lines[stop]) == nil,
            AsciiDocLine.attributes(lines[stop]) == nil || isVerbatim
        { stop += 1 }
        let isIndented = lines[index].first.map { $0 <= 0x20 } ?? false
        if isIndented || isVerbatim {
            addVerbatim(lines[index..<stop], isLiteral: isIndented)
            return stop
        }
        if !isAttached { lists = [] }
        writer.listDepth += isAttached ? 1 : 0
        defer { writer.listDepth -= isAttached ? 1 : 0 }
        let list = above.list
        writeTitle()
        above = BlockAttributes()
        let text = Self.joined(lines[index..<stop].filter { !AsciiDocLine.isComment($0) })
        for line in lines[index..<stop] where AsciiDocLine.isComment(line) { addComment(line) }
        if list.style == "verse" {
            addVerse(lines[index..<stop])
        } else if let admonition = Self.admonition(list.style) {
            add("\(admonition)", keepsWithNext: true)
            add(text)
        } else if let (admonition, rest) = Self.admonition(before: text) {
            add(admonition, keepsWithNext: true)
            add(rest)
        } else {
            add(text)
        }
        addAttribution(list)
        return stop
    }

    static func admonition(_ name: String) -> String? {
        switch name {
        case "NOTE": "Note"
        case "TIP": "Tip"
        case "IMPORTANT": "Important"
        case "WARNING": "Warning"
        case "CAUTION": "Caution"
        default: nil
        }
    }

    mutating func addVerse(_ lines: ArraySlice<ArraySlice<UInt8>>) {
        for (number, line) in lines.enumerated() {
            add(String(decoding: line, as: UTF8.self), keepsWithNext: number + 1 < lines.count)
        }
    }

    /// Writes the attribution of a quotation or a verse, if it has one.
    mutating func addAttribution(_ list: AsciiDocAttributeList) {
        guard list.style == "quote" || list.style == "verse" else { return }
        let names = list.positional.dropFirst().prefix(2).filter { !$0.isEmpty }
        if !names.isEmpty { add("— " + names.joined(separator: ", ")) }
    }

    mutating func addVerbatim(
        _ lines: ArraySlice<ArraySlice<UInt8>>, isLiteral: Bool, language: String? = nil
    ) {
        let list = above.list
        writeTitle()
        above = BlockAttributes()
        var language = language
        if list.style == "source" || list.style.isEmpty && list.positional.count > 1 {
            language = list.positional.count > 1 ? list.positional[1] : list.named["language"]
            language = language ?? attributes["source-language"]
        }
        let code = isLiteral ? Self.dedented(lines) : Self.joined(lines)
        let name = language.map { WhiteSpace.collapsed($0).lowercased() }
        writer.addCode(code, language: name.flatMap { $0.isEmpty || $0 == "text" ? nil : $0 })
    }

    static func joined(_ lines: some Sequence<ArraySlice<UInt8>>) -> String {
        String(decoding: Array(lines.joined(separator: [0x0A])), as: UTF8.self)
    }

    /// Splits an admonition label such as `NOTE:` from the paragraph that it begins.
    private static func admonition(before text: String) -> (name: String, rest: String)? {
        let word = text.utf8.prefix { (0x41...0x5A).contains($0) }
        let rest = text.utf8[word.endIndex...]
        guard rest.starts(with: ": ".utf8), let name = admonition(String(Substring(word))) else {
            return nil
        }
        return (name, String(Substring(rest.dropFirst(2))))
    }

    /// Joins lines without their common indentation.
    private static func dedented(_ lines: ArraySlice<ArraySlice<UInt8>>) -> String {
        let indent = lines.lazy.filter { !$0.isEmpty }.map { line in
            line.prefix { $0 == 0x20 || $0 == 0x09 }.count
        }.min()
        return joined(lines.map { $0.dropFirst(indent ?? 0) })
    }

}
