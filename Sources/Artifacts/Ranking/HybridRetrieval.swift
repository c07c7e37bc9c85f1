public import Objects
internal import TextAnalysis

/// A row that may answer a question.
public struct Candidate: Hashable, Sendable {
    /// The index of the row.
    public let row: Int
    /// The cosine of its vector and the question's; finite.
    public let similarity: Float
    /// Its lexical score.
    public let words: Float
    /// Its rank by vector similarity, from 0; nil where it is not among the nearest.
    public let vectorRank: Int?
    /// Its rank by words, from 0; nil where it is not among the best.
    public let wordsRank: Int?

    /// Makes a candidate of a row.
    ///
    /// - Parameter similarity: The product of the vectors. That of vectors with huge numbers overflows; it becomes the
    ///   nearest finite number, because scores are computed from it and JSON has no infinity.
    init(row: Int, similarity: Float, words: Float, vectorRank: Int?, wordsRank: Int?) {
        let greatest = Float.greatestFiniteMagnitude
        self.row = row
        self.similarity = min(max(similarity, -greatest), greatest)
        self.words = words
        self.vectorRank = vectorRank
        self.wordsRank = wordsRank
    }
}

/// Finds the rows that answer a question: candidates by vectors and by words, ordered by the ranker's scores.
///
/// Training evaluates with this type and inference answers with it, so the measured figures apply to the answers.
public struct HybridRetrieval: Sendable {
    /// A candidate with its score.
    public struct RankedCandidate: Sendable {
        /// The candidate.
        public let candidate: Candidate
        /// The row.
        public let row: FeatureRow
        /// The ranker's score.
        public let score: Double
        /// Its signals, in the order of ``Signal``.
        public let signals: [Double]
        /// The reranker's score; nil where no reranker scored it.
        public internal(set) var rerank: Double?
    }

    /// The ranker.
    public let ranker: Ranker
    let index: FeatureIndex
    private let isLexical: Bool

    /// Makes a retrieval that ranks with `ranker`.
    ///
    /// - Parameter space: The embedding space of the vectors.
    public init(_ ranker: Ranker, in index: FeatureIndex, of space: EmbeddingSpace) {
        isLexical = space.isBuiltin
        self.ranker = ranker
        self.index = index
    }

    /// Finds the rows to score: the nearest by vector, then the best by words that are not among them.
    ///
    /// - Parameters:
    ///   - vector: The question's vector.
    ///   - nearest: The nearest rows if the caller knows them; nil to search for them. Not used in lexical mode.
    ///   - set: The rows to search; nil for all.
    ///   - added: Rows that become candidates even if neither search finds them.
    /// - Throws: Errors of reading vectors.
    public func candidates(
        _ question: Question, vector: [Float], nearest: [VectorMatch]? = nil,
        among set: RowSet? = nil, adding added: [Int] = [], threads: Int
    ) throws(ObjectError) -> [Candidate] {
        let settings = ranker.retrieval
        var matches: [VectorMatch] = []
        if settings.mode != .lexical {
            matches =
                if let nearest { nearest } else {
                    try index.vectors.nearest(
                        settings.candidates, to: vector, among: set, threads: threads)
                }
        }
        let nearestCount = matches.count
        if !added.isEmpty {
            var known = Set(matches.map(\.row))
            for row in added where known.insert(row).inserted {
                matches.append(try index.vectors.match(row, to: vector))
            }
        }
        let found = index.words.search(
            question.query, weights: question.levels,
            count: settings.mode == .vector ? 0 : settings.candidates, among: set,
            scoring: matches.map(\.row), threads: threads)
        var wordsRanks = Dictionary(
            found.best.enumerated().map { ($1.row, $0) }, uniquingKeysWith: { first, _ in first })
        var candidates: [Candidate] = []
        candidates.reserveCapacity(matches.count + found.best.count)
        for (place, match) in matches.enumerated() {
            candidates.append(
                Candidate(
                    row: match.row, similarity: match.similarity, words: found.scores[place],
                    vectorRank: place < nearestCount ? place : nil,
                    wordsRank: wordsRanks.removeValue(forKey: match.row)))
        }
        // The ranks that are left are those of rows that the vectors did not find.
        for (place, match) in found.best.enumerated() where wordsRanks[match.row] != nil {
            candidates.append(
                Candidate(
                    row: match.row,
                    similarity: try index.vectors.match(match.row, to: vector).similarity,
                    words: match.similarity, vectorRank: nil, wordsRank: place))
        }
        return candidates
    }

    /// The signals, rows and evidence of a question's candidates.
    public struct JudgedCandidates: Sendable {
        /// Their signals, in the order of the candidates.
        public let signals: CandidateSignals
        /// Their rows.
        let rows: [AnalysedRow]
        /// The evidence on whether they answer the question, in the order of ``AnsweringRule/Evidence``.
        public let evidence: [Double]
        /// The sections of their rows.
        public var places: [RowPlace] { rows.map(\.place) }
    }

    /// Reads the rows of candidates and computes their signals.
    ///
    /// - Parameter missing: Words of the question to count as not found.
    /// - Throws: `malformed` when a row is not a features row; rethrows read errors.
    public func judge(
        _ question: Question, _ candidates: [Candidate], without missing: WordSet = WordSet(),
        in source: some ObjectSource, threads: Int
    ) throws(ObjectError) -> JudgedCandidates {
        let rows = try index.analysed(at: candidates.map(\.row), in: source, threads: threads)
        let words = RowWords.of(rows, for: question)
        return JudgedCandidates(
            signals: CandidateSignals(question, candidates, rows: rows, words: words), rows: rows,
            evidence: evidence(question, candidates, words, without: missing))
    }

    /// The number of words up to which a question counts as short.
    private static let shortQuestion = 4.0
    /// The number of rows, the best by words, whose words count as evidence.
    private static let evidentRows = 3

    private func evidence(
        _ question: Question, _ candidates: [Candidate], _ words: [RowWords],
        without missing: WordSet
    ) -> [Double] {
        var best: [Int] = []
        for index in candidates.indices {
            let place = best.firstIndex { Self.hasMoreWords(candidates[index], candidates[$0]) }
            best.insert(index, at: place ?? best.count)
            if best.count > Self.evidentRows { best.removeLast() }
        }
        let covered = best.reduce(into: WordSet()) { $0.formUnion(words[$1].all) }
        let strengths =
            isLexical
            ? candidates.map { question.bound > 0 ? Double($0.words) / question.bound : 0 }
            : candidates.map { Double($0.similarity) }
        let whole = question.wholeWords
        let asked = question.share(of: whole)
        return [
            asked > 0
                ? question.share(of: covered.intersection(whole).subtracting(missing)) / asked : 0,
            strengths.max() ?? 0,
            PortableMath.log(
                (1 + max(Self.shortQuestion, question.length)) / (1 + Self.shortQuestion)),
        ]
    }

    private static func hasMoreWords(_ candidate: Candidate, _ other: Candidate) -> Bool {
        (candidate.words, -candidate.row) > (other.words, -other.row)
    }

    /// The best candidates, best first.
    ///
    /// The best chunk of each section comes first, then all other chunks. If the settings limit the chunks per
    /// document, a document's sections beyond that number come with the others. Equal scores keep the order of
    /// `candidates`.
    ///
    /// - Parameter count: The most candidates to return.
    public func rank(
        _ candidates: [Candidate], _ judged: JudgedCandidates, count: Int = .max
    ) -> [RankedCandidate] {
        let scores = judged.signals.scores(ranker.factors)
        let order = Self.order(
            scores, places: judged.rows.lazy.map(\.place),
            perDocument: ranker.retrieval.perDocument, count: count)
        return order.map { index in
            RankedCandidate(
                candidate: candidates[index], row: judged.rows[index].row, score: scores[index],
                signals: Array(judged.signals[index]))
        }
    }

    /// Indices in ranked order: the best chunk of each section by descending score, then the rest.
    ///
    /// - Parameters:
    ///   - perDocument: The most chunks of one document in the first group; 0 for no limit.
    ///   - count: The most indices to return.
    public static func order(
        _ scores: [Double], places: some RandomAccessCollection<RowPlace>, perDocument: Int,
        count: Int = .max
    ) -> [Int] {
        let sorted = scores.indices.sorted { left, right in
            scores[left] != scores[right] ? scores[left] > scores[right] : left < right
        }
        var sections: Set<RowPlace> = []
        var documents: [ObjectID: Int] = [:]
        var (first, rest): ([Int], [Int]) = ([], [])
        for index in sorted {
            guard first.count < count else { return first }
            let place = places[places.index(places.startIndex, offsetBy: index)]
            let isCrowded = perDocument > 0 && documents[place.document, default: 0] >= perDocument
            if !isCrowded, sections.insert(place).inserted {
                if perDocument > 0 { documents[place.document, default: 0] += 1 }
                first.append(index)
            } else {
                rest.append(index)
            }
        }
        return Array((first + rest).prefix(count))
    }
}

/// The section that a row belongs to.
public struct RowPlace: Hashable, Sendable {
    // Digests, because every question compares the places of its candidates.
    let document: ObjectID
    private let section: ObjectID

    /// The section of a row.
    public init(_ row: FeatureRow) {
        document = ObjectID(of: row.document.utf8Span.span)
        section = ObjectID(of: row.section.utf8Span.span)
    }
}
