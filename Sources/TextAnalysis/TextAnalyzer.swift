/// Finds the words of texts of a language, in the form in which they are compared.
///
/// A word is a run of letters, digits and combining marks of ``TextForm/matched(_:)``, and compared
/// by its stem. Words that one `_`, `-` or `.` joins are tokens, and the whole is one too; so are
/// the parts of a word in mixed case. Scripts without spaces give overlapping pairs of characters.
///
/// What a text gives takes time in proportion to its length, and is the same on every machine whose
/// ``definition`` is the same. Threads can share an analyzer. It remembers stems, so make one for
/// many texts.
public struct TextAnalyzer: Sendable {
    /// The language whose stems and stop words count.
    public let language: Language
    private let stemmers: StemmerPool

    /// Makes an analyzer. A language without a stemmer has the words as they are, one without a
    /// list no stop words.
    public init(language: Language = .english) {
        self.language = language
        stemmers = StemmerPool(language)
    }

    /// The tokens of a text, in the order of their positions.
    public func tokens(of text: String) -> [Token] {
        var tokens: [Token] = []
        tokens.reserveCapacity(text.utf8.count / 5)
        forEachToken(of: text) { tokens.append($0) }
        return tokens
    }

    /// Finds the tokens of a text, in the order of their positions: of tokens with the same, the
    /// longest first.
    public func forEachToken(of text: String, _ body: (Token) -> Void) {
        var text = text
        text.makeContiguousUTF8()
        let bytes = text.utf8.span
        stemmers.withStemmer { stemmer in
            var scanner = WordScanner(stemmer: stemmer)
            scanner.scan(bytes, body)
        }
    }
}
