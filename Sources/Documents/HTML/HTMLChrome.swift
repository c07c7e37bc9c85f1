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
