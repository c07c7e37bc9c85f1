/// Cuts text into sentences, for quoting.
enum Sentences {
    /// The sentences of a text, each with single spaces, in order.
    ///
    /// A sentence ends at `.`, `!` or `?` before white space, unless a lower-case word follows that is no
    /// name from a program; at an empty line; and before a line that begins a list item or a table row.
    static func split(_ text: String) -> [String] {
        var sentences: [String] = []
        var current = ""
        func finish() {
            if current.contains(where: { $0.isLetter || $0.isNumber }) { sentences.append(current) }
            current = ""
        }
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first else {
                finish()
                continue
            }
            if isItem(first) { finish() }
            for word in words {
                if let last = current.last, Self.marks.contains(last),
                    !(word.first?.isLowercase ?? false) || isIdentifier(word)
                {
                    finish()
                }
                current += current.isEmpty ? "\(word)" : " \(word)"
            }
        }
        finish()
        return sentences
    }

    private static let marks: Set<Character> = [".", "!", "?"]

    /// Whether a word is a name from a program, which may begin a sentence in lower case.
    private static func isIdentifier(_ word: Substring) -> Bool {
        word.dropLast().contains { $0 == "." || $0 == "_" }
    }

    private static func isItem(_ word: Substring) -> Bool {
        if ["-", "*", "+", "•"].contains(word) || word.first == "|" { return true }
        return word.count <= 4 && word.last == "." && word.dropLast().allSatisfy(\.isNumber)
    }
}
