/// A row as the policy sees it: the stems of its words.
public struct PassageText: Sendable {
    /// The hash of the document's path.
    let document: UInt64
    /// The stems of the text, in order.
    let stems: [UInt64]
    /// The stems of the innermost heading, or of the title where there is none.
    let headingStems: [UInt64]
    /// The stems of the title and the outer headings.
    let titleStems: [UInt64]
    /// The number of the chunk in its section.
    let ordinal: Int

    /// Reads the words of a row.
    public init(_ row: FeatureRow) {
        document = FeatureHash.of(row.document)
        stems = Self.allStems(row.text)
        headingStems = Self.contentStems(row.headings.last ?? row.title)
        titleStems = Self.contentStems(
            ([row.title] + row.headings.dropLast()).joined(separator: " "))
        ordinal = row.ordinal
    }

    static func allStems(_ text: String) -> [UInt64] {
        let words = Words(text)
        return (0..<words.count).map { words.stemHash(of: $0) }
    }

    /// The stems of the words that are no stop words, each once, in order.
    static func contentStems(_ text: String) -> [UInt64] {
        let words = Words(text)
        var stems: [UInt64] = []
        for word in 0..<words.count where !words.isStopWord(word) {
            let stem = words.stemHash(of: word)
            if !stems.contains(stem) { stems.append(stem) }
        }
        return stems
    }
}
