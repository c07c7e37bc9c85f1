extension Language {
    /// Detects the language of most of a text's words by script and stop words; nil without evidence for a single
    /// language.
    ///
    /// Only the first 64 KiB count. Among languages in Latin script, it knows the ones with a stop-word list: cs, da,
    /// de, en, es, fi, fr, hu, it, nl, no, pl, pt, ro, sv and tr. Among languages in Cyrillic and Arabic script, it
    /// knows some that have letters of their own; any other counts as Russian or Arabic. Text in most other scripts
    /// counts as the main language of its script.
    public static func detected(in text: String) -> Language? {
        let beginning = String(decoding: text.utf8.prefix(textLimit), as: UTF8.self)
        let letters = Letters(of: TextForm.matched(beginning))
        guard let script = letters.script else { return nil }
        let code: String? =
            switch script {
            case .latin: codeByStopWords(beginning)
            case .cyrillic: letters.cyrillicCode
            case .arabic: letters.arabicCode
            // Japanese mixes both scripts; Chinese uses Han alone.
            case .kana, .han: letters.share(of: .kana, and: .han) > 0.1 ? "ja" : "zh"
            case .greek: "el"
            case .hebrew: "he"
            case .devanagari: "hi"
            case .hangul: "ko"
            case .thai: "th"
            case .lao: "lo"
            case .khmer: "km"
            case .myanmar: "my"
            case .other: nil
            }
        return code.flatMap { Language(code: $0) }
    }

    private static let textLimit = 1 << 16

    /// The language with the most stop words, provided that they make up at least a twentieth of all words; nil if
    /// there is none, or several have the most.
    private static func codeByStopWords(_ text: String) -> String? {
        var votes = [Int](repeating: 0, count: StopWords.codes.count)
        var words = 0
        TextAnalyzer(language: undetermined).forEachToken(of: text) { token in
            guard token.kind == .word else { return }
            words += 1
            guard let codes = StopWords.languages[token.word] else { return }
            // A stop word that many languages share says little about any of them.
            for code in codes { votes[code] += wholeVote / codes.count }
        }
        guard let best = votes.indices.max(by: { votes[$0] < votes[$1] }),
            votes[best] * 20 >= words * wholeVote, votes[best] > 0,
            votes.count(where: { $0 == votes[best] }) == 1
        else { return nil }
        return StopWords.codes[best]
    }

    private static let wholeVote = 720_720

    private static let undetermined = Language(code: "und") ?? .english
}

/// Counts the letters of each script in a text, and the letters that identify a language.
private struct Letters {
    private var scripts: [Script: Int] = [:]
    private var marks: [Unicode.Scalar: Int] = [:]

    init(of text: String) {
        for scalar in text.unicodeScalars where Characters.role(of: scalar.value) == .letter {
            if scalar.value &- 0x30 < 10 { continue }
            let script = Script(of: scalar.value)
            scripts[script, default: 0] += 1
            if script == .cyrillic || script == .arabic { marks[scalar, default: 0] += 1 }
        }
    }

    /// The script of most words; ideographs and syllables weigh more, because words in them have fewer letters.
    var script: Script? {
        let han = (scripts[.han] ?? 0) + (scripts[.kana] ?? 0)
        var words = scripts
        words[.kana] = nil
        words[.han] = han == 0 ? nil : han * 3
        if let hangul = words[.hangul] { words[.hangul] = hangul * 2 }
        return words.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }

    /// The share of one script in the letters of two scripts together.
    func share(of script: Script, and other: Script) -> Double {
        let count = Double(scripts[script] ?? 0)
        return count / max(1, count + Double(scripts[other] ?? 0))
    }

    /// Whether at least one in two hundred letters of a script is one of `letters`.
    private func has(_ letters: String, in script: Script) -> Bool {
        let found = letters.unicodeScalars.reduce(0) { $0 + (marks[$1] ?? 0) }
        return found * 200 >= (scripts[script] ?? 0) && found > 0
    }

    var cyrillicCode: String {
        if has("ў", in: .cyrillic) { return "be" }
        if has("іїєґ", in: .cyrillic) { return "uk" }
        if has("ѓќѕ", in: .cyrillic) { return "mk" }
        if has("јљњћђџ", in: .cyrillic) { return "sr" }
        return has("ъ", in: .cyrillic) && !has("ыэё", in: .cyrillic) ? "bg" : "ru"
    }

    var arabicCode: String {
        if has("ٹڈڑںے", in: .arabic) { return "ur" }
        return has("پچژگ", in: .arabic) ? "fa" : "ar"
    }
}
