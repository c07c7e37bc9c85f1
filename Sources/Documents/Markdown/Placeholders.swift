/// Words in angle brackets that look like tags and are none: `<username>`, `List<String>`.
enum Placeholders {
    /// Whether a tag without attributes is of no element that HTML has, and closed nowhere in its document.
    static func contains(_ tag: String, closed: Set<String>) -> Bool {
        guard !tag.hasPrefix("</"), !tag.hasSuffix("/>") else { return false }
        let name = tag.dropFirst().dropLast().lowercased()
        return !name.isEmpty && !HTMLTree.isElement(name) && !closed.contains(name)
    }

    /// The names of all end tags of a text, in lower case.
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
