/// The inline text of a paragraph, a heading or a cell, collected from the parser's events.
struct MarkdownInline {
    private var bytes: [UInt8] = []
    /// Where a link, an image or code ended: attributes in braces may follow there.
    private var ends: [Int] = []
    /// The targets of its links, without duplicates, in order.
    var links: [String] = []
    private var known: Set<String> = []

    /// The maximum number of links that are kept per paragraph.
    private static let linkLimit = 1000

    mutating func add(_ text: String) { bytes += text.utf8 }

    mutating func addCode(_ text: String) {
        add(text)
        ends.append(bytes.count)
    }

    mutating func endLink(_ target: String) {
        ends.append(bytes.count)
        addLink(target)
    }

    /// Records the target of a link, unless it points into this document or is a script.
    private mutating func addLink(_ target: String) {
        let target = WhiteSpace.collapsed(target)
        let isElsewhere =
            !target.isEmpty && target.utf8.first != UInt8(ascii: "#")
            && !target.lowercased().hasPrefix("javascript:")
        guard isElsewhere, links.count < Self.linkLimit, known.insert(target).inserted else {
            return
        }
        links.append(target)
    }

    mutating func endImage() { ends.append(bytes.count) }

    /// Begins the text of a cell; the links of its row stay.
    mutating func beginCell() {
        bytes = []
        ends = []
        known = Set(links)
    }

    /// Adds what an inline HTML tag contributes: a space between words, a link target, an alternative text, or the tag
    /// itself if it is a placeholder.
    ///
    /// - Parameter isPlaceholder: Whether a tag such as `<username>` is text rather than an element.
    mutating func addTag(
        _ tag: String, _ findings: inout Finding.List, isPlaceholder: (String) -> Bool
    ) {
        guard !tag.hasPrefix("<!--") else {
            return findings.add(.leftOut, "comment", InlineHTML.words(in: tag), "words")
        }
        let name = tag.dropFirst().drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber }
            .lowercased()
        if !tag.utf8.contains(0x20), isPlaceholder(tag) { return add(tag) }
        if Self.separating.contains(name) { add(" ") }
        switch name {
        case "a":
            if let target = InlineHTML.attribute("href", of: tag) { addLink(target) }
        case "img":
            findings.add(.leftOut, "image", 1, "images")
            if let text = InlineHTML.attribute("alt", of: tag) { add(text) }
        default: break
        }
    }

    /// Tags that separate words.
    private static let separating: Set<String> = [
        "br", "p", "div", "li", "ul", "ol", "td", "th", "tr", "table", "hr", "dd", "dt", "summary",
        "details", "section", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre",
    ]

    /// Returns the text, without attribute lists and the label mark.
    func text(
        _ findings: inout Finding.List, isHeading: Bool = false
    ) -> (text: String, anchor: String?, isLabel: Bool) {
        var result = withoutAttributes()
        var anchor: String?
        let isLabel = result.starts(with: MarkdownMark.label)
        if isLabel { result.removeFirst(MarkdownMark.label.count) }
        let split = AttributeList.split(result)
        if let list = split.list {
            // Only Kramdown and Python-Markdown have paragraph attributes, and theirs begin with a colon.
            let isMarked = result[split.text.count...].starts(with: "{:".utf8)
            if isHeading || isMarked { (result, anchor) = (split.text, list.id) }
        }
        return (Self.printable(result, &findings), isHeading ? anchor : nil, isLabel)
    }

    private func withoutAttributes() -> [UInt8] {
        guard !ends.isEmpty, bytes.contains(UInt8(ascii: "{")) else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var at = 0
        for end in ends where end >= at {
            result += bytes[at..<end]
            at = end
            if let (_, behind) = AttributeList.read(bytes[end...]) { at = behind }
        }
        return result + bytes[at...]
    }

    /// Decodes the text, and replaces C1 controls from references such as `&#150;` with their Windows-1252
    /// characters.
    private static func printable(_ bytes: [UInt8], _ findings: inout Finding.List) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        func isC1(_ scalar: Unicode.Scalar) -> Bool { (0x80..<0xA0).contains(scalar.value) }
        guard bytes.contains(0xC2), text.unicodeScalars.contains(where: isC1) else { return text }
        var result = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars {
            if isC1(scalar) {
                count += 1
                let byte = UInt8(truncatingIfNeeded: scalar.value)
                result.append(contentsOf: TextDecoding.windows1252([byte]).unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        findings.add(
            .replaced, "C1 references", count, "characters", detail: "read as windows-1252")
        return String(result)
    }
}

/// Reads HTML in running text without parsing it.
enum InlineHTML {
    /// Counts the words in the comments of a text.
    static func words(in html: String) -> Int {
        let bytes = Array(html.utf8)
        var words = 0
        var at = 0
        while let start = find("<!--", bytes, from: at) {
            let end = find("-->", bytes, from: start + 4) ?? bytes.count
            words += bytes[(start + 4)..<max(start + 4, end)].split { $0 <= 0x20 }.count
            at = min(end + 3, bytes.count)
        }
        return words
    }

    /// Returns an attribute's value without its quotes; nil if absent or unquoted.
    static func attribute(_ name: String, of tag: String) -> String? {
        let bytes = Array(tag.utf8)
        let lower = bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        guard let start = find(" \(name)=", lower, from: 0) else { return nil }
        let at = start + name.utf8.count + 2
        guard at < bytes.count, bytes[at] == 0x22 || bytes[at] == 0x27,
            let end = bytes[(at + 1)...].firstIndex(of: bytes[at])
        else { return nil }
        return String(decoding: bytes[(at + 1)..<end], as: UTF8.self)
    }

    private static func find(_ text: String, _ bytes: [UInt8], from start: Int) -> Int? {
        let mark = Array(text.utf8)
        var at = start
        while at < bytes.count, let found = bytes[at...].firstIndex(of: mark[0]) {
            if bytes[found...].starts(with: mark) { return found }
            at = found + 1
        }
        return nil
    }
}

/// Words in angle brackets that look like tags but are text: `<username>`, `List<String>`.
enum Placeholders {
    /// Whether a tag without attributes is text: it is a start tag, names no HTML element and has no end tag in its
    /// document.
    static func contains(_ tag: String, closed: Set<String>) -> Bool {
        guard !tag.hasPrefix("</"), !tag.hasSuffix("/>") else { return false }
        let name = tag.dropFirst().dropLast().lowercased()
        return !name.isEmpty && !HTMLTree.isElement(name) && !closed.contains(name)
    }

    /// Collects the names of all end tags in a text, in lower case.
    static func closedTags(in text: String) -> Set<String> {
        var names: Set<String> = []
        var rest = Substring(text).utf8[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "<")) {
            rest = rest[rest.index(after: start)...]
            guard rest.first == UInt8(ascii: "/") else { continue }
            let name = rest.dropFirst().prefix { $0 != UInt8(ascii: ">") && $0 > 0x20 }
            if name.count < 100 { names.insert(Substring(name).lowercased()) }
        }
        return names
    }
}

/// A noncharacter that marks labels in the Markdown given to the parser, to recognize them in its output.
enum MarkdownMark {
    /// U+FDD0, before a paragraph that only introduces what follows: the title of a note, a tab, a term.
    static let label: [UInt8] = [0xEF, 0xB7, 0x90]

    /// Removes the mark from an author's text, so that only marks added here reach the parser.
    static func removed(from text: String) -> String {
        func isMark(_ scalar: Unicode.Scalar) -> Bool { scalar.value == 0xFDD0 }
        guard text.unicodeScalars.contains(where: isMark) else { return text }
        var scalars = text.unicodeScalars
        scalars.removeAll(where: isMark)
        return String(scalars)
    }
}
