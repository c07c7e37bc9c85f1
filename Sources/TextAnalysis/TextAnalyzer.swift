/// Splits texts of one language into the tokens that search compares.
///
/// A word is a sequence of letters, digits and combining marks of ``TextForm/matched(_:)``; words are compared by stem.
/// When a single `_`, `-` or `.` joins words, each word is a token and so is the whole identifier; the parts of a
/// mixed-case word are tokens too. Scripts without spaces give overlapping pairs of characters; Hangul gives words and
/// pairs.
///
/// Analysis takes linear time, and gives the same tokens on every machine with the same ``definition``. An analyzer is
/// thread-safe. It caches stems, so share one among many texts.
public struct TextAnalyzer: Sendable {
    /// The language that supplies stems and stop words.
    public let language: Language
    private let stemmers: StemmerPool

    /// Makes an analyzer. A language without a stemmer compares whole words; one without a list has no stop words.
    public init(language: Language = .english) {
        self.language = language
        stemmers = StemmerPool(language)
    }

    /// The tokens of a text, in order of position.
    public func tokens(of text: String) -> [Token] {
        var tokens: [Token] = []
        tokens.reserveCapacity(text.utf8.count / 5)
        forEachToken(of: text) { tokens.append($0) }
        return tokens
    }

    /// Passes each token to `body`, in order of position; among tokens at the same position, the longest comes first.
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

/// A word of a text in the form that search compares.
public struct Token: Hashable, Sendable {
    /// How a token relates to the words of its text.
    public enum Kind: UInt8, Sendable {
        /// A word.
        case word
        /// Several joined words kept whole, such as `select_related` or `15.20`; the single words are tokens too.
        case identifier
        /// A part of a word: `password` in `OAuth2PasswordBearer`, or two syllables of a Hangul word.
        case part
        /// Two neighbouring characters in a script without spaces, or one that stands alone.
        case pair
    }

    /// How the token relates to the words of its text.
    public let kind: Kind
    /// The hash of the stem, which all forms of a word share; equals ``word`` for identifiers, pairs, stop words and
    /// words without a stemmer.
    public let stem: UInt64
    /// The hash of the word in the matched form, ``TextForm/matched(_:)``.
    public let word: UInt64
    /// The ordinal of the word or pair in its text, from 0; an identifier has the ordinal of its first word, a part
    /// the ordinal of its word.
    public let position: Int
    /// Whether the word is a stop word, which search ignores.
    public let isStopWord: Bool
    /// The token's place in the original text, as UTF-8 offsets. Where one character becomes several words, as `½`
    /// does, each has the place of the whole character.
    public let range: Range<Int>

    /// Whether this is one of the consecutive words or pairs of the text, one at each position.
    public var isInSequence: Bool { kind == .word || kind == .pair }
}

/// The 64-bit hash that identifies a term: a word, a stem, a pair of words or a character n-gram.
///
/// FNV-1a (Fowler, Noll and Vo), finished with the mixer of SplitMix64 (Steele, Lea and Flood, 2014). For bytes or
/// other numbers s1...sn and a seed: h = seed; for each s: h = (h xor s) x 0x100000001B3 (mod 2^64); the hash is
/// mix(h). A text is hashed as UTF-8.
public struct TermHash: Sendable {
    @usableFromInline var state: UInt64

    /// Starts from a seed; each kind of term has its own.
    @inlinable
    public init(seed: UInt64 = 0xCBF2_9CE4_8422_2325) { state = seed }

    /// Adds a byte or any other number.
    @inlinable
    public mutating func add(_ value: UInt64) { state = (state ^ value) &* 0x100_0000_01B3 }

    /// The hash of everything added so far; more can be added afterwards.
    @inlinable
    public var value: UInt64 {
        var mixed = state &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// The hash of a sequence of bytes.
    @inlinable
    public static func of(
        _ bytes: some Sequence<UInt8>, seed: UInt64 = 0xCBF2_9CE4_8422_2325
    ) -> UInt64 {
        var hash = TermHash(seed: seed)
        for byte in bytes { hash.add(UInt64(byte)) }
        return hash.value
    }

    /// The hash of a text's UTF-8.
    @inlinable
    public static func of(_ text: String, seed: UInt64 = 0xCBF2_9CE4_8422_2325) -> UInt64 {
        of(text.utf8, seed: seed)
    }
}

extension TextAnalyzer {
    /// A description of the analysis: its rules, the Unicode version, the stop words, and each stemmer's stems of fixed
    /// words.
    ///
    /// At most 64 KiB of UTF-8. Two programs with the same bytes find the same tokens, to the extent that the fixed
    /// words distinguish versions of a stemmer. Any change to the rules must change the number in the first line.
    public static let definition: [UInt8] = {
        var lines = [
            "fti text analysis 1",
            "form: NFKC of the full case folding of the decomposed text, default ignorables dropped",
            "words: begin with L or N, go on with L, N and M; U+2010 is a hyphen",
            "joined by one of _ - . : each word, the whole, and what is between dots",
            "mixed case: the word, and its parts of two bytes and more",
            "pairs of characters: Han with kana, Thai, Lao, Khmer, Myanmar; Hangul: words and pairs",
            "stems of words up to \(Stemmer.longestWord) bytes; stop words have none",
            "hash: FNV-1a over UTF-8, mixer of SplitMix64",
            "unicode \(TextForm.unicodeVersion)",
        ]
        for (code, list) in StopWords.lists.sorted(by: { $0.key < $1.key }) {
            lines.append("stop words \(code): \(list)")
        }
        for (code, algorithm) in Language.algorithms.sorted(by: { $0.key < $1.key }) {
            guard let language = Language(code: code) else { continue }
            let stemmer = Stemmer(language, stopWords: [])
            let stems = sampleWords.map { word in
                let stem = stemmer.stem(of: Array(word.utf8)) ?? Array(word.utf8)
                return String(decoding: stem, as: UTF8.self)
            }
            lines.append("stems \(code) \(algorithm): \(stems.joined(separator: " "))")
        }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }()

    /// Words of many languages. Every stemmer changes some of them, and past versions of Snowball disagreed about them.
    private static let sampleWords = """
        running connections happily generalization university skies dying news past evening geologist \
        succeeding fluently added häuser kindern aufgaben möglichkeiten systemischen \
        continuellement chevaux majestés nationalité corriendo canciones niños hablaremos andando \
        ragazze pronunciare quilométricas boas correndo lichamen mogelijkheden geleerde flickorna \
        arbetade möjligheten muligheden kunstnerne arbeidene tietokoneet taloissa házakban könyvek \
        книгами возможности делающий kitaplardan evlerimizde copiilor frumoase كتابات والمدرسة \
        मानवीयता लड़कियों menjalankan βιβλία πόλεις գրքերը cavalls etxeak knygomis குழந்தைகள் knjigama \
        leabhair किताबहरू ביכער
        """.split(separator: " ").map(String.init)
}
