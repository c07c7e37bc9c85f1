/// Characters of symbol fonts, which have pictures in place of letters.
enum WordSymbols {
    /// Returns the Unicode character for a symbol; nil if it is unknown.
    static func text(_ code: UInt32, font: String) -> String? {
        // Symbol fonts map their characters to this private-use area.
        let place = (0xF000...0xF0FF).contains(code) ? code - 0xF000 : code
        switch font.lowercased() {
        case "symbol": return symbol(place)
        case let name where name.hasPrefix("wingdings") || name == "webdings":
            return name == "wingdings" ? wingdings[place] : nil
        default:
            guard let scalar = Unicode.Scalar(code), code == place,
                scalar.properties.generalCategory != .privateUse, code >= 0x20
            else { return nil }
            return String(scalar)
        }
    }

    private static func symbol(_ place: UInt32) -> String? {
        if let known = symbols[place] { return known }
        let greek = Array("ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ".unicodeScalars)
        let small = Array("αβχδεφγηιϕκλμνοπθρστυϖωξψζ".unicodeScalars)
        switch place {
        case 0x41...0x5A: return String(greek[Int(place - 0x41)])
        case 0x61...0x7A: return String(small[Int(place - 0x61)])
        case 0x20...0x3F: return Unicode.Scalar(place).map { String($0) }
        default: return nil
        }
    }

    private static let symbols: [UInt32: String] = [
        0x22: "∀", 0x24: "∃", 0x27: "∋", 0x2A: "∗", 0x2D: "−", 0x40: "≅", 0x5B: "[", 0x5C: "∴",
        0x5D: "]",
        0x5E: "⊥", 0x5F: "_", 0x7B: "{", 0x7C: "|", 0x7D: "}", 0x7E: "∼", 0xA2: "′", 0xA3: "≤",
        0xA4: "⁄",
        0xA5: "∞", 0xAB: "↔", 0xAC: "←", 0xAD: "↑", 0xAE: "→", 0xAF: "↓", 0xB0: "°", 0xB1: "±",
        0xB2: "″",
        0xB3: "≥", 0xB4: "×", 0xB5: "∝", 0xB6: "∂", 0xB7: "•", 0xB8: "÷", 0xB9: "≠", 0xBA: "≡",
        0xBB: "≈",
        0xBC: "…", 0xC5: "⊕", 0xC6: "∅", 0xC7: "∩", 0xC8: "∪", 0xC9: "⊃", 0xCC: "⊂", 0xCE: "∈",
        0xCF: "∉",
        0xD0: "∠", 0xD1: "∇", 0xD2: "®", 0xD3: "©", 0xD4: "™", 0xD5: "∏", 0xD6: "√", 0xD7: "⋅",
        0xD8: "¬",
        0xD9: "∧", 0xDA: "∨", 0xDB: "⇔", 0xDC: "⇐", 0xDD: "⇑", 0xDE: "⇒", 0xDF: "⇓", 0xE5: "∑",
        0xF2: "∫",
    ]
    private static let wingdings: [UInt32: String] = [
        0x28: "☎", 0x2A: "✉", 0x4A: "☺", 0x4C: "☹", 0x6C: "●", 0x6D: "○", 0x6E: "■", 0x6F: "□",
        0x71: "❑",
        0x75: "◆", 0x76: "❖", 0x9F: "•", 0xA1: "○", 0xA7: "▪", 0xA8: "◻", 0xAB: "★", 0xD8: "➢",
        0xDF: "←",
        0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE8: "➔", 0xEF: "⇦", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓",
        0xFD: "☒",
        0xFE: "☑",
    ]
}
