internal import TextAnalysis

/// What words are compared by in a lexical index: the highest 32 bits of the hash of a stem.
///
/// Of a million different stems one in 4,000 shares its term with another, which costs a little of the ranking and
/// no answer: whatever is quoted or must occur is looked for in the text.
enum LexicalTerm {
    /// The term of a token; nil for a stop word, which no index has.
    static func of(_ token: Token) -> UInt32? {
        token.isStopWord ? nil : UInt32(truncatingIfNeeded: token.stem >> 32)
    }
}

extension Language {
    /// The code in four bytes, the first the lowest, as segments have it.
    var packed: UInt32 {
        var value: UInt32 = 0
        for (index, byte) in code.utf8.prefix(4).enumerated() {
            value |= UInt32(byte) << (8 * UInt32(index))
        }
        return value
    }

    /// The language that ``packed`` stands for; nil if it stands for none.
    init?(packed: UInt32) {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: packed >> (8 * UInt32($0))) }
        self.init(code: String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
    }
}
