internal import Objects

/// What is known of a page before its text is read: where its content is, what panels open by a click, and what
/// it says of itself.
struct HTMLSurvey {
    /// What to read.
    private(set) var content: HTMLTree.Node
    /// The `id`s of what some control opens or shows: it is content, also where it is hidden now.
    private(set) var controlled: Set<String> = []
    /// What the page's `title` element says; nil when it is empty.
    private(set) var title: String?
    /// The members of the head that describe the page.
    private(set) var metadata = JSONObject()
    /// The words beside the content.
    private(set) var wordsBeside = 0

    /// Looks at a page.
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
            // A page whose main part is a tenth of it says something else by that name.
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

    /// The most members: pages have a dozen.
    private static let memberLimit = 100

    /// What is said twice is a list.
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

/// Decides which parts of a page are navigation or decoration rather than the document's text.
struct HTMLChrome {
    private let survey: HTMLSurvey

    /// Judges the elements of a page.
    init(_ survey: HTMLSurvey) { self.survey = survey }

    /// Why an element is left out with all that is in it; nil when it is content.
    ///
    /// Content is never left out for what its classes are called alone: unless a generator is known by them,
    /// most of its words must be links as well.
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
        // What a click opens is content.
        if let id = node.attribute("id"), survey.controlled.contains(id) { return false }
        if let role = node.attribute("role"), role == "region" || role == "tabpanel" {
            return false
        }
        if isMarked { return true }
        // Screen readers are spared ornaments, but also a whole page behind a dialogue.
        return node.first {
            Self.structure.contains($0.name ?? "") && $0.rawText.contains { !$0.isWhitespace }
        } == nil
    }

    /// Whether an element says whose the page is and little else.
    private func isColophon(_ node: HTMLTree.Node) -> Bool {
        guard node.words.all <= Self.colophonWords else { return false }
        let text = node.rawText.lowercased()
        return text.contains("\u{A9}") || text.contains("copyright")
    }

    private static let colophonWords = 60
    /// What holds documents is never left out.
    private static let content: Set<String> = ["html", "body", "main", "article"]
    private static let structure: Set<String> = [
        "p", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "dl",
    ]
    private static let roles: Set<String> = [
        "navigation", "contentinfo", "search", "menu", "menubar",
    ]

    /// What generators of manuals call their navigation, paragraph signs and line numbers.
    private static let generated: Set<String> = [
        "navheader", "navfooter", "sphinxsidebar", "headerlink", "linenos", "linenodiv",
        "viewcode-link", "toctree-wrapper", "md-source-file", "mw-editsection",
    ]
    /// Names that navigation goes by, and content as well.
    private static let suspicious: Set<String> = [
        "toc", "related", "breadcrumb", "breadcrumbs", "noprint", "sidebar", "navbar", "menu",
        "pagination", "table-of-contents", "tableofcontents", "footer-relations",
    ]
}
