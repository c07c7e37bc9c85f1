/// Inline macros, `name:target[text]`, and URLs.
extension AsciiDocInline {
    /// Parses a macro from its colon on; its name is already in the output.
    mutating func readMacro() {
        var start = at
        while start > 0, at - start < 12, Self.isWord(bytes[start - 1]), bytes[start - 1] < 0x80 {
            start -= 1
        }
        guard start < at, start == 0 || bytes[start - 1] != 0x5C else { return }
        let name = String(decoding: bytes[start..<at], as: UTF8.self)
        guard Self.macros.contains(name), output.suffix(at - start).elementsEqual(name.utf8) else {
            return
        }
        if ["http", "https", "ftp", "irc"].contains(name) { return readAddress(from: start) }
        let target = targetEnd(from: at + 1)
        let isNested = name.hasPrefix("footnote")
        guard byte(target) == UInt8(ascii: "["),
            let close = bracket(from: target + 1, isNested: isNested)
        else { return }
        let address = String(decoding: bytes[(at + 1)..<target], as: UTF8.self)
        let text = String(decoding: bytes[(target + 1)..<close], as: UTF8.self)
        output.removeLast(at - start)
        at = close + 1
        expand(name, address, text)
    }

    private mutating func expand(_ name: String, _ target: String, _ text: String) {
        switch name {
        case "link", "mailto":
            addLink(name == "mailto" ? "mailto:\(target)" : target, shown: target, text: text)
        case "xref": addReference(target, text: text.isEmpty ? nil : text)
        case "image":
            result.images += 1
            let list = AsciiDocAttributeList(text)
            output += (list.named["alt"] ?? list.style).utf8
            if let link = list.named["link"] { result.text.links.append(link) }
        case "footnote", "footnoteref":
            guard !text.isEmpty else { break }
            footnotes += 1
            output += "[\(footnotes)]".utf8
            let number = footnotes
            let inner = Self.text(
                text, footnotes: &footnotes, titles: titles, depth: depth + 1)
            var note = LinkedText("[\(number)] " + inner.text.text)
            note.links = inner.text.links
            result.footnotes += [note] + inner.footnotes
        case "menu":
            let items =
                [target] + text.split(separator: ">").map { WhiteSpace.collapsed(String($0)) }
            output += items.filter { !$0.isEmpty }.joined(separator: " > ").utf8
        case "kbd", "btn", "indexterm2": output += text.utf8
        case "pass", "stem", "latexmath", "asciimath": output += text.utf8
        case "anchor": result.id = result.id ?? target
        default: break
        }
    }

    /// Parses a URL, and the link text in brackets if there is any.
    private mutating func readAddress(from start: Int) {
        guard has("://", at: at) else { return }
        let end = targetEnd(from: at + 3)
        if byte(end) == UInt8(ascii: "["), let close = bracket(from: end + 1) {
            let address = String(decoding: bytes[start..<end], as: UTF8.self)
            let text = String(decoding: bytes[(end + 1)..<close], as: UTF8.self)
            output.removeLast(at - start)
            at = close + 1
            return addLink(address, shown: address, text: text)
        }
        var last = end
        while last > at + 3, ".,;:!?'\")*_`".utf8.contains(bytes[last - 1]) { last -= 1 }
        guard last > at + 3 else { return }
        result.text.links.append(String(decoding: bytes[start..<last], as: UTF8.self))
        output += bytes[at..<last]
        at = last
        if byte(at) == UInt8(ascii: ">"), start > 0, bytes[start - 1] == UInt8(ascii: "<") {
            at += 1
        }
    }

    private mutating func addLink(_ address: String, shown: String, text: String) {
        result.text.links.append(address)
        var text = text
        // Link attributes may follow the text.
        if text.utf8.contains(0x3D), text.utf8.contains(0x2C) || !text.utf8.contains(0x20) {
            text = AsciiDocAttributeList(text).style
        } else if text.hasPrefix("\""), text.hasSuffix("\""), text.utf8.count > 1 {
            text = String(text.dropFirst().dropLast())
        }
        if text.hasSuffix("^") { text.removeLast() }
        if WhiteSpace.collapsed(text).isEmpty { output += shown.utf8 } else { add(text) }
    }

    /// Returns where a target ends: before white space, `[`, `<` or `>`.
    private mutating func targetEnd(from start: Int) -> Int {
        if start < targetEnd { return targetEnd }
        var end = start
        while end < bytes.count, bytes[end] > 0x20, bytes[end] != 0x5B, bytes[end] != 0x3C,
            bytes[end] != 0x3E
        { end += 1 }
        targetEnd = end
        return end
    }

    /// Returns the index of the next unescaped `]`; with `isNested`, prefers the `]` that balances the current bracket.
    private mutating func bracket(from start: Int, isNested: Bool = false) -> Int? {
        guard hasBracket else { return nil }
        if isNested, let balanced = balancedBracket(from: start) { return balanced }
        var index = start
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "]"), bytes[index - 1] != UInt8(ascii: "\\") {
                return index
            }
            index += 1
        }
        hasBracket = false
        return nil
    }

    /// Returns the index of the bracket that closes the current one, skipping nested pairs.
    private mutating func balancedBracket(from start: Int) -> Int? {
        guard isBalanced else { return nil }
        var depth = 1
        for index in start..<bytes.count where bytes[index - 1] != UInt8(ascii: "\\") {
            if bytes[index] == UInt8(ascii: "[") { depth += 1 }
            if bytes[index] == UInt8(ascii: "]") { depth -= 1 }
            if depth == 0 { return index }
        }
        isBalanced = false
        return nil
    }
}
