internal import Objects
internal import Synchronization
internal import TextAnalysis

/// A row as a ranker sees it: the words of its fields that a question has too.
struct RowWords: Sendable {
    /// Words of the question in the innermost heading, or in the title where there is none.
    let heading: Set<Int>
    /// Words in the title and the outer headings.
    let title: Set<Int>
    /// Words of the question in the text, and where.
    let text: [(word: Int, position: Int)]
    /// The number of words of the text that are no stop words.
    let count: Int

    init(_ row: FeatureRow, for question: Question) {
        let language = row.metadata[FeatureRow.languageMember]?.string.flatMap {
            Language(code: $0)
        }
        let analyzer = AnalyzerPool.shared.analyzer(of: language ?? .english)
        func words(_ text: String) -> Set<Int> { question.words(in: analyzer.tokens(of: text)) }
        heading = words(row.headings.last ?? row.title)
        title = words(([row.title] + row.headings.dropLast()).joined(separator: "\n"))
        var found: [(word: Int, position: Int)] = []
        var count = 0
        analyzer.forEachToken(of: row.text) { token in
            guard !token.isStopWord else { return }
            if token.isInSequence { count += 1 }
            if let word = question.word(of: token) { found.append((word, token.position)) }
        }
        (text, self.count) = (found, count)
    }

    /// All words of the question that the row has.
    var all: Set<Int> { heading.union(title).union(text.map(\.word)) }

    /// The signals of a row that need its text; the others are 0.
    func signals(of row: FeatureRow, for question: Question) -> [Double] {
        var signals = [Double](repeating: 0, count: Signal.allCases.count)
        signals[Signal.heading.index] = question.share(of: heading)
        signals[Signal.title.index] = question.share(of: title)
        signals[Signal.coverage.index] = question.share(of: all)
        let words = Double(count)
        signals[Signal.length.index] = words / (words + question.meanWords)
        signals[Signal.opening.index] = 1 / Double(1 + row.ordinal)
        var close: Set<Int> = []
        var last: [Int: Int] = [:]
        for (word, position) in text {
            if let before = last[word - 1], 1...2 ~= position - before { close.insert(word) }
            last[word] = position
        }
        signals[Signal.pairs.index] = question.share(of: close)
        return signals
    }
}

/// Analyzers of the languages that were asked for: each costs a list of stop words.
final class AnalyzerPool: Sendable {
    static let shared = AnalyzerPool()

    private let analyzers = Mutex<[Language: TextAnalyzer]>([:])

    func analyzer(of language: Language) -> TextAnalyzer {
        analyzers.withLock { known in
            if let analyzer = known[language] { return analyzer }
            let analyzer = TextAnalyzer(language: language)
            known[language] = analyzer
            return analyzer
        }
    }
}
