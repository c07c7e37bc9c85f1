internal import Objects

/// The postings of consecutive rows of a table, grouped by term.
///
/// A bucket holds the postings of all terms with the same high bits, in row order; a lookup skips the few postings of
/// other terms. Combining segments therefore takes two passes and no dictionary.
///
/// Pointers are confined to this file: each posting is written once, at a place computed beforehand.
struct LexicalPart: Sendable {
    /// A posting with only 16 bits of its term: those below the high bits that its bucket implies.
    ///
    /// A part with fewer than 2^16 buckets drops the lowest bits, so that a few more terms share postings.
    private struct Posting: Sendable {
        let row: UInt32
        let low: UInt16
        let text: UInt8
        let above: UInt8
    }

    /// The index in the table of the first row.
    let firstRow: Int
    /// The lengths of rows, sections and documents, by their indices in this part.
    let lengths: LexicalLevels<[Float]>
    /// The total number of words in the rows' texts.
    let textWords: Int
    /// The section and document of each row, as indices in this part.
    private let sections: [UInt32]
    private let documents: [UInt32]
    private let shift: UInt32
    private let starts: [UInt32]
    private let postings: [Posting]

    /// The number of rows.
    var count: Int { sections.count }

    init(_ segments: [LexicalSegment], firstRow: Int) {
        self.firstRow = firstRow
        var lengths = LexicalLevels<[Float]>(row: [], section: [], document: [])
        var (sections, documents): ([UInt32], [UInt32]) = ([], [])
        var last: LexicalSegment.Row?
        var textWords = 0
        for row in segments.lazy.flatMap(\.rows) {
            let length = LexicalScore.length(row.words)
            if last?.document != row.document { lengths.document.append(0) }
            if last?.section != row.section || last?.document != row.document {
                lengths.section.append(0)
            }
            lengths.row.append(length)
            lengths.section[lengths.section.count - 1] += length
            lengths.document[lengths.document.count - 1] += length
            sections.append(UInt32(lengths.section.count - 1))
            documents.append(UInt32(lengths.document.count - 1))
            textWords += row.words.text
            last = row
        }
        self.textWords = textWords
        (self.lengths, self.sections, self.documents) = (lengths, sections, documents)
        let total = segments.reduce(0) { $0 + $1.postings.count }
        // Aims for about 200 postings per bucket.
        let bits = max(8, min(16, Int.bitWidth - (total / 200).leadingZeroBitCount))
        let shift = UInt32(32 - bits)
        self.shift = shift
        var starts = [UInt32](repeating: 0, count: (1 << bits) + 1)
        for segment in segments {
            for posting in segment.postings { starts[Int(posting.term >> shift) + 1] += 1 }
        }
        for bucket in 1..<starts.count { starts[bucket] += starts[bucket - 1] }
        var next = starts
        self.starts = starts
        postings = Array(unsafeUninitializedCapacity: total) { buffer, initialized in
            var row: UInt32 = 0
            for segment in segments {
                for index in segment.rows.indices {
                    for posting in segment.postings(of: index) {
                        let bucket = Int(posting.term >> shift)
                        buffer.initializeElement(
                            at: Int(next[bucket]),
                            to: Posting(
                                row: row, low: Self.low(posting.term, shift), text: posting.text,
                                above: posting.above))
                        next[bucket] += 1
                    }
                    row += 1
                }
            }
            initialized = total
        }
    }

    private static func low(_ term: UInt32, _ shift: UInt32) -> UInt16 {
        UInt16(truncatingIfNeeded: term >> (shift - 16))
    }

    /// Calls `body` with each row that contains a term and the term's frequency there, in row order.
    @inline(__always)
    func forEachRow(of term: UInt32, _ body: (_ row: Int, _ frequency: Float) -> Void) {
        let bucket = Int(term >> shift)
        let low = Self.low(term, shift)
        for index in Int(starts[bucket])..<Int(starts[bucket + 1]) {
            let posting = postings[index]
            guard posting.low == low else { continue }
            body(Int(posting.row), LexicalScore.frequency(posting.text, above: posting.above))
        }
    }

    /// The numbers of rows, sections and documents that contain a term.
    func frequencies(of term: UInt32) -> LexicalLevels<Int> {
        var found = LexicalLevels(row: 0, section: 0, document: 0)
        var last: (section: UInt32, document: UInt32)?
        forEachRow(of: term) { row, _ in
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
        forEachRow(of: term) { row, frequency in
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

/// One value each for rows, sections and documents.
struct LexicalLevels<Value: Sendable>: Sendable {
    var row: Value
    var section: Value
    var document: Value

    /// Transforms each of the three values.
    func map<Other>(_ transform: (Value) -> Other) -> LexicalLevels<Other> {
        LexicalLevels<Other>(
            row: transform(row), section: transform(section), document: transform(document))
    }

    /// Pairs each value with the corresponding value of another instance.
    func with<Second>(_ other: LexicalLevels<Second>) -> LexicalLevels<(Value, Second)> {
        LexicalLevels<(Value, Second)>(
            row: (row, other.row), section: (section, other.section),
            document: (document, other.document))
    }
}

/// The constants and formulas of the lexical score.
enum LexicalScore {
    static let k1: Float = 1.2
    static let b: Float = 0.75
    /// The weight of a word in the headings and in the title, relative to one in the text.
    static let headings: Float = 1
    static let title: Float = 0.5
    /// The weights, in a row's score, of the scores of its section and its document.
    static let section: Float = 0.3
    static let document: Float = 0.2

    static func length(_ words: LexicalSegment.FieldCounts) -> Float {
        Float(words.text) + headings * Float(words.headings) + title * Float(words.title)
    }

    @inline(__always)
    static func frequency(_ text: UInt8, above: UInt8) -> Float {
        Float(text) + headings * Float(above & 0x0F) + title * Float(above >> 4)
    }

    /// The inverse document frequency of a term that `count` of `all` rows, sections or documents contain.
    ///
    /// It is ln(1 + (n - d + 1/2) / (d + 1/2)) for d of n.
    static func weight(_ count: Int, of all: Int) -> Float {
        let (total, found) = (Double(all), Double(min(count, all)))
        return Float(PortableMath.log(1 + (total - found + 0.5) / (found + 0.5)))
    }
}
