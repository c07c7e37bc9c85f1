/// Recognizes the markers of list items.
enum RSTMarker {
    /// Returns the length of a bullet in bytes; nil without one.
    static func bullet(_ content: ArraySlice<UInt8>) -> Int? {
        let length: Int
        switch content.first {
        case UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "+"): length = 1
        case 0xE2:
            guard ["•", "‣", "⁃"].contains(where: { content.starts(with: $0.utf8) }) else {
                return nil
            }
            length = 3
        default: return nil
        }
        return content.count == length || content[content.startIndex + length] == 0x20
            ? length : nil
    }

    /// Returns the unparsed name of a field, and its length with both colons.
    static func field(_ content: ArraySlice<UInt8>) -> (name: String, length: Int)? {
        guard content.first == UInt8(ascii: ":"), content.count > 2 else { return nil }
        var index = content.startIndex + 1
        guard content[index] > 0x20, content[index] != UInt8(ascii: ":") else { return nil }
        while index < content.endIndex {
            switch content[index] {
            case UInt8(ascii: "\\"): index += 1
            case UInt8(ascii: ":"):
                let next = index + 1 < content.endIndex ? content[index + 1] : 0x20
                if next == UInt8(ascii: "`") { return nil }
                guard next == 0x20 else { break }
                guard content[index - 1] != 0x20 else { return nil }
                let name = content[(content.startIndex + 1)..<index]
                return (String(decoding: name, as: UTF8.self), index + 1 - content.startIndex)
            default: break
            }
            index += 1
        }
        return nil
    }

    /// Returns the length of command-line options before their description: `-a FILE, --all=FILE`.
    static func options(_ content: ArraySlice<UInt8>) -> Int? {
        var at = content.startIndex
        while let end = option(content, from: at) {
            at = end
            if at == content.endIndex { return content.count }
            if content[at...].starts(with: "  ".utf8) { return at - content.startIndex }
            guard content[at...].starts(with: ", ".utf8) else { return nil }
            at += 2
        }
        return nil
    }

    /// Returns where one option and its argument end.
    private static func option(_ content: ArraySlice<UInt8>, from start: Int) -> Int? {
        var rest = content[start...]
        if rest.starts(with: "--".utf8) || rest.first == UInt8(ascii: "/") {
            rest = rest.dropFirst(rest.first == UInt8(ascii: "/") ? 1 : 2)
            let name = rest.prefix { isLetterOrDigit($0) || $0 == 0x2D || $0 == 0x5F }
            guard !name.isEmpty else { return nil }
            rest = rest[name.endIndex...]
            guard let joint = rest.first, joint == 0x3D || joint == 0x20 else {
                return rest.startIndex
            }
        } else {
            guard rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") else {
                return nil
            }
            rest = rest.dropFirst()
            guard let letter = rest.first, isLetterOrDigit(letter) else { return nil }
            rest = rest.dropFirst()
        }
        let end = rest.startIndex
        if rest.first == 0x3D || rest.first == 0x20 { rest = rest.dropFirst() }
        if rest.first == UInt8(ascii: "<") {
            guard let close = rest.firstIndex(of: UInt8(ascii: ">")) else { return end }
            return close + 1
        }
        guard let first = rest.first, isLetterOrDigit(first), first > 0x39 else { return end }
        return rest.prefix { isLetterOrDigit($0) || $0 == 0x2D || $0 == 0x5F }.endIndex
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    /// Whether a byte is ASCII punctuation.
    static func isPunctuation(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }

    /// The number or letter of a list item: `1.`, `(a)`, `iv)`, `#.`.
    struct Enumerator {
        /// Its length in bytes.
        let length: Int
        /// Its number; 0 for letters, nil for `#`, which takes the next number.
        let number: Int?
        private let marker: String

        /// Parses the enumerator at the start of a line.
        init?(_ content: ArraySlice<UInt8>) {
            var rest = content
            let isOpen = rest.first == UInt8(ascii: "(")
            if isOpen { rest.removeFirst() }
            let value: ArraySlice<UInt8>
            switch rest.first {
            case .some(0x30...0x39): value = rest.prefix { (0x30...0x39).contains($0) }
            case UInt8(ascii: "#"): value = rest.prefix(1)
            default:
                let letters = rest.prefix {
                    (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                }
                let isRoman = letters.allSatisfy { "ivxlcdmIVXLCDM".utf8.contains($0) }
                guard letters.count == 1 || isRoman && letters.count <= 8 else { return nil }
                value = letters
            }
            guard !value.isEmpty, value.count < 10 else { return nil }
            rest = rest[value.endIndex...]
            guard let close = rest.first, close == 0x29 || close == 0x2E && !isOpen else {
                return nil
            }
            rest.removeFirst()
            guard rest.isEmpty || rest.first == 0x20 else { return nil }
            length = content.count - rest.count
            marker = String(decoding: content.prefix(length), as: UTF8.self)
            if value.first == UInt8(ascii: "#") {
                number = nil
            } else {
                number = Int(String(decoding: value, as: UTF8.self)) ?? 0
            }
        }

        /// Returns the marker as text, with `number` in place of `#`.
        func text(_ number: Int) -> String {
            self.number == nil
                ? marker.replacing("#", with: String(number)) + " " : marker + " "
        }
    }
}

/// Ranks section titles by their adornment: an underline, and possibly an overline.
struct RSTTitle {
    /// The adornments in order of first use, which is the order of their levels.
    private var styles: [Style] = []

    private struct Style: Equatable {
        let mark: UInt8
        let hasOverline: Bool
    }

    /// Returns the level of a title, from 1.
    mutating func level(of mark: UInt8, hasOverline: Bool) -> Int {
        let style = Style(mark: mark, hasOverline: hasOverline)
        if let index = styles.firstIndex(of: style) { return min(index + 1, 6) }
        styles.append(style)
        return min(styles.count, 6)
    }

    /// Returns the mark that an adornment line at a column repeats; nil for any other line.
    static func mark(_ line: MarkupLine, at column: Int) -> UInt8? {
        guard line.indent == column, let mark = line.content.first, RSTMarker.isPunctuation(mark),
            line.content.allSatisfy({ $0 == mark })
        else { return nil }
        return mark
    }

    /// Whether a line may underline a title: it must be at least as long as the title or, because authors miscount,
    /// have at least four marks.
    static func isUnderline(_ line: MarkupLine, of title: MarkupLine, at column: Int) -> Bool {
        mark(line, at: column) != nil
            && (line.content.count >= 4 || line.content.count >= MarkupLine.width(title.content))
    }

    /// Returns the identifier that docutils generates for a title or a name.
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

    /// Accented letters and the plain letters that docutils replaces them with.
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
