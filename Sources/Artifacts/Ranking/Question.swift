public import Objects
internal import TextAnalysis

/// A question prepared for retrieval: its words and their weights in the indexed rows.
public struct Question: Sendable {
    /// The words to search for.
    let query: LexicalQuery
    /// The weight of each word for a row, a section and a document.
    let levels: [LexicalLevels<Float>]
    /// The weight of each word for a row: its inverse document frequency.
    public let weights: [Double]
    /// The sum of ``weights``.
    public let totalWeight: Double
    /// The mean number of words in a row.
    let meanWords: Double
    /// Finds each word by its terms.
    let terms: QuestionTerms
    private let languages: [Language]

    /// Analyses a question.
    public init(_ text: String, of index: LexicalIndex) {
        let query = LexicalQuery(text, languages: index.languages)
        self.init(
            query, levels: index.weights(of: query), meanWords: index.meanWords,
            languages: index.languages)
    }

    private init(
        _ query: LexicalQuery, levels: [LexicalLevels<Float>], meanWords: Double,
        languages: [Language]
    ) {
        self.languages = languages.isEmpty ? [.english] : languages
        self.query = query
        self.levels = levels
        self.meanWords = meanWords
        weights = levels.map { Double($0.row) }
        totalWeight = weights.reduce(0, +)
        terms = QuestionTerms(query.words)
    }

    /// The indices of the words that count, so that no letter counts twice: not an identifier, for instance, but the
    /// words in it.
    public var wholeWords: WordSet {
        var whole = WordSet()
        for index in query.words.indices where query.words[index].size > 0 { whole.insert(index) }
        return whole
    }

    /// The number of its words, where a pair of characters or a part of a Hangul word counts half.
    var length: Double { query.words.reduce(0) { $0 + $1.size } }

    /// The words of the question that a text contains, in any form.
    public func words(foundIn text: String) -> WordSet {
        var found = WordSet()
        for language in languages {
            AnalyzerPool.shared.analyzer(of: language).forEachToken(of: text) { token in
                guard let term = LexicalTerm.of(token), let word = terms.word(of: term) else {
                    return
                }
                found.insert(word)
            }
        }
        return found
    }

    /// The weight of some of the question's words as a share of the weight of all, from 0 to 1.
    public func share(of words: WordSet) -> Double {
        guard totalWeight > 0 else { return 0 }
        // Adds in the order of the question, so that the sum is reproducible.
        var sum = 0.0
        for index in weights.indices where words.contains(index) { sum += weights[index] }
        return sum / totalWeight
    }

    /// The lexical score that a row cannot exceed if no word weighs more in sections and documents than in rows.
    var bound: Double {
        let levels = Double(1 + LexicalScore.section + LexicalScore.document)
        return totalWeight * Double(LexicalScore.k1 + 1) * levels
    }
}

/// The double-quoted phrases of a question, which chunks must contain word for word.
///
/// A phrase has at least two words: a single quoted word is more often a name in an error message than a requirement.
/// ASCII text without white space, such as `max-size`, also counts as a single word. After the first ``limit`` phrases,
/// text in quotes is text like any other: each phrase takes a search of its own.
public struct QuotedPhrases: Hashable, Sendable {
    /// The most phrases of a question.
    static let limit = 16

    /// The phrases as the question spells them.
    public let texts: [String]
    /// The words of each phrase, in order.
    private let words: [[UInt64]]

    private static let marks: [Character: Character] = [
        "\"": "\"", "“": "”", "„": "“", "«": "»", "「": "」", "『": "』",
    ]
    // Words must match as spelled, so the language of the stems does not matter.
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
        self.texts = all.prefix(Self.limit).map(\.0)
        words = all.prefix(Self.limit).map(\.1)
    }

    /// Whether the question has no phrase.
    public var isEmpty: Bool { texts.isEmpty }

    private static func words(of text: String) -> [UInt64] {
        analyzer.tokens(of: text).filter(\.isInSequence).map(\.word)
    }

    /// Whether a text contains any of the phrases.
    public func isAny(in text: String) -> Bool {
        let text = Self.words(of: text)
        return words.contains { Self.has(text, $0) }
    }

    /// The result of searching rows for the phrases.
    public struct Occurrence: Sendable {
        /// The rows that contain every phrase that is not missing; nil when there is none.
        public let rows: RowSet?
        /// The phrases that no row contains together with the phrases found before them.
        public let missing: [String]
    }

    /// Searches rows for the phrases; a phrase must be whole in the title, in a heading or in the text.
    ///
    /// - Parameter set: The rows to search; nil for all.
    /// - Throws: Read errors.
    public func occurrence(
        in index: FeatureIndex, among set: RowSet?, source: some ObjectSource, threads: Int
    ) throws(ObjectError) -> Occurrence {
        var rows: RowSet?
        var missing: [String] = []
        for (text, words) in zip(texts, words) {
            let found = try Self.rows(
                with: text, words, in: index, among: rows ?? set, source: source, threads: threads)
            if found.count > 0 { rows = found } else { missing.append(text) }
        }
        return Occurrence(rows: rows, missing: missing)
    }

    private static func rows(
        with text: String, _ words: [UInt64], in index: FeatureIndex, among set: RowSet?,
        source: some ObjectSource, threads: Int
    ) throws(ObjectError) -> RowSet {
        let query = LexicalQuery(text, languages: index.words.languages).words
        var candidates: [Int] = []
        for range in index.words.rows(withAll: query).ranges {
            candidates += range.filter { set?.contains($0) ?? true }
        }
        var found = RowSet()
        // Reads in batches, because a phrase of common words can have very many candidates.
        for start in stride(from: 0, to: candidates.count, by: 4096) {
            let part = Array(candidates[start..<min(start + 4096, candidates.count)])
            let rows = try index.rows(at: part, in: source, threads: threads)
            for (number, row) in zip(part, rows) {
                let fields = ([row.title] + row.headings + [row.text]).map { Self.words(of: $0) }
                if fields.contains(where: { has($0, words) }) { found.append(number) }
            }
        }
        return found
    }

    private static func has(_ words: [UInt64], _ phrase: [UInt64]) -> Bool {
        guard words.count >= phrase.count else { return false }
        return (0...words.count - phrase.count).contains { start in
            words[start] == phrase[0] && words[start..<start + phrase.count].elementsEqual(phrase)
        }
    }
}
