internal import CUTF8Proc

/// Properties of single characters, from utf8proc.
enum Characters {
    /// The part that a character of the matched form plays in words.
    enum Role {
        /// A letter or digit: words begin with these and consist of them.
        case letter
        /// A combining mark: it can continue a word but never begin one.
        case mark
        /// A character that joins two words into an identifier when it stands alone between them.
        case joint
        case other
    }

    static func role(of scalar: UInt32) -> Role {
        if scalar < 0x80 {
            let byte = UInt8(truncatingIfNeeded: scalar)
            return isWord(byte) ? .letter : isJoint(byte) ? .joint : .other
        }
        switch category(of: scalar) {
        case UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LL, UTF8PROC_CATEGORY_LT, UTF8PROC_CATEGORY_LM,
            UTF8PROC_CATEGORY_LO, UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NL, UTF8PROC_CATEGORY_NO:
            return .letter
        case UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_MC, UTF8PROC_CATEGORY_ME: return .mark
        default: return .other
        }
    }

    /// Whether an ASCII character is a letter or a digit.
    @inline(__always)
    static func isWord(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10
    }

    /// Whether an ASCII character can join words: `_`, `-` and `.`.
    @inline(__always)
    static func isJoint(_ byte: UInt8) -> Bool { byte == 0x5F || byte == 0x2D || byte == 0x2E }

    static func isUpper(_ scalar: UInt32) -> Bool {
        if scalar < 0x80 { return scalar &- 0x41 < 26 }
        let category = category(of: scalar)
        return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT
    }

    static func isLower(_ scalar: UInt32) -> Bool {
        scalar < 0x80 ? scalar &- 0x61 < 26 : category(of: scalar) == UTF8PROC_CATEGORY_LL
    }

    private static func category(of scalar: UInt32) -> utf8proc_category_t {
        utf8proc_category(Int32(bitPattern: scalar))
    }

    static func combiningClass(_ scalar: Int32) -> Int {
        Int(utf8proc_get_property(scalar).pointee.combining_class)
    }

    /// Whether the normal forms of the text before a scalar are independent of the scalar and of what follows it.
    ///
    /// False for marks, for Hangul letters that compose into syllables, and for ignorable characters.
    static func beginsStretch(_ scalar: UInt32) -> Bool {
        switch scalar {
        case ..<0x300: return scalar != 0xAD
        case 0x400..<0x483, 0x2010...0x2027, 0x3041..<0x3097, 0x30A1...0x30FC, 0x4E00...0x9FFF,
            0xAC00...0xD7A3:
            return true
        // utf8proc 2.8 drops this vowel after a syllable because it mistakes it for a final consonant.
        case 0x11A7: return true
        // Hangul vowels and finals, including the compatibility letters, and halfwidth marks.
        case 0x1160...0x11FF, 0x3130...0x318F, 0xFF9E...0xFFDF: return false
        default:
            let property = utf8proc_get_property(Int32(bitPattern: scalar)).pointee
            return property.combining_class == 0 && property.ignorable == 0
                && role(of: scalar) != .mark
        }
    }

    /// Whether a scalar is known to be in normal form C in any context: true only in common ranges, so false proves
    /// nothing.
    static func isComposed(_ scalar: UInt32) -> Bool {
        switch scalar {
        case ..<0x300, 0x3A3...0x481, 0x2010...0x2027, 0x20A0...0x20BF, 0x2190...0x2199,
            0x2500...0x257F, 0x3000...0x3029, 0x3041...0x3096, 0x309D...0x30FF, 0x4E00...0x9FFF,
            0xAC00...0xD7A3, 0xFF01...0xFF60:
            true
        default: false
        }
    }

    /// The matched form of a scalar that a new stretch follows, if the form is a single word character; 0 otherwise,
    /// and where finding the form takes more work.
    static func simpleForm(of scalar: UInt32) -> UInt32 {
        switch scalar {
        case 0x80..<0x800: UInt32(simpleForms[Int(scalar) - 0x80])
        case 0x3041..<0x3097, 0x30A1...0x30FA, 0x30FC, 0x4E00...0x9FFF, 0xAC00...0xD7A3: scalar
        default: 0
        }
    }

    private static let simpleForms: [UInt16] = {
        var normalizer = Normalizer(.matched)
        return (0x80..<0x800).map { (scalar: UInt32) in
            guard beginsStretch(scalar) else { return 0 }
            var form: [UInt32] = []
            normalizer.append(scalar)
            normalizer.finish { form.append($0) }
            guard form.count == 1, role(of: form[0]) == .letter else { return 0 }
            return UInt16(exactly: form[0]) ?? 0
        }
    }()

    // MARK: UTF-8

    /// The scalar at an offset of valid UTF-8, and its length in bytes.
    @inline(__always)
    static func scalar(_ bytes: Span<UInt8>, at place: Int) -> (value: UInt32, length: Int) {
        let first = UInt32(bytes[place])
        if first < 0x80 { return (first, 1) }
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        var value = first & (0x7F >> UInt32(length))
        for offset in 1..<length { value = value << 6 | UInt32(bytes[place + offset]) & 0x3F }
        return (value, length)
    }

    /// Appends the UTF-8 encoding of a scalar.
    @inline(__always)
    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        func last(_ shift: UInt32) -> UInt8 {
            UInt8(truncatingIfNeeded: scalar >> shift & 0x3F) | 0x80
        }
        switch scalar {
        case ..<0x80: bytes.append(UInt8(truncatingIfNeeded: scalar))
        case ..<0x800:
            bytes.append(UInt8(truncatingIfNeeded: scalar >> 6) | 0xC0)
            bytes.append(last(0))
        case ..<0x10000:
            bytes.append(UInt8(truncatingIfNeeded: scalar >> 12) | 0xE0)
            bytes.append(last(6))
            bytes.append(last(0))
        default:
            bytes.append(UInt8(truncatingIfNeeded: scalar >> 18) | 0xF0)
            bytes.append(last(12))
            bytes.append(last(6))
            bytes.append(last(0))
        }
    }
}

/// The scripts that the analysis tells apart, to split words or to detect a language.
enum Script: Int, Comparable {
    case latin, cyrillic, greek, arabic, hebrew, devanagari, han, kana, hangul, thai, lao, khmer,
        myanmar, other

    /// Whether the script writes words without spaces between them.
    var hasNoSpaces: Bool {
        switch self {
        case .han, .kana, .thai, .lao, .khmer, .myanmar: true
        default: false
        }
    }

    /// Whether letters of both scripts can occur in one word, as Han and kana do in Japanese.
    func goesOn(with next: Script) -> Bool {
        self == next || group == next.group
    }

    private var group: Int {
        switch self {
        case .han, .kana: 1
        case .hangul, .thai, .lao, .khmer, .myanmar: 2 + rawValue
        default: 0
        }
    }

    /// The script of a letter.
    init(of scalar: UInt32) {
        self =
            switch scalar {
            case ..<0x0250, 0x1E00..<0x1F00: .latin
            case 0x0370..<0x0400, 0x1F00..<0x2000: .greek
            case 0x0400..<0x0530: .cyrillic
            case 0x0590..<0x0600: .hebrew
            case 0x0600..<0x0780, 0x08A0..<0x0900: .arabic
            case 0x0900..<0x0980: .devanagari
            case 0x0E00..<0x0E80: .thai
            case 0x0E80..<0x0F00: .lao
            case 0x1000..<0x10A0, 0xA9E0..<0xAA00, 0xAA60..<0xAA80: .myanmar
            case 0x1780..<0x1800: .khmer
            case 0x1100..<0x1200, 0x3130..<0x3190, 0xA960..<0xA980, 0xAC00..<0xD800: .hangul
            case 0x3040..<0x3100, 0x31F0..<0x3200, 0x1B000..<0x1B170: .kana
            case 0x2E80..<0x2FE0, 0x3005...0x3007, 0x3021...0x3029, 0x3100..<0x3130,
                0x3400..<0x4DC0, 0x4E00..<0xA000, 0xF900..<0xFB00, 0x20000..<0x32000:
                .han
            default: .other
            }
    }

    static func < (left: Script, right: Script) -> Bool { left.rawValue < right.rawValue }
}
