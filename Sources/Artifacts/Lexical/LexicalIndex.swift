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
    private let parts: [Part]
    /// The numbers of rows, sections and documents.
    private let totals: LexicalLevels<Int>
    /// The mean number of words in a row's text.
    let meanWords: Double
    private let cache = SharedCache<TermKey, LexicalLevels<TermOccurrences>>(byteLimit: 16 << 20)

    private struct TermKey: CacheKey {
        let part: Int
        let term: UInt32
        var spread: Int { part &+ Int(term) }
    }

    /// A part in its place.
    private struct Part: Sendable {
        let words: LexicalPart
        /// The index in the table of its first row.
        let firstRow: Int
        /// The indices in the table of its leaves.
        let leaves: Range<Int>
        /// The saturation terms of its rows, sections and documents: k1 (1 - b + b length / mean length).
        var norms = LexicalLevels<[Float]>(row: [], section: [], document: [])

        var rows: Range<Int> { firstRow..<firstRow + words.count }
    }

    /// The fewest rows of a part, except the last: a part is scored in cache. A document that spans two parts counts as
    /// two documents.
    static let partRows = 1 << 15

    /// An earlier version of the table, and the leaves in common.
    struct Earlier: Sendable {
        let index: LexicalIndex
        let leaves: SharedLeaves
    }

    /// Combines the segments of a table's leaves, in key order.
    ///
    /// The result does not depend on `earlier`.
    ///
    /// - Parameters:
    ///   - earlier: An index to take the words of unchanged leaves from.
    ///   - segment: Returns the segment of a leaf; called on any thread.
    /// - Throws: `malformed` when a segment and its leaf differ in their number of rows; rethrows errors of `segment`.
    init(
        _ leaves: [LeafReference], sharing earlier: Earlier? = nil, threads: Int,
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
        var parts = try Threads.map(groups, threads: threads, group: 1) {
            (group) throws(ObjectError) -> Part in
            let kept = try earlier.flatMap { (earlier) throws(ObjectError) in
                try earlier.words(of: group.leaves, leaves, segment: segment)
            }
            if let kept {
                return Part(words: kept, firstRow: group.firstRow, leaves: group.leaves)
            }
            let words = try Self.words(of: leaves[group.leaves], segment: segment)
            return Part(words: words, firstRow: group.firstRow, leaves: group.leaves)
        }
        languages = Set(parts.flatMap(\.words.languages)).compactMap { Language(packed: $0) }
            .sorted { $0.code < $1.code }
        count = parts.reduce(0) { $0 + $1.words.count }
        var totals = LexicalLevels(row: 0, section: 0, document: 0)
        var sums = LexicalLevels(row: 0.0, section: 0.0, document: 0.0)
        for part in parts {
            totals = totals.with(part.words.lengths).map { $0 + $1.count }
            sums = sums.with(part.words.lengths).map { $0 + $1.reduce(0.0) { $0 + Double($1) } }
        }
        self.totals = totals
        let words = parts.reduce(0.0) { $0 + Double($1.words.textWords) }
        meanWords = max(1, words / Double(max(1, count)))
        let means = sums.with(totals).map { Float(max(1, $0 / Double(max(1, $1)))) }
        for index in parts.indices {
            parts[index].norms = parts[index].words.lengths.with(means).map { lengths, mean in
                lengths.map {
                    LexicalScore.k1 * (1 - LexicalScore.b + LexicalScore.b * $0 / mean)
                }
            }
        }
        self.parts = parts
    }

    /// Combines the segments of some leaves.
    private static func words(
        of leaves: ArraySlice<LeafReference>,
        segment: (LeafReference) throws(ObjectError) -> LexicalSegment
    ) throws(ObjectError) -> LexicalPart {
        var sources: [LexicalPart.Source] = []
        for leaf in leaves { sources.append(.segment(try checked(try segment(leaf), of: leaf))) }
        guard leaves.reduce(0, { $0 + $1.rows }) < LexicalPostings.rowLimit,
            let part = LexicalPart(sources, earlier: { _ in preconditionFailure("nothing kept") })
        else {
            throw .malformed(
                leaves.last?.id, as: "table leaf", reason: "it has too many rows", offset: nil)
        }
        return part
    }

    fileprivate static func checked(
        _ segment: LexicalSegment, of leaf: LeafReference
    ) throws(ObjectError) -> LexicalSegment {
        guard segment.rows.count == leaf.rows else {
            throw .malformed(
                leaf.id, as: "lexical index",
                reason: "this leaf's segment has \(segment.rows.count) rows, not \(leaf.rows)",
                offset: nil)
        }
        return segment
    }

    /// The inverse document frequencies of a query's words among rows, sections and documents.
    func weights(of query: LexicalQuery) -> [LexicalLevels<Float>] {
        query.words.map { word in
            var found = LexicalLevels(row: 0, section: 0, document: 0)
            for term in word.terms {
                for part in parts.indices {
                    found = found.with(occurrences(of: term, in: part)).map { $0 + $1.count }
                }
            }
            return found.with(totals).map { LexicalScore.weight($0, of: $1) }
        }
    }

    /// Where a term occurs in a part; common terms stay in the cache.
    private func occurrences(
        of term: UInt32, in index: Int
    ) -> LexicalLevels<TermOccurrences> {
        let key = TermKey(part: index, term: term)
        if let known = cache[key] { return known }
        let found = parts[index].words.occurrences(of: term, norms: parts[index].norms)
        let bytes = found.row.byteCount + found.section.byteCount + found.document.byteCount
        cache.insert(key, found, bytes: bytes)
        return found
    }

    /// The rows that contain every given word.
    func rows(withAll words: [LexicalQuery.Word]) -> RowSet {
        var set = RowSet()
        for part in parts {
            var counts = [Int](repeating: 0, count: part.words.count)
            for (index, word) in words.enumerated() {
                for term in word.terms {
                    part.words.forEachRow(of: term) { row, _ in
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

extension LexicalIndex.Earlier {
    /// The words of some leaves, mostly from earlier parts; nil where no leaf is an earlier one, or the segments of all
    /// leaves are needed.
    fileprivate func words(
        of range: Range<Int>, _ all: [LeafReference],
        segment: (LeafReference) throws(ObjectError) -> LexicalSegment
    ) throws(ObjectError) -> LexicalPart? {
        guard let first = range.lazy.compactMap({ leaves.indices[$0] }).first else { return nil }
        let same = index.parts[part(of: first)]
        if leaves.are(range, equalTo: same.leaves) { return same.words }
        guard all[range].reduce(0, { $0 + $1.rows }) < LexicalPostings.rowLimit else { return nil }
        var sources: [LexicalPart.Source] = []
        for leaf in range {
            guard let old = leaves.indices[leaf] else {
                sources.append(
                    .segment(try LexicalIndex.checked(try segment(all[leaf]), of: all[leaf])))
                continue
            }
            let part = part(of: old)
            let row = leaves.earlierFirstRows[old] - index.parts[part].firstRow
            sources.append(.kept(part, row..<row + all[leaf].rows))
        }
        return LexicalPart(sources) { index.parts[$0].words }
    }

    /// The number of the part that has an earlier leaf.
    private func part(of leaf: Int) -> Int {
        index.parts.binarySearch { $0.leaves.upperBound <= leaf }
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
        var best = Greatest<VectorMatch>(count: max(1, count))
        var scores = [Float](repeating: 0, count: rows.count)
        for (matches, known) in found {
            for match in matches { best.add(match) }
            for (place, score) in known { scores[place] = score }
        }
        return SearchResult(best: count > 0 ? best.sorted() : [], scores: scores)
    }

    private func search(
        _ index: Int, _ query: LexicalQuery, weights: [LexicalLevels<Float>], count: Int,
        among set: RowSet?, scoring rows: [Int]
    ) -> (best: [VectorMatch], known: [(place: Int, score: Float)]) {
        let part = parts[index]
        let scores = part.words.scores(
            zip(query.words, weights).flatMap { word, weights in
                word.terms.map { term in
                    (occurrences(of: term, in: index), weights.map { $0 * (LexicalScore.k1 + 1) })
                }
            })
        let range = part.rows
        var best = Greatest<VectorMatch>(count: max(1, count))
        if count > 0 {
            for sought in set?.ranges(within: range) ?? [range] {
                let rows = sought.lowerBound - part.firstRow..<sought.upperBound - part.firstRow
                scores.collect(rows, first: part.firstRow, into: &best)
            }
        }
        var known: [(place: Int, score: Float)] = []
        for (place, row) in rows.enumerated() where range.contains(row) {
            known.append((place, scores[row - part.firstRow]))
        }
        return (best.elements, known)
    }
}
