internal import Artifacts
internal import Objects

/// Questions made from the features themselves, for documents that nobody has labelled.
///
/// Every other section is asked for by its heading and title, the rest by the six rarest words of its text:
/// with headings alone, training would learn that headings are all that matters. They are easier than a
/// person's questions; figures on them compare versions, they do not predict use.
enum HeadingQuestions {
    /// More sections would make training slower and no better.
    static let limit = 500
    private static let rareWords = 6

    static func make(
        index: FeatureIndex, keys: FeatureKeys, statistics: LexicalStatistics, seed: Int,
        in source: some ObjectSource
    ) throws(ObjectError) -> [LabelledQuestion] {
        var questions: [LabelledQuestion] = []
        let rows = try index.rows(at: chosenRows(keys, seed: seed), in: source)
        for row in rows where !row.headings.isEmpty {
            let prefix = FeatureRow.keyPrefix(document: row.document, section: row.section)
            let heading = ([row.headings.last ?? "", row.title]).joined(separator: " ")
            let isByHeading = FeatureHash.of(prefix, seed: UInt64(seed)) & 1 == 0
            let question = isByHeading ? heading : rarestWords(of: row.text, statistics)
            guard !question.isEmpty else { continue }
            questions.append(
                LabelledQuestion(
                    id: prefix, question: question,
                    answers: [SectionLabel(document: row.document, section: row.section)]))
        }
        return questions
    }

    /// The first chunk of some sections: those with the lowest hashes.
    private static func chosenRows(_ keys: FeatureKeys, seed: Int) -> [Int] {
        var firsts: [(hash: UInt64, row: Int)] = []
        var last: [UInt8] = []
        for (row, key) in keys.all.enumerated() {
            let bytes = Array(key.utf8)
            guard let slash = bytes.lastIndex(of: 0x2F) else { continue }
            let prefix = Array(bytes[...slash])
            if prefix == last { continue }
            last = prefix
            firsts.append(
                (FeatureHash.of("\(seed)|\(String(decoding: prefix, as: UTF8.self))"), row))
        }
        firsts.sort { ($0.hash, $0.row) < ($1.hash, $1.row) }
        return firsts.prefix(limit).map(\.row).sorted()
    }

    private static func rarestWords(of text: String, _ statistics: LexicalStatistics) -> String {
        let words = Words(text)
        var seen: Set<UInt64> = []
        var found: [(weight: Double, word: Int)] = []
        for word in 0..<words.count where !words.isStopWord(word) {
            let stem = words.stemHash(of: word)
            guard seen.insert(stem).inserted else { continue }
            found.append((statistics.weight(of: stem), word))
        }
        found.sort { $0.weight != $1.weight ? $0.weight > $1.weight : $0.word < $1.word }
        let chosen = found.prefix(rareWords).map(\.word).sorted()
        return chosen.map { words.text(of: $0) }.joined(separator: " ")
    }
}
