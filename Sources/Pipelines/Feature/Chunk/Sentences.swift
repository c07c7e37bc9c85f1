internal import Documents

/// Where sentences begin.
enum Sentences {
    /// Words that a full stop follows in the middle of a sentence, in lower case.
    private static let abbreviations: Set<String> = [
        "e.g", "i.e", "cf", "vs", "viz", "resp", "approx", "ca", "incl", "excl", "esp", "fig",
        "figs", "eq", "sec", "ch",
        "vol", "no", "nos", "nr", "pp", "ed", "eds", "al", "dr", "mr", "mrs", "ms", "prof", "st",
        "jr", "sr", "rev", "gen",
        "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "z.b",
        "d.h", "u.a", "bzw",
        "vgl", "p.ex",
    ]

    /// Whether a sentence ends with the scalars before `end`, of which the last is no white space.
    ///
    /// - Parameter start: Where the block begins that they are in.
    static func ends(_ text: [Unicode.Scalar], before end: Int, from start: Int) -> Bool {
        var at = end
        while at > start, isClosing(text[at - 1]) { at -= 1 }
        guard at > start, isStop(text[at - 1]) else { return false }
        let stop = at - 1
        guard text[stop] == "." else { return true }
        return !isAbbreviated(text, stop, start)
    }

    /// Whether the full stop belongs to the word before it, or stands alone.
    private static func isAbbreviated(_ text: [Unicode.Scalar], _ stop: Int, _ start: Int) -> Bool {
        var first = stop
        while first > start, !WhiteSpace.isSpace(text[first - 1]), !isOpening(text[first - 1]),
            stop - first < 8
        { first -= 1 }
        let length = stop - first
        // " ... " stands for something.
        if length == 0 || text[first..<stop].allSatisfy({ $0 == "." }) { return true }
        if length == 1, text[first].properties.isUppercase { return true }
        // The number of a list's item.
        if first == start, text[first..<stop].allSatisfy({ ("0"..."9").contains($0) }) {
            return true
        }
        guard length <= 6 else { return false }
        var word = String.UnicodeScalarView()
        word.append(contentsOf: text[first..<stop])
        return abbreviations.contains(String(word).lowercased())
    }

    /// Whether a sentence may begin at a position: "e.g. this" goes on with a small letter.
    static func begins(_ text: [Unicode.Scalar], at start: Int, before end: Int) -> Bool {
        var at = start
        while at < end, isOpening(text[at]) { at += 1 }
        guard at < end else { return false }
        let properties = text[at].properties
        switch properties.generalCategory {
        case .uppercaseLetter, .titlecaseLetter, .otherLetter, .modifierLetter, .decimalNumber,
            .letterNumber, .otherNumber, .otherSymbol, .currencySymbol, .privateUse, .unassigned:
            return true
        default: return text[at] == "`" || text[at] == "$" || text[at] == "¿" || text[at] == "¡"
        }
    }

    /// Whether a sentence ends with this scalar and the next one follows without a space.
    static func isIdeographicStop(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "。" || scalar == "！" || scalar == "？" || scalar == "｡"
    }

    private static func isStop(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "." || scalar == "!" || scalar == "?" || scalar == "…" || scalar == "।"
            || scalar == "؟" || isIdeographicStop(scalar)
    }

    static func isClosing(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\"", "'", ")", "]", "}", "`", "”", "’", "»", "」", "』", "）": true
        default: false
        }
    }

    private static func isOpening(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\"", "'", "(", "[", "{", "“", "‘", "«", "„", "「", "『", "（", "*", "_": true
        default: false
        }
    }
}
