/// The block of YAML or TOML between `---` or `+++` lines that may open a Markdown file.
struct FrontMatter {
    /// The value under `title`, or nil.
    let title: String?
    /// The text below the block.
    let body: Substring

    /// Longer blocks are text.
    private static let lineLimit = 500

    /// Splits a text; all of it is body when it has no front matter.
    ///
    /// Nothing in it is interpreted but one line `title: …`: a document cannot make a YAML reader work.
    init(_ text: String) {
        let lines = text.utf8.split(
            separator: 0x0A, maxSplits: Self.lineLimit, omittingEmptySubsequences: false
        ).map { Substring($0) }
        let fence = lines.first.map(Self.trimmed) ?? ""
        guard fence == "---" || fence == "+++",
            let close = lines.dropFirst().prefix(Self.lineLimit - 1).firstIndex(where: { line in
                let line = Self.trimmed(line)
                return line == fence || fence == "---" && line == "..."
            }),
            lines[1..<close].contains(where: { Self.member($0) != nil })
        else {
            title = nil
            body = text[...]
            return
        }
        let members = lines[1..<close].lazy.compactMap(Self.member)
        let found = members.first { $0.key == "title" }.map { Self.unquoted($0.value) }
        title = found.map(WhiteSpace.collapsed).flatMap { $0.isEmpty ? nil : $0 }
        let end = lines[close].endIndex
        body = end == text.endIndex ? "" : text[text.utf8.index(after: end)...]
    }

    private static func trimmed(_ line: Substring) -> Substring {
        var line = line.unicodeScalars
        while let last = line.last, WhiteSpace.isSpace(last) { line.removeLast() }
        if line.first?.value == 0xFEFF { line.removeFirst() }
        return Substring(line)
    }

    /// A key in the first column and what follows `:` or `=`.
    private static func member(_ line: Substring) -> (key: Substring, value: Substring)? {
        let key = line.utf8.prefix { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
            default: false
            }
        }
        let rest = line.utf8[key.endIndex...].drop { $0 == 0x20 }
        guard !key.isEmpty, rest.first == 0x3A || rest.first == 0x3D else { return nil }
        return (Substring(key), Substring(rest.dropFirst()))
    }

    /// A scalar without its quotes.
    private static func unquoted(_ value: Substring) -> String {
        let text = WhiteSpace.collapsed(String(value))
        guard let quote = text.utf8.first, quote == 0x22 || quote == 0x27, text.utf8.count >= 2,
            text.utf8.last == quote
        else { return text }
        let inner = String(text.dropFirst().dropLast())
        return quote == 0x27
            ? inner.split(separator: "''", omittingEmptySubsequences: false).joined(separator: "'")
            : inner.split(separator: "\\\"", omittingEmptySubsequences: false)
                .joined(separator: "\"")
    }
}
