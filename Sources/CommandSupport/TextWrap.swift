extension String {
    /// The lines of this text on a terminal of so many columns, broken between words.
    ///
    /// Lines after the first are indented behind its own indentation, and repeat the rails of a drawing (`│`) before
    /// it. A word that is longer than a line stays whole.
    public func wrapped(to width: Int) -> [String] {
        guard utf8.count > width, displayWidth > width else { return [self] }
        let rail = rail
        let hang = min(4, max(0, width / 2 - rail.displayWidth))
        let indent = rail + String(repeating: " ", count: hang)
        var lines: [String] = []
        var line = ""
        var used = 0
        var hasWord = false
        for word in words {
            let wordWidth = word.text.displayWidth
            if hasWord, used + word.space + wordWidth > width, wordWidth > 0 {
                lines.append(line)
                line = indent + word.text
                used = indent.displayWidth + wordWidth
            } else {
                line += String(repeating: " ", count: word.space) + word.text
                used += word.space + wordWidth
            }
            if word.text.contains(where: { !Self.rails.contains($0) }) { hasWord = true }
        }
        return lines + [line]
    }

    /// What lines of a drawing begin with.
    private static let rails: Set<Character> = ["│", "├", "└", "─", "●", "○", "✕", " "]

    /// What the lines below begin with: the first line's indentation, with its rails that go on.
    private var rail: String {
        String(String.UnicodeScalarView(unicodeScalars.filter { Style.code(of: $0) == nil })).prefix
        {
            Self.rails.contains($0)
        }.reduce(into: "") { rail, character in
            rail += character == "│" || character == "├" ? "│" : " "
        }
    }

    /// The words, each with the number of spaces before it.
    private var words: [(space: Int, text: String)] {
        var words: [(space: Int, text: String)] = []
        var space = 0
        for part in utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false) {
            if part.isEmpty {
                space += 1
            } else {
                words.append((space, String(decoding: part, as: UTF8.self)))
                space = 1
            }
        }
        return words
    }
}
