internal import Encoders

extension FuzzTarget {
    /// Files of a tokenizer: any bytes give an error or a tokenizer, whose ids stay within its vocabulary and its limits.
    ///
    /// The input is the limit and the kind of file in one byte, the file, a byte 0xFF, and a text.
    static let tokenizers = FuzzTarget(
        "tokenizers",
        words: [
            "\"BertNormalizer\"", "\"NFKC\"", "\"Strip\"", "\"strip_left\":true",
            "\"StripAccents\"",
            "\"normalizers\":[", "\"TemplateProcessing\"", "\"Sequence\"", "\"SpecialToken\"",
            "\"type_id\":1", "\"BertProcessing\"", "\"added_tokens\":[", "\"lstrip\":true",
            "\"single_word\":true", "\"normalized\":true", "\"max_input_chars_per_word\":3",
            "\"continuing_subword_prefix\":\"\"", "2147483647", "##", "[UNK]", "\u{301}", "漢", "İ",
        ]
    ) { _ in
        seeds
    } run: { input throws(FuzzFinding) in
        guard let first = input.count > 0 ? input[0] : nil else { return }
        var file: [UInt8] = []
        var text: [UInt8] = []
        var isText = false
        for index in 1..<max(1, input.count) {
            if input[index] == 0xFF, !isText {
                isText = true
            } else if isText {
                text.append(input[index])
            } else {
                file.append(input[index])
            }
        }
        guard let tokenizer = tokenizer(kind: first & 3, file) else { return }
        try check(tokenizer, String(decoding: text, as: UTF8.self), limit: Int(first >> 2))
    }

    private static func tokenizer(kind: UInt8, _ file: [UInt8]) -> WordPieceTokenizer? {
        let vocabulary = Array("[UNK]\n[CLS]\n[SEP]\na\n##b\n##é\n".utf8)
        do throws(TokenizerError) {
            switch kind {
            case 0, 1: return try WordPieceTokenizer(tokenizerJSON: file)
            case 2:
                return try WordPieceTokenizer(
                    vocabulary: file, configuration: nil, specialTokens: nil)
            default:
                return try WordPieceTokenizer(
                    vocabulary: vocabulary, configuration: file, specialTokens: file)
            }
        } catch {
            _ = (error.message, error.remedy)
            return nil
        }
    }

    private static func check(
        _ tokenizer: WordPieceTokenizer, _ text: String, limit: Int
    ) throws(FuzzFinding) {
        let count = tokenizer.count(text)
        let whole = tokenizer.encode(text, limit: .max)
        try FuzzFinding.unless(!whole.isCut && whole.ids.count >= count, "ids are missing")
        let cut = tokenizer.encode(text, limit: limit)
        try FuzzFinding.unless(
            cut.isCut == (whole.ids.count > limit), "it says wrongly whether a text is cut")
        for encoding in [whole, cut, tokenizer.encode(text, text, limit: limit)] {
            try FuzzFinding.unless(
                encoding.ids.count == encoding.types.count
                    && encoding.ids.allSatisfy { 0..<tokenizer.vocabularySize ~= Int($0) },
                "an id is outside the vocabulary")
            try FuzzFinding.unless(
                encoding == whole || encoding.ids.count <= limit, "the ids pass the limit")
        }
    }

    private static var seeds: [[UInt8]] {
        let model =
            "\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"u\",\"continuing_subword_prefix\":\"#\","
            + "\"max_input_chars_per_word\":9,\"vocab\":{\"u\":0,\"a\":1,\"#b\":2,\"#é\":7,\"漢\":4}}"
        let bert =
            "{\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"
            + "\"strip_accents\":null,\"lowercase\":true},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
            + "\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"s\",5],\"cls\":[\"c\",6]},"
            + "\"added_tokens\":[{\"content\":\"É\",\"lstrip\":true,\"rstrip\":false,\"single_word\":false,"
            + "\"normalized\":true,\"special\":false}]," + model + "}"
        let sequence =
            "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"},{\"type\":\"Strip\","
            + "\"strip_left\":true,\"strip_right\":true},{\"type\":\"StripAccents\"}]},"
            + "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\","
            + "\"type_id\":0}}],\"pair\":[{\"Sequence\":{\"id\":\"B\",\"type_id\":1}},{\"SpecialToken\":"
            + "{\"id\":\"s\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"special_tokens\":"
            + "{\"s\":{\"id\":\"s\",\"ids\":[3,8],\"tokens\":[\"s\",\"t\"]}}}," + model + "}"
        let configuration =
            "{\"do_lower_case\":false,\"strip_accents\":true,\"additional_special_tokens\":[\"ab\",\"b\"],"
            + "\"cls_token\":{\"content\":\"a\",\"lstrip\":true},\"added_tokens_decoder\":{\"3\":{\"content\":"
            + "\"x\",\"single_word\":true}}}"
        let text: [UInt8] = [0xFF] + Array("ab É e\u{301} 漢字 İ\0\u{301} ab, ab".utf8)
        return [
            [40] + Array(bert.utf8) + text, [17] + Array(sequence.utf8) + text,
            [30] + Array("[UNK]\n[CLS]\r\n[SEP] \na\n##b\n".utf8) + text,
            [255] + Array(configuration.utf8) + text,
        ]
    }
}
