/// The role that an HTML element plays in the text.
enum HTMLElement: Equatable {
    /// An element whose text is not shown: a style, a script, the head of the page.
    case invisible
    /// A heading of level 1 to 6.
    case heading(Int)
    /// Text whose lines and spaces matter.
    case preformatted
    case table
    case list(isOrdered: Bool)
    case item
    /// A term, a question or the summary of details: it introduces what follows.
    case term
    /// A note or a warning.
    case admonition
    /// A section, which may give its `id` to its heading.
    case section
    /// An element that begins and ends a paragraph.
    case block
    case lineBreak
    case link
    case image
    /// Superscript: an exponent or a footnote number.
    case superscript
    /// A part of the running text.
    case inline
    /// An element that the HTML standard does not define: it may or may not be inline.
    case unknown

    /// Classifies an element.
    init(_ node: HTMLTree.Node, name: String) {
        if node.hasAttributes {
            if node.attribute("role") == "heading" {
                let level = node.attribute("aria-level").flatMap { Int($0) } ?? 2
                self = .heading(min(max(level, 1), 6))
                return
            }
            if name == "div" || name == "aside", node.classes.contains(where: Self.notes.contains) {
                self = .admonition
                return
            }
        }
        self = Self.byName[name] ?? (node.isKnown ? .inline : .unknown)
    }

    private static let byName: [String: HTMLElement] = {
        var kinds: [String: HTMLElement] = [
            "h1": .heading(1), "h2": .heading(2), "h3": .heading(3), "h4": .heading(4),
            "h5": .heading(5), "h6": .heading(6), "table": .table, "ol": .list(isOrdered: true),
            "li": .item, "br": .lineBreak, "a": .link, "img": .image, "sup": .superscript,
        ]
        func add(_ kind: HTMLElement, _ names: String) {
            for name in names.split(separator: " ") { kinds[String(name)] = kind }
        }
        add(.invisible, "script style head title link meta base param source track")
        add(.preformatted, "pre listing xmp plaintext")
        add(.list(isOrdered: false), "ul menu dir")
        add(.term, "dt summary")
        add(.section, "section div article main body")
        add(
            .block,
            "p blockquote dl dd figure figcaption address fieldset legend form hr details center aside "
                + "caption thead tbody tfoot tr td th hgroup html search header footer nav dialog noscript "
                + "template optgroup option select object video audio")
        return kinds
    }()

    /// The class names of admonitions in DocBook, Sphinx, MkDocs and others.
    private static let notes: Set<String> = [
        "note", "tip", "warning", "caution", "important", "admonition", "sidebar",
    ]
}

extension HTMLTree.Node {
    /// The names of its classes, in lower case.
    var classes: [String] {
        guard let value = attribute("class") else { return [] }
        return value.utf8.split(whereSeparator: { $0 <= 0x20 }).map { Substring($0).lowercased() }
    }

    /// The first node in document order, at or below this one, for which `isWanted` holds.
    func first(where isWanted: (HTMLTree.Node) -> Bool) -> HTMLTree.Node? {
        var waiting = [self]
        while let node = waiting.popLast() {
            if isWanted(node) { return node }
            if node.name != nil { waiting.append(contentsOf: node.children.reversed()) }
        }
        return nil
    }

    /// The text at or below this node, unchanged, without scripts and styles; `br` becomes a line feed.
    var rawText: String {
        var result = ""
        var waiting = [self]
        while let node = waiting.popLast() {
            if let text = node.text { result += text }
            guard let name = node.name else { continue }
            if name == "br" { result += "\n" }
            if name == "script" || name == "style" { continue }
            waiting.append(contentsOf: node.children.reversed())
        }
        return result
    }

    /// How many words are at or below this node, and how many of them are inside links.
    var words: (all: Int, linked: Int) {
        var result = (all: 0, linked: 0)
        var waiting = [(node: self, isLinked: false)]
        while let (node, isLinked) = waiting.popLast() {
            let count = node.wordCount
            result.all += count
            if isLinked { result.linked += count }
            guard let name = node.name, name != "script", name != "style" else { continue }
            for child in node.children.reversed() {
                waiting.append((child, isLinked || name == "a"))
            }
        }
        return result
    }
}
