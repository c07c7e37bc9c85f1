/// A word of a text, as it is compared.
public struct Token: Hashable, Sendable {
    /// What a token is.
    public enum Kind: UInt8, Sendable {
        /// A word.
        case word
        /// Several words that are joined, kept whole: `select_related`, `15.20`. Its words are
        /// tokens too.
        case identifier
        /// A part of a word: `password` of `OAuth2PasswordBearer`, or two syllables of a word in
        /// Hangul.
        case part
        /// Two neighbouring characters in a script that has no spaces between words, or one that
        /// stands alone.
        case pair
    }

    /// What it is.
    public let kind: Kind
    /// The hash of the stem, by which the forms of a word are one; that of ``word`` for
    /// identifiers, pairs, stop words and words that have no stemmer.
    public let stem: UInt64
    /// The hash of the word in the form that is matched, ``TextForm/matched(_:)``.
    public let word: UInt64
    /// The number of the word, or of the pair, in its text, from 0. An identifier has that of its
    /// first word, a part that of its word.
    public let position: Int
    /// Whether the word says so little that it is not looked for.
    public let isStopWord: Bool
    /// Where it stands: offsets in the UTF-8 of the text as it was given. Where one character
    /// becomes several words, as `½` does, each has the place of the character.
    public let range: Range<Int>

    /// Whether this is one of the words or pairs that a text is made of, one at each position.
    public var isInSequence: Bool { kind == .word || kind == .pair }
}
