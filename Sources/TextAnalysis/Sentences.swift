/// Finds sentence boundaries in any script.
///
/// A sentence ends at a stop before white space, unless the stop belongs to an abbreviation or to the number of a list
/// item, or what follows cannot begin a sentence, such as a lower-case letter. An ideographic stop needs no white
/// space.
public enum Sentences {
    /// The sentences of a line in order, without the white space around them.
    public static func split(_ line: some StringProtocol) -> [String] {
        let text = Array(line.unicodeScalars)
        var sentences: [String] = []
        var start = 0
        func close(before end: Int) {
            var scalars = String.UnicodeScalarView()
            scalars.append(contentsOf: text[start..<end])
            let sentence = String(scalars).split(whereSeparator: \.isWhitespace)
                .joined(separator: " ")
            if !sentence.isEmpty { sentences.append(sentence) }
            start = end
        }
        var at = 1
        while at < text.count {
            if begins(text, at: at, from: start, before: text.count) { close(before: at) }
            at += 1
        }
        close(before: text.count)
        return sentences
    }

    /// Whether a sentence begins at a position other than the first of its block.
    ///
    /// - Parameters:
    ///   - start: Where the block begins.
    ///   - end: Where it ends.
    public static func begins(
        _ text: [Unicode.Scalar], at: Int, from start: Int, before end: Int
    ) -> Bool {
        guard !isSpace(text[at]) else { return false }
        guard isSpace(text[at - 1]) else {
            return isIdeographicStop(text[at - 1]) && !isClosing(text[at])
                && !isIdeographicStop(text[at])
        }
        var last = at - 1
        while last > start, isSpace(text[last - 1]) { last -= 1 }
        return ends(text, before: last, from: start) && begins(text, at: at, before: end)
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x80
            ? scalar.value == 0x20 || scalar.value &- 0x09 < 5 : scalar.properties.isWhitespace
    }

    /// Abbreviations whose full stop rarely ends a sentence, in lower case and without that stop.
    private static let abbreviations: Set<String> = [
        "e.g", "i.e", "cf", "vs", "viz", "resp", "approx", "ca", "incl", "excl", "esp", "fig",
        "figs", "eq", "sec", "ch",
        "vol", "no", "nos", "nr", "pp", "ed", "eds", "al", "dr", "mr", "mrs", "ms", "prof", "st",
        "jr", "sr", "rev", "gen",
        "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "z.b",
        "d.h", "u.a", "bzw",
        "vgl", "p.ex",
    ]

    /// Whether a sentence ends just before `end`; the scalar before `end` must not be white space.
    ///
    /// - Parameter start: Where the enclosing block begins.
    public static func ends(_ text: [Unicode.Scalar], before end: Int, from start: Int) -> Bool {
        var at = end
        while at > start, isClosing(text[at - 1]) { at -= 1 }
        guard at > start, isStop(text[at - 1]) else { return false }
        let stop = at - 1
        guard text[stop] == "." else { return true }
        return !isAbbreviated(text, stop, start)
    }

    /// Whether the full stop belongs to an abbreviation, or stands alone.
    private static func isAbbreviated(_ text: [Unicode.Scalar], _ stop: Int, _ start: Int) -> Bool {
        var first = stop
        while first > start, !isSpace(text[first - 1]), !isOpening(text[first - 1]),
            stop - first < 8
        { first -= 1 }
        let length = stop - first
        // A bare " ... " is an ellipsis.
        if length == 0 || text[first..<stop].allSatisfy({ $0 == "." }) { return true }
        if length == 1, text[first].properties.isUppercase { return true }
        // The number of a list item.
        if first == start, text[first..<stop].allSatisfy({ ("0"..."9").contains($0) }) {
            return true
        }
        guard length <= 6 else { return false }
        var word = String.UnicodeScalarView()
        word.append(contentsOf: text[first..<stop])
        return abbreviations.contains(String(word).lowercased())
    }

    /// Whether a sentence may begin after a stop: "e.g. this" continues with a lower-case letter, so it may not.
    private static func begins(_ text: [Unicode.Scalar], at start: Int, before end: Int) -> Bool {
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

    /// Whether the scalar ends a sentence without a space after it.
    private static func isIdeographicStop(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "。" || scalar == "！" || scalar == "？" || scalar == "｡"
    }

    private static func isStop(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "." || scalar == "!" || scalar == "?" || scalar == "…" || scalar == "।"
            || scalar == "؟" || isIdeographicStop(scalar)
    }

    /// Whether a scalar closes a quotation or a parenthesis.
    public static func isClosing(_ scalar: Unicode.Scalar) -> Bool {
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
