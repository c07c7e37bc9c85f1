/// The number of tokens of a text, estimated without the model's tokenizer.
///
/// Each scalar of a script that writes without spaces, or in syllable blocks, counts as one token; all other text
/// counts as one token for every 4 bytes of UTF-8. Tokenizers of large models need fewer tokens for most text. The
/// estimate depends on nothing but the text, so the same prompt is rendered everywhere.
public enum TokenEstimate {
    /// The tokens that a chat template adds to a message.
    static let perMessage = 4
    /// The units of ``quarters(of:)`` in a token.
    static let quartersPerToken = 4

    /// The estimated number of tokens of a text.
    public static func tokens(of text: String) -> Int { tokens(quarters: quarters(of: text)) }

    /// The estimated number of tokens of messages.
    public static func tokens(of messages: [ChatMessage]) -> Int {
        messages.reduce(0) { $0 + tokens(of: $1.text) + perMessage }
    }

    static func tokens(quarters: Int) -> Int {
        (quarters + quartersPerToken - 1) / quartersPerToken
    }

    /// The estimate in quarters of a token: unlike tokens, they add up when texts are joined.
    static func quarters(of text: String) -> Int {
        var sum = 0
        for scalar in text.unicodeScalars {
            sum += isDense(scalar) ? quartersPerToken : UTF8.width(scalar)
        }
        return sum
    }

    /// Whether a scalar belongs to a script without spaces, or to Hangul.
    private static func isDense(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x0E00: false
        // Thai, Lao; Burmese; Hangul letters; Khmer.
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1100...0x11FF, 0x1780...0x17FF: true
        // Radicals, kana, ideographs, Yi, Hangul syllables, compatibility ideographs, full-width forms.
        case 0x2E80...0xA4CF, 0xAC00...0xD7FF, 0xF900...0xFAFF, 0xFE30...0xFE4F, 0xFF00...0xFFEF:
            true
        case 0x20000...0x3FFFF: true
        default: false
        }
    }
}
