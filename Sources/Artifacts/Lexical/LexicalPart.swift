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
    /// The section and document of each row, as indices in this part.
    private let sections: [UInt32]
    private let documents: [UInt32]
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
        var (sections, documents): ([UInt32], [UInt32]) = ([], [])
        var last: Row?
        for (row, length) in zip(rows, lengths.row) {
            if last?.document != row.document { lengths.document.append(0) }
            if last?.section != row.section || last?.document != row.document {
                lengths.section.append(0)
            }
            lengths.section[lengths.section.count - 1] += length
            lengths.document[lengths.document.count - 1] += length
            sections.append(UInt32(lengths.section.count - 1))
            documents.append(UInt32(lengths.document.count - 1))
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

    /// The numbers of rows, sections and documents that contain a term.
    func frequencies(of term: UInt32) -> LexicalLevels<Int> {
        var found = LexicalLevels(row: 0, section: 0, document: 0)
        var last: (section: UInt32, document: UInt32)?
        postings.forEachRow(of: term) { row, _ in
            found.row += 1
            if last?.section != sections[row] { found.section += 1 }
            if last?.document != documents[row] { found.document += 1 }
            last = (sections[row], documents[row])
        }
        return found
    }

    /// Adds a term's contribution to the scores of rows, sections and documents.
    ///
    /// - Parameters:
    ///   - weights: The weight of the term for a row, a section and a document.
    ///   - norms: The saturation terms of rows, sections and documents, by index.
    func add(
        _ term: UInt32, weights: LexicalLevels<Float>, norms: LexicalLevels<[Float]>,
        to scores: inout LexicalLevels<[Float]>
    ) {
        var (section, document): (UInt32, UInt32) = (.max, .max)
        var (inSection, inDocument): (Float, Float) = (0, 0)
        func finishSection(_ scores: inout LexicalLevels<[Float]>) {
            guard inSection > 0 else { return }
            let index = Int(section)
            scores.section[index] +=
                weights.section * inSection / (inSection + norms.section[index])
        }
        func finishDocument(_ scores: inout LexicalLevels<[Float]>) {
            guard inDocument > 0 else { return }
            let index = Int(document)
            scores.document[index] +=
                weights.document * inDocument / (inDocument + norms.document[index])
        }
        postings.forEachRow(of: term) { row, frequency in
            scores.row[row] += weights.row * frequency / (frequency + norms.row[row])
            if sections[row] != section {
                finishSection(&scores)
                (section, inSection) = (sections[row], 0)
            }
            if documents[row] != document {
                finishDocument(&scores)
                (document, inDocument) = (documents[row], 0)
            }
            inSection += frequency
            inDocument += frequency
        }
        finishSection(&scores)
        finishDocument(&scores)
    }

    /// The combined score of a row.
    @inline(__always)
    func score(of row: Int, _ scores: LexicalLevels<[Float]>) -> Float {
        scores.row[row] + LexicalScore.section * scores.section[Int(sections[row])]
            + LexicalScore.document * scores.document[Int(documents[row])]
    }
}
