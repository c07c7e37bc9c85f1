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
            case "title": if title == nil { title = Self.nonEmpty(node.rawText) }
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
        guard let value = value.flatMap(Self.nonEmpty), metadata.count < Self.memberLimit else {
            return
        }
        guard let old = metadata[name] else {
            metadata[name] = .string(value)
            return
        }
        metadata[name] = .array((old.array ?? [old]) + [.string(value)])
    }

    private static func nonEmpty(_ text: String) -> String? {
        let text = WhiteSpace.collapsed(text)
        return text.isEmpty ? nil : text
    }
}
