internal import Objects

/// Everything that the files of a tokenizer say, checked.
struct TokenizerSettings {
    /// The file that the settings come from, for messages.
    let file: String
    var vocabulary = TokenTable()
    var unknownToken = "[UNK]"
    var continuingPrefix = "##"
    /// The most characters of a word that is split; longer ones are unknown.
    var longestWord = 100
    var steps: [TextNormalizer.Step] = []
    /// Whether text is split at white space and around punctuation.
    var splitsWords = true
    var single = SequenceTemplate.plain
    var pair = SequenceTemplate.plainPair
    /// The largest id of the vocabulary and of the special tokens.
    private(set) var largestID: Int32 = 0
    private var added: [AddedToken] = []
    /// The numbers of the added tokens, by their text.
    private var numbers = TokenTable()

    init(file: String) { self.file = file }

    func invalid(_ reason: String) -> TokenizerError { .invalid(file: file, reason: reason) }

    func missing(_ token: String) -> TokenizerError {
        invalid("the vocabulary has no token '\(token)'")
    }

    /// Adds a token to the vocabulary.
    mutating func set(_ token: Span<UInt8>, to id: Int32) throws(TokenizerError) {
        guard token.count <= TokenTable.longestToken else {
            throw invalid("a token is longer than \(TokenTable.longestToken) bytes")
        }
        vocabulary.set(token, to: id)
        largestID = max(largestID, id)
    }

    /// Adds a token that is found before words are split; an empty one is ignored.
    ///
    /// - Parameter replaces: Whether it replaces one with the same text, which was added before.
    mutating func add(_ token: AddedToken, replaces: Bool) throws(TokenizerError) {
        guard token.content.count <= TokenTable.longestToken else {
            throw invalid("a token is longer than \(TokenTable.longestToken) bytes")
        }
        guard !token.content.isEmpty else { return }
        if let number = numbers.value(of: token.content.span) {
            if replaces { added[Int(number)] = token }
        } else {
            numbers.set(token.content.span, to: Int32(clamping: added.count))
            added.append(token)
        }
    }

    /// The id of a special token, which must be in the vocabulary.
    func id(of token: String) throws(TokenizerError) -> Int32 {
        guard let id = vocabulary.value(of: token.utf8Span.span) else { throw missing(token) }
        return id
    }

    /// The added tokens with their ids.
    ///
    /// As in `tokenizers`, a token that the vocabulary does not contain gets the next id after the number of tokens,
    /// whatever id the file gives it.
    func addedTokens() -> [(token: AddedToken, id: Int32)] {
        var next = Int32(clamping: vocabulary.count)
        return added.map { token in
            if let id = vocabulary.value(of: token.content.span) { return (token, id) }
            defer { next += 1 }
            return (token, next)
        }
    }

    /// Notes the ids of special tokens, which the vocabulary need not contain.
    mutating func note(_ ids: [Int32]) { largestID = max(largestID, ids.max() ?? 0) }

    /// The steps of a `BertNormalizer`.
    static func bertSteps(
        cleans: Bool, separatesIdeographs: Bool, stripsAccents: Bool?, lowercases: Bool
    ) -> [TextNormalizer.Step] {
        var steps: [TextNormalizer.Step] = []
        if cleans { steps.append(.clean) }
        if separatesIdeographs { steps.append(.separateIdeographs) }
        if stripsAccents ?? lowercases {
            steps += [.decompose(isCompatible: false), .removeNonspacing]
        }
        if lowercases { steps.append(.lowercase) }
        return steps
    }
}
