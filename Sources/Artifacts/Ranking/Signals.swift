internal import Objects
internal import Synchronization
internal import TextAnalysis

/// The signals of a ranker: each is a cosine or a number from 0 to about 1 that relates a question to a candidate.
///
/// A share is the sum of the inverse document frequencies of the question's words that are found, divided by the sum
/// for all its words; stop words do not count.
public enum Signal: String, CaseIterable, Sendable {
    /// The lexical score relative to ``Question/bound``, which it seldom exceeds.
    case words
    /// The cosine of the question's vector and the row's.
    case vector
    /// The mean of the three best cosines among the candidates from the same document.
    case document
    /// The share found in the title, the headings or the text.
    case coverage
    /// The share found in the innermost heading, or in the title where there is no heading.
    case heading
    /// The share found in the title and the outer headings.
    case title
    /// The share of words that the text has one or two positions after the word that precedes them in the question.
    case pairs
    /// The row's number of words relative to the mean: 1/2 for an average row.
    case length
    /// 1 for the first chunk of a section, 1/2 for the second, and so on.
    case opening

    /// The signal's index in a vector of signals.
    public var index: Int { Self.indices[self] ?? 0 }

    private static let indices = Dictionary(
        uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}

/// The signals of one question's candidates: a row-major matrix with one row per candidate and one column per
/// ``Signal``.
public struct CandidateSignals: Sendable {
    /// The number of columns.
    public static let columns = Signal.allCases.count
    /// The number of candidates.
    public let count: Int
    /// The matrix.
    public let values: [Double]

    /// Makes a matrix from its numbers.
    ///
    /// - Parameter values: The numbers; their count is a multiple of ``columns``.
    public init(values: [Double]) {
        precondition(values.count.isMultiple(of: Self.columns), "every candidate has all signals")
        count = values.count / Self.columns
        self.values = values
    }

    /// Computes the signals of candidates, in the same order.
    init(
        _ question: Question, _ candidates: [Candidate], rows: [FeatureRow], words: [RowWords]
    ) {
        precondition(candidates.count == rows.count, "every candidate has a row")
        var best: [String: [Float]] = [:]
        for (candidate, row) in zip(candidates, rows) {
            best[row.document, default: []].append(candidate.similarity)
        }
        best = best.mapValues { Array($0.sorted(by: >).prefix(3)) }
        let bound = question.bound
        var values: [Double] = []
        values.reserveCapacity(candidates.count * Self.columns)
        for (index, candidate) in candidates.enumerated() {
            let row = rows[index]
            var signals = words[index].signals(of: row, for: question)
            signals[Signal.words.index] = bound > 0 ? Double(candidate.words) / bound : 0
            signals[Signal.vector.index] = Double(candidate.similarity)
            let three = best[row.document] ?? []
            signals[Signal.document.index] =
                three.reduce(0.0) { $0 + Double($1) } / Double(max(1, three.count))
            values.append(contentsOf: signals)
        }
        self.init(values: values)
    }

    /// The signals of a candidate.
    public subscript(candidate: Int) -> ArraySlice<Double> {
        values[candidate * Self.columns..<(candidate + 1) * Self.columns]
    }

    /// The matrix with each column multiplied by its number in `scale`.
    public func scaled(by scale: [Double]) -> CandidateSignals {
        precondition(scale.count == Self.columns, "every signal has a scale")
        var scaled = values
        for index in scaled.indices { scaled[index] *= scale[index % Self.columns] }
        return CandidateSignals(values: scaled)
    }

    /// The scores of the candidates: the inner products of their signals with `weights`, added in the order of the
    /// signals.
    public func scores(_ weights: [Double]) -> [Double] {
        precondition(weights.count == Self.columns, "every signal has a weight")
        return (0..<count).map { candidate in
            var score = 0.0
            for column in 0..<Self.columns {
                score += weights[column] * values[candidate * Self.columns + column]
            }
            return score
        }
    }
}

/// The words of a question that occur in the fields of a row.
struct RowWords: Sendable {
    /// Words in the innermost heading, or in the title where there is no heading.
    let heading: Set<Int>
    /// Words in the title and the outer headings.
    let title: Set<Int>
    /// Words in the text, with their positions.
    let text: [(word: Int, position: Int)]
    /// The number of words in the text without stop words.
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

    /// All words of the question that the row contains.
    var all: Set<Int> { heading.union(title).union(text.map(\.word)) }

    /// The signals that depend on the row's words and ordinal; the others are 0.
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

/// Shares analyzers by language: each holds a list of stop words.
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
