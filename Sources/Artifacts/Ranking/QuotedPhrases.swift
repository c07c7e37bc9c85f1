public import Objects
internal import TextAnalysis

/// The phrases of a question that stand in double quotes, which passages must have word for word.
///
/// A phrase has at least two words: one alone in quotes is a name in a message more often than a demand.
public struct QuotedPhrases: Hashable, Sendable {
    /// The phrases as they are asked for.
    public let texts: [String]
    /// The words of each, in order.
    private let words: [[UInt64]]

    private static let marks: [Character: Character] = [
        "\"": "\"", "“": "”", "„": "“", "«": "»", "「": "」", "『": "』",
    ]
    // Which language the words are of is no matter where they must stand as they are.
    private static let analyzer = TextAnalyzer(language: .english)

    /// Finds the phrases of a question.
    public init(in question: String) {
        var texts: [String] = []
        var rest = Substring(question)
        while let start = rest.firstIndex(where: { Self.marks[$0] != nil }),
            let end = Self.marks[rest[start]]
        {
            let inner = rest[rest.index(after: start)...]
            guard let close = inner.firstIndex(of: end) else { break }
            texts.append(String(inner[..<close]))
            rest = inner[inner.index(after: close)...]
        }
        let all = texts.map { ($0, Self.words(of: $0)) }.filter { phrase, words in
            words.count > 1 && phrase.contains(where: \.isWhitespace)
                || words.count > 1 && !phrase.unicodeScalars.allSatisfy(\.isASCII)
        }
        self.texts = all.map(\.0)
        words = all.map(\.1)
    }

    /// Whether there is none.
    public var isEmpty: Bool { texts.isEmpty }

    private static func words(of text: String) -> [UInt64] {
        analyzer.tokens(of: text).filter(\.isInSequence).map(\.word)
    }

    /// The rows that have all phrases, in their text, a heading or their title.
    ///
    /// - Parameter set: The rows to look among; nil for all.
    /// - Throws: What reading rows throws.
    public func rows(
        in index: FeatureIndex, among set: RowSet?, source: some ObjectSource, threads: Int
    ) throws(ObjectError) -> RowSet {
        var query: [LexicalQuery.Word] = []
        for text in texts { query += LexicalQuery(text, languages: index.words.languages).words }
        var unique: [LexicalQuery.Word] = []
        for word in query where !unique.contains(word) { unique.append(word) }
        var candidates: [Int] = []
        for range in index.words.rows(withAll: unique).ranges {
            candidates += range.filter { set?.contains($0) ?? true }
        }
        var found = RowSet()
        // A part at a time: a phrase of common words may be in very many.
        for start in stride(from: 0, to: candidates.count, by: 4096) {
            let part = Array(candidates[start..<min(start + 4096, candidates.count)])
            let rows = try index.rows(at: part, in: source, threads: threads)
            for (number, row) in zip(part, rows) where isIn(row) { found.append(number) }
        }
        return found
    }

    private func isIn(_ row: FeatureRow) -> Bool {
        let fields = ([row.title] + row.headings + [row.text]).map { Self.words(of: $0) }
        return words.allSatisfy { phrase in fields.contains { Self.has($0, phrase) } }
    }

    private static func has(_ words: [UInt64], _ phrase: [UInt64]) -> Bool {
        guard words.count >= phrase.count else { return false }
        return (0...words.count - phrase.count).contains { start in
            words[start] == phrase[0] && words[start..<start + phrase.count].elementsEqual(phrase)
        }
    }
}
