internal import TextAnalysis

/// The words of a question, as a lexical index looks for them.
struct LexicalQuery: Sendable {
    /// A word that is looked for.
    struct Word: Hashable, Sendable {
        /// Its terms, one for each language of the index that has another stem of it.
        let terms: [UInt32]
        /// Whether it stands in the question by itself, and is not only a part of another word or some words joined.
        var isInSequence: Bool
    }

    /// The different words that are no stop words in any of the languages, in the order of the question.
    let words: [Word]

    /// Finds the words of a question.
    ///
    /// - Parameter languages: Those that rows of the index are in; the stems of each are looked for.
    init(_ question: String, languages: [Language]) {
        let lists = (languages.isEmpty ? [.english] : languages).map {
            TextAnalyzer(language: $0).tokens(of: question)
        }
        var words: [Word] = []
        var places: [[UInt32]: Int] = [:]
        // The kinds and places of tokens are the same in every language.
        for index in (lists.first ?? []).indices
        where !lists.contains(where: { $0[index].isStopWord }) {
            var terms: [UInt32] = []
            for term in lists.compactMap({ LexicalTerm.of($0[index]) }) where !terms.contains(term)
            {
                terms.append(term)
            }
            let isInSequence = lists[0][index].isInSequence
            if let place = places[terms] {
                words[place].isInSequence = words[place].isInSequence || isInSequence
            } else {
                places[terms] = words.count
                words.append(Word(terms: terms, isInSequence: isInSequence))
            }
        }
        self.words = words
    }
}
