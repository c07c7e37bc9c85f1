internal import Objects
internal import TextAnalysis

/// A row with the terms of its fields: what a question needs to know about a candidate, whatever its words.
///
/// To split a row's text into words takes longer than to compare it with a question, so rows are analysed once and kept
/// in a ``RowCache``.
final class AnalysedRow: Sendable {
    /// A term of the text.
    struct Occurrence: Sendable {
        let term: UInt32
        /// The ordinal of its word in the text.
        let position: UInt32
    }

    /// The row.
    let row: FeatureRow
    /// Its section.
    let place: RowPlace
    /// The terms of the innermost heading, or of the title where there is no heading.
    let heading: [UInt32]
    /// The terms of the title and the outer headings.
    let title: [UInt32]
    /// The terms of the text, in order of position.
    let text: [Occurrence]
    /// The number of words in the text without stop words.
    let count: Int

    /// Analyses a row in its own language.
    init(_ row: FeatureRow) {
        self.row = row
        place = RowPlace(row)
        let language = row.metadata[FeatureRow.languageMember]?.string.flatMap {
            Language(code: $0)
        }
        let analyzer = AnalyzerPool.shared.analyzer(of: language ?? .english)
        func terms(_ text: String) -> [UInt32] {
            analyzer.tokens(of: text).compactMap { LexicalTerm.of($0) }
        }
        heading = terms(row.headings.last ?? row.title)
        title = terms(([row.title] + row.headings.dropLast()).joined(separator: "\n"))
        var text: [Occurrence] = []
        var count = 0
        analyzer.forEachToken(of: row.text) { token in
            guard let term = LexicalTerm.of(token) else { return }
            if token.isInSequence { count += 1 }
            text.append(Occurrence(term: term, position: UInt32(clamping: token.position)))
        }
        // A copy has no spare capacity.
        self.text = text.map(\.self)
        self.count = count
    }

    /// About how much memory the row takes, where its attributes are stored in `stored` bytes.
    func byteCount(stored: Int) -> Int {
        // Strings, arrays and their headers take up to twice the stored bytes.
        600 + 2 * stored + 4 * (heading.count + title.count) + 8 * text.count
    }
}

/// The words of a question that occur in the fields of a row, and the signals that follow from them.
struct RowWords: Sendable {
    /// All words of the question that the row contains.
    let all: WordSet
    private let heading: WordSet
    private let title: WordSet
    /// The words that the text has one or two positions after the word that precedes them in the question.
    private let pairs: WordSet

    init(_ row: AnalysedRow, for question: Question) {
        let words = question.terms
        heading = words.words(in: row.heading)
        title = words.words(in: row.title)
        var all = heading.union(title)
        var pairs = WordSet()
        if question.query.words.count > 0 {
            var last = LastPositions()
            for occurrence in row.text {
                guard let word = words.word(of: occurrence.term) else { continue }
                all.insert(word)
                let position = Int(occurrence.position)
                if word > 0, let before = last[word - 1], 1...2 ~= position - before {
                    pairs.insert(word)
                }
                last[word] = position
            }
        }
        (self.all, self.pairs) = (all, pairs)
    }

    /// Appends a row's signals, in the order of ``Signal``; those that do not depend on the row's words and its ordinal
    /// are given.
    func appendSignals(
        of row: AnalysedRow, for question: Question, score: Double, similarity: Double,
        document: Double, to values: inout [Double]
    ) {
        for signal in Signal.allCases {
            let value: Double =
                switch signal {
                case .words: score
                case .vector: similarity
                case .document: document
                case .coverage: question.share(of: all)
                case .heading: question.share(of: heading)
                case .title: question.share(of: title)
                case .pairs: question.share(of: pairs)
                case .length: Double(row.count) / (Double(row.count) + question.meanWords)
                case .opening: 1 / Double(1 + row.row.ordinal)
                }
            values.append(value)
        }
    }
}

/// The last position of each word that a text had so far; questions have few words, so a search is fast.
private struct LastPositions {
    private var first = SIMD16<Int32>(repeating: -1)
    private var rest: [Int: Int] = [:]

    subscript(_ word: Int) -> Int? {
        get {
            guard word < first.scalarCount else { return rest[word] }
            let position = Int(first[word])
            return position < 0 ? nil : position
        }
        set {
            if word < first.scalarCount {
                first[word] = Int32(clamping: newValue ?? -1)
            } else {
                rest[word] = newValue
            }
        }
    }
}
