/// What stands in braces behind a heading, a link or the mark of a code block, as Pandoc, Kramdown and
/// Python-Markdown have it: `{#id .class key=value key="a value"}`. A colon may come first.
struct AttributeList: Equatable {
    /// The identifier; nil where there is none.
    var id: String?
    /// The classes, in order.
    var classes: [String] = []
    /// The values by their keys; of a repeated key the first one.
    var values: [String: String] = [:]

    /// No list that people write is longer.
    private static let byteLimit = 1000

    /// Reads the list that begins at a place.
    ///
    /// - Returns: The list and the place behind its closing brace; nil where there is no list.
    static func read(
        _ text: ArraySlice<UInt8>
    ) -> (list: AttributeList, end: Int)? {
        guard text.first == UInt8(ascii: "{") else { return nil }
        var list = AttributeList()
        var at = text.startIndex + 1
        let limit = min(text.endIndex, at + byteLimit)
        if at < limit, text[at] == UInt8(ascii: ":") { at += 1 }
        var isEmpty = true
        while at < limit {
            if isSpace(text[at]) {
                at += 1
            } else if text[at] == UInt8(ascii: "}") {
                return isEmpty ? nil : (list, at + 1)
            } else {
                guard list.readItem(text[..<limit], &at) else { return nil }
                isEmpty = false
            }
        }
        return nil
    }

    /// A text without the list that it ends with.
    static func split(_ text: [UInt8]) -> (text: [UInt8], list: AttributeList?) {
        var end = text.count
        while end > 0, isSpace(text[end - 1]) { end -= 1 }
        guard end > 0, text[end - 1] == UInt8(ascii: "}"),
            let start = text[..<end].suffix(byteLimit).lastIndex(of: UInt8(ascii: "{")),
            let found = read(text[start..<end]), found.end == end
        else { return (text, nil) }
        return (Array(text[..<start]), found.list)
    }

    private mutating func readItem(_ text: ArraySlice<UInt8>, _ at: inout Int) -> Bool {
        let mark = text[at]
        if mark == UInt8(ascii: "#") || mark == UInt8(ascii: ".") {
            at += 1
            let word = Self.word(text, &at)
            guard !word.isEmpty else { return false }
            if mark == UInt8(ascii: ".") { classes.append(word) } else { id = id ?? word }
            return true
        }
        let key = Self.word(text, &at)
        guard !key.isEmpty, at < text.endIndex, text[at] == UInt8(ascii: "=") else { return false }
        at += 1
        guard at < text.endIndex else { return false }
        let quote = text[at]
        var value: String
        if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            guard let close = text[(at + 1)...].firstIndex(of: quote) else { return false }
            value = String(decoding: text[(at + 1)..<close], as: UTF8.self)
            at = close + 1
        } else {
            let start = at
            while at < text.endIndex, !Self.isSpace(text[at]), text[at] != UInt8(ascii: "}") {
                at += 1
            }
            value = String(decoding: text[start..<at], as: UTF8.self)
        }
        if values[key] == nil { values[key] = value }
        return true
    }

    /// A run of letters, digits and what else names are made of.
    private static func word(_ text: ArraySlice<UInt8>, _ at: inout Int) -> String {
        let start = at
        while at < text.endIndex, isPartOfWord(text[at]) { at += 1 }
        return String(decoding: text[start..<at], as: UTF8.self)
    }

    private static func isPartOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x80...0xFF: true
        default: false
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}
