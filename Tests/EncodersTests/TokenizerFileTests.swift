import Encoders
import Testing

@Suite("Files of a tokenizer")
struct TokenizerFileTests {
    private typealias F = TokenizerFixture

    // MARK: tokenizer.json

    @Test("what is not supported is named")
    func unsupported() throws {
        #expect(
            try F(model: #""type": "BPE""#).refusal()
                == "tokenizer.json: the model 'BPE' is not supported")
        #expect(try F(normalizer: #"{"type": "Precompiled"}"#).refusal().contains("'Precompiled'"))
        let sequence = #"{"type": "Sequence", "normalizers": [{"type": "Replace"}]}"#
        #expect(try F(normalizer: sequence).refusal().contains("normalizer 'Replace'"))
        #expect(
            try F(preTokenizer: #"{"type": "ByteLevel"}"#).refusal()
                .contains("pre-tokenizer 'ByteLevel'"))
        #expect(
            try F(postProcessor: #"{"type": "RobertaProcessing"}"#).refusal()
                .contains("post-processor 'RobertaProcessing'"))
    }

    @Test(
        "malformed files are refused",
        arguments: [
            "", "[]", "{}", "null", "{\"model\": 3}", "{\"model\": {\"type\": \"WordPiece\"}}",
            String(repeating: "[", count: 100_000), "{\"model\"", "\u{FEFF}{}",
        ])
    func malformed(json: String) {
        #expect(throws: TokenizerError.self) {
            try WordPieceTokenizer(tokenizerJSON: Array(json.utf8))
        }
    }

    @Test("bytes that are not UTF-8 are refused")
    func notUTF8() {
        #expect(throws: TokenizerError.self) {
            try WordPieceTokenizer(tokenizerJSON: [0x22, 0xFF, 0x22])
        }
        #expect(throws: TokenizerError.self) {
            try WordPieceTokenizer(
                vocabulary: [0x5B, 0xFF, 0x0A], configuration: nil, specialTokens: nil)
        }
    }

    @Test(
        "ids that no model has are refused",
        arguments: ["-1", "1.5", "2147483647", "1e300", "\"1\"", "null"])
    func strangeIDs(id: String) throws {
        #expect(
            try F(vocabulary: "{\"[UNK]\": 0, \"a\": \(id)}").refusal().contains("id of a token"))
        let processor =
            "{\"type\": \"BertProcessing\", \"sep\": [\"s\", \(id)], \"cls\": [\"c\", 1]}"
        #expect(try F(postProcessor: processor).refusal().contains("id of a token"))
    }

    @Test("two tokens can have one id, and ids can have gaps")
    func oddIDs() throws {
        let fixture = F(vocabulary: #"{"[UNK]": 0, "a": 2000000, "b": 2000000}"#)
        #expect(try fixture.ids("a b c") == [2_000_000, 2_000_000, 0])
        #expect(try fixture.tokenizer().vocabularySize == 2_000_001)
    }

    @Test("a missing unknown token, and tokens that are too long, are refused")
    func tokens() throws {
        #expect(try F(vocabulary: #"{"a": 0}"#).refusal().contains("no token '[UNK]'"))
        let long = String(repeating: "a", count: 1025)
        #expect(try F(vocabulary: "{\"[UNK]\": 0, \"\(long)\": 1}").refusal().contains("longer"))
        #expect(try F(added: [F.token(long)]).refusal().contains("longer"))
        // 18 characters in its normal form.
        let growing = String(repeating: "\u{FDFA}", count: 300)
        let fixture = F(
            normalizer: #"{"type": "NFKC"}"#, added: [F.token(growing, "normalized")])
        #expect(try fixture.refusal().contains("too long"))
        #expect(try F(added: ["{\"content\": \"x\"}"]).refusal().contains("single_word"))
        #expect(try F(added: [F.token("")]).ids("a") == [5])
        #expect(try F(added: [F.token("\u{301}", "normalized")]).ids("a") == [5])
    }

    @Test(
        "templates that a pair or a text cannot fill are refused",
        arguments: [
            #"{"type": "TemplateProcessing"}"#,
            #"{"type": "TemplateProcessing", "single": [{"Sequence": {"id": "B", "type_id": 0}}]}"#,
            #"{"type": "TemplateProcessing", "single": [{"Sequence": {"id": "C", "type_id": 0}}]}"#,
            #"{"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 256}}]}"#,
            #"{"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}},"#
                + #"{"Sequence": {"id": "A", "type_id": 0}}]}"#,
            #"{"type": "TemplateProcessing", "single": 3}"#,
            #"{"type": "TemplateProcessing", "single": [3]}"#,
            #"{"type": "BertProcessing", "sep": ["s"], "cls": ["c", 1]}"#, #"{"type": 3}"#, "3",
        ])
    func templates(processor: String) throws {
        #expect(try !F(postProcessor: processor).refusal().isEmpty)
    }

    @Test("sequences of normalizers end")
    func manyNormalizers() throws {
        let many = Array(repeating: #"{"type": "NFKD"}"#, count: 33).joined(separator: ",")
        let fixture = F(normalizer: "{\"type\": \"Sequence\", \"normalizers\": [\(many)]}")
        #expect(try fixture.refusal().contains("too many normalizers"))
    }

    @Test("tokens that differ only in their composition are different tokens")
    func compositions() throws {
        let fixture = F(
            normalizer: "null", vocabulary: "{\"[UNK]\": 0, \"\u{E9}\": 1, \"e\u{301}\": 2}")
        #expect(try fixture.ids("\u{E9} e\u{301}") == [1, 2])
    }

    // MARK: vocab.txt

    private static let vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nB\nb\n<s>\nnew\né\ne\n"

    private func tokenizer(
        _ vocabulary: String = vocabulary, configuration: String? = nil, special: String? = nil
    ) throws(TokenizerError) -> WordPieceTokenizer {
        try WordPieceTokenizer(
            vocabulary: Array(vocabulary.utf8), configuration: configuration.map { Array($0.utf8) },
            specialTokens: special.map { Array($0.utf8) })
    }

    @Test("vocab.txt alone gives the uncased BERT tokenizer")
    func vocabularyAlone() throws {
        let tokenizer = try tokenizer()
        #expect(tokenizer.encode("A [SEP] é[MASK]", limit: 9).ids == [2, 5, 3, 11, 4, 3])
        #expect(tokenizer.encode("a", "b", limit: 9).types == [0, 0, 0, 1, 1])
        #expect(tokenizer.vocabularySize == 12)
    }

    @Test("tokenizer_config.json decides about case, accents and special tokens")
    func configuration() throws {
        let cased = try tokenizer(configuration: #"{"do_lower_case": false}"#)
        #expect(cased.encode("B é", limit: 9).ids == [2, 6, 10, 3])
        let accents = try tokenizer(
            configuration:
                #"{"strip_accents": false, "cls_token": "<s>", "tokenizer_class": "BertTokenizerFast"}"#
        )
        #expect(accents.encode("B É", limit: 9).ids == [8, 7, 10, 3])
        let other = #"{"tokenizer_class": "MPNetTokenizer"}"#
        let error = #expect(throws: TokenizerError.self) { try tokenizer(configuration: other) }
        #expect(error?.message.contains("MPNetTokenizer") == true)
    }

    @Test("special_tokens_map.json wins unless the configuration lists the added tokens")
    func specialTokens() throws {
        let map = #"{"cls_token": {"content": "<s>", "lstrip": true, "normalized": false}}"#
        #expect(
            try tokenizer(configuration: #"{"cls_token": "a"}"#, special: map)
                .encode("e <s>", limit: 9).ids == [8, 11, 8, 3])
        let listed = #"{"added_tokens_decoder": {"9": {"content": "new", "single_word": true}}}"#
        #expect(
            try tokenizer(configuration: listed, special: map).encode("new e", limit: 9).ids
                == [2, 9, 11, 3])
        let more = #"{"additional_special_tokens": ["new", "zz"]}"#
        #expect(try tokenizer(special: more).encode("newzz", limit: 9).ids == [2, 9, 12, 3])
    }

    @Test(
        "white space at the ends of lines is no part of tokens, and the last of equal lines counts")
    func lines() throws {
        let windows = Self.vocabulary.split(separator: "\n").joined(separator: "\r\n")
        #expect(try tokenizer(windows).encode("a b", limit: 9).ids == [2, 5, 7, 3])
        let twice = Self.vocabulary + "\na\u{3000} \n"
        #expect(try tokenizer(twice).encode("a b", limit: 9).ids == [2, 13, 7, 3])
    }

    @Test("missing special tokens are refused, except for those that texts do not need")
    func missingTokens() throws {
        for missing in ["[UNK]", "[CLS]", "[SEP]"] {
            let rest = Self.vocabulary.split(separator: "\n").filter { $0 != missing }
            let error = #expect(throws: TokenizerError.self) {
                try tokenizer(rest.joined(separator: "\n"))
            }
            #expect(error?.message == "vocab.txt: the vocabulary has no token '\(missing)'")
        }
        #expect(try tokenizer("[UNK]\n[CLS]\n[SEP]\na").encode("a", limit: 9).ids == [1, 3, 2])
        for file in ["[]", "{", "3"] {
            #expect(throws: TokenizerError.self) { try tokenizer(configuration: file) }
            #expect(throws: TokenizerError.self) { try tokenizer(special: file) }
        }
    }

    // MARK: Size

    @Test("long texts of marks, and of one letter, take linear time")
    func longTexts() throws {
        let fixture = F(
            added: [F.token(String(repeating: "x", count: 200) + "y")],
            longest: "1000000", vocabulary: F.vocabulary(["[UNK]", "x", "##x", "##xxxxy"]))
        let tokenizer = try fixture.tokenizer()
        #expect(tokenizer.count(String(repeating: "x", count: 1000)) == 1000)
        #expect(tokenizer.count("x" + String(repeating: "\u{301}\u{323}", count: 5000)) == 1)
        #expect(tokenizer.encode(String(repeating: "x ", count: 2000), limit: 8).ids.count == 8)
    }
}
