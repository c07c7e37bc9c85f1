internal import Artifacts
internal import Objects
internal import Storage
internal import TextAnalysis

/// Generates questions from the features, for documents without labels.
///
/// A question asks for a section by its heading or by the beginning of its first sentence, and omits the document's
/// title, as a reader would. Such questions are easier than those of people who have not read the section, so their
/// figures serve to compare versions, not to predict quality.
enum SectionQuestions {
    /// The maximum number of sections: more would slow training without improving it.
    static let limit = 500
    /// The fewest words of a usable question, without stop words; a shorter one asks for nothing in particular.
    private static let leastWords = 3
    /// The maximum number of words that a question takes from a sentence.
    private static let mostWords = 14

    static func make(
        index: FeatureIndex, keys: FeatureKeys, seed: Int, in source: some ObjectSource
    ) throws(ObjectError) -> [LabelledQuestion] {
        var questions: [LabelledQuestion] = []
        let rows = try index.rows(at: chosenRows(keys, seed: seed), in: source)
        for row in rows where !row.headings.isEmpty {
            let prefix = FeatureRow.keyPrefix(document: row.document, section: row.section)
            let isByHeading = TermHash.of(prefix, seed: UInt64(seed)) & 1 == 0
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

    /// The beginning of the first sentence, its first word in lower case unless a capital follows its first letter; nil
    /// without a suitable sentence.
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

    /// The first chunks of some sections, chosen by lowest hash.
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
                (TermHash.of("\(seed)|\(String(decoding: prefix, as: UTF8.self))"), row))
        }
        firsts.sort { ($0.hash, $0.row) < ($1.hash, $1.row) }
        return firsts.prefix(limit).map(\.row).sorted()
    }
}
