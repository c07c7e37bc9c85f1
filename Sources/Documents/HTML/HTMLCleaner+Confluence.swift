/// The elements of Confluence's storage format, as exports contain them.
extension HTMLCleaner {
    static func isConfluence(_ name: String) -> Bool {
        name.hasPrefix("ac:") || name.hasPrefix("ri:")
    }

    /// Reads a macro, a link, an image or a task.
    mutating func visitConfluence(_ node: HTMLTree.Node, name: String) {
        switch name {
        case "ac:structured-macro", "ac:macro": visitMacro(node)
        case "ac:parameter", "ac:adf-attribute":
            findings.add(.leftOut, "macro parameter", node.words.all, "words")
        case "ac:placeholder", "ac:task-id", "ac:task-uuid":
            findings.add(.leftOut, "placeholder", node.words.all, "words")
        case "ac:adf-fallback" where hasContent(beside: node): break
        case "ac:task-list":
            endParagraph()
            lists.begin(.bullet, start: 1)
            visitChildren(of: node)
            endParagraph()
            lists.end()
        case "ac:task":
            endParagraph()
            let status = node.first { $0.name == "ac:task-status" }?.rawText ?? ""
            lists.beginItem(isDone: WhiteSpace.collapsed(status) == "complete")
            visitChildren(of: node)
            endParagraph()
            lists.endItem()
        case "ac:task-status": break
        case "ac:link": addLink(node)
        case "ac:image":
            findings.add(.leftOut, "image", 1, "images")
            inline.separate()
            inline.append(node.attribute("ac:alt") ?? node.attribute("ac:title") ?? "")
            inline.separate()
            for child in node.children where child.name == "ac:caption" {
                endParagraph()
                visitChildren(of: child)
                endParagraph()
            }
        case "ac:emoticon": inline.append(node.attribute("ac:emoji-fallback") ?? "")
        default:
            let isText = ["ac:inline-comment-marker", "ac:link-body", "ac:plain-text-link-body"]
                .contains(name)
            if isText { return visitChildren(of: node) }
            endParagraph()
            visitChildren(of: node)
            endParagraph()
        }
    }

    /// Whether the page also has the content that a fallback stands in for.
    private func hasContent(beside fallback: HTMLTree.Node) -> Bool {
        fallback.parent?.children.contains {
            $0.name != fallback.name && $0.first { $0.name == "ac:adf-content" } != nil
        } ?? false
    }

    private mutating func visitMacro(_ node: HTMLTree.Node) {
        let name = node.attribute("ac:name")?.lowercased() ?? ""
        var parameters: [String: String] = [:]
        for child in node.children where child.name == "ac:parameter" {
            if let key = child.attribute("ac:name") {
                parameters[key.lowercased()] = WhiteSpace.collapsed(child.rawText)
            }
        }
        let bodies = node.children.filter {
            $0.name == "ac:plain-text-body" || $0.name == "ac:rich-text-body"
        }
        switch name {
        case "status", "jira", "mention":
            inline.separate()
            inline.append(parameters["title"] ?? parameters["key"] ?? parameters["jqlquery"] ?? "")
            return inline.separate()
        case "anchor": return
        case "toc", "toc-zone", "children", "pagetree", "recently-updated", "contentbylabel",
            "include", "excerpt-include", "livesearch", "attachments", "gallery", "profile":
            findings.add(.leftOut, "macro", 1, "macros", detail: name)
        default:
            if bodies.isEmpty { findings.add(.notUnderstood, "macro", 1, "macros", detail: name) }
        }
        endParagraph()
        addTitle(parameters["title"], isShown: !bodies.isEmpty)
        let isNote = ["info", "note", "tip", "warning", "panel", "expand", "excerpt"].contains(name)
        admonitions += isNote ? 1 : 0
        for body in bodies {
            if body.name == "ac:plain-text-body" {
                var block = code(body)
                let language = parameters["language"]?.lowercased() ?? ""
                if name == "code", !language.isEmpty, language != "none" {
                    block.language = language
                }
                addCode(block)
            } else {
                visitChildren(of: body)
                endParagraph()
            }
        }
        admonitions -= isNote ? 1 : 0
    }

    private mutating func addTitle(_ title: String?, isShown: Bool) {
        guard isShown, let title, !title.isEmpty else { return }
        announcements += 1
        inline.append(title)
        endParagraph()
        announcements -= 1
    }

    /// Adds a link's text, or the title of its target if it has no text.
    private mutating func addLink(_ node: HTMLTree.Node) {
        let body = node.children.first {
            $0.name == "ac:plain-text-link-body" || $0.name == "ac:link-body"
        }
        let target = node.children.first { $0.name?.hasPrefix("ri:") ?? false }
        let title =
            target?.attribute("ri:content-title") ?? target?.attribute("ri:filename")
            ?? target?.attribute("ri:value") ?? ""
        if let link = target?.attribute("ri:value") { inline.addLink(link) }
        inline.separate()
        if let body, body.rawText.contains(where: { !$0.isWhitespace }) {
            visitChildren(of: body)
        } else {
            inline.append(title.isEmpty ? node.attribute("ac:anchor") ?? "" : title)
        }
        inline.separate()
    }
}
