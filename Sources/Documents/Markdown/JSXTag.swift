/// A JSX tag: `<Tabs>`, `</Tabs>`, `<Card title="x" icon={<Icon />} />`, `<>`.
struct JSXTag {
    /// The element's name; empty for a fragment.
    let name: String
    let isEnd: Bool
    /// Whether the tag closes itself.
    let isEmpty: Bool
    /// The string values of the visible attributes and of `href`.
    private(set) var texts: [(name: String, value: String)] = []
    /// How many visible attributes have expressions, other than string literals, as values.
    private(set) var expressions = 0
    /// The index after the tag.
    let end: Int

    /// The longest tag, in bytes.
    private static let byteLimit = 20_000

    /// The attributes that readers see.
    private static let shown: Set<String> = [
        "title", "label", "summary", "heading", "caption", "header", "alt", "description",
        "subtitle",
        "question",
    ]

    /// Parses the tag that begins at an index; nil if there is none.
    init?(_ text: Span<UInt8>, at start: Int) {
        let limit = min(text.count, start + Self.byteLimit)
        var at = start + 1
        isEnd = at < limit && text[at] == UInt8(ascii: "/")
        if isEnd { at += 1 }
        let nameStart = at
        while at < limit, Self.isPartOfName(text[at]) { at += 1 }
        guard at < limit, at == nameStart || Self.isLetter(text[nameStart]) else { return nil }
        name = Self.string(text, nameStart..<at)
        var texts: [(name: String, value: String)] = []
        var expressions = 0
        while true {
            while at < limit, text[at] <= 0x20 { at += 1 }
            guard at < limit else { return nil }
            if text[at] == UInt8(ascii: ">") {
                isEmpty = false
                end = at + 1
                break
            }
            if text[at] == UInt8(ascii: "/") {
                guard at + 1 < limit, text[at + 1] == UInt8(ascii: ">") else { return nil }
                isEmpty = true
                end = at + 2
                break
            }
            if text[at] == UInt8(ascii: "{") {
                guard let close = JSXExpression.end(text, at: at) else { return nil }
                at = close
                continue
            }
            let keyStart = at
            while at < limit, Self.isPartOfName(text[at]) { at += 1 }
            guard at > keyStart, at < limit, !name.isEmpty, !isEnd else { return nil }
            let key = Self.string(text, keyStart..<at)
            var next = at
            while next < limit, text[next] <= 0x20 { next += 1 }
            guard next < limit, text[next] == UInt8(ascii: "=") else { continue }
            at = next + 1
            while at < limit, text[at] <= 0x20 { at += 1 }
            guard at < limit else { return nil }
            let isShown = Self.shown.contains(key)
            switch text[at] {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                let quote = text[at]
                var close = at + 1
                while close < limit, text[close] != quote { close += 1 }
                guard close < limit else { return nil }
                if isShown || key == "href" {
                    texts.append((key, Self.string(text, (at + 1)..<close)))
                }
                at = close + 1
            case UInt8(ascii: "{"):
                guard let close = JSXExpression.end(text, at: at) else { return nil }
                if isShown {
                    if let value = JSXExpression.text(text, at..<close) {
                        texts.append((key, value))
                    } else {
                        expressions += 1
                    }
                }
                at = close
            default:
                while at < limit, text[at] > 0x20, text[at] != UInt8(ascii: ">") { at += 1 }
            }
        }
        self.texts = texts
        self.expressions = expressions
    }

    /// The visible attribute values.
    var labels: [String] { texts.filter { $0.name != "href" }.map(\.value) }

    /// Whether the element is part of running text.
    var isInline: Bool { Self.inline.contains(name) }

    private static let inline: Set<String> = [
        "a", "abbr", "b", "br", "cite", "code", "del", "em", "i", "img", "ins", "kbd", "mark", "q",
        "s", "samp", "small", "span", "strong", "sub", "sup", "u", "var", "Link",
    ]

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    private static func isPartOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x24, 0x2D, 0x2E, 0x3A, 0x5F: true
        default: byte >= 0x80
        }
    }

    private static func string(_ text: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: range.map { text[$0] }, as: UTF8.self)
    }
}

/// JavaScript expressions in braces.
enum JSXExpression {
    /// The longest expression, in bytes.
    private static let byteLimit = 20_000

    /// Returns the index after the brace that closes the one at `start`; nil if nothing closes it.
    static func end(_ text: Span<UInt8>, at start: Int) -> Int? {
        let limit = min(text.count, start + byteLimit)
        var depth = 0
        var at = start
        while at < limit {
            switch text[at] {
            case UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 { return at + 1 }
            case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"):
                let quote = text[at]
                var close = at + 1
                while close < limit, text[close] != quote, text[close] != 0x0A || quote == 0x60 {
                    close += text[close] == 0x5C ? 2 : 1
                }
                // A quotation mark without a partner is an apostrophe in the text between tags.
                if close < limit, text[close] == quote { at = close }
            case UInt8(ascii: "/") where at + 1 < limit && text[at + 1] == UInt8(ascii: "*"):
                at += 2
                while at + 1 < limit, !(text[at] == 0x2A && text[at + 1] == 0x2F) { at += 1 }
                at += 1
            default: break
            }
            at += 1
        }
        return nil
    }

    /// Returns the value of an expression that is only a string literal; nil for any other.
    static func text(_ text: Span<UInt8>, _ range: Range<Int>) -> String? {
        var inner = range.dropFirst().dropLast().map { text[$0] }[...]
        while let first = inner.first, first <= 0x20 { inner = inner.dropFirst() }
        while let last = inner.last, last <= 0x20 { inner = inner.dropLast() }
        guard let quote = inner.first, [0x22, 0x27, 0x60].contains(quote), inner.count >= 2,
            inner.last == quote
        else { return nil }
        let content = inner.dropFirst().dropLast()
        guard !content.contains(quote), !content.contains(0x5C), !content.contains("${") else {
            return nil
        }
        return String(decoding: content, as: UTF8.self)
    }
}
