internal import Objects

/// Facts about a page, collected before its text is read: its main content, the panels that controls open, and its
/// metadata.
struct HTMLSurvey {
    /// The element to read.
    private(set) var content: HTMLTree.Node
    /// The `id`s of elements that a control opens or shows: they are content even while hidden.
    private(set) var controlled: Set<String> = []
    /// The text of the page's `title` element; nil if empty.
    private(set) var title: String?
    /// The `meta` elements and other members of the head that describe the page.
    private(set) var metadata = JSONObject()
    /// How many words are outside the content.
    private(set) var wordsBeside = 0

    init(_ root: HTMLTree.Node) {
        var body = root
        var mains: [HTMLTree.Node] = []
        var articles: [HTMLTree.Node] = []
        var waiting = [root]
        content = root
        while let node = waiting.popLast() {
            guard let name = node.name else { continue }
            waiting.append(contentsOf: node.children.reversed())
            switch name {
            case "body": body = node
            case "main": mains.append(node)
            case "article": articles.append(node)
            case "title": if title == nil { title = WhiteSpace.nonEmpty(node.rawText) }
            case "meta": describe(node)
            case "html": note("lang", node.attribute("lang"))
            case "time" where metadata["time"] == nil: note("time", node.attribute("datetime"))
            case "link" where node.attribute("rel")?.lowercased() == "canonical":
                note("canonical", node.attribute("href"))
            default: break
            }
            if node.hasAttributes { noteControls(node, name: name) }
            if name != "main", node.attribute("role") == "main" { mains.append(node) }
        }
        content = body
        for candidates in [mains, articles] where candidates.count == 1 {
            guard let found = candidates.first else { continue }
            // A main element with less than a tenth of the words is not the main content.
            let (words, all) = (found.words.all, body.words.all)
            if 10 * words >= all {
                content = found
                wordsBeside = all - words
                break
            }
        }
    }

    private mutating func noteControls(_ node: HTMLTree.Node, name: String) {
        for attribute in ["aria-controls", "data-target", "data-bs-target"] {
            for id in (node.attribute(attribute) ?? "").split(separator: " ") {
                controlled.insert(String(id.utf8.first == 0x23 ? id.dropFirst() : id))
            }
        }
        let opens =
            node.attribute("role") == "tab" || node.attribute("data-toggle") != nil
            || node.attribute("data-bs-toggle") != nil
        if opens, let target = node.attribute("href"), target.utf8.first == 0x23 {
            controlled.insert(String(target.dropFirst()))
        }
    }

    private mutating func describe(_ meta: HTMLTree.Node) {
        let name =
            meta.attribute("name") ?? meta.attribute("property") ?? meta.attribute("itemprop")
        if let name, !name.isEmpty { note(name.lowercased(), meta.attribute("content")) }
    }

    /// The most metadata members; a typical page has a dozen.
    private static let memberLimit = 100

    /// Records a value; a repeated name becomes a list.
    private mutating func note(_ name: String, _ value: String?) {
        guard let value = value.flatMap(WhiteSpace.nonEmpty), metadata.count < Self.memberLimit
        else {
            return
        }
        guard let old = metadata[name] else {
            metadata[name] = .string(value)
            return
        }
        metadata[name] = .array((old.array ?? [old]) + [.string(value)])
    }
}

/// Decides which parts of a page are navigation or decoration rather than content.
struct HTMLChrome {
    private let survey: HTMLSurvey

    init(_ survey: HTMLSurvey) { self.survey = survey }

    /// Returns why an element is left out with everything in it; nil if it is content.
    ///
    /// A class name alone rules out content only if a documentation generator uses it. For other class names, at least
    /// half of the words must be links, or the text must be a copyright notice.
    func reason(_ node: HTMLTree.Node, name: String, isInArticle: Bool) -> String? {
        if Self.content.contains(name) { return nil }
        switch name {
        case "nav": return "navigation"
        case "footer": if !isInArticle { return "footer" }
        case "template", "iframe", "object", "audio", "video": return "fallback"
        case "svg", "canvas", "map": return "graphic"
        case "select", "textarea", "input", "datalist": return "form"
        case "rp": return "fallback"
        default: break
        }
        guard node.hasAttributes else { return nil }
        if let role = node.attribute("role")?.lowercased(), Self.roles.contains(role) {
            return "navigation"
        }
        if isHidden(node, name: name) { return "hidden" }
        let classes = node.classes
        if name == "button",
            classes.contains(where: { $0.contains("copy") || $0.contains("clipboard") })
        {
            return "button"
        }
        if classes.contains(where: Self.generated.contains) { return "navigation" }
        if classes.contains("footer"), !isInArticle, isColophon(node) { return "footer" }
        if classes.contains(where: Self.suspicious.contains) {
            let words = node.words
            if 2 * words.linked >= words.all { return "navigation" }
        }
        return nil
    }

    private func isHidden(_ node: HTMLTree.Node, name: String) -> Bool {
        let isMarked = node.attribute("hidden").map { $0 != "until-found" } ?? false
        let isSilent = node.attribute("aria-hidden") == "true"
        guard isMarked || isSilent else { return false }
        // A panel that a click opens is content.
        if let id = node.attribute("id"), survey.controlled.contains(id) { return false }
        if let role = node.attribute("role"), role == "region" || role == "tabpanel" {
            return false
        }
        if isMarked { return true }
        // `aria-hidden` hides ornaments, but also the whole page behind an open dialog.
        return node.first {
            Self.structure.contains($0.name ?? "") && $0.rawText.contains { !$0.isWhitespace }
        } == nil
    }

    /// Whether an element is a short copyright notice.
    private func isColophon(_ node: HTMLTree.Node) -> Bool {
        guard node.words.all <= Self.colophonWords else { return false }
        let text = node.rawText.lowercased()
        return text.contains("\u{A9}") || text.contains("copyright")
    }

    private static let colophonWords = 60
    /// These elements hold documents and are never left out.
    private static let content: Set<String> = ["html", "body", "main", "article"]
    private static let structure: Set<String> = [
        "p", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "dl",
    ]
    private static let roles: Set<String> = [
        "navigation", "contentinfo", "search", "menu", "menubar",
    ]

    /// The class names that documentation generators use for navigation, header links and line numbers.
    private static let generated: Set<String> = [
        "navheader", "navfooter", "sphinxsidebar", "headerlink", "linenos", "linenodiv",
        "viewcode-link", "toctree-wrapper", "md-source-file", "mw-editsection",
    ]
    /// Class names used for navigation as well as for content.
    private static let suspicious: Set<String> = [
        "toc", "related", "breadcrumb", "breadcrumbs", "noprint", "sidebar", "navbar", "menu",
        "pagination", "table-of-contents", "tableofcontents", "footer-relations",
    ]
}
