/// What an HTML element is to a reader of the text.
enum HTMLElement: Equatable {
    /// It is left out with all that is in it.
    case skipped
    /// A heading of a level from 1 to 6.
    case heading(Int)
    /// Text whose lines and spaces matter.
    case preformatted
    case table
    case list(isOrdered: Bool)
    case item
    /// The header of a page or of an article: only its headings count.
    case header
    /// A note or a warning amid the text.
    case admonition
    /// It may give its `id` to the heading in it.
    case section
    /// It begins and ends a paragraph.
    case block
    case lineBreak
    /// It is a part of the running text.
    case inline

    /// Classifies an element.
    init(_ node: HTMLTree.Node, name: String) {
        if node.hasAttributes {
            let classes = Self.classes(of: node)
            if Self.isNavigation(node, classes) {
                self = .skipped
                return
            }
            if name == "div" || name == "aside", !Self.notes.isDisjoint(with: classes) {
                self = .admonition
                return
            }
        }
        switch name {
        case "script", "style", "noscript", "template", "nav", "footer", "head", "title", "svg",
            "iframe", "object", "embed", "canvas", "audio", "video", "map", "button", "select",
            "input", "textarea", "dialog":
            self = .skipped
        case "h1": self = .heading(1)
        case "h2": self = .heading(2)
        case "h3": self = .heading(3)
        case "h4": self = .heading(4)
        case "h5": self = .heading(5)
        case "h6": self = .heading(6)
        case "pre", "listing", "xmp", "plaintext": self = .preformatted
        case "table": self = .table
        case "ol": self = .list(isOrdered: true)
        case "ul", "menu", "dir": self = .list(isOrdered: false)
        case "li": self = .item
        case "header": self = .header
        case "section", "div", "article", "main", "body": self = .section
        case "p", "blockquote", "dl", "dt", "dd", "figure", "figcaption", "address", "fieldset",
            "legend", "form", "hr", "details", "summary", "center", "aside", "caption", "thead",
            "tbody", "tfoot", "tr", "td", "th", "hgroup", "html", "search":
            self = .block
        case "br", "wbr": self = name == "br" ? .lineBreak : .inline
        default: self = .inline
        }
    }

    /// What generators of manuals put around and between the text: DocBook's and Sphinx's navigation,
    /// tables of contents, paragraph signs and line numbers.
    private static let navigation: Set<String> = [
        "navheader", "navfooter", "toc", "sphinxsidebar", "related", "headerlink", "linenos",
        "viewcode-link", "toctree-wrapper", "breadcrumbs", "noprint",
    ]
    private static let roles: Set<String> = [
        "navigation", "banner", "contentinfo", "search", "menu",
    ]

    /// What DocBook and Sphinx call notes.
    private static let notes: Set<String> = [
        "note", "tip", "warning", "caution", "important", "admonition", "sidebar",
    ]

    private static func isNavigation(_ node: HTMLTree.Node, _ classes: [String]) -> Bool {
        if let role = node.attribute("role"), roles.contains(role.lowercased()) { return true }
        return !navigation.isDisjoint(with: classes) || node.attribute("hidden") != nil
            || node.attribute("aria-hidden") == "true"
    }

    private static func classes(of node: HTMLTree.Node) -> [String] {
        guard let value = node.attribute("class") else { return [] }
        return value.utf8.split(whereSeparator: { $0 <= 0x20 }).map {
            Substring($0).lowercased()
        }
    }
}
