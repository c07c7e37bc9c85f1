internal import Objects
internal import TextAnalysis

/// Makes segments of leaves: finds the terms of each row's text, headings and title.
///
/// Not for two threads at once.
struct SegmentBuilder {
    private var analyzers: [UInt32: TextAnalyzer] = [:]
    private var counts: [UInt32: LexicalSegment.Posting] = [:]

    private enum Field { case text, headings, title }

    init() {}

    /// The segment of a leaf.
    ///
    /// - Parameter known: What the row of a leaf had in a segment before, where the row is the same; nil where it is new.
    /// - Throws: `malformed` when a row's attributes are not a JSON object.
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

    /// The terms of a row, ascending. A member that is not there, or not text, has none.
    private mutating func analyse(
        _ attributes: JSONObject
    ) -> (row: LexicalSegment.Row, postings: [LexicalSegment.Posting]) {
        let language =
            attributes[FeatureRow.languageMember]?.string.flatMap { Language(code: $0) } ?? .english
        var row = LexicalSegment.Row()
        row.language = language.packed
        let document = attributes["document"]?.string ?? ""
        let section = FeatureHash.of(
            FeatureRow.keyPrefix(document: document, section: attributes["section"]?.string ?? ""))
        row.document = UInt32(truncatingIfNeeded: FeatureHash.of(document))
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

    /// Counts the terms of a field; gives the number of its words, of which a compound's parts are and itself is not.
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
