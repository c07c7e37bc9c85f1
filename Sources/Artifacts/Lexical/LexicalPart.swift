internal import Objects

/// The words of consecutive leaves of a table.
///
/// A part does not know where in the table it is, so versions of a table that have the same leaves share it. Where some
/// leaves changed, the words of the others are copied from the earlier part, which is much faster than reading their
/// segments.
struct LexicalPart: Sendable {
    /// Where the words of a leaf come from.
    enum Source {
        case segment(LexicalSegment)
        /// Rows of an earlier part, by its number.
        case kept(Int, Range<Int>)
    }

    /// What a part records about a row besides its postings; see ``LexicalSegment/Row``.
    private struct Row: Sendable {
        let document: UInt32
        let section: UInt32
        let language: UInt32
        let textWords: UInt32
    }

    /// The lengths of rows, sections and documents, by their indices in this part.
    let lengths: LexicalLevels<[Float]>
    /// The total number of words in the rows' texts.
    let textWords: Int
    /// The packed codes of the rows' languages.
    let languages: Set<UInt32>
    private let rows: [Row]
    /// The section of each row and the document of each section, as indices in this part.
    private let sections: [UInt16]
    private let documents: [UInt16]
    private let postings: LexicalPostings

    /// The number of rows.
    var count: Int { rows.count }

    /// Combines the words of leaves; nil where all of them must come from segments, see
    /// ``LexicalPostings/init(_:and:)``.
    ///
    /// - Parameter earlier: Returns an earlier part.
    init?(_ sources: [Source], earlier: (Int) -> LexicalPart) {
        var rows: [Row] = []
        var lengths = LexicalLevels<[Float]>(row: [], section: [], document: [])
        var segments: [(segment: LexicalSegment, firstRow: Int)] = []
        var kept: [(part: Int, rows: [UInt16])] = []
        for source in sources {
            switch source {
            case .segment(let segment):
                segments.append((segment, rows.count))
                for row in segment.rows {
                    rows.append(
                        Row(
                            document: row.document, section: row.section, language: row.language,
                            textWords: UInt32(clamping: row.words.text)))
                    lengths.row.append(LexicalScore.length(row.words))
                }
            case .kept(let number, let range):
                let part = earlier(number)
                if kept.last?.part != number {
                    let none = [UInt16](repeating: LexicalPostings.noRow, count: part.count)
                    kept.append((number, none))
                }
                for row in range {
                    kept[kept.count - 1].rows[row] = UInt16(rows.count)
                    rows.append(part.rows[row])
                    lengths.row.append(part.lengths.row[row])
                }
            }
        }
        let earlierPostings = kept.map { kept in
            LexicalPostings.Kept(postings: earlier(kept.part).postings, rows: kept.rows)
        }
        guard let postings = LexicalPostings(earlierPostings, and: segments) else { return nil }
        self.postings = postings
        var (sections, documents): ([UInt16], [UInt16]) = ([], [])
        var last: Row?
        for (row, length) in zip(rows, lengths.row) {
            if last?.document != row.document { lengths.document.append(0) }
            if last?.section != row.section || last?.document != row.document {
                lengths.section.append(0)
                documents.append(UInt16(lengths.document.count - 1))
            }
            lengths.section[lengths.section.count - 1] += length
            lengths.document[lengths.document.count - 1] += length
            sections.append(UInt16(lengths.section.count - 1))
            last = row
        }
        (self.rows, self.lengths, self.sections, self.documents) =
            (rows, lengths, sections, documents)
        textWords = rows.reduce(0) { $0 + Int($1.textWords) }
        languages = rows.reduce(into: []) { $0.insert($1.language) }
    }

    /// Calls `body` with each row that contains a term and the term's frequency there, in row order.
    @inline(__always)
    func forEachRow(of term: UInt32, _ body: (_ row: Int, _ frequency: Float) -> Void) {
        postings.forEachRow(of: term, body)
    }

    /// Where a term occurs, and its saturated frequencies there.
    ///
    /// - Parameter norms: The saturation terms of rows, sections and documents, by index.
    func occurrences(
        of term: UInt32, norms: LexicalLevels<[Float]>
    ) -> LexicalLevels<TermOccurrences> {
        var row = TermOccurrences()
        postings.forEachRow(of: term) { place, frequency in
            row.append(UInt16(place), frequency)
        }
        let section = row.grouped(by: sections)
        let document = section.grouped(by: documents)
        return LexicalLevels(row: row, section: section, document: document).with(norms).map {
            $0.saturated(by: $1)
        }
    }

    /// Scores the rows for a query.
    ///
    /// - Parameter terms: The occurrences of each term, and the term's weight for a row, a section and a document.
    func scores(
        _ terms: [(occurrences: LexicalLevels<TermOccurrences>, weights: LexicalLevels<Float>)]
    ) -> RowScores {
        var scores = lengths.map { [Float](repeating: 0, count: $0.count) }
        for (occurrences, weights) in terms {
            occurrences.row.add(to: &scores.row, times: weights.row)
            occurrences.section.add(to: &scores.section, times: weights.section)
            occurrences.document.add(to: &scores.document, times: weights.document)
        }
        let bases = zip(scores.section, documents).map { section, document in
            LexicalScore.section * section
                + LexicalScore.document * scores.document[Int(document)]
        }
        return RowScores(own: scores.row, bases: bases, sections: sections)
    }
}

/// The scores of a part's rows for a query.
struct RowScores: Sendable {
    /// The score of each row as a text of its own.
    fileprivate let own: [Float]
    /// What each section, and the document that it is in, contributes to the scores of its rows.
    fileprivate let bases: [Float]
    fileprivate let sections: [UInt16]

    /// The score of a row.
    subscript(_ row: Int) -> Float { own[row] + bases[Int(sections[row])] }

    /// Collects the best of the rows that have a word of the query.
    ///
    /// - Parameters:
    ///   - rows: The rows to consider, in ascending order.
    ///   - first: The index in the table of the first row of the part.
    func collect(_ rows: Range<Int>, first: Int, into best: inout Greatest<VectorMatch>) {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= own.count, "rows of the part")
        let (own, bases, sections) = (own.span, bases.span, sections.span)
        // The rows are in the part, and so are their sections.
        func score(_ row: Int) -> Float {
            own[unchecked: row] + bases[unchecked: Int(sections[unchecked: row])]
        }
        var floor = best.least?.similarity ?? 0
        for start in stride(from: rows.lowerBound, to: rows.upperBound, by: 8) {
            let group = start..<min(start + 8, rows.upperBound)
            // One decision for eight rows, because few of them are among the best.
            var greatest: Float = 0
            for row in group { greatest = max(greatest, score(row)) }
            guard greatest > floor else { continue }
            for row in group where own[row] > 0 {
                // Of rows with equal scores, those that come first are the best.
                best.add(VectorMatch(row: first + row, similarity: score(row)))
            }
            floor = best.least?.similarity ?? 0
        }
    }
}
