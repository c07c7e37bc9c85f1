import Encoders
import Testing

@Suite("WordPiece tokenizer")
struct WordPieceTokenizerTests {
    private func check(
        _ fixture: TokenizerFixture, _ expected: [(String, [Int32])],
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        for (text, ids) in expected {
            #expect(try fixture.ids(text) == ids, "\(text)", sourceLocation: location)
        }
    }

    // MARK: Words

    @Test("a word becomes the longest tokens from left to right, or one unknown token")
    func longestTokens() throws {
        try check(
            TokenizerFixture(),
            [
                ("abc abcb ab abx xb", [10, 10, 8, 7, 7, 12, 11, 8]), ("q", [1]), ("aq", [1]),
                ("hello, world!", [13, 15, 14, 18]), ("", []), (" \n", []),
            ])
    }

    @Test("ASCII symbols are words of their own, other symbols are not")
    func punctuation() throws {
        try check(TokenizerFixture(), [("$ € a$b a€b", [16, 17, 5, 16, 6, 1])])
    }

    @Test("a word with more characters than the limit is unknown")
    func longWords() throws {
        try check(TokenizerFixture(longest: "3"), [("abc abcb é\u{301}\u{301}b", [10, 1, 26, 8])])
    }

    @Test("the prefix of later tokens can be empty")
    func emptyPrefix() throws {
        try check(TokenizerFixture(prefix: ""), [("abcab", [10, 7])])
    }

    @Test("without a pre-tokenizer the whole text is one word")
    func oneWord() throws {
        let fixture = TokenizerFixture(normalizer: "null", preTokenizer: "null")
        try check(fixture, [("abc", [10]), ("ab c", [1]), ("", [])])
    }

    // MARK: Normalization

    @Test("clean_text removes control characters and turns white space into spaces")
    func cleanText() throws {
        try check(
            TokenizerFixture(),
            [
                ("a\0b", [7]), ("a\u{200B}b", [7]), ("a\u{FFFD}b", [7]),
                ("a\u{A0}b\tx", [5, 6, 11]),
                ("a\u{2028}b", [5, 6]),
                // Punctuation since Unicode 14, which `tokenizers` does not know.
                ("a\u{61D}b", [1]),
            ])
        try check(
            TokenizerFixture(normalizer: TokenizerFixture.bert(clean: false)),
            [("a\u{A0}b", [5, 6]), ("a\u{200B}b", [1]), ("a\u{85}b", [5, 6])])
    }

    @Test("handle_chinese_chars separates ideographs")
    func ideographs() throws {
        try check(TokenizerFixture(), [("a漢字b", [5, 31, 32, 6]), ("〇漢", [1, 31])])
        try check(
            TokenizerFixture(normalizer: TokenizerFixture.bert(ideographs: false)),
            [("漢字", [31, 33])])
    }

    @Test("strip_accents follows lowercase unless it is given")
    func accents() throws {
        let text = "É é e\u{301} E"
        func ids(_ accents: String, lowercase: Bool) throws -> [Int32] {
            let normalizer = TokenizerFixture.bert(accents: accents, lowercase: lowercase)
            return try TokenizerFixture(normalizer: normalizer).ids(text)
        }
        #expect(try ids("null", lowercase: true) == [26, 26, 26, 26])
        #expect(try ids("null", lowercase: false) == [28, 27, 1, 29])
        #expect(try ids("true", lowercase: false) == [29, 26, 26, 29])
        #expect(try ids("false", lowercase: true) == [27, 27, 1, 26])
        try check(TokenizerFixture(), [("e\u{323}\u{301}", [26])])
    }

    @Test("lowercase maps each character alone")
    func lowercase() throws {
        // The dot of İ is an accent; a final sigma is like any other.
        try check(
            TokenizerFixture(), [("İ ΑΣ Σ ẞ ß ΣΣ", [19, 1, 21, 24, 24, 21, 22]), ("I", [19])])
        try check(
            TokenizerFixture(normalizer: TokenizerFixture.bert(accents: "false")),
            [("İ", [19, 20])]
        )
    }

    @Test("syllables of Hangul are decomposed with the accents")
    func hangul() throws {
        try check(TokenizerFixture(), [("각 가", [35, 38, 39, 35, 38])])
        try check(
            TokenizerFixture(normalizer: TokenizerFixture.bert(accents: "false")), [("가", [34])])
    }

    @Test(
        "normalizers of other kinds",
        arguments: [
            ("NFD", [1, 1, 29, 41, 43, 35, 38, 1]), ("NFC", [27, 27, 29, 41, 43, 34, 28]),
            ("NFKD", [1, 1, 29, 42, 44, 35, 38, 1]), ("NFKC", [27, 27, 29, 42, 44, 34, 28]),
            ("Lowercase", [27, 1, 26, 41, 43, 34, 27]),
            ("StripAccents", [27, 26, 29, 41, 43, 34, 28]),
        ] as [(String, [Int32])])
    func otherNormalizers(type: String, ids: [Int32]) throws {
        try check(
            TokenizerFixture(normalizer: "{\"type\": \"\(type)\"}"),
            [("é e\u{301} E ½ ﬁ 가 É", ids)])
    }

    @Test("a sequence of normalizers, and white space at the ends")
    func sequences() throws {
        let sequence = """
            {"type": "Sequence", "normalizers": [{"type": "NFKD"}, {"type": "StripAccents"},
            {"type": "Lowercase"}]}
            """
        try check(TokenizerFixture(normalizer: sequence), [("É ﬁ", [26, 44])])
        for (right, ids) in [(true, [10]), (false, [1])] as [(Bool, [Int32])] {
            let strip = "{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": \(right)}"
            try check(
                TokenizerFixture(normalizer: strip, preTokenizer: "null"), [(" abc\u{3000}", ids)])
        }
    }

    @Test("a mark composes with its letter across a removed character")
    func removedCharacters() throws {
        let sequence = """
            {"type": "Sequence", "normalizers": [\(TokenizerFixture.bert(accents: "false")),
            {"type": "NFC"}]}
            """
        try check(
            TokenizerFixture(normalizer: sequence),
            [("e\0\0\u{301}", [27]), ("é e\0\u{301}", [27, 27]), ("漢e\0\u{301}x", [31, 27, 12])])
    }

    // MARK: Added tokens

    @Test("added tokens are found in the text as it is written, the longest first")
    func addedTokens() throws {
        typealias F = TokenizerFixture
        try check(
            F(added: [F.token("[MASK]", "special"), F.token("[SEP]", "special")]),
            [("a [MASK]b [mask] [SEP][SEP]", [5, 4, 6, 1, 1, 1, 3, 3])])
        try check(
            F(added: [F.token("ab"), F.token("abcd"), F.token("bc")]),
            [("abcd abc", [50, 7, 1])])
        try check(F(added: [F.token("É")]), [("é E É e", [26, 26, 28, 26])])
        // New tokens get the ids after the vocabulary.
        try check(
            F(added: [F.token("one"), F.token("two"), F.token("a")]),
            [("one two a", [50, 51, 5])])
        #expect(try F(added: [F.token("one"), F.token("two")]).tokenizer().vocabularySize == 52)
        #expect(try F().tokenizer().vocabularySize == 50)
    }

    @Test("flags of added tokens: lstrip, rstrip, single_word, normalized")
    func addedTokenFlags() throws {
        typealias F = TokenizerFixture
        try check(
            F(added: [F.token("X", "lstrip"), F.token("Y", "rstrip")]),
            [("a  X b Y  a", [5, 50, 6, 51, 5])])
        try check(
            F(added: [F.token("É", "normalized")]), [("é E e\u{301}xe", [28, 28, 28, 11, 28])])
        try check(
            F(added: [F.token("ab", "single_word")]),
            [("ab abx xab ab. _ab ab\u{301}", [7, 7, 12, 1, 7, 1, 1, 7, 7])])
    }

    // MARK: Special tokens and limits

    @Test("BertProcessing, TemplateProcessing, or no special tokens")
    func postProcessors() throws {
        let template = """
            {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "c", "type_id": 1}},
            {"Sequence": {"id": "A", "type_id": 2}}], "pair": [{"Sequence": {"id": "B", "type_id": 1}},
            {"SpecialToken": {"id": "c", "type_id": 3}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "special_tokens": {"c": {"id": "c", "ids": [2, 4], "tokens": ["a", "b"]}}}
            """
        func checkBoth(_ processor: String, _ one: ([Int32], [UInt8]), _ two: ([Int32], [UInt8]))
            throws
        {
            let tokenizer = try TokenizerFixture(postProcessor: processor).tokenizer()
            let single = tokenizer.encode("a x", limit: 9)
            let pair = tokenizer.encode("a x", "b", limit: 9)
            #expect((single.ids, single.types) == one)
            #expect((pair.ids, pair.types) == two)
            #expect(!single.isCut && !pair.isCut)
            #expect(tokenizer.count("a x") == 2)
        }
        try checkBoth(
            TokenizerFixture.bertProcessing, ([2, 5, 11, 3], [0, 0, 0, 0]),
            ([2, 5, 11, 3, 6, 3], [0, 0, 0, 0, 1, 1]))
        try checkBoth(
            template, ([2, 4, 5, 11], [1, 1, 2, 2]), ([6, 2, 4, 5, 11], [1, 3, 3, 0, 0]))
        try checkBoth("null", ([5, 11], [0, 0]), ([5, 11, 6], [0, 0, 1]))
    }

    @Test("a limit counts special tokens")
    func limits() throws {
        let tokenizer = try TokenizerFixture(postProcessor: TokenizerFixture.bertProcessing)
            .tokenizer()
        let expected: [(String, Int, [Int32], Bool)] = [
            ("a a a", 5, [2, 5, 5, 5, 3], false), ("a a a", 4, [2, 5, 5, 3], true),
            ("abx a", 3, [2, 7, 3], true), ("a", 2, [2, 3], true), ("", 2, [2, 3], false),
        ]
        for (text, limit, ids, isCut) in expected {
            let encoding = tokenizer.encode(text, limit: limit)
            #expect(encoding.ids == ids && encoding.isCut == isCut, "\(text) \(limit)")
        }
        for limit in [1, 0, -1, .min] {
            #expect(tokenizer.encode("a", limit: limit).ids.count <= max(0, limit))
            #expect(tokenizer.encode("a", "b", limit: limit).ids.count <= max(0, limit))
        }
    }

    @Test(
        "a limit cuts the longer text of a pair first",
        arguments: [
            (3, 5, 2, 0, 0), (4, 5, 2, 1, 0), (4, 1, 5, 0, 1), (4, 3, 3, 0, 1), (5, 5, 2, 1, 1),
            (6, 5, 2, 2, 1), (6, 1, 5, 1, 2), (7, 5, 2, 2, 2), (7, 1, 5, 1, 3), (8, 5, 2, 3, 2),
            (8, 3, 3, 2, 3), (8, 4, 5, 2, 3), (9, 5, 2, 4, 2), (9, 3, 3, 3, 3), (9, 4, 5, 3, 3),
        ])
    func pairLimits(limit: Int, first: Int, second: Int, kept: Int, keptOfSecond: Int) throws {
        let tokenizer = try TokenizerFixture(postProcessor: TokenizerFixture.bertProcessing)
            .tokenizer()
        let encoding = tokenizer.encode(
            String(repeating: "a ", count: first), String(repeating: "b ", count: second),
            limit: limit)
        let expected =
            [2] + Array(repeating: 5, count: kept) + [3] + Array(repeating: 6, count: keptOfSecond)
            + [3]
        #expect(encoding.ids == expected.map { Int32($0) })
        #expect(encoding.isCut == (kept < first || keptOfSecond < second))
        #expect(
            encoding.types == encoding.ids.indices.map { $0 < kept + 2 ? 0 : 1 })
    }
}
