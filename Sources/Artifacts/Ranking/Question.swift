public import Objects
internal import TextAnalysis

/// A question as retrieval sees it: its words and what each says among the rows that it is asked of.
public struct Question: Sendable {
    /// What it is searched for by words.
    let query: LexicalQuery
    /// What each word says of a row, a section and a document.
    let levels: [LexicalLevels<Float>]
    /// What each word says, by inverse document frequency.
    public let weights: [Double]
    /// The sum of ``weights``.
    public let totalWeight: Double
    /// The mean number of words of a row.
    let meanWords: Double
    /// Words by their terms.
    private let indices: [UInt32: Int]
    private let languages: [Language]

    /// Reads a question.
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
        var indices: [UInt32: Int] = [:]
        for (index, word) in query.words.enumerated() {
            for term in word.terms { indices[term] = index }
        }
        self.indices = indices
    }

    /// The words that stand in it by themselves, which are no parts of others.
    public var wholeWords: Set<Int> { Set(query.words.indices.filter { query.words[$0].size > 0 }) }

    /// How many words it has that count.
    var length: Double { query.words.reduce(0) { $0 + $1.size } }

    /// The word of the question that a token is a form of; nil when it is none.
    func word(of token: Token) -> Int? {
        LexicalTerm.of(token).flatMap { indices[$0] }
    }

    /// Which words of the question some tokens are forms of.
    func words(in tokens: some Sequence<Token>) -> Set<Int> {
        Set(tokens.compactMap { word(of: $0) })
    }

    /// Which words of the question a text has, in any form.
    public func words(foundIn text: String) -> Set<Int> {
        languages.reduce(into: []) { found, language in
            found.formUnion(words(in: AnalyzerPool.shared.analyzer(of: language).tokens(of: text)))
        }
    }

    /// How much of the question some of its words are: from 0 to 1.
    public func share(of words: Set<Int>) -> Double {
        guard totalWeight > 0 else { return 0 }
        // In the order of the question, so that the sum has one order.
        var sum = 0.0
        for index in weights.indices where words.contains(index) { sum += weights[index] }
        return sum / totalWeight
    }

    /// The greatest lexical score that a row could have.
    var bound: Double {
        let levels = Double(1 + LexicalScore.section + LexicalScore.document)
        return totalWeight * Double(LexicalScore.k1 + 1) * levels
    }
}

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

    /// Whether a text has any of the phrases.
    public func isAny(in text: String) -> Bool {
        let text = Self.words(of: text)
        return words.contains { Self.has(text, $0) }
    }

    /// Where the phrases stand.
    public struct Occurrence: Sendable {
        /// The rows that have all phrases but the missing ones; nil when all are missing.
        public let rows: RowSet?
        /// The phrases that no row has, or none that has those before them.
        public let missing: [String]
    }

    /// Looks for the phrases in the text, the headings and the title of rows.
    ///
    /// - Parameter set: The rows to look among; nil for all.
    /// - Throws: What reading rows throws.
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
        // A part at a time: a phrase of common words may be in very many.
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
