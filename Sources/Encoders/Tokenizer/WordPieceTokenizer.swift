/// Splits text into the ids of a BERT-family model's vocabulary, as Hugging Face's `tokenizers` does.
///
/// The ids are those of `tokenizers` 0.23 for every text: also for characters that newer versions of Unicode treat
/// differently, and for special tokens that are written in the text, such as `[SEP]`.
public struct WordPieceTokenizer: Sendable {
    /// The ids of a text or of a pair of texts, with special tokens.
    public struct Encoding: Sendable, Equatable {
        /// The ids, in order.
        public let ids: [Int32]
        /// For each id the type of its segment: 0 for the first text, 1 for the second.
        public let types: [UInt8]
        /// Whether ids were left out because of the limit.
        public let isCut: Bool
    }

    private let normalizer: TextNormalizer
    private let splitsWords: Bool
    private let rawTokens: AddedTokens
    private let normalizedTokens: AddedTokens
    private let vocabulary: TokenTable
    private let wordStart: TokenTable.Prefix
    private let continuation: TokenTable.Prefix
    private let unknown: Int32
    private let longestWord: Int
    private let single: SequenceTemplate
    private let pair: SequenceTemplate

    /// One more than the largest id that an encoding can contain: the rows that an embedding matrix needs.
    public let vocabularySize: Int

    /// Reads `tokenizer.json`. Its settings of truncation and padding are ignored.
    ///
    /// - Throws: What is malformed; or which part is not supported, by its `type`.
    public init(tokenizerJSON: [UInt8]) throws(TokenizerError) {
        try self.init(TokenizerSettings(tokenizerJSON: tokenizerJSON))
    }

    /// Reads `vocab.txt` with the settings of two further files, either of which may be missing.
    ///
    /// - Parameters:
    ///   - vocabulary: `vocab.txt`: one token a line, the first one with id 0.
    ///   - configuration: `tokenizer_config.json`.
    ///   - specialTokens: `special_tokens_map.json`.
    /// - Throws: What is malformed, or which class of tokenizer is not supported.
    public init(
        vocabulary: [UInt8], configuration: [UInt8]?, specialTokens: [UInt8]?
    ) throws(TokenizerError) {
        try self.init(
            TokenizerSettings(
                vocabulary: vocabulary, configuration: configuration, specialTokens: specialTokens))
    }

    init(_ settings: TokenizerSettings) throws(TokenizerError) {
        guard let unknown = settings.vocabulary.value(of: settings.unknownToken.utf8Span.span)
        else { throw settings.missing(settings.unknownToken) }
        self.unknown = unknown
        normalizer = TextNormalizer(settings.steps)
        splitsWords = settings.splitsWords
        vocabulary = settings.vocabulary
        wordStart = vocabulary.prefix()
        continuation = vocabulary.prefix(Array(settings.continuingPrefix.utf8))
        longestWord = settings.longestWord
        single = settings.single
        pair = settings.pair

        var raw = AddedTokens()
        var normalized = AddedTokens()
        var scalars = ScalarBuffer()
        var largest = settings.largestID
        for (token, id) in settings.addedTokens() {
            largest = max(largest, id)
            guard token.isNormalized else {
                raw.add(token, form: token.content, id: id)
                continue
            }
            var form: [UInt8] = []
            normalizer.append(token.content.span, to: &form, &scalars)
            guard form.count <= TokenTable.longestToken else {
                throw settings.invalid("an added token is too long")
            }
            normalized.add(token, form: form, id: id)
        }
        rawTokens = raw
        normalizedTokens = normalized
        vocabularySize = Int(largest) + 1
    }

    /// Encodes one text with its special tokens.
    ///
    /// - Parameter limit: The most ids, with special tokens. The end of a longer text is left out.
    public func encode(_ text: String, limit: Int) -> Encoding {
        let room = single.room(within: limit)
        let ids = tokenize(text, atMost: room)
        return single.encoding(of: [ids.prefix(room)], limit: limit, isCut: ids.count > room)
    }

    /// Encodes a pair of texts, for a cross-encoder, with its special tokens.
    ///
    /// - Parameter limit: The most ids, with special tokens. If the pair is longer, the end of the longer text is left
    ///   out, until both are equally long; then the ends of both are.
    public func encode(_ first: String, _ second: String, limit: Int) -> Encoding {
        let room = pair.room(within: limit)
        // Which text is the longer one decides even where both are longer than the room.
        let texts = [tokenize(first, atMost: .max), tokenize(second, atMost: .max)]
        let kept = Self.longestFirst(texts[0].count, texts[1].count, room)
        return pair.encoding(
            of: [texts[0].prefix(kept.0), texts[1].prefix(kept.1)], limit: limit,
            isCut: texts[0].count > kept.0 || texts[1].count > kept.1)
    }

    /// The number of ids of a text without special tokens.
    public func count(_ text: String) -> Int { tokenize(text, atMost: .max).count }

    /// How much of two texts fits into `room`; the shorter one keeps more, as with `longest_first`.
    private static func longestFirst(_ first: Int, _ second: Int, _ room: Int) -> (Int, Int) {
        guard first + second > room else { return (first, second) }
        var (short, long) = (min(first, second), max(first, second))
        long = short > room ? short : max(short, room - short)
        if short + long > room {
            short = room / 2
            long = short + room % 2
        }
        return first > second ? (long, short) : (short, long)
    }

    // MARK: Words

    /// Memory that the words of a text use again.
    private struct Scratch {
        var scalars = ScalarBuffer()
        var search = TokenTable.Scratch()
    }

    /// The ids of a text without special tokens. It stops after more than `limit` ids.
    private func tokenize(_ text: String, atMost limit: Int) -> [Int32] {
        var ids: [Int32] = []
        var scratch = Scratch()
        let bytes = text.utf8Span.span
        for (range, id) in rawTokens.parts(of: bytes, &scratch.search) where ids.count <= limit {
            if let id {
                ids.append(id)
            } else {
                tokenizePart(bytes.extracting(range), atMost: limit, to: &ids, &scratch)
            }
        }
        return ids
    }

    /// Appends the ids of a text without tokens that are matched as they are written.
    private func tokenizePart(
        _ text: Span<UInt8>, atMost limit: Int, to ids: inout [Int32], _ scratch: inout Scratch
    ) {
        var normalized: [UInt8] = []
        normalizer.append(text, to: &normalized, &scratch.scalars)
        let bytes = normalized.span
        if normalizedTokens.isEmpty {
            return appendWords(of: bytes, atMost: limit, to: &ids, &scratch.search)
        }
        let parts = normalizedTokens.parts(of: bytes, &scratch.search)
        for (range, id) in parts where ids.count <= limit {
            if let id {
                ids.append(id)
            } else {
                let part = bytes.extracting(range)
                appendWords(of: part, atMost: limit, to: &ids, &scratch.search)
            }
        }
    }

    /// Splits normalized text at white space and around punctuation, and appends the ids of the words.
    private func appendWords(
        of text: Span<UInt8>, atMost limit: Int, to ids: inout [Int32],
        _ scratch: inout TokenTable.Scratch
    ) {
        guard splitsWords else {
            if !text.isEmpty { append(text, to: &ids, &scratch) }
            return
        }
        var start = 0
        var place = 0
        while place < text.count, ids.count <= limit {
            let (scalar, length) = UTF8Text.scalar(text, at: place)
            let sets = BertCharacters.sets(of: scalar)
            if sets.isDisjoint(with: [.space, .punctuation]) {
                place += length
                continue
            }
            if start < place { append(text.extracting(start..<place), to: &ids, &scratch) }
            if !sets.contains(.space) {
                append(text.extracting(place..<place + length), to: &ids, &scratch)
            }
            place += length
            start = place
        }
        if start < place { append(text.extracting(start..<place), to: &ids, &scratch) }
    }

    /// Appends the ids of a word: again and again the longest token; one id if that fails anywhere.
    private func append(
        _ word: Span<UInt8>, to ids: inout [Int32], _ scratch: inout TokenTable.Scratch
    ) {
        if word.count > longestWord {
            var characters = 0
            for index in word.indices where word[index] & 0xC0 != 0x80 { characters += 1 }
            if characters > longestWord { return ids.append(unknown) }
        }
        let first = ids.count
        var place = 0
        while place < word.count {
            let prefix = place == 0 ? wordStart : continuation
            guard let token = vocabulary.longest(after: prefix, in: word, from: place, &scratch)
            else {
                ids.removeSubrange(first...)
                return ids.append(unknown)
            }
            ids.append(token.value)
            place += token.length
        }
    }
}
