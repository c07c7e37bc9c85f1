extension HTMLCleaner {
    /// The block of a preformatted element.
    mutating func code(_ node: HTMLTree.Node) -> CleanDocument.Block {
        var text = ""
        appendCode(of: node, to: &text)
        var block = CleanDocument.Block(.code, WhiteSpace.lines(text))
        block.language = Self.language(of: node)
        return block
    }

    private mutating func appendCode(of node: HTMLTree.Node, to text: inout String) {
        for child in node.children {
            if let more = child.text { text += more }
            guard let name = child.name else { continue }
            if let reason = isLeftOut(child, name: name) {
                if reason != "navigation" {
                    findings.add(.leftOut, reason, child.words.all, "words")
                }
                continue
            }
            switch HTMLElement(child, name: name) {
            case .invisible: break
            case .lineBreak: text += "\n"
            case .inline, .link, .unknown, .superscript: appendCode(of: child, to: &text)
            case .image: text += child.attribute("alt") ?? ""
            default:
                // Some highlighters give each line an element of its own.
                if !text.isEmpty, text.utf8.last != 0x0A { text += "\n" }
                appendCode(of: child, to: &text)
                if !text.isEmpty, text.utf8.last != 0x0A { text += "\n" }
            }
        }
    }

    /// What code is written in, as highlighters and generators say it on the element, the one within, or
    /// those around.
    private static func language(of node: HTMLTree.Node) -> String? {
        var places = [node]
        if let code = node.children.first(where: { $0.name == "code" }) { places.append(code) }
        if let parent = node.parent {
            places.append(parent)
            if let outer = parent.parent { places.append(outer) }
        }
        for place in places where place.hasAttributes {
            for name in ["data-lang", "data-language"] {
                if let language = place.attribute(name).flatMap(named) { return language }
            }
            let classes = place.classes
            for (index, text) in classes.enumerated() {
                for prefix in ["language-", "lang-", "highlight-source-", "highlight-"]
                where text.hasPrefix(prefix) {
                    if let language = named(String(text.dropFirst(prefix.count))) {
                        return language
                    }
                }
                let isFollowed = ["sourcecode", "brush:", "src"].contains(text)
                if isFollowed, index + 1 < classes.count, let language = named(classes[index + 1]) {
                    return language
                }
            }
        }
        return nil
    }

    /// A language's name; nil for those that mean none.
    private static func named(_ text: String) -> String? {
        let name = text.lowercased().filter { $0 != ";" }
        let isNone = ["", "default", "none", "text", "plain", "plaintext", "notranslate"].contains(
            name)
        return isNone || name.utf8.count > 40 ? nil : name
    }
}
