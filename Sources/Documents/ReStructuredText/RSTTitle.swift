/// How the titles of sections are marked: by a line below, and perhaps one above.
struct RSTTitle {
    /// The styles of titles in the order of their first use, which is the order of their levels.
    private var styles: [Style] = []

    private struct Style: Equatable {
        let mark: UInt8
        let hasOverline: Bool
    }

    /// The level of a title, from 1.
    mutating func level(of mark: UInt8, hasOverline: Bool) -> Int {
        let style = Style(mark: mark, hasOverline: hasOverline)
        if let index = styles.firstIndex(of: style) { return min(index + 1, 6) }
        styles.append(style)
        return min(styles.count, 6)
    }

    /// The mark that a line at a column consists of and nothing else.
    static func mark(_ line: MarkupLine, at column: Int) -> UInt8? {
        guard line.indent == column, let mark = line.content.first, RSTMarker.isPunctuation(mark),
            line.content.allSatisfy({ $0 == mark })
        else { return nil }
        return mark
    }

    /// Whether a line may be under a title: as long as that, or of four marks at least, since authors
    /// miscount.
    static func isUnderline(_ line: MarkupLine, of title: MarkupLine, at column: Int) -> Bool {
        mark(line, at: column) != nil
            && (line.content.count >= 4 || line.content.count >= MarkupLine.width(title.content))
    }

    /// The identifier that docutils makes of a title or a name, as HTML made from the document has it.
    static func identifier(_ name: String) -> String {
        var result: [UInt8] = []
        for scalar in name.lowercased().unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9":
                // An identifier begins with a letter.
                if result.isEmpty, scalar.value < 0x3A { continue }
                result.append(UInt8(truncatingIfNeeded: scalar.value))
            default:
                if let plain = plain[scalar] {
                    result += plain.utf8
                } else if scalar.properties.generalCategory != .nonspacingMark,
                    let last = result.last, last != UInt8(ascii: "-")
                {
                    result.append(UInt8(ascii: "-"))
                }
            }
        }
        if result.last == UInt8(ascii: "-") { result.removeLast() }
        return String(decoding: result, as: UTF8.self)
    }

    /// Letters with accents as letters without, as docutils writes them.
    private static let plain: [Unicode.Scalar: String] = {
        let letters = [
            "a": "àáâãäåā", "c": "çćč", "d": "đ", "e": "èéêëēę", "i": "ìíîïī", "l": "ł", "n": "ñń",
            "o": "òóôõöōőø", "s": "śš", "u": "ùúûüūů", "y": "ýÿ", "z": "źżž", "sz": "ß", "ae": "æ",
            "oe": "œ",
        ]
        var result: [Unicode.Scalar: String] = [:]
        for (letter, accented) in letters {
            for scalar in accented.unicodeScalars { result[scalar] = letter }
        }
        return result
    }()
}
