internal import Objects
internal import TextAnalysis

/// A row with the terms of its fields: what a question needs to know about a candidate, whatever its words.
///
/// To split a row's text into words takes longer than to compare it with a question, so rows are analysed once and kept
/// in a ``SharedCache``.
final class AnalysedRow: Sendable {
    // What every question reads comes first, so that a processor's cache line has it: there are hundreds of candidates.

    /// The terms of the innermost heading (or of the title if there is no heading), of the title and the outer headings,
    /// and of the text, in order of position; then the ordinals in the text of the words that the text's terms come
    /// from.
    private let numbers: [UInt32]
    private let headingEnd: UInt32
    private let titleEnd: UInt32
    private let textEnd: UInt32
    /// The number of words in the text without stop words.
    let count: UInt32
    /// The row's place among the chunks of its section.
    let ordinal: UInt32
    /// Its section.
    let place: RowPlace
    /// The row.
    let row: FeatureRow

    /// Where a term is.
    enum Field {
        case heading
        case title
        /// The text, with the ordinal there of the word that the term comes from.
        case text(Int)
    }

    /// Analyses a row in its own language.
    init(_ row: FeatureRow) {
        self.row = row
        place = RowPlace(row)
        ordinal = UInt32(clamping: row.ordinal)
        let language = row.metadata[FeatureRow.languageMember]?.string.flatMap {
            Language(code: $0)
        }
        let analyzer = AnalyzerPool.shared.analyzer(of: language ?? .english)
        var terms: [UInt32] = []
        func add(_ text: String) -> UInt32 {
            analyzer.forEachToken(of: text) { token in
                if let term = LexicalTerm.of(token) { terms.append(term) }
            }
            return UInt32(terms.count)
        }
        headingEnd = add(row.headings.last ?? row.title)
        titleEnd = add(([row.title] + row.headings.dropLast()).joined(separator: "\n"))
        var positions: [UInt32] = []
        var count: UInt32 = 0
        analyzer.forEachToken(of: row.text) { token in
            guard let term = LexicalTerm.of(token) else { return }
            if token.isInSequence { count += 1 }
            terms.append(term)
            positions.append(UInt32(clamping: token.position))
        }
        textEnd = UInt32(terms.count)
        // A copy has no spare capacity.
        numbers = (terms + positions).map(\.self)
        self.count = count
    }

    /// Calls `body` with each word of a question that the row contains, and where, in order.
    ///
    /// - Parameter scratch: Room to work in, which may serve many calls.
    @inline(__always)
    func forEachWord(
        of question: QuestionTerms, scratch: inout [UInt32], _ body: (_ word: Int, Field) -> Void
    ) {
        question.forEachWord(in: numbers, count: Int(textEnd), scratch: &scratch) { place, word in
            if place < headingEnd {
                body(word, .heading)
            } else if place < titleEnd {
                body(word, .title)
            } else {
                body(word, .text(Int(numbers[place + Int(textEnd - titleEnd)])))
            }
        }
    }

    /// About how much memory the row takes, where its attributes are stored in `stored` bytes.
    func byteCount(stored: Int) -> Int {
        // Strings, arrays and their headers take up to twice the stored bytes.
        600 + 2 * stored + 4 * numbers.count
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

    /// The words of a question in each of some rows.
    static func of(_ rows: [AnalysedRow], for question: Question) -> [RowWords] {
        let terms = question.terms
        var scratch: [UInt32] = []
        return rows.map { RowWords($0, terms, &scratch) }
    }

    private init(_ row: AnalysedRow, _ terms: QuestionTerms, _ scratch: inout [UInt32]) {
        var (heading, title, all, pairs) = (WordSet(), WordSet(), WordSet(), WordSet())
        var last = LastPositions()
        row.forEachWord(of: terms, scratch: &scratch) { word, field in
            all.insert(word)
            switch field {
            case .heading: heading.insert(word)
            case .title: title.insert(word)
            case .text(let position):
                if word > 0, let before = last[word - 1], 1...2 ~= position - before {
                    pairs.insert(word)
                }
                last[word] = position
            }
        }
        (self.heading, self.title, self.all, self.pairs) = (heading, title, all, pairs)
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
                case .opening: 1 / (1 + Double(row.ordinal))
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
