import Encoders
import Foundation
import Testing

/// Builds `tokenizer.json` from a small vocabulary. The ids that tests expect are those that `tokenizers` 0.23.3 gives.
struct TokenizerFixture {
    static let tokens = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "ab", "##b", "##c", "abc", "x",
        "##x", "hello", "world", ",", "$", "€", "!", "i", "##\u{307}", "σ", "##σ", "ς", "ß", "ss",
        "e", "é", "É", "E", "##e", "漢", "字", "##字", "가", "\u{1100}", "\u{1161}", "\u{11A8}",
        "##\u{1161}", "##\u{11A8}", "∩", "½", "1⁄2", "ﬁ", "fi", "##", "##b##", "H", "##i", "-",
    ]

    var normalizer = bert()
    var preTokenizer = #"{"type": "BertPreTokenizer"}"#
    var postProcessor = "null"
    var added: [String] = []
    var model = #""type": "WordPiece", "unk_token": "[UNK]""#
    var prefix = "##"
    var longest = "100"
    var vocabulary = vocabulary(tokens)

    static func bert(
        clean: Bool = true, ideographs: Bool = true, accents: String = "null",
        lowercase: Bool = true
    ) -> String {
        """
        {"type": "BertNormalizer", "clean_text": \(clean), "handle_chinese_chars": \(ideographs), \
        "strip_accents": \(accents), "lowercase": \(lowercase)}
        """
    }

    static func vocabulary(_ tokens: [String]) -> String {
        "{" + tokens.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ") + "}"
    }

    /// An added token in which the named flags are true.
    static func token(_ content: String, _ flags: String...) -> String {
        let names = ["single_word", "lstrip", "rstrip", "normalized", "special"]
        let members = names.map { "\"\($0)\": \(flags.contains($0))" }
        return "{\"id\": 0, \"content\": \"\(content)\", \(members.joined(separator: ", "))}"
    }

    static let bertProcessing =
        #"{"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}"#

    var json: String {
        """
        {"version": "1.0", "truncation": {"max_length": 1}, "padding": null,
        "added_tokens": [\(added.joined(separator: ","))], "normalizer": \(normalizer),
        "pre_tokenizer": \(preTokenizer), "post_processor": \(postProcessor), "decoder": null,
        "model": {\(model), "continuing_subword_prefix": "\(prefix)",
        "max_input_chars_per_word": \(longest), "vocab": \(vocabulary)}}
        """
    }

    func tokenizer() throws(TokenizerError) -> WordPieceTokenizer {
        try WordPieceTokenizer(tokenizerJSON: Array(json.utf8))
    }

    /// The ids of a text without special tokens.
    func ids(_ text: String) throws -> [Int32] {
        let tokenizer = try tokenizer()
        let encoding = tokenizer.encode(text, limit: .max)
        #expect(tokenizer.count(text) == encoding.ids.count, "there are no special tokens")
        return encoding.ids
    }

    /// The message of the error that reading the file gives.
    func refusal() throws -> String {
        try #require(throws: TokenizerError.self) { try tokenizer() }.message
    }
}
