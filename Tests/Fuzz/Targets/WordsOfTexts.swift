@testable internal import TextAnalysis

extension FuzzTarget {
    private static let analyzers = ["en", "de", "ru", "ar", "tr", "zh"].compactMap {
        Language(code: $0).map { TextAnalyzer(language: $0) }
    }

    /// Any bytes as text: tokens are in order and within the text, Unicode conversions are idempotent, and composing a
    /// text keeps its words.
    ///
    /// The input is the language and the text.
    static let words = FuzzTarget(
        "words", words: ["_", "-", ".", "\u{301}", "\u{AD}", "\u{1100}\u{1161}", "\u{E33}", "ﬁ"]
    ) { _ in
        [
            "select_related libssl-dev OAuth2PasswordBearer 15.20", "Größe Gro\u{308}ße ＦＴＩ",
            "退款政策 ガイド ｶﾞｲﾄﾞ", "\u{1112}\u{1161}\u{11AB}국어", "ภาษาไทย", "α\u{345}\u{301}½…㏂",
        ].map { [0] + Array($0.utf8) }
    } run: { input throws(FuzzFinding) in
        guard input.count > 1 else { return }
        let text = String(decoding: Array(input.extracting(1..<input.count)), as: UTF8.self)
        let analyzer = analyzers[Int(input[0]) % analyzers.count]
        let tokens = analyzer.tokens(of: text)
        let count = text.utf8.count
        try FuzzFinding.unless(
            tokens.allSatisfy { 0 <= $0.range.lowerBound && $0.range.upperBound <= count },
            "a token is outside the text")
        try FuzzFinding.unless(
            zip(tokens, tokens.dropFirst()).allSatisfy { $0.position <= $1.position },
            "positions go back")
        let composed = TextForm.composed(text)
        try FuzzFinding.unless(
            TextForm.composed(composed).utf8.elementsEqual(composed.utf8), "NFC is not stable")
        try FuzzFinding.unless(
            analyzer.tokens(of: composed).map(\.word) == tokens.map(\.word),
            "the composed text has other words")
        let matched = TextForm.matched(text)
        try FuzzFinding.unless(
            TextForm.matched(matched).utf8.elementsEqual(matched.utf8),
            "the matched form is not stable")
        _ = Language.detected(in: text)
        try FuzzFinding.unless(
            Sentences.split(text).joined().unicodeScalars.filter { !$0.properties.isWhitespace }
                .elementsEqual(text.unicodeScalars.filter { !$0.properties.isWhitespace }),
            "a sentence is lost")
    }
}
