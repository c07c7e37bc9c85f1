public import Objects
internal import TextAnalysis

/// The words of the rows of one leaf: which terms each row has, and how often in which field.
///
/// It is derived from the leaf alone, so a leaf that two tables share has one segment, and whoever has the leaf can make
/// it again and compare. Rows are stored one after the other: where one row of a leaf changes, the segment changes in
/// one place, and is stored as a small difference.
///
/// Encoded, little-endian: `ftiwords` | rows u32 | postings u32 | for each row: end of its postings u32, words of its text
/// u32, of its headings u16, of its title u16, its language as four bytes of ASCII filled up with zeros, hashes of its document and of
/// its section u32 each | terms u32, ascending in each row |
/// counts in the text u8 | counts in the headings (low four bits) and the title u8. Counts end at the greatest number that fits.
public struct LexicalSegment: Hashable, Sendable {
    /// A row's term and how often it has it.
    struct Posting: Hashable, Sendable {
        /// See ``LexicalTerm``.
        let term: UInt32
        var text: UInt8
        /// In the headings: the low four bits. In the title: the others.
        var above: UInt8
    }

    /// What is known of a row beside its postings.
    struct Row: Hashable, Sendable {
        /// How many words there are in the text, in the headings and in the title.
        var words = FieldCounts()
        /// The code of the language, such as `en`.
        var language: UInt32 = 0
        /// Tells its document and its section from those of the rows beside it.
        var document: UInt32 = 0
        var section: UInt32 = 0
        /// Where its postings end.
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
    /// The most bytes of a segment: the rows of the largest leaf, of nothing but different words.
    static let byteLimit = 64 << 20

    /// A segment of no rows yet.
    init() {}

    /// The postings of a row.
    func postings(of row: Int) -> ArraySlice<Posting> {
        postings[(row == 0 ? 0 : rows[row - 1].end)..<rows[row].end]
    }

    /// Adds a row; its postings have ascending terms.
    mutating func append(_ row: Row, _ postings: some Sequence<Posting>) {
        self.postings.append(contentsOf: postings)
        var row = row
        row.end = self.postings.count
        rows.append(row)
    }
}

extension LexicalSegment {
    /// The bytes that are stored.
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
    /// - Throws: `malformed`, with `id` in it, unless the bytes are those of a segment.
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
            throw malformed("its rows have not all of its postings", Self.headerBytes)
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
