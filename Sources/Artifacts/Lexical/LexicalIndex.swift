internal import Objects
internal import TextAnalysis

/// Finds the rows of a features table by their words.
///
/// A row's score is that of BM25 (Robertson and Zaragoza, 2009) over its title, headings and text, whose counts are added with
/// weights before they saturate, and parts of the scores of its section and of its document, each as one text. It is the
/// same for any number of threads.
public struct LexicalIndex: Sendable {
    /// The number of rows.
    public let count: Int
    /// The languages of the rows, by their codes.
    let languages: [Language]
    private let parts: [LexicalPart]
    /// The numbers of rows, sections and documents.
    private let totals: LexicalLevels<Int>
    /// The mean number of words of a row's text.
    let meanWords: Double
    /// What saturates each part's rows, sections and documents: k1 (1 - b + b length / mean length).
    private let norms: [LexicalLevels<[Float]>]

    /// As many rows as are scored at once in memory that is near; a document that begins in one part and ends in the next is
    /// two to the scores.
    static let partRows = 1 << 15

    /// Puts the segments of a table's leaves together, which are in key order.
    ///
    /// - Parameter segment: Gives the segment of a leaf, from any thread.
    /// - Throws: What `segment` throws; `malformed` when it has another number of rows than its leaf.
    init(
        _ leaves: [LeafReference], threads: Int,
        segment: @Sendable (LeafReference) throws(ObjectError) -> LexicalSegment
    ) throws(ObjectError) {
        var groups: [(leaves: Range<Int>, firstRow: Int)] = []
        var (start, firstRow, rows) = (0, 0, 0)
        for index in leaves.indices {
            rows += leaves[index].rows
            guard rows >= Self.partRows || index + 1 == leaves.count else { continue }
            groups.append((start..<index + 1, firstRow))
            (start, firstRow, rows) = (index + 1, firstRow + rows, 0)
        }
        let opened = try Threads.map(groups, threads: threads) {
            (group) throws(ObjectError) -> (part: LexicalPart, languages: Set<UInt32>) in
            var segments: [LexicalSegment] = []
            segments.reserveCapacity(group.leaves.count)
            var languages: Set<UInt32> = []
            for leaf in leaves[group.leaves] {
                let found = try segment(leaf)
                guard found.rows.count == leaf.rows else {
                    throw .malformed(
                        leaf.id, as: "lexical index",
                        reason:
                            "this leaf's segment has \(found.rows.count) rows, not \(leaf.rows)",
                        offset: nil)
                }
                for row in found.rows { languages.insert(row.language) }
                segments.append(found)
            }
            return (LexicalPart(segments, firstRow: group.firstRow), languages)
        }
        let parts = opened.map(\.part)
        self.parts = parts
        languages = Set(opened.flatMap(\.languages)).compactMap { Language(packed: $0) }
            .sorted { $0.code < $1.code }
        count = parts.reduce(0) { $0 + $1.count }
        var totals = LexicalLevels(row: 0, section: 0, document: 0)
        var sums = LexicalLevels(row: 0.0, section: 0.0, document: 0.0)
        for part in parts {
            totals = totals.with(part.lengths).map { $0 + $1.count }
            sums = sums.with(part.lengths).map { $0 + $1.reduce(0.0) { $0 + Double($1) } }
        }
        self.totals = totals
        meanWords = max(1, parts.reduce(0.0) { $0 + Double($1.textWords) } / Double(max(1, count)))
        let means = sums.with(totals).map { Float(max(1, $0 / Double(max(1, $1)))) }
        norms = parts.map { part in
            part.lengths.with(means).map { lengths, mean in
                lengths.map {
                    LexicalScore.k1 * (1 - LexicalScore.b + LexicalScore.b * $0 / mean)
                }
            }
        }
    }

    /// What the words of a query say, rare words more than others.
    func weights(of query: LexicalQuery) -> [LexicalLevels<Float>] {
        query.words.map { word in
            var found = LexicalLevels(row: 0, section: 0, document: 0)
            for term in word.terms {
                for part in parts { found = found.with(part.frequencies(of: term)).map { $0 + $1 } }
            }
            return found.with(totals).map { LexicalScore.weight($0, of: $1) }
        }
    }

    /// The rows that have all of some words.
    func rows(withAll words: [LexicalQuery.Word]) -> RowSet {
        var set = RowSet()
        for part in parts {
            var counts = [Int](repeating: 0, count: part.count)
            for (index, word) in words.enumerated() {
                for term in word.terms {
                    part.forEachRow(of: term) { row, _ in
                        // A word in two forms counts once.
                        if counts[row] == index { counts[row] += 1 }
                    }
                }
            }
            for (row, found) in counts.enumerated() where found == words.count {
                set.append(part.firstRow + row)
            }
        }
        return set
    }
}

extension LexicalIndex {
    /// What was found for a question.
    struct Found: Sendable {
        /// The best rows and their scores, best first; equal ones by row.
        let best: [VectorMatch]
        /// The scores of the rows that were asked for.
        let scores: [Float]
    }

    /// The best rows by their words, and the scores of some others.
    ///
    /// - Parameters:
    ///   - weights: What each word of the query says.
    ///   - set: The rows to look among; nil for all.
    ///   - rows: Rows whose scores are wanted whatever they are, in any order.
    func search(
        _ query: LexicalQuery, weights: [LexicalLevels<Float>], count: Int,
        among set: RowSet? = nil, scoring rows: [Int] = [], threads: Int
    ) -> Found {
        let found = Threads.map(parts.count, threads: threads) { index in
            search(index, query, weights: weights, count: count, among: set, scoring: rows)
        }
        var best = BestMatches(count: max(1, count))
        var scores = [Float](repeating: 0, count: rows.count)
        for (matches, known) in found {
            for match in matches { best.add(match) }
            for (place, score) in known { scores[place] = score }
        }
        return Found(best: count > 0 ? best.finish() : [], scores: scores)
    }

    private func search(
        _ index: Int, _ query: LexicalQuery, weights: [LexicalLevels<Float>], count: Int,
        among set: RowSet?, scoring rows: [Int]
    ) -> (best: [VectorMatch], known: [(place: Int, score: Float)]) {
        let part = parts[index]
        var scores = norms[index].map { [Float](repeating: 0, count: $0.count) }
        for (word, weights) in zip(query.words, weights) {
            for term in word.terms {
                part.add(
                    term, weights: weights.map { $0 * (LexicalScore.k1 + 1) },
                    norms: norms[index], to: &scores)
            }
        }
        let range = part.firstRow..<part.firstRow + part.count
        var best = BestMatches(count: max(1, count))
        if count > 0 {
            for sought in set?.ranges(within: range) ?? [range] {
                for row in sought where scores.row[row - part.firstRow] > 0 {
                    let score = part.score(of: row - part.firstRow, scores)
                    if score >= best.floor { best.add(VectorMatch(row: row, similarity: score)) }
                }
            }
        }
        var known: [(place: Int, score: Float)] = []
        for (place, row) in rows.enumerated() where range.contains(row) {
            known.append((place, part.score(of: row - part.firstRow, scores)))
        }
        return (best.finish(), known)
    }
}
