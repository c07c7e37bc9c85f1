internal import TextAnalysis

/// The words of a question, prepared for a lexical index.
struct LexicalQuery: Sendable {
    /// A word to search for.
    struct Word: Hashable, Sendable {
        /// Its terms, one for each language of the index that stems it differently.
        let terms: [UInt32]
        /// How much of a word this counts as.
        ///
        /// 1 for a word. 1/2 for a pair of characters in a script without spaces, and for a part of a Hangul word. 0
        /// where the letters already count elsewhere: for an identifier, for a part of any other word, and for a
        /// Hangul word that has parts.
        var size: Double
    }

    /// The distinct words without stop words, in the order of the question.
    let words: [Word]

    /// Finds the words of a question.
    ///
    /// Leaves out the stop words of the question's language. If that is unknown or not among `languages`, or if no word
    /// would be left, leaves out only the words that are stop words in all of `languages`.
    ///
    /// - Parameter languages: The languages of the indexed rows. The query holds each word's stem in all of them,
    ///   except where it is a stop word.
    init(_ question: String, languages: [Language]) {
        let languages = languages.isEmpty ? [.english] : languages
        let lists = languages.map { AnalyzerPool.shared.analyzer(of: $0).tokens(of: question) }
        let asked = languages.count > 1 ? Language.detected(in: question) : nil
        let words =
            languages.firstIndex { $0 == asked }
            .map { Self.words(lists, of: question, withoutStopWordsOf: $0) } ?? []
        self.words =
            words.isEmpty ? Self.words(lists, of: question, withoutStopWordsOf: nil) : words
    }

    private static func words(
        _ lists: [[Token]], of question: String, withoutStopWordsOf place: Int?
    ) -> [Word] {
        let text = Array(question.utf8)
        var words: [Word] = []
        var places: [[UInt32]: Int] = [:]
        // Tokens have the same kinds and places in every language.
        for (index, token) in lists[0].enumerated() {
            if let place, lists[place][index].isStopWord { continue }
            var terms: [UInt32] = []
            for term in lists.compactMap({ LexicalTerm.of($0[index]) }) where !terms.contains(term)
            {
                terms.append(term)
            }
            guard !terms.isEmpty else { continue }
            let next = index + 1 < lists[0].count ? lists[0][index + 1] : nil
            let hasParts = next.map { $0.kind == .part && $0.position == token.position } ?? false
            let size = size(
                of: token, isHangul: isHangul(text[token.range]), hasParts: hasParts)
            if let place = places[terms] {
                words[place].size = max(words[place].size, size)
            } else {
                places[terms] = words.count
                words.append(Word(terms: terms, size: size))
            }
        }
        return words
    }

    private static func size(of token: Token, isHangul: Bool, hasParts: Bool) -> Double {
        switch token.kind {
        case .word: isHangul && hasParts ? 0 : 1
        case .pair: 0.5
        case .part: isHangul ? 0.5 : 0
        case .identifier: 0
        }
    }

    private static func isHangul(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = String(decoding: bytes.prefix(4), as: UTF8.self).unicodeScalars.first
        else { return false }
        return 0xAC00...0xD7A3 ~= first.value || 0x1100...0x11FF ~= first.value
    }
}
