/// The language that a text is in.
public struct Language: Hashable, Sendable {
    /// Two or three letters of ISO 639, lower-cased, such as `en`.
    public let code: String

    /// The language of a code of two or three letters, without its region or script: `de-AT` and
    /// `de_AT` are `de`. Nil for what is no such code.
    ///
    /// Whether there is such a language is not asked. One without a stemmer is a language too.
    public init?(code: String) {
        let parts = code.split(omittingEmptySubsequences: false) { $0 == "-" || $0 == "_" }
        guard let first = parts.first, 2...3 ~= first.utf8.count,
            code.utf8.allSatisfy({
                Self.isLetter($0) || 0x30...0x39 ~= $0 || $0 == 0x2D || $0 == 0x5F
            }),
            first.utf8.allSatisfy(Self.isLetter), parts.allSatisfy({ 1...8 ~= $0.utf8.count })
        else { return nil }
        self.code = first.lowercased()
    }

    private static func isLetter(_ byte: UInt8) -> Bool { 0x61...0x7A ~= byte | 0x20 }

    private init(known code: String) { self.code = code }

    /// English.
    public static let english = Language(known: "en")

    /// The name of Snowball's algorithm; nil where it has none.
    var algorithm: String? { Self.algorithms[code] }

    /// Snowball's algorithms by the codes of their languages.
    static let algorithms: [String: String] = [
        "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish",
        "nl": "dutch", "en": "english", "fi": "finnish", "fr": "french", "de": "german",
        "el": "greek", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "ga": "irish",
        "it": "italian", "lt": "lithuanian", "ne": "nepali", "no": "norwegian",
        "nb": "norwegian", "nn": "norwegian", "pt": "portuguese", "ro": "romanian",
        "ru": "russian", "sr": "serbian", "es": "spanish", "sv": "swedish", "ta": "tamil",
        "tr": "turkish", "yi": "yiddish",
    ]
}
