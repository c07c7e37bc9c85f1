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
    public var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
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
        _ question: Question, _ candidates: [Candidate], rows: [AnalysedRow], words: [RowWords]
    ) {
        precondition(candidates.count == rows.count, "every candidate has a row")
        var numbers: [ObjectID: Int] = [:]
        var best: [GreatestThree] = []
        let documents = zip(candidates, rows).map { candidate, row in
            let number = numbers[row.place.document] ?? best.count
            if number == best.count {
                numbers[row.place.document] = number
                best.append(GreatestThree())
            }
            best[number].add(candidate.similarity)
            return number
        }
        let bound = question.bound
        var values: [Double] = []
        values.reserveCapacity(candidates.count * Self.columns)
        for (index, candidate) in candidates.enumerated() {
            let row = rows[index]
            words[index].appendSignals(
                of: row, for: question,
                score: bound > 0 ? Double(candidate.words) / bound : 0,
                similarity: Double(candidate.similarity),
                document: best[documents[index]].mean, to: &values)
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

/// The greatest three of some numbers.
private struct GreatestThree {
    private var values = SIMD3<Float>(repeating: -.infinity)
    private var count = 0

    mutating func add(_ value: Float) {
        count = min(3, count + 1)
        if value > values[0] {
            values = [value, values[0], values[1]]
        } else if value > values[1] {
            values = [values[0], value, values[1]]
        } else if value > values[2] {
            values[2] = value
        }
    }

    /// Their mean, added from the greatest on.
    var mean: Double {
        (0..<count).reduce(0.0) { $0 + Double(values[$1]) } / Double(max(1, count))
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
