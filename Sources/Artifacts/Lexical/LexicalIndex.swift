internal import Objects
internal import TextAnalysis

/// Finds the rows of a features table by words.
///
/// The score of a row is BM25 (Robertson and Zaragoza, 2009) over title, headings and text, whose weighted counts are
/// summed before saturation. The scores of the row's section and of its document, each scored as one text, are added
/// with fixed weights. The score does not depend on the number of threads.
public struct LexicalIndex: Sendable {
    /// The number of rows.
    public let count: Int
    /// The languages of the rows, sorted by code.
    let languages: [Language]
    private let parts: [LexicalPart]
    /// The numbers of rows, sections and documents.
    private let totals: LexicalLevels<Int>
    /// The mean number of words in a row's text.
    let meanWords: Double
    /// The saturation terms of each part's rows, sections and documents: k1 (1 - b + b length / mean length).
    private let norms: [LexicalLevels<[Float]>]

    /// The fewest rows of a part, except the last: a part is scored in cache. A document that spans two parts counts as
    /// two documents.
    static let partRows = 1 << 15

    /// Combines the segments of a table's leaves, in key order.
    ///
    /// - Parameter segment: Returns the segment of a leaf; called on any thread.
    /// - Throws: `malformed` when a segment and its leaf differ in their number of rows; rethrows errors of `segment`.
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

    /// The inverse document frequencies of a query's words among rows, sections and documents.
    func weights(of query: LexicalQuery) -> [LexicalLevels<Float>] {
        query.words.map { word in
            var found = LexicalLevels(row: 0, section: 0, document: 0)
            for term in word.terms {
                for part in parts { found = found.with(part.frequencies(of: term)).map { $0 + $1 } }
            }
            return found.with(totals).map { LexicalScore.weight($0, of: $1) }
        }
    }

    /// The rows that contain every given word.
    func rows(withAll words: [LexicalQuery.Word]) -> RowSet {
        var set = RowSet()
        for part in parts {
            var counts = [Int](repeating: 0, count: part.count)
            for (index, word) in words.enumerated() {
                for term in word.terms {
                    part.forEachRow(of: term) { row, _ in
                        // A word that occurs in several forms counts once.
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
    /// The result of a search.
    struct SearchResult: Sendable {
        /// The best rows and their scores, best first; ties are in row order.
        let best: [VectorMatch]
        /// The scores of the rows that the caller named, in the caller's order.
        let scores: [Float]
    }

    /// Finds the best rows that contain a word of the query, and scores some further rows.
    ///
    /// - Parameters:
    ///   - weights: The weights of the query's words.
    ///   - set: The rows to search; nil for all.
    ///   - rows: Rows to score even if they are not among the best, in any order.
    func search(
        _ query: LexicalQuery, weights: [LexicalLevels<Float>], count: Int,
        among set: RowSet? = nil, scoring rows: [Int] = [], threads: Int
    ) -> SearchResult {
        let found = Threads.map(parts.count, threads: threads) { index in
            search(index, query, weights: weights, count: count, among: set, scoring: rows)
        }
        var best = BestMatches(count: max(1, count))
        var scores = [Float](repeating: 0, count: rows.count)
        for (matches, known) in found {
            for match in matches { best.add(match) }
            for (place, score) in known { scores[place] = score }
        }
        return SearchResult(best: count > 0 ? best.finish() : [], scores: scores)
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

/// The words of a question, prepared for a lexical index.
struct LexicalQuery: Sendable {
    /// A word to search for.
    struct Word: Hashable, Sendable {
        /// Its terms, one for each language of the index that stems it differently.
        let terms: [UInt32]
        /// How much of a word this counts as.
        ///
        /// 1 for a word. 1/2 for a pair of characters in a script without spaces, and for a part of a Hangul word. 0
        /// where the letters already count elsewhere: for an identifier, for a part of any other word, and for a
        /// Hangul word that has parts.
        var size: Double
    }

    /// The distinct words without stop words, in the order of the question.
    let words: [Word]

    /// Finds the words of a question.
    ///
    /// Leaves out the stop words of the question's language. If that is unknown or not among `languages`, or if no word
    /// would be left, leaves out only the words that are stop words in all of `languages`.
    ///
    /// - Parameter languages: The languages of the indexed rows. The query holds each word's stem in all of them,
    ///   except where it is a stop word.
    init(_ question: String, languages: [Language]) {
        let languages = languages.isEmpty ? [.english] : languages
        let lists = languages.map { TextAnalyzer(language: $0).tokens(of: question) }
        let asked = languages.count > 1 ? Language.detected(in: question) : nil
        let words =
            languages.firstIndex { $0 == asked }
            .map { Self.words(lists, of: question, withoutStopWordsOf: $0) } ?? []
        self.words =
            words.isEmpty ? Self.words(lists, of: question, withoutStopWordsOf: nil) : words
    }

    private static func words(
        _ lists: [[Token]], of question: String, withoutStopWordsOf place: Int?
    ) -> [Word] {
        let text = Array(question.utf8)
        var words: [Word] = []
        var places: [[UInt32]: Int] = [:]
        // Tokens have the same kinds and places in every language.
        for (index, token) in lists[0].enumerated() {
            if let place, lists[place][index].isStopWord { continue }
            var terms: [UInt32] = []
            for term in lists.compactMap({ LexicalTerm.of($0[index]) }) where !terms.contains(term)
            {
                terms.append(term)
            }
            guard !terms.isEmpty else { continue }
            let next = index + 1 < lists[0].count ? lists[0][index + 1] : nil
            let hasParts = next.map { $0.kind == .part && $0.position == token.position } ?? false
            let size = size(
                of: token, isHangul: isHangul(text[token.range]), hasParts: hasParts)
            if let place = places[terms] {
                words[place].size = max(words[place].size, size)
            } else {
                places[terms] = words.count
                words.append(Word(terms: terms, size: size))
            }
        }
        return words
    }

    private static func size(of token: Token, isHangul: Bool, hasParts: Bool) -> Double {
        switch token.kind {
        case .word: isHangul && hasParts ? 0 : 1
        case .pair: 0.5
        case .part: isHangul ? 0.5 : 0
        case .identifier: 0
        }
    }

    private static func isHangul(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = String(decoding: bytes.prefix(4), as: UTF8.self).unicodeScalars.first
        else { return false }
        return 0xAC00...0xD7A3 ~= first.value || 0x1100...0x11FF ~= first.value
    }
}
