internal import Artifacts
internal import Objects
internal import TextAnalysis

/// Questions made from the features themselves, for documents that nobody has labelled.
///
/// A section is asked for by its heading, or by the beginning of its first sentence, without the title: as a person might who has
/// read it. They are easier than the questions of people who have not; figures on them compare versions, and do not predict use.
enum SectionQuestions {
    /// More sections would make training slower and no better.
    static let limit = 500
    /// A heading or sentence of fewer words asks for nothing in particular.
    private static let leastWords = 3
    private static let mostWords = 14

    static func make(
        index: FeatureIndex, keys: FeatureKeys, seed: Int, in source: some ObjectSource
    ) throws(ObjectError) -> [LabelledQuestion] {
        var questions: [LabelledQuestion] = []
        let rows = try index.rows(at: chosenRows(keys, seed: seed), in: source)
        for row in rows where !row.headings.isEmpty {
            let prefix = FeatureRow.keyPrefix(document: row.document, section: row.section)
            let isByHeading = FeatureHash.of(prefix, seed: UInt64(seed)) & 1 == 0
            let heading = "How does this work: \(row.headings.last ?? "")?"
            let sentence = firstSentence(of: row.text).map { "Where is it said that \($0)?" }
            let question = isByHeading ? heading : sentence ?? heading
            guard Question(question, of: index.words).wholeWords.count >= leastWords else {
                continue
            }
            questions.append(
                LabelledQuestion(
                    id: prefix, question: question,
                    answers: [SectionLabel(document: row.document, section: row.section)]))
        }
        return questions
    }

    /// The first sentence of running text, its first letter small; nil where there is none that is short enough.
    private static func firstSentence(of text: String) -> String? {
        let line = text.prefix { !$0.isNewline }
        guard let end = line.firstIndex(where: { ".!?".contains($0) }) else { return nil }
        let words = line[..<end].split(separator: " ")
        guard words.count >= 5, let first = words.first else { return nil }
        let rest = words.dropFirst().prefix(mostWords - 1)
        let isName = first.dropFirst().contains(where: \.isUppercase)
        return ([isName ? String(first) : first.lowercased()] + rest.map(String.init))
            .joined(separator: " ")
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
}
