public import Objects
internal import TextAnalysis

/// The words of one leaf's rows: the terms of each row, and their counts in each field.
///
/// A segment depends on its leaf alone, so tables that share a leaf share its segment, and anyone who has the leaf can
/// rebuild the segment and compare. Each column is in row order: when one row changes, the segment changes at that row
/// and in the posting ends of later rows, so it is stored as a small difference.
///
/// The encoding is little-endian: `ftiwords` | rows u32 | postings u32 | for each row: the end of its postings u32,
/// words in its text u32, in its headings u16 and in its title u16, its language code as four ASCII bytes padded with
/// zeros, hashes of its document and section u32 each | terms u32, ascending within each row | counts in the text u8 |
/// counts in the headings (low four bits) and in the title (high four bits) u8. Counts saturate.
public struct LexicalSegment: Hashable, Sendable {
    /// A term of a row and its counts there.
    struct Posting: Hashable, Sendable {
        /// See ``LexicalTerm``.
        let term: UInt32
        var text: UInt8
        /// The count in the headings (low four bits) and in the title (high four bits).
        var above: UInt8
    }

    /// What a segment records about a row besides its postings.
    struct Row: Hashable, Sendable {
        /// The numbers of words in the text, the headings and the title.
        var words = FieldCounts()
        /// The packed language code; see ``Language/packed``.
        var language: UInt32 = 0
        /// Hashes that distinguish its document and section from those of neighbouring rows.
        var document: UInt32 = 0
        var section: UInt32 = 0
        /// The end of its postings.
        var end = 0
    }

    /// A number for each field of a row.
    struct FieldCounts: Hashable, Sendable {
        var text = 0
        var headings = 0
        var title = 0
    }

    private(set) var rows: [Row] = []
    private(set) var postings: [Posting] = []

    private static let magic = Array("ftiwords".utf8)
    private static let headerBytes = 16
    private static let rowBytes = 24
    private static let postingBytes = 6
    /// The maximum number of bytes of a segment: enough for the largest leaf, even if all its words differ.
    static let byteLimit = 64 << 20

    /// An empty segment.
    init() {}

    /// The postings of a row.
    func postings(of row: Int) -> ArraySlice<Posting> {
        postings[(row == 0 ? 0 : rows[row - 1].end)..<rows[row].end]
    }

    /// Adds a row; the terms of its postings must ascend.
    mutating func append(_ row: Row, _ postings: some Sequence<Posting>) {
        self.postings.append(contentsOf: postings)
        var row = row
        row.end = self.postings.count
        rows.append(row)
    }
}

extension LexicalSegment {
    /// The stored bytes.
    public var encoded: [UInt8] {
        var bytes = Self.magic
        bytes.reserveCapacity(
            Self.headerBytes + rows.count * Self.rowBytes + postings.count * Self.postingBytes)
        LittleEndian.append(UInt32(rows.count), to: &bytes)
        LittleEndian.append(UInt32(postings.count), to: &bytes)
        for row in rows {
            LittleEndian.append(UInt32(row.end), to: &bytes)
            LittleEndian.append(UInt32(clamping: row.words.text), to: &bytes)
            let above =
                UInt32(UInt16(clamping: row.words.headings))
                | UInt32(UInt16(clamping: row.words.title)) << 16
            LittleEndian.append(above, to: &bytes)
            LittleEndian.append(row.language, to: &bytes)
            LittleEndian.append(row.document, to: &bytes)
            LittleEndian.append(row.section, to: &bytes)
        }
        for posting in postings { LittleEndian.append(posting.term, to: &bytes) }
        for posting in postings { bytes.append(posting.text) }
        for posting in postings { bytes.append(posting.above) }
        return bytes
    }

    /// Reads a segment.
    ///
    /// - Throws: `malformed`, naming `id`, unless the bytes are a valid segment.
    public init(decoding bytes: [UInt8], id: ObjectID? = nil) throws(ObjectError) {
        func malformed(_ reason: String, _ offset: Int?) -> ObjectError {
            .malformed(id, as: "segment of a lexical index", reason: reason, offset: offset)
        }
        let span = bytes.span
        guard bytes.count >= Self.headerBytes, bytes.starts(with: Self.magic) else {
            throw malformed("it does not begin with ftiwords and two counts", 0)
        }
        let rowCount = Int(LittleEndian.uint32(span, at: 8))
        let count = Int(LittleEndian.uint32(span, at: 12))
        let termsAt = Self.headerBytes + rowCount * Self.rowBytes
        guard bytes.count == termsAt + count * Self.postingBytes else {
            throw malformed("its counts do not match its \(bytes.count) bytes", 8)
        }
        rows.reserveCapacity(rowCount)
        var start = 0
        for index in 0..<rowCount {
            let at = Self.headerBytes + index * Self.rowBytes
            var row = Row()
            row.end = Int(LittleEndian.uint32(span, at: at))
            guard row.end >= start, row.end <= count else {
                throw malformed("row \(index) ends out of order", at)
            }
            let above = LittleEndian.uint32(span, at: at + 8)
            row.words = FieldCounts(
                text: Int(LittleEndian.uint32(span, at: at + 4)), headings: Int(above & 0xFFFF),
                title: Int(above >> 16))
            row.language = LittleEndian.uint32(span, at: at + 12)
            row.document = LittleEndian.uint32(span, at: at + 16)
            row.section = LittleEndian.uint32(span, at: at + 20)
            rows.append(row)
            start = row.end
        }
        guard start == count else {
            throw malformed("its rows do not cover all of its postings", Self.headerBytes)
        }
        postings.reserveCapacity(count)
        for index in 0..<count {
            postings.append(
                Posting(
                    term: LittleEndian.uint32(span, at: termsAt + 4 * index),
                    text: bytes[termsAt + 4 * count + index],
                    above: bytes[termsAt + 5 * count + index]))
        }
        if let row = rows.indices.first(where: { !isAscending($0) }) {
            throw malformed("the terms of row \(row) do not ascend", nil)
        }
    }

    private func isAscending(_ row: Int) -> Bool {
        let own = postings(of: row)
        return zip(own, own.dropFirst()).allSatisfy { $0.term < $1.term }
    }
}

/// The key of a word in a lexical index: the high 32 bits of the hash of its stem.
///
/// Among a million stems, one in 4,000 shares its term with another. That costs a little ranking quality but no
/// answers: quoted phrases are checked against the text.
enum LexicalTerm {
    /// The term of a token; nil for a stop word, which no index holds.
    static func of(_ token: Token) -> UInt32? {
        token.isStopWord ? nil : UInt32(truncatingIfNeeded: token.stem >> 32)
    }
}

extension Language {
    /// The code packed into four bytes, low byte first, as segments store it.
    var packed: UInt32 {
        var value: UInt32 = 0
        for (index, byte) in code.utf8.prefix(4).enumerated() {
            value |= UInt32(byte) << (8 * UInt32(index))
        }
        return value
    }

    /// The language that ``packed`` encodes; nil if it encodes none.
    init?(packed: UInt32) {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: packed >> (8 * UInt32($0))) }
        self.init(code: String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
    }
}

/// Builds the segments of leaves from the title, headings and text of each row.
///
/// Not thread-safe.
struct SegmentBuilder {
    private var analyzers: [UInt32: TextAnalyzer] = [:]
    private var counts: [UInt32: LexicalSegment.Posting] = [:]

    private enum Field { case text, headings, title }

    init() {}

    /// The segment of a leaf.
    ///
    /// - Parameter known: Returns the entry of an unchanged row in an earlier segment; nil for any other row.
    /// - Throws: `malformed` when a row's attributes are not a JSON object; rethrows errors of `known`.
    mutating func segment(
        of leaf: TableLeaf,
        known: (Int) throws(ObjectError) -> (
            row: LexicalSegment.Row, postings: ArraySlice<LexicalSegment.Posting>
        )? = { (_) throws(ObjectError) in nil }
    ) throws(ObjectError) -> LexicalSegment {
        var segment = LexicalSegment()
        for index in 0..<leaf.count {
            if let (row, postings) = try known(index) {
                segment.append(row, postings)
                continue
            }
            let (row, postings) = analyse(try leaf.attributes(at: index))
            segment.append(row, postings)
        }
        return segment
    }

    /// The entry of a row and its postings, by ascending term. A member that is missing or not text adds no terms.
    private mutating func analyse(
        _ attributes: JSONObject
    ) -> (row: LexicalSegment.Row, postings: [LexicalSegment.Posting]) {
        let language =
            attributes[FeatureRow.languageMember]?.string.flatMap { Language(code: $0) } ?? .english
        var row = LexicalSegment.Row()
        row.language = language.packed
        let document = attributes["document"]?.string ?? ""
        let section = TermHash.of(
            FeatureRow.keyPrefix(document: document, section: attributes["section"]?.string ?? ""))
        row.document = UInt32(truncatingIfNeeded: TermHash.of(document))
        row.section = UInt32(truncatingIfNeeded: section)
        let analyzer = analyzers[row.language] ?? TextAnalyzer(language: language)
        analyzers[row.language] = analyzer
        counts.removeAll(keepingCapacity: true)
        row.words.text = count(attributes["text"]?.string ?? "", .text, analyzer)
        for heading in attributes["headings"]?.array ?? [] {
            row.words.headings += count(heading.string ?? "", .headings, analyzer)
        }
        row.words.title = count(attributes["title"]?.string ?? "", .title, analyzer)
        return (row, counts.values.sorted { $0.term < $1.term })
    }

    /// Counts the terms of a field and returns its number of words; the words in an identifier count, but not the
    /// identifier as a whole.
    private mutating func count(_ text: String, _ field: Field, _ analyzer: TextAnalyzer) -> Int {
        var words = 0
        analyzer.forEachToken(of: text) { token in
            guard let term = LexicalTerm.of(token) else { return }
            if token.kind != .identifier { words += 1 }
            var posting = counts[term] ?? LexicalSegment.Posting(term: term, text: 0, above: 0)
            switch field {
            case .text: if posting.text < .max { posting.text += 1 }
            case .headings: if posting.above & 0x0F < 0x0F { posting.above += 0x01 }
            case .title: if posting.above & 0xF0 < 0xF0 { posting.above += 0x10 }
            }
            counts[term] = posting
        }
        return words
    }
}
