/// Running text in the making: what stands between two ends of a paragraph.
struct InlineText {
    private var text = ""
    private var links: [String] = []
    private var isSeparated = false

    /// More links tell nothing of a paragraph.
    private static let linkLimit = 1000

    /// Whether nothing that can be seen was added.
    var isEmpty: Bool { text.unicodeScalars.allSatisfy(WhiteSpace.isSpace) }

    /// The last character so far.
    var last: Unicode.Scalar? { text.unicodeScalars.last }

    /// Adds text as it stands in the document.
    mutating func append(_ more: String) {
        guard !more.isEmpty else { return }
        if isSeparated, let last, let first = more.unicodeScalars.first,
            last.properties.isAlphabetic || last.properties.numericType != nil,
            first.properties.isAlphabetic || first.properties.numericType != nil
        {
            text += " "
        }
        isSeparated = false
        text += more
    }

    /// Keeps the words before and behind this place apart.
    mutating func separate() { isSeparated = true }

    /// Notes where a link leads, unless it stays in the document or is a script.
    mutating func addLink(_ target: String) {
        let target = WhiteSpace.collapsed(target)
        let isElsewhere =
            !target.isEmpty && target.utf8.first != UInt8(ascii: "#")
            && !target.lowercased().hasPrefix("javascript:")
        if isElsewhere, links.count < Self.linkLimit, !links.contains(target) {
            links.append(target)
        }
    }

    /// Takes the text, white space collapsed, and the links, and begins anew.
    mutating func take() -> (text: String, links: [String]) {
        defer { self = InlineText() }
        return (WhiteSpace.collapsed(text), links)
    }
}
