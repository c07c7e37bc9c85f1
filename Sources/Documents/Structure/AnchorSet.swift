/// The anchors of one document: every one is given out once.
///
/// A repeated anchor gets `-1`, `-2` and so on, as GitHub does for the headings of a page.
struct AnchorSet {
    private var uses: [[UInt8]: Int] = [[]: 0]

    /// The most bytes of an anchor: it is a part of row keys, which have a limit.
    static let byteLimit = 256

    /// Takes an anchor, or the first of its numbered successors that is free.
    mutating func take(_ anchor: String) -> String {
        let wanted = Self.usable(anchor)
        guard var count = uses[wanted] else {
            uses[wanted] = 0
            return String(decoding: wanted, as: UTF8.self)
        }
        var candidate: [UInt8]
        repeat {
            count += 1
            candidate = wanted + Array("-\(count)".utf8)
        } while uses[candidate] != nil
        uses[wanted] = count
        uses[candidate] = 0
        return String(decoding: candidate, as: UTF8.self)
    }

    /// Without what a row key may not hold, and not longer than allowed.
    private static func usable(_ anchor: String) -> [UInt8] {
        var result: [UInt8] = []
        for scalar in anchor.unicodeScalars {
            if scalar.properties.generalCategory == .control { continue }
            let encoded = UTF8.encode(scalar).map(Array.init) ?? []
            if result.count + encoded.count > byteLimit { break }
            result += encoded
        }
        return result
    }

    /// The anchor that GitHub gives a heading: lower case; letters, marks, digits, `_`, `-` and spaces
    /// stay, and spaces become hyphens.
    static func slug(_ heading: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in heading.lowercased().unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9", "-", "_": result.append(scalar)
            case " ": result.append("-")
            default: if scalar.value >= 0x80, isWord(scalar) { result.append(scalar) }
            }
        }
        return String(result)
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
            true
        default: false
        }
    }
}
