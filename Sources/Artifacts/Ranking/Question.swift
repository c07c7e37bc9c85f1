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
